// Sums of products of float32 or float64 numbers, each rounded once (order `exact`): compensated
// sums by the kernels of exact_kernels.hpp, whose error bound decides nearly every rounding; what
// it leaves undecided, and sums that overflow or have infinities or NaN, in an accumulator that
// rounds nothing.
//
// A format of at most 51 bits rounds from the sum rounded to odd in float64
// (ExactAccumulator::to_odd) as from the sum itself.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "linalg/exact_kernels.hpp"
#include "linalg/native_kernels.hpp"
#include "linalg/space.hpp"
#include "numbers/exact_accumulator.hpp"

namespace precipice {

// The magnitudes of a set of numbers; zeros count for nothing.
struct Magnitudes {
  double greatest = 0, least = std::numeric_limits<double>::infinity();

  void include(double x) {
    const double magnitude = std::fabs(x);
    if (!(magnitude <= std::numeric_limits<double>::max()))
      greatest = std::numeric_limits<double>::infinity();
    else if (magnitude > greatest)
      greatest = magnitude;
    if (magnitude > 0 && magnitude < least) least = magnitude;
  }
  template <class T>
  static Magnitudes of(const RowMajor<T>& x) {
    Magnitudes magnitudes;
    for (std::size_t i = 0; i < x.rows; ++i)
      for (std::size_t k = 0; k < x.columns; ++k)
        magnitudes.include(static_cast<double>(x.row(i)[k]));
    return magnitudes;
  }
};

// Where sums are rounded to: float64, to nearest, or to odd.
enum class SumRounding { nearest, odd };

template <class T>
class ExactNativeSums {
 public:
  // No number that will be given has more bits than that; products of 26 are exact.
  ExactNativeSums(const ExactKernels& kernels, SumRounding rounding, int bits, const StopFlag& stop)
      : kernels_(kernels), rounding_(rounding), bits_(bits), stop_(stop) {}

  // f_i = sum_k x[i,k] u_k; unfinished if stopped.
  void matvec(double* f, const RowMajor<T>& x, const Magnitudes& of_x, const T* u);
  // g_k = sum_i x[i,k] z_i
  void matvec_transposed(double* g, const RowMajor<T>& x, const Magnitudes& of_x, const T* z);
  // The same in parts: the vector, and the magnitudes of all matrices; then sums down the rows.
  void set_vector(const T* u, std::size_t terms, const Magnitudes& of_x);
  void down(double* g, const RowMajor<T>& x);

 private:
  SplitVector vector() const { return {value_.data(), high_.data(), low_.data(), anchor_}; }
  bool settle(double& out, std::size_t i) const;
  // Of terms x_0, x_step, x_(2 step) ...
  double by_accumulator(const T* x, std::size_t step);
  void rows(const T* const* row);
  std::size_t columns(const RowMajor<T>& x, std::size_t first, std::size_t count);
  UnroundedSums unrounded() { return {sum_.data(), rest_.data()}; }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  static constexpr std::size_t columns_at_once = 256;

  const ExactKernels& kernels_;
  const SumRounding rounding_;
  const int bits_;
  const StopFlag& stop_;

  std::size_t terms_ = 0;
  bool compensated_ = false, exact_products_ = false;
  bool exact_rests_ = false;                // sum + rest is the sum
  double error_ = 0;                        // at most, of sum + rest
  std::vector<double> value_, high_, low_;  // of the vector
  double anchor_ = 0;
  std::vector<double> sum_, rest_;  // of the outputs at hand
  ExactAccumulator accumulator_;
};

extern template class ExactNativeSums<float>;
extern template class ExactNativeSums<double>;

}  // namespace precipice
