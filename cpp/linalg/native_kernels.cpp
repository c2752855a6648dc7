#include "linalg/native_kernels.hpp"

#include "machine/cpu_path.hpp"

namespace precipice {
namespace {

template <class Kernels>
const Kernels* choose(CpuPath path, const Kernels* avx2, const Kernels* avx512) {
  switch (path) {
    case CpuPath::mpfr:
    case CpuPath::generic: break;
    case CpuPath::avx2: return avx2;
    case CpuPath::avx512:
    case CpuPath::avx512ifma: return avx512;
  }
  return nullptr;
}

}  // namespace

#ifdef PRECIPICE_X86_KERNELS
template <>
const NativeKernels<float>* native_kernels<float>(CpuPath path) {
  return choose(path, &native::avx2_float32, &native::avx512_float32);
}
template <>
const NativeKernels<double>* native_kernels<double>(CpuPath path) {
  return choose(path, &native::avx2_float64, &native::avx512_float64);
}
#else
template <>
const NativeKernels<float>* native_kernels<float>(CpuPath path) {
  return choose<NativeKernels<float>>(path, nullptr, nullptr);
}
template <>
const NativeKernels<double>* native_kernels<double>(CpuPath path) {
  return choose<NativeKernels<double>>(path, nullptr, nullptr);
}
#endif

}  // namespace precipice
