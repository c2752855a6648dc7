// Rounding in place, to nearest, ties to even: at a bit of the two lowest limbs.
//
// The last bit kept is number r. Adding 2^(r-1) - 1, and one more where bit r is set, carries into
// bit r exactly where the nearest multiple of 2^r (the even one of two) lies above; what is left
// below r is dropped.
#pragma once

#include "limbs/generic/integers.hpp"

namespace precipice::limbs::generic {

// The words of each r, for both limbs.
struct Places {
  Word bias[2][128];  // 2^(r-1) - 1
  Word last[2][128];  // 2^r
  Word kept[2][128];  // all bits from r upwards

  constexpr Places() : bias{}, last{}, kept{} {
    for (int r = 1; r < 128; ++r) {
      const DoubleWord unit = DoubleWord(1) << r;
      for (int i = 0; i < 2; ++i) {
        bias[i][r] = low(((unit >> 1) - 1) >> (64 * i));
        last[i][r] = low(unit >> (64 * i));
        kept[i][r] = low(~(unit - 1) >> (64 * i));
      }
    }
  }
};
inline constexpr Places places;

// The carry out of the top: if 1, the result is 2^(64 N), and all limbs are zero.
template <int N>
[[gnu::always_inline]] inline unsigned char round_at(Integer<N>& a, std::size_t r) {
  const Word odd = (a.limb[0] & places.last[0][r]) | (a.limb[1] & places.last[1][r]);
  unsigned char carry = odd != 0 ? 1 : 0;
  for (int i = 0; i < N; ++i)
    a.limb[i] = add_with_carry(a.limb[i], i < 2 ? places.bias[i][r] : 0, carry);
  for (int i = 0; i < 2; ++i) a.limb[i] &= places.kept[i][r];
  return carry;
}

}  // namespace precipice::limbs::generic
