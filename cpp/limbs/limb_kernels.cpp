#include "limbs/limb_kernels.hpp"

#include <mpfr.h>

namespace precipice {
namespace {

struct Choice {
  const limbs::Kernels* kernels;
  const char* name;
};

Choice choice(CpuPath path) {
  switch (path) {
    case CpuPath::mpfr: break;
    case CpuPath::avx512ifma:
#ifdef PRECIPICE_AVX512IFMA
      return {&limbs::avx512ifma_kernels, "limbs in AVX-512 IFMA lanes"};
#endif
    case CpuPath::generic:
    case CpuPath::avx2:
    case CpuPath::avx512: return {&limbs::generic_kernels, "limbs in 64-bit words"};
  }
  return {nullptr, ""};
}

}  // namespace

const limbs::Kernels* limb_kernels(CpuPath path, const Format& format) {
  const limbs::Kernels* const kernels = choice(path).kernels;
  if (kernels == nullptr) return nullptr;
  const auto bits = static_cast<int>(format.precision);
  return kernels->precision(bits, format.emin, format.emax).limbs > 0 ? kernels : nullptr;
}

std::string arbitrary_precision(CpuPath path, const Format& format) {
  const std::string mpfr = "MPFR " + std::string(mpfr_get_version());
  if (limb_kernels(path, format) == nullptr) return mpfr;
  return choice(path).name + (", bit for bit as " + mpfr);
}

}  // namespace precipice
