// From limbs in any state to a stored number: carries, the leading bit in its place, one rounding.
//
// Between operations a limb is a signed word of up to 62 bits that stands for limb * 2^(52 i): sums
// and products are taken limb by limb, and carries wait until somebody needs them.
#pragma once

#include "limbs/avx512ifma/number.hpp"

namespace precipice::limbs::avx512ifma {

// Every limb but the last in [0, 2^52); the last has the sign. 3 instructions a limb.
template <int N>
PRECIPICE_INLINE void propagate_carries(Lanes (&limb)[N]) {
#pragma GCC unroll 32
  for (int i = 0; i + 1 < N; ++i) {
    limb[i + 1] = add(limb[i + 1], signed_carry_of(limb[i]));
    limb[i] = low_limb(limb[i]);
  }
}

// The magnitude, limbs propagated; returns where it was negative.
template <int N>
PRECIPICE_INLINE Mask take_magnitude(Lanes (&limb)[N]) {
  const Mask minus = negative(limb[N - 1]);
  if (minus != 0) {
#pragma GCC unroll 32
    for (int i = 0; i < N; ++i) limb[i] = negate_where(minus, limb[i]);
    propagate_carries(limb);
  }
  return minus;
}

// limb * 2^by for -52 < by < 52 (52 too where all limbs are zero): multiplications by a power of
// two shift, and drop what leaves the limb. Bits below limb 0 are lost; the last limb keeps what it
// is given. 3 instructions a limb.
template <int N>
PRECIPICE_INLINE void shift(Lanes (&limb)[N], Lanes by) {
  const Mask down = negative(by);
  const Lanes up = add_where(down, by, all(limb_bits));  // down by r: a limb, then up by 52 - r
  const Lanes scale = shift_left(all(1), up);
  const Lanes last = limb[N - 1];
  Lanes here = select(down, carry_of(last), last);
  Lanes below = N > 1 ? select(down, last, limb[N > 1 ? N - 2 : 0]) : only_where(down, last);
  limb[N - 1] = add(add_high(zero(), below, scale), shift_left(here, up));
#pragma GCC unroll 32
  for (int i = N - 2; i >= 0; --i) {
    here = below;
    below = i > 0 ? select(down, limb[i], limb[i > 0 ? i - 1 : 0]) : only_where(down, limb[0]);
    limb[i] = add_low(add_high(zero(), below, scale), here, scale);
  }
}

// Whole limbs up until the last is not zero; a zero stays one.
template <int N>
PRECIPICE_RARE void raise_limbs(Lanes (&limb)[N], Lanes& grid) {
#pragma GCC unroll 1
  for (int moved = 1; moved < N; ++moved) {
    const Mask low = static_cast<Mask>(is_zero(limb[N - 1]) & not_zero(any_limb(limb)));
    if (low == 0) return;
#pragma GCC unroll 1
    for (int i = N - 1; i > 0; --i) limb[i] = select(low, limb[i - 1], limb[i]);
    limb[0] = select(low, zero(), limb[0]);
    grid = subtract_where(low, grid, all(limb_bits));
  }
}

// Limbs not negative and propagated, value limb * 2^grid, to the leading bit in its place.
template <int N>
PRECIPICE_INLINE void normalise(Lanes (&limb)[N], Lanes& grid, const Rounding& rounding) {
  if (is_zero(limb[N - 1]) != 0) [[unlikely]] {
    Lanes copy[N];
    for (int i = 0; i < N; ++i) copy[i] = limb[i];
    raise_limbs(copy, grid);
    for (int i = 0; i < N; ++i) limb[i] = copy[i];
  }
  const Lanes by = subtract(leading_zeros(limb[N - 1]), all(64 - limb_bits + rounding.slack));
  shift(limb, by);
  grid = subtract(grid, by);
}

// The number (-1)^minus * limb * 2^grid, its p bits exact; zero has the sign given for it.
template <int K>
PRECIPICE_INLINE Number<K> as_number(const Lanes (&limb)[K], Lanes grid, Mask minus,
                                     Mask minus_zero, const Rounding& rounding) {
  Number<K> x;
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) x.limb[i] = limb[i];
  const Mask is_zero = is_number_zero(x);
  x.exponent = select(is_zero, all(zero_exponent), add(grid, all(rounding.span)));
  x.minus = static_cast<Mask>((minus & ~is_zero) | (minus_zero & is_zero));
  return x;
}

// A carry out of limb 0 after rounding.
template <int K>
PRECIPICE_RARE void settle_carry(Lanes (&limb)[K], Lanes& grid, const Rounding& rounding) {
  propagate_carries(limb);
  normalise(limb, grid, rounding);
}

// The number limb * 2^grid rounded once. Limbs as for normalise; limb[0] is the guard: its lowest
// bit stands for all that lies beneath it.
template <int K>
PRECIPICE_INLINE Number<K> rounded(Lanes (&guarded)[K + 1], Lanes grid, Mask minus, Mask minus_zero,
                                   const Rounding& rounding) {
  normalise(guarded, grid, rounding);
  grid = add(grid, all(limb_bits));
  Lanes limb[K];
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) limb[i] = guarded[i + 1];
  limb[0] = rounded_to(all(Exponent(1) << rounding.tail), limb[0], not_zero(guarded[0]));
  const int bits_of_limb_0 = K == 1 ? limb_bits - rounding.slack : limb_bits;
  if (not_below(limb[0], all(Exponent(1) << bits_of_limb_0)) != 0) [[unlikely]] {
    Lanes copy[K];
    for (int i = 0; i < K; ++i) copy[i] = limb[i];
    settle_carry(copy, grid, rounding);
    for (int i = 0; i < K; ++i) limb[i] = copy[i];
  }
  return as_number(limb, grid, minus, minus_zero, rounding);
}

}  // namespace precipice::limbs::avx512ifma
