// The kernels of carried numbers in AVX-512.
#include <immintrin.h>

#include "linalg/carried_sums.hpp"
#include "numbers/carried_lanes.hpp"

namespace precipice::carried_sums {
namespace {

struct Here {};

// As a table of truth: y | (x & sign).
constexpr int y_or_sign_of_x = 0b11111000;

// GCC warns of undefined registers in maxima (native_avx512.cpp); under a mask of ones they are the
// same instructions. What is compared and tested is a mask here; GCC would make a vector of it
// first.
struct Float32 : CarriedMany<float, 64, Here> {
  static Vector if_less(const Vector& a, const Vector& b, const Vector& yes, const Vector& no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
  }
  static Vector larger(const Vector& a, const Vector& b) {
    return _mm512_maskz_max_ps(0xffff, a, b);
  }
  static Vector with_sign(const Vector& y, const Vector& x) {
    const __m512i sign = _mm512_set1_epi32(sign_bit<Number>);
    return (Vector)_mm512_ternarylogic_epi32((__m512i)y, (__m512i)x, sign, y_or_sign_of_x);
  }
  static Bits add_bit(const Bits& a, const Bits& b, int i) {
    const __m512i bit = _mm512_set1_epi32(1 << i), sum = (__m512i)a;
    const auto set = _mm512_test_epi32_mask((__m512i)b, bit);
    return (Bits)_mm512_mask_add_epi32(sum, set, sum, _mm512_set1_epi32(1));
  }
};

struct Float64 : CarriedMany<double, 64, Here> {
  static Vector if_less(const Vector& a, const Vector& b, const Vector& yes, const Vector& no) {
    return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ), no, yes);
  }
  static Vector larger(const Vector& a, const Vector& b) { return _mm512_maskz_max_pd(0xff, a, b); }
  static Vector with_sign(const Vector& y, const Vector& x) {
    const __m512i sign = _mm512_set1_epi64(sign_bit<Number>);
    return (Vector)_mm512_ternarylogic_epi64((__m512i)y, (__m512i)x, sign, y_or_sign_of_x);
  }
  static Bits add_bit(const Bits& a, const Bits& b, int i) {
    const __m512i bit = _mm512_set1_epi64(1LL << i), sum = (__m512i)a;
    const auto set = _mm512_test_epi64_mask((__m512i)b, bit);
    return (Bits)_mm512_mask_add_epi64(sum, set, sum, _mm512_set1_epi64(1));
  }
};

}  // namespace

extern const CarriedKernels<float> avx512_float32 = kernels_over<Float32>(fused_avx512_float32);
extern const CarriedKernels<double> avx512_float64 = kernels_over<Float64>(fused_avx512_float64);

}  // namespace precipice::carried_sums
