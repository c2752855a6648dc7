#include "linalg/exact_native_sums.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "linalg/exact_products.hpp"
#include "linalg/lanes.hpp"
#include "machine/cpu_path.hpp"

namespace precipice {
namespace {

constexpr ExactKernels baseline_exact = native::exact_kernels_over<Lanes<double>>();

// Splitting multiplies by it; sums and the anchor are to stay far below the largest number.
constexpr double splitter = 134217729;  // 2^27 + 1
const double greatest_factor = std::ldexp(1.0, 980), greatest_sum = std::ldexp(1.0, 990);
// Products above this, and their last bits, are no subnormals; no anchor is for smaller ones.
const double least_product = std::ldexp(1.0, -900);

// 3/2 2^t with 2^t in [2 n P, 4 n P), for n products of at most P.
double anchor_for(double n, double greatest_product) {
  return std::ldexp(1.5, std::ilogb(2 * n * greatest_product) + 1);
}

// |sum + rest - exact| for n products of at most P. With w = 2^-53 and the sum below 2^(t+1), q is
// at most w 2^t < 4 w n P and e at most w P. Rounding e + q costs w (4 n + 1) w P at most, and
// rounding rest k + 1 times that in step k: altogether w^2 P (4 n + 1) n (n + 3) / 2 or less.
// Underflow costs a product less than 8 times the smallest number, and sums nothing.
double error_bound(double n, double greatest_product) {
  const double higher_orders = 1.01;
  const double smallest = std::numeric_limits<double>::denorm_min();
  return higher_orders * std::ldexp(2 * (n + 2) * (n + 2) * (n + 2), -106) * greatest_product +
         8 * (n + 1) * smallest;
}

// Factors of that many bits that are not below some magnitude are multiples of 2^-bits of it. So
// then exact products, and with them sums and rests, are multiples of 2^(-2 bits) of the least
// product there may be; up to 2^53 times that, rests are added exactly. They are at most 4 w n^2 P.
bool rests_are_exact(double n, double greatest_product, double least_magnitude, int bits) {
  return std::ldexp(n * n, 2 - 53) * greatest_product <=
         std::ldexp(least_magnitude, 53 - 2 * bits - 1);
}

// The neighbour of a number that is not zero, towards or away from zero.
double neighbour(double x, bool away) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) + (away ? 1 : -1ULL));
}
bool is_odd(double x) {
  return (std::bit_cast<std::uint64_t>(x) & 1) != 0;
}

}  // namespace

const ExactKernels& exact_kernels(CpuPath path) {
#ifdef PRECIPICE_X86_KERNELS
  switch (path) {
    case CpuPath::mpfr:
    case CpuPath::generic: break;
    case CpuPath::avx2: return native::avx2_exact;
    case CpuPath::avx512:
    case CpuPath::avx512ifma: return native::avx512_exact;
  }
#else
  static_cast<void>(path);
#endif
  return baseline_exact;
}

template <class T>
void ExactNativeSums<T>::set_vector(const T* u, std::size_t terms, const Magnitudes& of_x) {
  terms_ = terms;
  value_.resize(terms);
  high_.resize(terms);
  low_.resize(terms);
  Magnitudes of_u;
  for (std::size_t k = 0; k < terms; ++k) {
    value_[k] = static_cast<double>(u[k]);
    of_u.include(value_[k]);
    const double scaled = splitter * value_[k];
    high_[k] = scaled - (scaled - value_[k]);
    low_[k] = value_[k] - high_[k];
  }
  const double n = static_cast<double>(terms);
  const double product = std::max(of_x.greatest * of_u.greatest, least_product);
  compensated_ =
      std::max(of_x.greatest, of_u.greatest) < greatest_factor && n * product < greatest_sum;
  if (!compensated_) return;
  anchor_ = anchor_for(n, product);
  exact_products_ =
      sizeof(T) == sizeof(float) || (bits_ <= 26 && of_x.least * of_u.least > least_product);
  error_ = error_bound(n, product);
  exact_rests_ = exact_products_ && rests_are_exact(n, product, of_x.least * of_u.least, bits_);
  const std::size_t outputs = std::max(columns_at_once, kernels_.rows_at_once);
  sum_.resize(outputs);
  rest_.resize(outputs);
}

// out = the rounding of output i, if it is decided.
template <class T>
bool ExactNativeSums<T>::settle(double& out, std::size_t i) const {
  const double sum = sum_[i], rest = rest_[i];
  const double nearest = sum + rest, of_rest = nearest - sum;
  const double beyond = (sum - (nearest - of_rest)) + (rest - of_rest);  // exactly
  const double error = exact_rests_ ? 0 : error_;
  if (nearest == 0) return false;  // a zero's sign is not known
  if (rounding_ == SumRounding::nearest) {
    // An interval around the exact sum: rounding is monotone.
    const double bound = error + 0x1p-50 * std::fabs(beyond);
    out = nearest;
    return exact_rests_ ||
           (nearest + (beyond + bound) == nearest && nearest + (beyond - bound) == nearest);
  }
  if (exact_rests_ && beyond == 0) {
    out = nearest;
    return true;
  }
  if (!(std::fabs(beyond) > error)) return false;
  out = is_odd(nearest) ? nearest : neighbour(nearest, (beyond > 0) == (nearest > 0));
  return true;
}

template <class T>
double ExactNativeSums<T>::by_accumulator(const T* x, std::size_t step) {
  accumulator_.clear();
  for (std::size_t k = 0; k < terms_; ++k)
    accumulator_.add_product(static_cast<double>(x[k * step]), value_[k]);
  return rounding_ == SumRounding::nearest ? accumulator_.nearest() : accumulator_.to_odd();
}

template <class T>
void ExactNativeSums<T>::rows(const T* const* row) {
  if constexpr (sizeof(T) == sizeof(float)) {
    kernels_.rows_of_float32(unrounded(), row, terms_, vector());
  } else {
    const auto sums = exact_products_ ? kernels_.rows_of_exact_products : kernels_.rows;
    sums(unrounded(), row, terms_, vector());
  }
}

template <class T>
std::size_t ExactNativeSums<T>::columns(const RowMajor<T>& x, std::size_t first,
                                        std::size_t count) {
  const T* const data = x.data + first;
  if constexpr (sizeof(T) == sizeof(float)) {
    return kernels_.columns_of_float32(unrounded(), data, x.stride, x.rows, count, vector());
  } else {
    const auto sums = exact_products_ ? kernels_.columns_of_exact_products : kernels_.columns;
    return sums(unrounded(), data, x.stride, x.rows, count, vector());
  }
}

template <class T>
void ExactNativeSums<T>::matvec(double* f, const RowMajor<T>& x, const Magnitudes& of_x,
                                const T* u) {
  constexpr std::size_t most_rows = 8;
  set_vector(u, x.columns, of_x);
  const std::size_t together = kernels_.rows_at_once;
  const T* row[most_rows];
  for (std::size_t i = 0; i < x.rows && !stopped(); i += together) {
    for (std::size_t j = 0; j < together; ++j) row[j] = x.row(std::min(i + j, x.rows - 1));
    if (compensated_) rows(row);
    for (std::size_t j = 0; j < together && i + j < x.rows; ++j)
      if (!compensated_ || !settle(f[i + j], j)) f[i + j] = by_accumulator(row[j], 1);
  }
}

template <class T>
void ExactNativeSums<T>::matvec_transposed(double* g, const RowMajor<T>& x, const Magnitudes& of_x,
                                           const T* z) {
  set_vector(z, x.rows, of_x);
  down(g, x);
}

template <class T>
void ExactNativeSums<T>::down(double* g, const RowMajor<T>& x) {
  for (std::size_t k = 0; k < x.columns && !stopped();) {
    const std::size_t left = std::min(x.columns - k, columns_at_once);
    // Columns that fill no lanes: some before them again.
    if (left < kernels_.lanes) k = x.columns - std::min(kernels_.lanes, x.columns);
    const std::size_t count = std::min(x.columns - k, columns_at_once);
    const std::size_t done = compensated_ ? columns(x, k, count) : 0;
    const std::size_t here = done > 0 ? done : count;
    for (std::size_t j = 0; j < here; ++j)
      if (done == 0 || !settle(g[k + j], j)) g[k + j] = by_accumulator(x.data + k + j, x.stride);
    k += here;
  }
}

template class ExactNativeSums<float>;
template class ExactNativeSums<double>;

}  // namespace precipice
