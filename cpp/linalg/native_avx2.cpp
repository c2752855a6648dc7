// The native kernels in AVX2.
#include <immintrin.h>

#include "linalg/exact_products.hpp"
#include "linalg/lanes.hpp"
#include "linalg/skewed_products.hpp"
#include "linalg/weights_products.hpp"

namespace precipice::native {
namespace {

struct Float32 {
  using Number = float;
  using Vector = __m256;
  static constexpr std::size_t count = 8;
  static Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Vector x) { _mm256_storeu_ps(p, x); }
  static Vector either(Vector a, Vector b) { return _mm256_or_ps(a, b); }
  static bool any_nonzero(Vector x) {
    return _mm256_movemask_ps(_mm256_cmp_ps(x, Vector{}, _CMP_NEQ_UQ)) != 0;
  }
  // In each half, then of halves.
  static void transpose(Vector (&x)[8]) {
    for (int i = 0; i < 8; i += 4) {
      const Vector a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
      const Vector c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]);
      const Vector d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
      x[i] = _mm256_shuffle_ps(a, c, _MM_SHUFFLE(1, 0, 1, 0));
      x[i + 1] = _mm256_shuffle_ps(a, c, _MM_SHUFFLE(3, 2, 3, 2));
      x[i + 2] = _mm256_shuffle_ps(b, d, _MM_SHUFFLE(1, 0, 1, 0));
      x[i + 3] = _mm256_shuffle_ps(b, d, _MM_SHUFFLE(3, 2, 3, 2));
    }
    for (int i = 0; i < 4; ++i) {
      const Vector first = _mm256_permute2f128_ps(x[i], x[i + 4], 0x20);
      x[i + 4] = _mm256_permute2f128_ps(x[i], x[i + 4], 0x31);
      x[i] = first;
    }
  }
  static Vector shifted(Vector x, Vector next) {
    const __m256i one_down = _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0);
    return _mm256_blend_ps(_mm256_permutevar8x32_ps(x, one_down),
                           _mm256_permutevar8x32_ps(next, one_down), 1 << 7);
  }
};

struct Float64 {
  using Number = double;
  using Vector = __m256d;
  static constexpr std::size_t count = 4;
  static Vector broadcast(double x) { return _mm256_set1_pd(x); }
  static Vector load(const double* p) { return _mm256_loadu_pd(p); }
  static Vector widened(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
  static void store(double* p, Vector x) { _mm256_storeu_pd(p, x); }
  static Vector either(Vector a, Vector b) { return _mm256_or_pd(a, b); }
  static Vector high_part(Vector x) {
    return _mm256_and_pd(x, _mm256_castsi256_pd(_mm256_set1_epi64x(high_part_mask)));
  }
  static bool any_nonzero(Vector x) {
    return _mm256_movemask_pd(_mm256_cmp_pd(x, Vector{}, _CMP_NEQ_UQ)) != 0;
  }
  static void transpose(Vector (&x)[4]) {
    const Vector a = _mm256_unpacklo_pd(x[0], x[1]), b = _mm256_unpackhi_pd(x[0], x[1]);
    const Vector c = _mm256_unpacklo_pd(x[2], x[3]), d = _mm256_unpackhi_pd(x[2], x[3]);
    x[0] = _mm256_permute2f128_pd(a, c, 0x20);
    x[1] = _mm256_permute2f128_pd(b, d, 0x20);
    x[2] = _mm256_permute2f128_pd(a, c, 0x31);
    x[3] = _mm256_permute2f128_pd(b, d, 0x31);
  }
  static Vector shifted(Vector x, Vector next) {
    constexpr int one_down = _MM_SHUFFLE(0, 3, 2, 1);
    return _mm256_blend_pd(_mm256_permute4x64_pd(x, one_down),
                           _mm256_permute4x64_pd(next, one_down), 1 << 3);
  }
};

}  // namespace

extern const WeightsKernels<float> avx2_weights_float32 = weights_kernels_over<Float32>();
extern const WeightsKernels<double> avx2_weights_float64 = weights_kernels_over<Float64>();
extern const NativeKernels<float> avx2_float32 =
    kernels_over<Float32>("avx2", avx2_weights_float32);
extern const NativeKernels<double> avx2_float64 =
    kernels_over<Float64>("avx2", avx2_weights_float64);

extern const ExactKernels avx2_exact = exact_kernels_over<Float64>();

}  // namespace precipice::native
