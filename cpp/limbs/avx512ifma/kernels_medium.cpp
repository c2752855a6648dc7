#include "limbs/avx512ifma/kernels_of.hpp"
#include "limbs/avx512ifma/rows.hpp"

namespace precipice::limbs::avx512ifma {

const KernelRow rows_9_to_15[] = {KernelsOf<9>::row,  KernelsOf<10>::row, KernelsOf<11>::row,
                                  KernelsOf<12>::row, KernelsOf<13>::row, KernelsOf<14>::row,
                                  KernelsOf<15>::row};

}  // namespace precipice::limbs::avx512ifma
