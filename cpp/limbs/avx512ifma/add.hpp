// Sums of two numbers, whatever their signs and the gap between them.
#pragma once

#include "limbs/avx512ifma/normalise.hpp"

namespace precipice::limbs::avx512ifma {

// limb * 2^-by for by >= 0, where a lane's by is 52 or more; limb[0] is a guard, whose lowest bit
// comes to stand for all that is shifted out.
template <int N>
PRECIPICE_RARE void shift_far_down(Lanes (&limb)[N], Lanes by) {
  Lanes lost = zero();
  by = lesser(by, all(limb_bits * (N + 1)));
  for (Mask far; (far = not_below(by, all(limb_bits))) != 0;) {
    lost = either(lost, only_where(far, limb[0]));
#pragma GCC unroll 1
    for (int i = 0; i + 1 < N; ++i) limb[i] = select(far, limb[i + 1], limb[i]);
    limb[N - 1] = select(far, zero(), limb[N - 1]);
    by = subtract_where(far, by, all(limb_bits));
  }
  const Lanes scale = shift_left(all(1), subtract(all(limb_bits), by));
  lost = either(lost, add_low(zero(), limb[0], scale));
#pragma GCC unroll 1
  for (int i = 0; i < N; ++i) {
    limb[i] = shift_right(limb[i], by);
    if (i + 1 < N) limb[i] = add_low(limb[i], limb[i + 1], scale);
  }
  limb[0] = either(limb[0], only_where(not_zero(lost), all(1)));
}

// limb * 2^-by with a guard limb beneath, for by >= 0.
template <int K>
PRECIPICE_INLINE void shift_down(Lanes (&guarded)[K + 1], const Lanes (&limb)[K], Lanes by) {
  if (_mm512_mask_cmpge_epi64_mask(not_zero(limb[K - 1]), by, all(limb_bits)) != 0) [[unlikely]] {
    Lanes copy[K + 1];
    copy[0] = zero();
    for (int i = 0; i < K; ++i) copy[i + 1] = limb[i];
    shift_far_down(copy, by);
    for (int i = 0; i <= K; ++i) guarded[i] = copy[i];
    return;
  }
  const Lanes scale = shift_left(all(1), subtract(all(limb_bits), by));
  guarded[0] = add_low(zero(), limb[0], scale);
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) {
    guarded[i + 1] = shift_right(limb[i], by);
    if (i + 1 < K) guarded[i + 1] = add_low(guarded[i + 1], limb[i + 1], scale);
  }
}

template <int K>
PRECIPICE_INLINE Number<K> add(const Number<K>& a, const Number<K>& b, const Rounding& rounding) {
  const Mask swap = less(a.exponent, b.exponent);
  Lanes high[K], low[K], sum[K + 1];
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) {
    high[i] = select(swap, b.limb[i], a.limb[i]);
    low[i] = select(swap, a.limb[i], b.limb[i]);
  }
  const Lanes exponent = greater(a.exponent, b.exponent);
  shift_down<K>(sum, low, subtract(exponent, lesser(a.exponent, b.exponent)));

  // high plus or minus low, of either sign where the exponents are equal.
  const Mask opposed = static_cast<Mask>(a.minus ^ b.minus);
  sum[0] = negate_where(opposed, sum[0]);
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) sum[i + 1] = add(high[i], negate_where(opposed, sum[i + 1]));
  propagate_carries(sum);
  const Mask turned = take_magnitude(sum);
  const Mask minus_high = static_cast<Mask>((a.minus & ~swap) | (b.minus & swap));
  // A carry out of the last limb moves the lowest bit of the guard out: bit 1 stands for it too.
  sum[0] = either(sum[0], both(add(sum[0], sum[0]), all(2)));
  return rounded<K>(sum, subtract(exponent, all(rounding.span + limb_bits)),
                    static_cast<Mask>(minus_high ^ turned), static_cast<Mask>(a.minus & b.minus),
                    rounding);
}

}  // namespace precipice::limbs::avx512ifma
