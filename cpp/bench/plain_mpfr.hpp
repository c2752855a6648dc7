// Plain C MPFR: gradient descent on the minimalist model of depth 2, loss half_mean, as one writes
// it by hand for one precision. The baseline that the engine's MPFR runs are timed against.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace precipice {

// n numbers, each with its own memory: what mpfr_init2 gives.
class PlainMpfrArray {
 public:
  PlainMpfrArray(std::size_t n, long precision);
  PlainMpfrArray(const std::vector<double>& values, long precision);
  PlainMpfrArray(const PlainMpfrArray&) = delete;
  PlainMpfrArray& operator=(const PlainMpfrArray&) = delete;
  ~PlainMpfrArray();

  mpfr_t& operator[](std::size_t i) { return numbers_[i]; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  std::unique_ptr<mpfr_t[]> numbers_;
};

class PlainMpfr {
 public:
  // How the two products walk over X; the sums, and so the bits, are the same.
  enum class Order {
    rows,        // X u and X^T z with rows outermost
    columns,     // both with columns outermost
    rows_then_columns,  // X u with rows outermost, X^T z with columns
    row_by_row,  // both products of a row before the next
  };

  // X (samples, features), y (samples), u (features).
  PlainMpfr(long precision, const std::vector<double>& X, const std::vector<double>& y,
            const std::vector<double>& u, double v, double eta);

  void advance(std::int64_t steps, Order order);
  std::vector<std::string> u();  // exact
  std::string v();
  double loss();  // of the last step's start

 private:
  void products_by_rows();
  void products_by_columns();
  void products_by_rows_then_columns();
  void products_row_by_row();
  void preactivations_by_rows();
  void residuals();
  void update();

  long precision_;
  std::size_t samples_, features_;
  PlainMpfrArray x_, y_, u_, v_, eta_;
  PlainMpfrArray f_, z_, g_, loss_, s_, term_;
};

}  // namespace precipice
