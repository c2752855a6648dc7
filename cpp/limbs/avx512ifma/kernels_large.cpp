#include "limbs/avx512ifma/kernels_of.hpp"
#include "limbs/avx512ifma/rows.hpp"

namespace precipice::limbs::avx512ifma {

const KernelRow rows_16_to_22[] = {KernelsOf<16>::row, KernelsOf<17>::row, KernelsOf<18>::row,
                                   KernelsOf<19>::row, KernelsOf<20>::row, KernelsOf<21>::row,
                                   KernelsOf<22>::row};

}  // namespace precipice::limbs::avx512ifma
