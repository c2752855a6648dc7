// Rounding to narrow formats in float32 and float64, bit for bit against MPFR: every member of a
// format, what lies between and about its neighbours, and operations on members, for formats of
// eight bits on all pairs. PRECIPICE_SOAK=n repeats the random pairs n times.
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "carried_formats.hpp"
#include "check.hpp"
#include "laws_of_a_space.hpp"
#include "numbers/carried_format.hpp"
#include "numbers/carried_lanes.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/native.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {
namespace {

struct Here {};
template <class T>
using One = CarriedOne<T, Here>;
template <class T>
using Four = CarriedMany<T, 16, Here>;

template <class T>
Slow exactly(T x) {
  Slow out(std::numeric_limits<T>::digits);
  to_mpfr(out.get(), x);
  return out;
}
template <class T>
T carried_number(const Slow& x) {
  T out;
  from_mpfr(out, x.get());
  return out;
}
template <class T>
bool same(T actual, const Slow& expected) {
  return identical(exactly(actual), expected);
}

// Every member >= 0 of a format of few exponents, or those of some binades of a longer one.
template <class T>
std::vector<T> members(const Format& format) {
  const long normal = format.subnormals ? format.emin + format.precision - 1 : format.emin;
  const T half = std::ldexp(T(1), static_cast<int>(format.precision - 1));
  std::vector<T> all = {0};
  if (format.subnormals)
    for (T k = 1; k < half; ++k) all.push_back(std::ldexp(k, static_cast<int>(format.emin - 1)));
  for (long exponent = normal; exponent <= format.emax; ++exponent) {
    const bool few = (format.emax - normal) * static_cast<long>(half) < 600000;
    if (!few && exponent > normal + 3 && exponent < format.emax - 3 && exponent % 16 != 0) continue;
    const long reserved = exponent == format.emax ? format.reserved : 0;
    for (T k = half; k < 2 * half - static_cast<T>(reserved); ++k)
      all.push_back(std::ldexp(k, static_cast<int>(exponent - format.precision)));
  }
  return all;
}

template <class T>
T in_lanes(const CarriedFormat<T>& format, T x) {
  const CarriedRounding<Four<T>> rounding(format);
  return rounding.full(Four<T>::broadcast(x))[1];
}

// Each of the roundings where it is one.
template <class T>
void check_rounding(const Format& format, const CarriedFormat<T>& constants, T x) {
  const SlowArithmetic oracle(format);
  const CarriedRounding<One<T>> rounding(constants);
  const Slow expected = oracle.number(exactly(x));
  CHECK(identical(expected, oracle.nearest(exactly(x))), format.name, x);
  CHECK(same(rounding.full(x), expected), format.name, x, rounding.full(x), expected);
  CHECK(same(in_lanes(constants, x), expected), format.name, x, in_lanes(constants, x));
  if (constants.by_bits() || (std::fabs(x) >= constants.least_normal && finite(expected) &&
                              !(std::fabs(x) > constants.largest)))
    CHECK(same(rounding.to_precision(x), expected), format.name, x, rounding.to_precision(x));
  if (constants.raises_products && std::fabs(x) <= constants.largest)
    CHECK(same(rounding.gradual(x), expected), format.name, x, rounding.gradual(x), expected);
}

template <class T>
void check_about(const Format& format, const CarriedFormat<T>& constants, T x) {
  const T infinity = std::numeric_limits<T>::infinity();
  for (const T y : {std::nextafter(x, T(0)), x, std::nextafter(x, infinity)}) {
    check_rounding(format, constants, y);
    check_rounding(format, constants, -y);
  }
}

template <class T>
void every_member(const Format& format) {
  const auto constants = carried_format<T>(format);
  if (!constants || constants->native) return;
  const std::vector<T> all = members<T>(format);
  for (std::size_t i = 0; i < all.size(); ++i) {
    check_about(format, *constants, all[i]);
    if (i + 1 < all.size()) check_about(format, *constants, all[i] + (all[i + 1] - all[i]) / 2);
  }
  const T beyond = all.back() - all[all.size() - 2];
  check_about(format, *constants, all.back() + beyond / 2);
  check_about(format, *constants, all.back() + beyond);
  const T infinity = std::numeric_limits<T>::infinity();
  for (const T x : {infinity, std::numeric_limits<T>::max(), std::numeric_limits<T>::denorm_min(),
                    std::numeric_limits<T>::min(), std::numeric_limits<T>::quiet_NaN()}) {
    check_rounding(format, *constants, x);
    check_rounding(format, *constants, -x);
  }
}

template <class T>
void check_operations(const SlowArithmetic& oracle, const Carried<T>& constants, T a, T b) {
  const Slow x = exactly(a), y = exactly(b);
  const Slow expected[] = {oracle.add(x, y), oracle.subtract(x, y), oracle.multiply(x, y),
                           oracle.divide(x, y), oracle.sqrt(x)};
  for (int i = 0; i < 5; ++i) {
    const T actual = operate_carried(static_cast<Operation>(i), constants, a, b);
    CHECK(same(actual, expected[i]), oracle.format().name, i, a, b, actual, expected[i]);
  }
}

// Rounded once, of doubles in which every product of members is exact.
void check_fused(const SlowArithmetic& oracle, const CarriedFormat<double>& constants, double a,
                 double b, double c) {
  const CarriedRounding<One<double>> rounding(constants);
  const double fused = rounding.full(sum_to_odd<One<double>>(a * b, c));
  const Slow expected = oracle.fma(exactly(a), exactly(b), exactly(c));
  CHECK(same(fused, expected), oracle.format().name, a, b, c, fused, expected);
}

template <class T>
void every_pair(const Format& format) {
  const auto constants = carried<T>(format);
  CHECK(constants.has_value(), format.name);
  if (!constants) return;
  const SlowArithmetic oracle(format);
  std::vector<T> all = members<T>(format);
  all.push_back(format.overflow == Overflow::infinity ? std::numeric_limits<T>::infinity()
                                                      : std::numeric_limits<T>::quiet_NaN());
  for (const T a : all)
    for (const T b : all)
      for (const T sign : {T(1), T(-1)}) {
        check_operations(oracle, *constants, a, sign * b);
        check_operations(oracle, *constants, -a, sign * b);
      }
}

// Members drawn as the laws of a Space draw them.
template <class T>
void random_pairs(const Format& format, int pairs, unsigned long seed) {
  const auto constants = carried<T>(format);
  if (!constants || constants->own.native) return;
  const SlowArithmetic oracle(format);
  Draws draws(format, seed);
  for (int i = 0; i < pairs; ++i) {
    const Kind kind = static_cast<Kind>(i % kinds);
    const Slow x = draws.number(kind), y = draws.number(kind), z = draws.number(kind);
    const T a = carried_number<T>(oracle.number(x)), b = carried_number<T>(oracle.number(y));
    check_operations(oracle, *constants, a, b);
    if constexpr (sizeof(T) == sizeof(double))
      if (carries_fused<T>(format))
        check_fused(oracle, constants->own, a, b, carried_number<T>(oracle.number(z)));
  }
}

// Products whose exact value is near a tie of subnormal numbers, where float32 would round twice.
void products_near_ties(const Format& format) {
  const auto constants = carried<float>(format);
  CHECK(constants && !constants->own.has_products, format.name);
  if (!constants) return;
  const SlowArithmetic oracle(format);
  std::mt19937 random(1);
  const int p = static_cast<int>(format.precision);
  for (int i = 0; i < 400000; ++i) {
    const float a = std::ldexp(1.0f + static_cast<float>(random() % (1u << (p - 1))) * 0x1p-10f,
                               -60 - static_cast<int>(random() % 8));
    const float b = std::ldexp(1.0f + static_cast<float>(random() % (1u << (p - 1))) * 0x1p-10f,
                               -65 - static_cast<int>(random() % 8));
    check_operations(oracle, *constants, a, b);
  }
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice::test;
  const auto range = precipice::ExponentRange::widest();
  for (const auto& format : tiny_formats()) {
    every_member<float>(format);
    every_member<double>(format);
    every_pair<float>(format);
    every_pair<double>(format);
  }
  for (const auto& format : short_formats()) every_member<float>(format);
  every_member<double>(float16());
  const int pairs = 20000;
  for (unsigned long seed = 0; seed < soak(); ++seed)
    for (const auto& formats : {tiny_formats(), short_formats(), long_formats()})
      for (const auto& format : formats) {
        random_pairs<float>(format, pairs, seed);
        random_pairs<double>(format, pairs, seed);
      }
  products_near_ties(tfloat32());
  return verdict("carried");
}
