// The kernels by number of limbs, compiled in three units.
#pragma once

#include "limbs/kernels.hpp"

namespace precipice::limbs::avx512ifma {

// The operations whose code depends on the number of limbs; as in Kernels.
struct KernelRow {
  decltype(Kernels::multiply) multiply, add, subtract;
  decltype(Kernels::divide) divide;
  decltype(Kernels::sums) sums;
  decltype(Kernels::prepare) prepare;
  decltype(Kernels::sum) sum;
};

extern const KernelRow rows_1_to_8[8], rows_9_to_15[7], rows_16_to_22[7];

}  // namespace precipice::limbs::avx512ifma
