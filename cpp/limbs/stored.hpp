// How a number of p bits is stored in limbs, so that several numbers fill the lanes of a register.
//
// A vector is a row of groups; a group holds `lanes` numbers as 1 + limbs runs of `lanes` words:
//
//   [head of lane 0, 1, ...] [limb 0 of lane 0, 1, ...] ... [limb K-1 of lane 0, 1, ...]
//
//   head         2*exponent + sign (1: negative)
//   significand  M = sum_i limb_i 2^(b i), b bits a limb, 2^(bK - slack - 1) <= M < 2^(bK - slack)
//   value        (-1)^sign M 2^(exponent - (bK - slack)), in [1/2, 1) 2^exponent as in MPFR
//
// Bits of M below the p leading ones are zero. Zero, infinity and NaN have M = 0 and exponents of
// their own, far outside those of any number here.
//
// Compiled for every instruction set: no standard headers with code in them.
#pragma once

#include <cstddef>
#include <cstdint>

// In units of different instruction sets: none may leave a copy of its own for the linker to pick.
#define PRECIPICE_ALWAYS_INLINE inline __attribute__((always_inline))

namespace precipice::limbs {

using Word = std::uint64_t;
using Exponent = std::int64_t;

// Of numbers whose significand is zero. Sums of two of them and of any number's exponent still
// tell the three apart from numbers, and stay within a word.
inline constexpr Exponent zero_exponent = -(Exponent(1) << 40);
inline constexpr Exponent infinity_exponent = Exponent(1) << 40;
inline constexpr Exponent nan_exponent = Exponent(1) << 41;
// Every number's exponent lies within this of zero.
inline constexpr Exponent greatest_exponent = Exponent(1) << 32;

PRECIPICE_ALWAYS_INLINE constexpr Word head(Exponent exponent, bool minus) {
  return static_cast<Word>(exponent) << 1 | (minus ? 1 : 0);
}
PRECIPICE_ALWAYS_INLINE constexpr Exponent exponent_of(Word head) {
  return static_cast<Exponent>(head) >> 1;
}
PRECIPICE_ALWAYS_INLINE constexpr bool minus_of(Word head) {
  return (head & 1) != 0;
}

// A precision as the kernels see it.
struct Precision {
  int bits;             // p
  int limbs;            // K
  int limb_bits;        // b
  int lanes;            // numbers in a group
  int slack;            // leading zeros of a significand
  Exponent emin, emax;  // a result outside is not the kernels' to give
};

PRECIPICE_ALWAYS_INLINE constexpr std::size_t words_of_group(const Precision& p) {
  return static_cast<std::size_t>(p.lanes) * static_cast<std::size_t>(1 + p.limbs);
}
PRECIPICE_ALWAYS_INLINE constexpr std::size_t groups_of(const Precision& p, std::size_t n) {
  return (n + static_cast<std::size_t>(p.lanes) - 1) / static_cast<std::size_t>(p.lanes);
}

// One lane of a group: its words lie `lanes` apart.
PRECIPICE_ALWAYS_INLINE Word* lane_of(const Precision& p, Word* array, std::size_t i) {
  const auto lanes = static_cast<std::size_t>(p.lanes);
  return array + i / lanes * words_of_group(p) + i % lanes;
}
PRECIPICE_ALWAYS_INLINE const Word* lane_of(const Precision& p, const Word* array, std::size_t i) {
  return lane_of(p, const_cast<Word*>(array), i);
}

}  // namespace precipice::limbs
