// The table of the AVX-512 IFMA path. Compiled for the baseline: it only calls.
#include "limbs/kernels.hpp"

#include "limbs/avx512ifma/exact_rows.hpp"
#include "limbs/avx512ifma/layout.hpp"
#include "limbs/avx512ifma/rows.hpp"

namespace precipice::limbs {
namespace avx512ifma {
namespace {

const KernelRow& row(const Precision& p) {
  if (p.limbs <= 8) return rows_1_to_8[p.limbs - 1];
  if (p.limbs <= 15) return rows_9_to_15[p.limbs - 9];
  return rows_16_to_22[p.limbs - 16];
}

Precision precision(int bits, Exponent emin, Exponent emax) {
  const int limbs = limbs_for(bits) <= most_limbs ? limbs_for(bits) : 0;
  return {bits, limbs, limb_bits, lanes, slack_for(bits), emin, emax};
}

}  // namespace
}  // namespace avx512ifma

const Kernels avx512ifma_kernels = {
    &avx512ifma::precision,
    [](const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b, std::size_t n) {
      avx512ifma::row(p).multiply(p, rescue, out, a, b, n);
    },
    [](const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b, std::size_t n) {
      avx512ifma::row(p).add(p, rescue, out, a, b, n);
    },
    [](const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b, std::size_t n) {
      avx512ifma::row(p).subtract(p, rescue, out, a, b, n);
    },
    [](const Precision& p, const Rescue& rescue, Word* out, Operand a, Word divisor,
       std::size_t n) { avx512ifma::row(p).divide(p, rescue, out, a, divisor, n); },
    [](const Precision& p, Word* out, const DataMatrix& X, std::size_t groups, const Word* u,
       const Word* prepared,
       std::size_t terms) { avx512ifma::row(p).sums(p, out, X, groups, u, prepared, terms); },
    [](const Precision& p, Word* prepared, const Word* u, std::size_t n) {
      avx512ifma::row(p).prepare(p, prepared, u, n);
    },
    [](const Precision& p, Word* out, const Word* a, std::size_t n) {
      avx512ifma::row(p).sum(p, out, a, n);
    },
    &avx512ifma::fixed,
    [](const Precision& p, Word* out, Word* undecided, const DataMatrix& X, const Extremes& of_x,
       std::size_t groups, const FixedVector& u) {
      const auto& row = u.limbs <= avx512ifma::few_limbs
                            ? avx512ifma::exact_rows_from_2[u.limbs - 2]
                            : avx512ifma::exact_rows_of_many[u.limbs - avx512ifma::few_limbs - 1];
      row(p, out, undecided, X, of_x, groups, u);
    },
};

}  // namespace precipice::limbs
