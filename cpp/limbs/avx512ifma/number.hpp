// Eight stored numbers in registers.
#pragma once

#include "limbs/avx512ifma/lanes.hpp"
#include "limbs/avx512ifma/rounding.hpp"

namespace precipice::limbs::avx512ifma {

template <int K>
struct Number {
  Lanes limb[K];
  Lanes exponent;
  Mask minus;
};

// The K limbs of an operand: those of a group, or one lane of a group in every lane.
struct Group {
  const Word* words;
  PRECIPICE_INLINE Lanes limb(int i) const { return load(words + lanes * (1 + i)); }
  PRECIPICE_INLINE Lanes exponent() const { return _mm512_srai_epi64(load(words), 1); }
  PRECIPICE_INLINE Mask minus() const { return any_bit(load(words), all(1)); }
};
struct OneLane {
  const Word* words;  // of the lane: its first
  PRECIPICE_INLINE Lanes limb(int i) const { return broadcast(words + lanes * (1 + i)); }
  PRECIPICE_INLINE Lanes exponent() const { return all(exponent_of(*words)); }
  PRECIPICE_INLINE Mask minus() const { return static_cast<Mask>(-(*words & 1)); }
};

template <int K, class Source>
PRECIPICE_INLINE Number<K> read(Source source) {
  Number<K> x;
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) x.limb[i] = source.limb(i);
  x.exponent = source.exponent();
  x.minus = source.minus();
  return x;
}

template <int K>
PRECIPICE_INLINE void write(Word* group, const Number<K>& x) {
  store(group, add_where(x.minus, add(x.exponent, x.exponent), all(1)));
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) store(group + lanes * (1 + i), x.limb[i]);
}

// A number that is not zero has its leading bit in the last limb.
template <int K>
PRECIPICE_INLINE Mask is_number_zero(const Number<K>& x) {
  return is_zero(x.limb[K - 1]);
}

template <int N>
PRECIPICE_INLINE Lanes any_limb(const Lanes (&limb)[N]) {
  Lanes any = limb[0];
#pragma GCC unroll 32
  for (int i = 1; i < N; ++i) any = either(any, limb[i]);
  return any;
}

}  // namespace precipice::limbs::avx512ifma
