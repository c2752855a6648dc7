// The kernels of exact sums by limbs of the window, compiled in two units.
#pragma once

#include "limbs/kernels.hpp"

namespace precipice::limbs::avx512ifma {

using ExactRow = decltype(Kernels::exact_sums);

inline constexpr int few_limbs = 12;
extern const ExactRow exact_rows_from_2[few_limbs - 1];
extern const ExactRow exact_rows_of_many[most_window - few_limbs];

// Kernels::fix
void fixed(const Precision& p, FixedVector& fixed, Word* to, int window, const Word* u,
           std::size_t n, Exponent top);

}  // namespace precipice::limbs::avx512ifma
