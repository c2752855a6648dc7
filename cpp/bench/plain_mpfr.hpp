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

#include "bench/data.hpp"
#include "numbers/format.hpp"

namespace precipice {

// n numbers, each with its own memory: what mpfr_init2 gives.
class PlainMpfrArray {
 public:
  PlainMpfrArray(std::size_t n, long precision);
  PlainMpfrArray(const ExactVector& values, const Format& format);
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

  // The caller's exponent range holds.
  PlainMpfr(const Format& format, const BenchmarkData& data);

  void advance(std::int64_t steps, Outer preactivations, Outer gradient);

  // Stages of a step.
  void preactivations(Outer outer);  // f = X u
  void residuals();                  // z = f v - y
  void gradient(Outer outer);        // g = X^T z
  void descend();                    // u = u - eta g

  std::vector<std::string> u() { return texts(u_, features_); }  // exact
  std::vector<std::string> v() { return texts(v_, 1); }
  std::vector<std::string> f() { return texts(f_, samples_); }
  std::vector<std::string> g() { return texts(g_, features_); }
  double loss();  // where the last step started

 private:
  void evaluate_loss();
  void scale_gradient();
  void update_v();
  static std::vector<std::string> texts(PlainMpfrArray& a, std::size_t n);

  std::size_t samples_, features_;
  PlainMpfrArray x_, y_, u_, v_, eta_;
  PlainMpfrArray f_, z_, g_, loss_, s_, term_;
};

}  // namespace precipice
