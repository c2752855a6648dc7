// double-double: a number is the unevaluated sum hi + lo of two float64, hi the float64 nearest to
// it. Its operations are programs of float64 operations, written below: not correctly rounded, but
// with proven bounds on the relative error, and the same bits wherever float64 and fma are IEEE's.
//
// The programs and their bounds (u = 2^-53; no underflow, no overflow) are those of Joldes, Muller
// and Popescu, "Tight and rigorous error bounds for basic building blocks of double-word
// arithmetic", ACM TOMS 44(2), 2017:
//   a + b   algorithm 6, AccurateDWPlusDW   3 u^2 + 13 u^3
//   a - b   a + (-b)                        the same
//   a * b   algorithm 10, DWTimesDW1        7 u^2
//   a / b   algorithm 17, DWDivDW2          15 u^2 + 56 u^3; where b.lo = 0 it is algorithm 14,
//                                           DWDivFP2, 3.5 u^2
// The error of a product is std::fma's, which the C library rounds once on every CPU, in software
// where there is no such instruction; Dekker's would overflow from 2^996 on.
//
// Zeros have no sign: what would be -0, in either part, is +0. Where the program leaves float64's
// range, the result has one part: the float64 result of the leading parts if that is an infinity
// or NaN, and else an infinity of its sign. So infinities and NaN are (inf, 0) and (nan, 0).
#pragma once

#include <mpfr.h>

#include <cmath>
#include <cstddef>
#include <limits>

#include "numbers/exact.hpp"

namespace precipice {

struct double_double {
  double hi = 0, lo = 0;

  double_double() = default;
  double_double(double high, double low) : hi(high + 0.0), lo(low + 0.0) {}
  explicit double_double(double x) : double_double(x, 0.0) {}
  explicit double_double(int n) : hi(n) {}
  explicit double_double(long n) : hi(static_cast<double>(n)), lo(difference(n, hi)) {}

  explicit operator double() const { return hi; }
  friend bool operator==(double_double a, double_double b) { return a.hi == b.hi && a.lo == b.lo; }

 private:
  // n - hi, exactly: hi may be 2^63, which no long is.
  static double difference(long n, double hi) {
    constexpr double limit = 0x1p63;
    const long part = hi == limit ? std::numeric_limits<long>::max() : static_cast<long>(hi);
    return static_cast<double>(n - part) - (hi == limit ? 1 : 0);
  }
};

namespace two_words {

struct Pair {
  double hi, lo;
};

// a + b exactly, as its float64 and what that leaves; of the second, |a| >= |b| or a = 0.
inline Pair sum(double a, double b) {
  const double s = a + b, b_seen = s - a, a_seen = s - b_seen;
  return {s, (a - a_seen) + (b - b_seen)};
}
inline Pair ordered_sum(double a, double b) {
  const double s = a + b;
  return {s, b - (s - a)};
}
inline Pair product(double a, double b) {
  const double p = a * b;
  return {p, std::fma(a, b, -p)};
}

// The result, unless the program left the range; `leading` is the result of the leading parts.
inline double_double checked(Pair result, double leading) {
  if (result.lo - result.lo == 0) return {result.hi, result.lo};
  if (leading - leading == 0)
    return double_double(std::copysign(std::numeric_limits<double>::infinity(), leading));
  return double_double(leading);
}

}  // namespace two_words

inline double_double operator+(double_double a, double_double b) {
  const auto s = two_words::sum(a.hi, b.hi), t = two_words::sum(a.lo, b.lo);
  const auto v = two_words::ordered_sum(s.hi, s.lo + t.hi);
  return two_words::checked(two_words::ordered_sum(v.hi, t.lo + v.lo), s.hi);
}
inline double_double operator-(double_double a, double_double b) {
  return a + double_double(-b.hi, -b.lo);
}
inline double_double operator*(double_double a, double_double b) {
  const auto p = two_words::product(a.hi, b.hi);
  const double cross = a.hi * b.lo + a.lo * b.hi;
  return two_words::checked(two_words::ordered_sum(p.hi, p.lo + cross), p.hi);
}
inline double_double operator/(double_double a, double_double b) {
  const double q = a.hi / b.hi;
  // q * b, algorithm 7, DWTimesFP1
  const auto p = two_words::product(b.hi, q);
  const auto t = two_words::ordered_sum(p.hi, b.lo * q);
  const auto back = two_words::ordered_sum(t.hi, t.lo + p.lo);
  const double rest = (a.hi - back.hi) + (a.lo - back.lo);
  return two_words::checked(two_words::ordered_sum(q, rest / b.hi), q);
}

inline bool is_finite(double_double x) {
  return x.hi - x.hi == 0;
}

// Significant bits that hold the sum of any two float64.
inline constexpr long bits_of_double_double = 2098;

// hi + lo; exact where `out` has so many bits.
inline void to_mpfr(mpfr_ptr out, double_double x) {
  mpfr_set_d(out, x.hi, MPFR_RNDN);
  mpfr_add_d(out, out, x.lo, MPFR_RNDN);
}

// hi = RN(x) and lo = RN(x - hi), of a number x, or one that need not be an MPFR number.
void from_mpfr(double_double& out, mpfr_srcptr x);
double_double nearest_double_double(const ExactVector& values, std::size_t i);

}  // namespace precipice
