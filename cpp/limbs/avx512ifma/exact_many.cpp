#include "limbs/avx512ifma/exact_rows.hpp"
#include "limbs/avx512ifma/exact_sums.hpp"

namespace precipice::limbs::avx512ifma {

const ExactRow exact_rows_of_many[] = {
    &ExactSums<13>::sums, &ExactSums<14>::sums, &ExactSums<15>::sums, &ExactSums<16>::sums,
    &ExactSums<17>::sums, &ExactSums<18>::sums, &ExactSums<19>::sums, &ExactSums<20>::sums,
    &ExactSums<21>::sums, &ExactSums<22>::sums, &ExactSums<23>::sums, &ExactSums<24>::sums};

}  // namespace precipice::limbs::avx512ifma
