// Quotients by an integer below 2^52: schoolbook division, a limb of the quotient at a time, with
// a reciprocal of the divisor (Moeller and Granlund, "Improved division by invariant integers",
// IEEE Trans. Comput. 60 (2011), algorithm 4, in base 2^52).
#pragma once

#include "limbs/avx512ifma/normalise.hpp"

namespace precipice::limbs::avx512ifma {

inline constexpr Word greatest_divisor = limb_mask;

struct Divisor {  // 0 < n <= greatest_divisor
  explicit Divisor(Word n) : shift(__builtin_clzll(n) - (64 - limb_bits)), value(n << shift) {
    __extension__ using Wide = unsigned __int128;
    const Wide ones = (Wide(1) << 2 * limb_bits) - 1;
    reciprocal = static_cast<Word>(ones / value) - (Word(1) << limb_bits);
  }
  int shift;        // that brings the leading bit of n to bit 51
  Word value;       // n << shift
  Word reciprocal;  // floor((2^104 - 1) / value) - 2^52
};

// One limb of the quotient of (remainder, next) by the divisor; remainder < value. 14 instructions.
PRECIPICE_INLINE Lanes quotient_limb(Lanes& remainder, Lanes next, const Divisor& by) {
  const Lanes value = all(static_cast<Exponent>(by.value));
  const Lanes reciprocal = all(static_cast<Exponent>(by.reciprocal));
  const Lanes estimate_low = add_low(next, reciprocal, remainder);
  Lanes quotient =
      add(add_high(remainder, reciprocal, remainder), add(carry_of(estimate_low), all(1)));
  remainder = low_limb(subtract(next, add_low(zero(), quotient, value)));
  const Mask too_great = _mm512_cmpgt_epu64_mask(remainder, low_limb(estimate_low));
  quotient = subtract_where(too_great, quotient, all(1));
  remainder = low_limb(add_where(too_great, remainder, value));
  const Mask too_small = not_below(remainder, value);
  remainder = subtract_where(too_small, remainder, value);
  return low_limb(add_where(too_small, quotient, all(1)));
}

template <int K>
PRECIPICE_INLINE Number<K> divide(const Number<K>& a, const Divisor& by, const Rounding& rounding) {
  // The dividend is shifted as the divisor is; a limb of zeros after it gives the guard.
  const Lanes up = all(by.shift), down = all(limb_bits - by.shift);
  Lanes remainder = shift_right(a.limb[K - 1], down);
  Lanes quotient[K + 1];
#pragma GCC unroll 32
  for (int i = K - 1; i >= 0; --i) {
    Lanes next = low_limb(shift_left(a.limb[i], up));
    if (i > 0) next = either(next, shift_right(a.limb[i > 0 ? i - 1 : 0], down));
    quotient[i + 1] = quotient_limb(remainder, next, by);
  }
  quotient[0] = quotient_limb(remainder, zero(), by);
  quotient[0] = either(quotient[0], only_where(not_zero(remainder), all(1)));
  return rounded<K>(quotient, subtract(a.exponent, all(rounding.span + limb_bits)), a.minus,
                    a.minus, rounding);
}

}  // namespace precipice::limbs::avx512ifma
