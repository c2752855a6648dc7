// The kernels of carried numbers in AVX2.
#include <immintrin.h>

#include "linalg/carried_sums.hpp"
#include "numbers/carried_lanes.hpp"

namespace precipice::carried_sums {
namespace {

struct Here {};

struct Float32 : CarriedMany<float, 32, Here> {
  static Vector larger(const Vector& a, const Vector& b) { return _mm256_max_ps(a, b); }
};
struct Float64 : CarriedMany<double, 32, Here> {
  static Vector larger(const Vector& a, const Vector& b) { return _mm256_max_pd(a, b); }
};

}  // namespace

extern const CarriedKernels<float> avx2_float32 = kernels_over<Float32>(fused_avx2_float32);
extern const CarriedKernels<double> avx2_float64 = kernels_over<Float64>(fused_avx2_float64);

}  // namespace precipice::carried_sums
