// How the AVX-512 IFMA path stores a number of p bits.
//
// K limbs hold 52K bits; with slack leading zeros, tail = 52K - slack - p zeros follow the p bits.
// The choice of K and slack keeps 10 <= tail <= 48: the unit in the last place (ulp), the bit below
// it and room for what lies beneath are all bits of limb 0. The tail is also what a sum may shrink
// below its terms before it has to be put on another grid: with a tail of 4 (p = 256 in 5 limbs) a
// fifth of all terms ask for that, with 10 one in fifty.
#pragma once

#include "limbs/stored.hpp"

namespace precipice::limbs::avx512ifma {

inline constexpr int limb_bits = 52;
inline constexpr int lanes = 8;
inline constexpr int most_limbs = 22;

inline constexpr int least_tail = 10, greatest_tail = 48;

PRECIPICE_ALWAYS_INLINE constexpr int limbs_for(int bits) {
  return (bits + least_tail + limb_bits - 1) / limb_bits;
}
PRECIPICE_ALWAYS_INLINE constexpr int slack_for(int bits) {
  const int zeros = limb_bits * limbs_for(bits) - bits;
  return zeros > greatest_tail ? zeros - greatest_tail : 0;
}

}  // namespace precipice::limbs::avx512ifma
