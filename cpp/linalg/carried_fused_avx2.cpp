// Sums of fused multiply-adds of float32 and float64, in AVX2. Apart from all other kernels,
// which must hold no such instruction.
#include <immintrin.h>

#include "linalg/carried_sums.hpp"
#include "numbers/carried_lanes.hpp"

namespace precipice::carried_sums {
namespace {

struct Here {};
struct Float32 : CarriedMany<float, 32, Here> {
  static Vector fma(const Vector& a, const Vector& b, const Vector& c) {
    return _mm256_fmadd_ps(a, b, c);
  }
};
struct Float64 : CarriedMany<double, 32, Here> {
  static Vector fma(const Vector& a, const Vector& b, const Vector& c) {
    return _mm256_fmadd_pd(a, b, c);
  }
};

}  // namespace

extern const SumKernel<float> fused_avx2_float32 = native_fused_kernel<Float32>();
extern const SumKernel<double> fused_avx2_float64 = native_fused_kernel<Float64>();

}  // namespace precipice::carried_sums
