// Eight 64-bit words in a register, and what a unit compiled for AVX-512 IFMA does with them.
#pragma once

#include <immintrin.h>

#include <cstddef>

#include "limbs/avx512ifma/layout.hpp"

#define PRECIPICE_INLINE PRECIPICE_ALWAYS_INLINE
// A path that is rarely taken: out of line, and small rather than fast.
#define PRECIPICE_RARE __attribute__((noinline, cold))

namespace precipice::limbs::avx512ifma {

using Lanes = __m512i;
using Mask = __mmask8;  // one bit a lane

inline constexpr Word limb_mask = (Word(1) << limb_bits) - 1;

PRECIPICE_INLINE Lanes zero() {
  return _mm512_setzero_si512();
}
PRECIPICE_INLINE Lanes all(Exponent x) {
  return _mm512_set1_epi64(x);
}
PRECIPICE_INLINE Lanes load(const Word* p) {
  return _mm512_load_si512(p);
}
PRECIPICE_INLINE void store(Word* p, Lanes x) {
  _mm512_store_si512(p, x);
}
PRECIPICE_INLINE Lanes broadcast(const Word* p) {
  return _mm512_set1_epi64(static_cast<Exponent>(*p));
}

// c + the low (high) 52 bits of the 104-bit product of the low 52 bits of a and b.
PRECIPICE_INLINE Lanes add_low(Lanes c, Lanes a, Lanes b) {
  return _mm512_madd52lo_epu64(c, a, b);
}
PRECIPICE_INLINE Lanes add_high(Lanes c, Lanes a, Lanes b) {
  return _mm512_madd52hi_epu64(c, a, b);
}

PRECIPICE_INLINE Lanes both(Lanes a, Lanes b) {
  return _mm512_and_si512(a, b);
}
PRECIPICE_INLINE Lanes either(Lanes a, Lanes b) {
  return _mm512_or_si512(a, b);
}
PRECIPICE_INLINE Lanes without(Lanes a, Lanes bits) {
  return _mm512_andnot_si512(bits, a);
}
PRECIPICE_INLINE Lanes low_limb(Lanes a) {
  return _mm512_and_si512(a, all(static_cast<Exponent>(limb_mask)));
}
PRECIPICE_INLINE Lanes carry_of(Lanes a) {  // of a non-negative limb
  return _mm512_srli_epi64(a, limb_bits);
}
PRECIPICE_INLINE Lanes signed_carry_of(Lanes a) {
  return _mm512_srai_epi64(a, limb_bits);
}
// Shifts by 64 and more give 0.
PRECIPICE_INLINE Lanes shift_left(Lanes a, Lanes by) {
  return _mm512_sllv_epi64(a, by);
}
PRECIPICE_INLINE Lanes shift_right(Lanes a, Lanes by) {
  return _mm512_srlv_epi64(a, by);
}
PRECIPICE_INLINE Lanes add(Lanes a, Lanes b) {
  return _mm512_add_epi64(a, b);
}
PRECIPICE_INLINE Lanes subtract(Lanes a, Lanes b) {
  return _mm512_sub_epi64(a, b);
}
PRECIPICE_INLINE Lanes add_where(Mask where, Lanes a, Lanes b) {
  return _mm512_mask_add_epi64(a, where, a, b);
}
PRECIPICE_INLINE Lanes subtract_where(Mask where, Lanes a, Lanes b) {
  return _mm512_mask_sub_epi64(a, where, a, b);
}
PRECIPICE_INLINE Lanes negate_where(Mask where, Lanes a) {
  return _mm512_mask_sub_epi64(a, where, zero(), a);
}
PRECIPICE_INLINE Lanes select(Mask where, Lanes yes, Lanes no) {
  return _mm512_mask_mov_epi64(no, where, yes);
}
PRECIPICE_INLINE Lanes only_where(Mask where, Lanes a) {
  return _mm512_maskz_mov_epi64(where, a);
}
PRECIPICE_INLINE Lanes lesser(Lanes a, Lanes b) {
  return _mm512_min_epi64(a, b);
}
PRECIPICE_INLINE Lanes greater(Lanes a, Lanes b) {
  return _mm512_max_epi64(a, b);
}
PRECIPICE_INLINE Lanes leading_zeros(Lanes a) {
  return _mm512_lzcnt_epi64(a);
}
PRECIPICE_INLINE Lanes magnitude(Lanes a) {
  return _mm512_abs_epi64(a);
}

PRECIPICE_INLINE Mask any_bit(Lanes a, Lanes b) {  // where a & b is not zero
  return _mm512_test_epi64_mask(a, b);
}
PRECIPICE_INLINE Mask not_zero(Lanes a) {
  return _mm512_test_epi64_mask(a, a);
}
PRECIPICE_INLINE Mask is_zero(Lanes a) {
  return _mm512_testn_epi64_mask(a, a);
}
PRECIPICE_INLINE Mask negative(Lanes a) {
  return _mm512_movepi64_mask(a);
}
PRECIPICE_INLINE Mask equal(Lanes a, Lanes b) {
  return _mm512_cmpeq_epi64_mask(a, b);
}
PRECIPICE_INLINE Mask differ(Lanes a, Lanes b) {
  return _mm512_cmpneq_epi64_mask(a, b);
}
PRECIPICE_INLINE Mask less(Lanes a, Lanes b) {
  return _mm512_cmplt_epi64_mask(a, b);
}
PRECIPICE_INLINE Mask not_below(Lanes a, Lanes b) {  // unsigned a >= b
  return _mm512_cmpge_epu64_mask(a, b);
}

}  // namespace precipice::limbs::avx512ifma
