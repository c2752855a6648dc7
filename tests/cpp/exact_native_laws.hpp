// The laws of exact sums in float32 and float64, and of the accumulator beneath them.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "linalg/exact_native_sums.hpp"
#include "machine/cpu_path.hpp"
#include "slow_exact.hpp"

namespace precipice::test {

enum class NativeMood {
  plain,
  few_bits,
  scattered,
  cancelling,
  ties,
  rests,  // a number or a tie, and terms far below that cancel but for their last places
  subnormal,
  huge,
  zeros,
  specials
};
inline constexpr int native_moods = 10;

template <class T>
class NativeDraws {
 public:
  explicit NativeDraws(unsigned long seed) : generator_(seed) {}

  std::size_t below(std::size_t n) { return generator_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  // bits: of the significand
  T number(NativeMood mood, int bits) {
    constexpr int least = std::numeric_limits<T>::min_exponent;
    constexpr int most = std::numeric_limits<T>::max_exponent - 1;
    switch (mood) {
      case NativeMood::few_bits: return of(1 + static_cast<int>(below(4)), 0);
      case NativeMood::scattered: return of(bits, between(least / 2, most / 2));
      case NativeMood::subnormal:
        return of(bits, between(least - std::numeric_limits<T>::digits, least / 3));
      case NativeMood::huge: return of(bits, between(most / 3, most));
      case NativeMood::zeros: return one_in(5) ? of(bits, 0) : one_in(2) ? T(0) : T(-0.0);
      case NativeMood::specials: return one_in(40) ? special() : of(bits, between(-3, 3));
      default: return of(bits, between(-3, 3));
    }
  }

 private:
  int between(int low, int high) {
    return low + static_cast<int>(below(static_cast<std::size_t>(high - low + 1)));
  }
  T of(int bits, int exponent) {
    const auto m =
        static_cast<double>(generator_() >> (64 - bits) | std::uint64_t(1) << (bits - 1));
    const T x = static_cast<T>(std::ldexp(m, exponent - bits));
    return one_in(2) ? -x : x;
  }
  T special() {
    const T infinity = std::numeric_limits<T>::infinity();
    const T specials[] = {infinity, -infinity, std::numeric_limits<T>::quiet_NaN(), T(0), T(-0.0)};
    return specials[below(5)];
  }

  std::mt19937_64 generator_;
};

// An exact sum is what rounding it to odd says: the same number, or one of the neighbours with an
// odd last place on its side.
inline bool is_rounded_to_odd(double x, const Slow& exact) {
  if (mpfr_nan_p(exact.get())) return std::isnan(x);
  const int side = mpfr_cmp_d(exact.get(), x);
  if (side == 0) return !mpfr_zero_p(exact.get()) || !mpfr_signbit(exact.get()) == !std::signbit(x);
  const double next = std::nextafter(x, side * std::numeric_limits<double>::infinity());
  const bool odd = (std::bit_cast<std::uint64_t>(x) & 1) != 0;
  return odd && (std::isinf(next) || mpfr_cmp_d(exact.get(), next) * side < 0);
}

template <class T>
class DrawnNativeSums {
 public:
  DrawnNativeSums(NativeDraws<T>& draws, NativeMood mood, int bits, std::size_t rows,
                  std::size_t columns)
      : mood_(mood), rows_(rows), columns_(columns), stride_(columns + draws.below(3)) {
    for (std::size_t k = 0; k < columns; ++k) u_.push_back(draws.number(mood, bits));
    for (std::size_t i = 0; i < rows; ++i) z_.push_back(draws.number(mood, bits));
    for (std::size_t i = 0; i < rows * stride_; ++i) x_.push_back(draws.number(mood, bits));
    if (mood == NativeMood::cancelling) cancel(draws);
    if (mood == NativeMood::ties) aim_at_ties(draws, bits);
    if (mood == NativeMood::rests) aim_at_rests(draws);
  }

  void check(const char* path, const ExactKernels& kernels, int bits) {
    const StopFlag stop{false};
    const RowMajor<T> x{x_.data(), rows_, columns_, stride_};
    const Magnitudes magnitudes = Magnitudes::of(x);
    for (const SumRounding rounding : {SumRounding::nearest, SumRounding::odd}) {
      ExactNativeSums<T> sums(kernels, rounding, bits, stop);
      std::vector<double> f(rows_), g(columns_);
      sums.matvec(f.data(), x, magnitudes, u_.data());
      for (std::size_t i = 0; i < rows_; ++i)
        check(path, "X u", rounding, f[i], sum(&x_[i * stride_], 1, u_), i);
      sums.matvec_transposed(g.data(), x, magnitudes, z_.data());
      for (std::size_t k = 0; k < columns_; ++k)
        check(path, "X^T z", rounding, g[k], sum(&x_[k], stride_, z_), k);
    }
  }

 private:
  void check(const char* path, const char* what, SumRounding rounding, double got,
             const SlowExactSum& exact, std::size_t i) const {
    static const Format float64 = parse_format("float64"), float32 = parse_format("float32");
    Slow x(53);
    mpfr_set_d(x.get(), got, MPFR_RNDN);
    if (rounding == SumRounding::nearest) {
      const Slow expected = exact.rounded(float64);
      CHECK(identical(x, expected), path, what, static_cast<int>(mood_), rows_, columns_, i, x,
            expected);
      return;
    }
    CHECK(is_rounded_to_odd(got, exact.value()), path, what, static_cast<int>(mood_), rows_,
          columns_, i, x, exact.value());
    Slow narrow(24);
    mpfr_set_flt(narrow.get(), static_cast<float>(got), MPFR_RNDN);
    CHECK(identical(narrow, exact.rounded(float32)), path, what, static_cast<int>(mood_), i, x);
  }

  SlowExactSum sum(const T* x, std::size_t step, const std::vector<T>& y) const {
    SlowExactSum sum;
    Slow a(53), b(53);
    for (std::size_t k = 0; k < y.size(); ++k) {
      mpfr_set_d(a.get(), static_cast<double>(x[k * step]), MPFR_RNDN);
      mpfr_set_d(b.get(), static_cast<double>(y[k]), MPFR_RNDN);
      sum.add(a.get(), b.get());
    }
    return sum;
  }

  // Neighbouring rows and columns are opposite, but for some entries.
  void cancel(NativeDraws<T>& draws) {
    for (std::size_t k = 0; k + 1 < columns_; k += 2) u_[k + 1] = -u_[k];
    for (std::size_t i = 0; i + 1 < rows_; i += 2) z_[i + 1] = -z_[i];
    for (std::size_t i = 0; i < rows_; ++i)
      for (std::size_t k = 0; k < columns_; ++k)
        if (!draws.one_in(16)) x_[i * stride_ + k] = x_[i / 2 * 2 * stride_ + k / 2 * 2];
  }

  // Sums of plus or minus: a number; half a last place of it, or of its neighbour; and far less.
  void aim_at_ties(NativeDraws<T>& draws, int bits) {
    for (T& x : x_) x = draws.one_in(2) ? T(1) : T(-1);
    for (std::vector<T>* v : {&u_, &z_}) {
      for (T& x : *v) x = 0;
      (*v)[0] = draws.number(NativeMood::plain, bits);
      const int places[] = {24, 25, 53, 54};
      if (v->size() > 1)
        (*v)[1] = static_cast<T>(std::ldexp(1.0, std::ilogb((*v)[0]) - places[draws.below(4)]));
      const int far[] = {1, 30, 60, 80, 120};
      if (v->size() > 2 && draws.one_in(2))
        (*v)[2] = static_cast<T>(std::ldexp((*v)[1], -far[draws.below(5)]));
    }
  }

  // What compensated sums add up to after the number is rounded itself: large terms in pairs, with
  // terms of the size of those roundings in between.
  void aim_at_rests(NativeDraws<T>& draws) {
    for (T& x : x_) x = 1;
    const int digits = std::numeric_limits<T>::digits;
    for (std::vector<T>* v : {&u_, &z_}) {
      const std::size_t n = v->size(), pairs = n < 4 ? 0 : 1 + draws.below((n - 2) / 2);
      const T size = static_cast<T>(std::ldexp(1.0, -digits - 7));
      for (T& x : *v)
        x = static_cast<T>(std::ldexp(draws.number(NativeMood::plain, digits) * size, -digits));
      (*v)[0] = 1;
      if (n > 1) (*v)[1] = draws.one_in(2) ? T(0) : static_cast<T>(std::ldexp(1.0, -53));
      for (std::size_t j = 0; j < pairs && 3 + 2 * j < n; ++j) {
        const std::size_t other = n - 1 - j;
        if (other <= 2 + j) break;
        (*v)[2 + j] = draws.number(NativeMood::plain, digits) * size;
        (*v)[other] = -(*v)[2 + j];
      }
    }
  }

  NativeMood mood_;
  std::size_t rows_, columns_, stride_;
  std::vector<T> u_, z_, x_;
};

template <class T>
void exact_native_laws(unsigned long seed) {
  NativeDraws<T> draws(seed);
  constexpr std::size_t shapes[][2] = {{1, 1},  {1, 2},  {2, 1},   {3, 7},   {8, 8},   {9, 17},
                                       {5, 40}, {16, 3}, {33, 65}, {2, 300}, {40, 260}};
  for (const CpuPath path : available_cpu_paths())
    for (const auto& [rows, columns] : shapes)
      for (int mood = 0; mood < native_moods; ++mood)
        for (const int bits : {8, 24, std::numeric_limits<T>::digits}) {
          DrawnNativeSums<T> drawn(draws, static_cast<NativeMood>(mood), bits, rows, columns);
          drawn.check(name(path), exact_kernels(path),
                      mood == static_cast<int>(NativeMood::rests) ||
                              mood == static_cast<int>(NativeMood::ties) ||
                              mood == static_cast<int>(NativeMood::specials)
                          ? std::numeric_limits<T>::digits
                          : bits);
        }
}

}  // namespace precipice::test
