// The native kernels in AVX-512. GCC warns of the undefined register in _mm512_alignr_epi64 and
// other shuffles; under a mask of ones they are the same instructions.
#include <immintrin.h>

#include "linalg/exact_products.hpp"
#include "linalg/lanes.hpp"
#include "linalg/skewed_products.hpp"
#include "linalg/weights_products.hpp"

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
  static Vector widened(const float* p) { return _mm512_maskz_cvtps_pd(0xff, _mm256_loadu_ps(p)); }
  static void store(double* p, Vector x) { _mm512_storeu_pd(p, x); }
  static Vector either(Vector a, Vector b) { return _mm512_or_pd(a, b); }
  static Vector high_part(Vector x) {
    return _mm512_and_pd(x, _mm512_castsi512_pd(_mm512_set1_epi64(high_part_mask)));
  }
  static bool any_nonzero(Vector x) { return _mm512_cmp_pd_mask(x, Vector{}, _CMP_NEQ_UQ) != 0; }
  // Pairs, then pairs of pairs, and those.
  static void transpose(Vector (&x)[8]) {
    constexpr int even = _MM_SHUFFLE(2, 0, 2, 0), odd = _MM_SHUFFLE(3, 1, 3, 1);
    Vector low[4], high[4];
    for (int i = 0; i < 4; ++i) {
      low[i] = _mm512_maskz_unpacklo_pd(0xff, x[2 * i], x[2 * i + 1]);
      high[i] = _mm512_maskz_unpackhi_pd(0xff, x[2 * i], x[2 * i + 1]);
    }
    for (int parity = 0; parity < 2; ++parity) {
      const Vector(&y)[4] = parity == 0 ? low : high;
      const Vector a = _mm512_maskz_shuffle_f64x2(0xff, y[0], y[1], even);
      const Vector b = _mm512_maskz_shuffle_f64x2(0xff, y[2], y[3], even);
      const Vector c = _mm512_maskz_shuffle_f64x2(0xff, y[0], y[1], odd);
      const Vector d = _mm512_maskz_shuffle_f64x2(0xff, y[2], y[3], odd);
      x[parity] = _mm512_maskz_shuffle_f64x2(0xff, a, b, even);
      x[parity + 2] = _mm512_maskz_shuffle_f64x2(0xff, c, d, even);
      x[parity + 4] = _mm512_maskz_shuffle_f64x2(0xff, a, b, odd);
      x[parity + 6] = _mm512_maskz_shuffle_f64x2(0xff, c, d, odd);
    }
  }
  static Vector shifted(Vector x, Vector next) {
    return _mm512_castsi512_pd(
        _mm512_maskz_alignr_epi64(0xff, _mm512_castpd_si512(next), _mm512_castpd_si512(x), 1));
  }
};

}  // namespace

extern const WeightsKernels<double> avx512_weights_float64 = weights_kernels_over<Float64>();
extern const NativeKernels<float> avx512_float32 =
    kernels_over<Float32>("avx512", avx2_weights_float32);
extern const NativeKernels<double> avx512_float64 =
    kernels_over<Float64>("avx512", avx512_weights_float64);

extern const ExactKernels avx512_exact = exact_kernels_over<Float64>();

}  // namespace precipice::native
