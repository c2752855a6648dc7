// Numbers of up to 25 bits held in float64, their operations carried out in integers: any rounding,
// the stochastic too, where a rounding of a rounded result would not do (numbers/carried.hpp is for
// to nearest).
//
// An operation makes its exact result, +-s * 2^unit with s of 64 bits, rounded to odd: if bits are
// lost, the last bit of s is set. Such an s lies on the same side as the exact result of every
// number of some bits less (Boldo and Melquiond 2008), here of p + 33 <= 58: of the format's
// numbers, of those half way between them, and of those that a draw of 32 bits stands for. So it
// is rounded as the exact result would be.
#pragma once

#include <cstdint>

#include "machine/words.hpp"
#include "numbers/format.hpp"

namespace precipice {

// A number of float64, taken apart: significand * 2^unit. Zero has the significand 0.
struct SoftOperand {
  std::uint64_t significand;  // 53 bits
  int unit;
};

// A format and its rounding (lane_formats.hpp makes them).
class SoftRounding {
 public:
  struct Constants {
    Rounding direction;
    int precision;
    int least_full, greatest;  // exponents, as MPFR counts: numbers of all bits, all numbers
    int least_place;           // the smallest number is 2^least_place
    double largest;            // the largest number
    double beyond;             // what lies beyond it, to nearest
    double infinite;           // what infinity becomes
  };

  SoftRounding() = default;
  explicit SoftRounding(const Constants& constants) : c_(constants) {}

  static constexpr std::uint64_t sign_bit = std::uint64_t(1) << 63;
  static constexpr std::uint64_t fraction_bits = (std::uint64_t(1) << 52) - 1;

  PRECIPICE_HOST_DEVICE static std::uint64_t bits(double x) {
    return __builtin_bit_cast(std::uint64_t, x);
  }
  PRECIPICE_HOST_DEVICE static double number(std::uint64_t x) {
    return __builtin_bit_cast(double, x);
  }
  PRECIPICE_HOST_DEVICE static int biased_exponent(double x) {
    return static_cast<int>(bits(x) >> 52) & 2047;
  }
  // Zero, infinite, or no number.
  PRECIPICE_HOST_DEVICE static bool special(double x) {
    return biased_exponent(x) == 2047 || (bits(x) & ~sign_bit) == 0;
  }
  PRECIPICE_HOST_DEVICE static SoftOperand parts(double x) {
    const int biased = biased_exponent(x);
    const std::uint64_t fraction = bits(x) & fraction_bits;
    return biased == 0 ? SoftOperand{fraction, -1074}
                       : SoftOperand{fraction | (fraction_bits + 1), biased - 1075};
  }
  // All of the 25 bits that a number has, the first one set: x is not special.
  PRECIPICE_HOST_DEVICE static SoftOperand leading_parts(double x) {
    SoftOperand of_x = parts(x);
    if (biased_exponent(x) == 0) {
      const int shift = leading_zeros(of_x.significand) - 11;
      of_x = {of_x.significand << shift, of_x.unit - shift};
    }
    return {of_x.significand >> 28, of_x.unit + 28};
  }

  // A result that float64 has: of the special operands' operation. Infinity may be none here.
  PRECIPICE_HOST_DEVICE double exactly(double x) const {
    const bool infinity = (bits(x) & ~sign_bit) == std::uint64_t(2047) << 52;
    return infinity ? with_sign(c_.infinite, (bits(x) & sign_bit) != 0) : x;
  }

  // The exact sum x - x.
  PRECIPICE_HOST_DEVICE double cancelled() const {
    return c_.direction == Rounding::downward ? -0.0 : 0.0;
  }

  PRECIPICE_HOST_DEVICE bool stochastic() const { return c_.direction == Rounding::stochastic; }

  // +-s * 2^unit, s > 0 and rounded to odd.
  PRECIPICE_HOST_DEVICE double rounded(bool minus, std::uint64_t s, int unit,
                                       std::uint32_t draw) const {
    const int zeros = leading_zeros(s);
    s <<= zeros;
    unit -= zeros;
    const int exponent = unit + 64;
    if (exponent > c_.greatest) return overflow(minus);
    const int place = exponent < c_.least_full ? c_.least_place : exponent - c_.precision;
    // s = n + rest / 2^64 units of the place; the rest is to odd where bits are lost.
    const int below = place - unit;
    std::uint64_t n = 0, rest = s;
    if (below < 64) {  // 39 at least
      n = s >> below;
      rest = s << (64 - below);
    } else if (below > 64) {
      const int lost = below - 64;
      rest = lost > 63 ? 1 : s >> lost | ((s << (64 - lost)) != 0 ? 1 : 0);
    }
    if (rest > greatest_to_drop(minus, n, draw)) ++n;
    const std::uint64_t size = assembled(n, place);
    return size > bits(c_.largest) ? overflow(minus) : number(size | (minus ? sign_bit : 0));
  }

 private:
  // The rest that is still dropped, of a unit in 2^64 parts.
  PRECIPICE_HOST_DEVICE std::uint64_t greatest_to_drop(bool minus, std::uint64_t n,
                                                       std::uint32_t draw) const {
    constexpr std::uint64_t every = ~std::uint64_t(0), half = std::uint64_t(1) << 63;
    switch (c_.direction) {
      case Rounding::nearest_even: return half - (n & 1);
      case Rounding::toward_zero: return every;
      case Rounding::upward: return minus ? every : 0;
      case Rounding::downward: return minus ? 0 : every;
      case Rounding::away: return 0;
      case Rounding::stochastic: break;
    }
    return (2 * static_cast<std::uint64_t>(draw) + 1) << 31;  // of 2^33 parts
  }

  PRECIPICE_HOST_DEVICE double overflow(bool minus) const {
    const bool stays = c_.direction == Rounding::toward_zero ||
                       c_.direction == (minus ? Rounding::upward : Rounding::downward);
    return with_sign(stays ? c_.largest : c_.beyond, minus);
  }

  // The bits of n * 2^place <= 2^1024, n of 26 bits at most, a multiple of 2^-1074.
  PRECIPICE_HOST_DEVICE static std::uint64_t assembled(std::uint64_t n, int place) {
    if (n == 0) return 0;
    const int zeros = leading_zeros(n);
    const std::uint64_t significand = n << (zeros - 11);
    const int biased = place + 63 - zeros + 1023;
    // The leading bit adds 1 to the exponent.
    return biased > 0 ? (static_cast<std::uint64_t>(biased - 1) << 52) + significand
                      : significand >> (1 - biased);
  }

  PRECIPICE_HOST_DEVICE static double with_sign(double x, bool minus) {
    return number(bits(x) | (minus ? sign_bit : 0));
  }

  Constants c_;
};

}  // namespace precipice
