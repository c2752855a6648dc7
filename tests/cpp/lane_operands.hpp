// Members of narrow formats as float64 numbers, and pairs of them that find mistakes.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "numbers/format.hpp"

namespace precipice::test {

inline double power_of_two(long exponent) {
  return std::ldexp(1.0, static_cast<int>(exponent));
}

// n * 2^place, of the format's range: nothing below the smallest number, nothing above the largest.
inline double member(const Format& format, double n, long place) {
  const double one = power_of_two(format.precision - 1);
  const double largest = std::ldexp(2 * one - 1 - static_cast<double>(format.reserved),
                                    static_cast<int>(format.emax - format.precision));
  const long least_place = format.subnormals ? format.emin - 1 : format.emin - format.precision;
  if (place < least_place) {
    if (!format.subnormals) return power_of_two(format.emin - 1);
    n = std::floor(std::ldexp(n, static_cast<int>(place - least_place)));
    place = least_place;
  }
  if (place > format.emax - format.precision) return largest;
  return std::fmin(std::ldexp(n, static_cast<int>(place)), largest);
}

// Every member, of a format of few: zeros, numbers, infinities where there are, and NaN.
inline std::vector<double> all_members(const Format& format) {
  const long normal = format.subnormals ? format.emin + format.precision - 1 : format.emin;
  const double one = power_of_two(format.precision - 1);
  std::vector<double> positive = {0};
  if (format.subnormals)
    for (double n = 1; n < one; ++n) positive.push_back(member(format, n, format.emin - 1));
  for (long exponent = normal; exponent <= format.emax; ++exponent) {
    const long reserved = exponent == format.emax ? format.reserved : 0;
    for (double n = one; n < 2 * one - static_cast<double>(reserved); ++n)
      positive.push_back(member(format, n, exponent - format.precision));
  }
  if (format.overflow == Overflow::infinity) positive.push_back(HUGE_VAL);
  std::vector<double> all = {std::nan("")};
  for (const double x : positive) all.insert(all.end(), {x, -x});
  return all;
}

class LaneOperands {
 public:
  LaneOperands(const Format& format, std::uint64_t seed) : format_(format), words_(seed) {}

  std::uint64_t below(std::uint64_t n) { return words_() % n; }
  long between(long low, long high) {
    return low + static_cast<long>(below(static_cast<std::uint64_t>(high - low + 1)));
  }

  // Two members whose sum cancels, ties or loses bits, or whose product or quotient lies about the
  // ends of the range; and any two.
  std::pair<double, double> pair() {
    const long p = format_.precision, middle = (format_.emin + format_.emax) / 2;
    const long first = exponent();
    double a = number(first), b = 0;
    switch (below(7)) {
      case 0: b = number(exponent()); break;
      case 1: b = number(first + between(-p - 3, p + 3)); break;
      case 2: b = near(a); break;
      case 3: b = number(format_.emin - first + between(-2, p + 2)); break;
      case 4: b = number(format_.emax - first + between(-1, 2)); break;
      case 5:
        b = number(first - (below(2) == 0 ? format_.emin : format_.emax) + between(-2, 3));
        break;
      default: a = number(middle), b = number(middle + between(-70, 70)); break;
    }
    if (below(50) == 0) a = special();
    if (below(50) == 0) b = special();
    if (below(2) == 0) std::swap(a, b);
    return {below(2) == 0 ? a : -a, below(2) == 0 ? b : -b};
  }

 private:
  long exponent() {
    switch (below(4)) {
      case 0: return format_.emin + between(0, format_.precision + 1);
      case 1: return format_.emax - between(0, 2);
      default: return between(format_.emin, format_.emax);
    }
  }
  // Positive, 2^(exponent - 1) or more where the format has it; any bits, few bits or nearly all.
  double number(long exponent) {
    const double one = power_of_two(format_.precision - 1);
    const auto span = static_cast<std::uint64_t>(one);
    double n = one + static_cast<double>(below(span));
    if (below(4) == 0) n = one + static_cast<double>(below(3));
    if (below(4) == 0) n = 2 * one - 1 - static_cast<double>(below(3));
    return member(format_, std::fmax(n, one), exponent - format_.precision);
  }
  double near(double a) {
    const double one = power_of_two(format_.precision - 1);
    int exponent = 0;
    const double n = std::ldexp(std::frexp(a, &exponent), static_cast<int>(format_.precision));
    const double other = n + static_cast<double>(between(-3, 3));
    return member(format_, std::fmin(std::fmax(other, one), 2 * one), exponent - format_.precision);
  }
  double special() {
    switch (below(4)) {
      case 0: return member(format_, 1, format_.emin - 1);
      case 1: return format_.overflow == Overflow::infinity ? HUGE_VAL : std::nan("");
      case 2: return member(format_, power_of_two(format_.precision) - 1, format_.emax);
      default: return 0;
    }
  }

  Format format_;
  std::mt19937_64 words_;
};

}  // namespace precipice::test
