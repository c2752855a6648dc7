// Which kernels carry out arbitrary precision on a CPU path.
#pragma once

#include <string>

#include "limbs/kernels.hpp"
#include "machine/cpu_path.hpp"
#include "numbers/format.hpp"

namespace precipice {

// Null where MPFR itself computes: on its own path, and beyond the kernels' greatest precision.
const limbs::Kernels* limb_kernels(CpuPath path, const Format& format);

// The same for reports: "limbs in AVX-512 IFMA lanes, bit for bit as MPFR 4.2.2".
std::string arbitrary_precision(CpuPath path, const Format& format);

}  // namespace precipice
