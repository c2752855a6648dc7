#include "limbs/avx512ifma/kernels_of.hpp"
#include "limbs/avx512ifma/rows.hpp"

namespace precipice::limbs::avx512ifma {

const KernelRow rows_1_to_8[] = {KernelsOf<1>::row, KernelsOf<2>::row, KernelsOf<3>::row,
                                 KernelsOf<4>::row, KernelsOf<5>::row, KernelsOf<6>::row,
                                 KernelsOf<7>::row, KernelsOf<8>::row};

}  // namespace precipice::limbs::avx512ifma
