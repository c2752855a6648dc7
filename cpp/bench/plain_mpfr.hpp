// Plain C MPFR: gradient descent on the minimalist model of depth 2 with loss half_mean, as one
// writes it by hand. It computes what the engine computes, rounding for rounding, and is what the
// engine's MPFR runs are timed against; nothing but the benchmark uses it.
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

  mpfr_ptr operator[](std::size_t i) { return numbers_[i]; }

 private:
  std::size_t size_;
  std::unique_ptr<mpfr_t[]> numbers_;
};

class PlainMpfr {
 public:
  // Which index of X is the outer loop's. The sums, and so the bits, are the same.
  enum class Outer { rows, columns };

  // X (samples, features), y (samples), u (features); the caller's exponent range holds.
  PlainMpfr(long precision, const std::vector<double>& X, const std::vector<double>& y,
            const std::vector<double>& u, double v, double eta);

  void advance(std::int64_t steps, Outer preactivations, Outer gradient);
  void preactivations(Outer outer);  // f = X u
  void gradient(Outer outer);        // g = X^T z

  std::vector<std::string> u();  // exact
  std::string v();
  double loss();  // where the last step started

 private:
  void residuals_and_loss();
  void update();

  std::size_t samples_, features_;
  PlainMpfrArray x_, y_, u_, v_, eta_;
  PlainMpfrArray f_, z_, g_, loss_, s_, term_;
};

}  // namespace precipice
