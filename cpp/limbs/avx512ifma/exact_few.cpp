#include "limbs/avx512ifma/exact_rows.hpp"
#include "limbs/avx512ifma/exact_sums.hpp"

namespace precipice::limbs::avx512ifma {

const ExactRow exact_rows_from_2[] = {
    &ExactSums<2>::sums,  &ExactSums<3>::sums,  &ExactSums<4>::sums, &ExactSums<5>::sums,
    &ExactSums<6>::sums,  &ExactSums<7>::sums,  &ExactSums<8>::sums, &ExactSums<9>::sums,
    &ExactSums<10>::sums, &ExactSums<11>::sums, &ExactSums<12>::sums};

void fixed(const Precision& p, FixedVector& fixed, Word* to, int window, const Word* u,
           std::size_t n, Exponent top) {
  fix(p, fixed, to, window, u, n, top);
}

}  // namespace precipice::limbs::avx512ifma
