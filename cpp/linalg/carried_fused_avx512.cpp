// Sums of fused multiply-adds of float32 and float64, in AVX512. Apart from all other kernels,
// which must hold no such instruction.
#include <immintrin.h>

#include "linalg/carried_sums.hpp"
#include "numbers/carried_lanes.hpp"

namespace precipice::carried_sums {
namespace {

struct Here {};
struct Float32 : CarriedMany<float, 64, Here> {
  static Vector fma(const Vector& a, const Vector& b, const Vector& c) {
    return _mm512_fmadd_ps(a, b, c);
  }
};
struct Float64 : CarriedMany<double, 64, Here> {
  static Vector fma(const Vector& a, const Vector& b, const Vector& c) {
    return _mm512_fmadd_pd(a, b, c);
  }
};

}  // namespace

extern const SumKernel<float> fused_avx512_float32 = native_fused_kernel<Float32>();
extern const SumKernel<double> fused_avx512_float64 = native_fused_kernel<Float64>();

}  // namespace precipice::carried_sums
