#include "linalg/carried_kernels.hpp"

#include "linalg/carried_sums.hpp"
#include "machine/cpu_path.hpp"
#include "numbers/carried_lanes.hpp"

namespace precipice {
namespace {

struct Here {};

// 128-bit vectors, which every x86-64 and aarch64 machine has.
template <class T>
const CarriedKernels<T>& baseline() {
  using L = CarriedMany<T, 16, Here>;
  static constexpr SumKernel<T> fused = carried_sums::native_fused_kernel<L>();
  static constexpr CarriedKernels<T> kernels = carried_sums::kernels_over<L>(fused);
  return kernels;
}

template <class Kernels>
const Kernels& choose(CpuPath path, const Kernels& generic, const Kernels& avx2,
                      const Kernels& avx512) {
  switch (path) {
    case CpuPath::mpfr:
    case CpuPath::generic: break;
    case CpuPath::avx2: return avx2;
    case CpuPath::avx512:
    case CpuPath::avx512ifma: return avx512;
  }
  return generic;
}

}  // namespace

#ifdef PRECIPICE_X86_KERNELS
template <>
const CarriedKernels<float>& carried_kernels<float>(CpuPath path) {
  return choose(path, baseline<float>(), carried_sums::avx2_float32, carried_sums::avx512_float32);
}
template <>
const CarriedKernels<double>& carried_kernels<double>(CpuPath path) {
  return choose(path, baseline<double>(), carried_sums::avx2_float64, carried_sums::avx512_float64);
}
#else
template <>
const CarriedKernels<float>& carried_kernels<float>(CpuPath) {
  return baseline<float>();
}
template <>
const CarriedKernels<double>& carried_kernels<double>(CpuPath) {
  return baseline<double>();
}
#endif

const WideKernels& wide_kernels() {
  using L = CarriedOne<float, Here>;
  using namespace carried_sums;
  static constexpr WideKernels kernels = {all_outputs<L, Care::wide, Whole<Sequential>, float>,
                                          all_outputs<L, Care::wide, Blocked, float>,
                                          all_outputs<L, Care::wide, Whole<Pairwise>, float>,
                                          all_outputs<L, Care::wide, Whole<Kahan>, float>};
  return kernels;
}

}  // namespace precipice
