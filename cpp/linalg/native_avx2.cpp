// The native kernels in AVX2.
#include <immintrin.h>

#include "linalg/skewed_products.hpp"

namespace precipice::native {
namespace {

struct Float32 {
  using Number = float;
  using Vector = __m256;
  static constexpr std::size_t count = 8;
  static Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
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
  static Vector shifted(Vector x, Vector next) {
    constexpr int one_down = _MM_SHUFFLE(0, 3, 2, 1);
    return _mm256_blend_pd(_mm256_permute4x64_pd(x, one_down),
                           _mm256_permute4x64_pd(next, one_down), 1 << 3);
  }
};

}  // namespace

extern const NativeKernels<float> avx2_float32 = kernels_over<Float32>("avx2");
extern const NativeKernels<double> avx2_float64 = kernels_over<Float64>("avx2");

}  // namespace precipice::native
