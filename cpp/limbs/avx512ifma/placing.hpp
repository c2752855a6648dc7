// Stored numbers on a common grid: their limbs shifted down by as many bits as their exponents are
// below the grid's.
#pragma once

#include "limbs/avx512ifma/number.hpp"

namespace precipice::limbs::avx512ifma {

// The same where some lane goes down by a limb or more.
PRECIPICE_RARE inline void place_far(Lanes* v, int L, const Word* group, int K, Lanes right) {
  right = lesser(right, all(limb_bits * (most_window + 1)));
  // right / 52, for numbers up to 1800
  const Lanes limbs = _mm512_srli_epi64(_mm512_mul_epu32(right, all(1261)), 16);
  const Lanes bits = subtract(right, _mm512_mul_epu32(limbs, all(limb_bits)));
  const Lanes scale = shift_left(all(1), subtract(all(limb_bits), bits));
  const Lanes lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  for (int i = 0; i < L; ++i) {
    const Lanes from = add(limbs, all(i - (L - K)));
    Lanes limb[2];
    for (int next = 0; next < 2; ++next) {
      const Lanes j = add(from, all(next));
      const Mask inside = _mm512_cmplt_epu64_mask(j, all(K));
      const Lanes word = add(_mm512_slli_epi64(add(j, all(1)), 3), lane);
      limb[next] = _mm512_mask_i64gather_epi64(zero(), inside, word, group, sizeof(Word));
    }
    v[i] = add_low(shift_right(limb[0], bits), limb[1], scale);
  }
}

// The K limbs of a group, as the highest of L, shifted down by 0 <= right bits; what leaves them is
// lost.
PRECIPICE_INLINE void place(Lanes* v, int L, const Word* group, int K, Lanes right) {
  if (not_below(right, all(limb_bits)) != 0) [[unlikely]]
    return place_far(v, L, group, K, right);
  const Lanes scale = shift_left(all(1), subtract(all(limb_bits), right));
  Lanes above = zero();
  int i = L - 1;
  for (int j = K - 1; i >= 0 && j >= 0; --i, --j) {
    const Lanes limb = load(group + lanes * (1 + j));
    v[i] = add_low(shift_right(limb, right), above, scale);
    above = limb;
  }
  for (; i >= 0; --i) {
    v[i] = add_low(zero(), above, scale);
    above = zero();
  }
}

}  // namespace precipice::limbs::avx512ifma
