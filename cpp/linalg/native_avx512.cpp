// The native kernels in AVX-512. GCC warns of the undefined register in _mm512_alignr_epi64 itself;
// under a mask of ones it is the same instruction.
#include <immintrin.h>

#include "linalg/skewed_products.hpp"

namespace precipice::native {
namespace {

struct Float32 {
  using Number = float;
  using Vector = __m512;
  static constexpr std::size_t count = 16;
  static Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static Vector shifted(Vector x, Vector next) {
    return _mm512_castsi512_ps(
        _mm512_maskz_alignr_epi32(0xffff, _mm512_castps_si512(next), _mm512_castps_si512(x), 1));
  }
};

struct Float64 {
  using Number = double;
  using Vector = __m512d;
  static constexpr std::size_t count = 8;
  static Vector broadcast(double x) { return _mm512_set1_pd(x); }
  static Vector load(const double* p) { return _mm512_loadu_pd(p); }
  static Vector shifted(Vector x, Vector next) {
    return _mm512_castsi512_pd(
        _mm512_maskz_alignr_epi64(0xff, _mm512_castpd_si512(next), _mm512_castpd_si512(x), 1));
  }
};

}  // namespace

extern const NativeKernels<float> avx512_float32 = kernels_over<Float32>("avx512");
extern const NativeKernels<double> avx512_float64 = kernels_over<Float64>("avx512");

}  // namespace precipice::native
