// Sums of products, each rounded once, for one window.
#pragma once

#include "limbs/avx512ifma/columns.hpp"
#include "limbs/avx512ifma/fixed_point.hpp"
#include "limbs/kernels.hpp"

namespace precipice::limbs::avx512ifma {

inline int error_bits(std::size_t terms, int M) {
  const Word bound = terms * static_cast<Word>(2 * M + 2) + 2;
  return 64 - __builtin_clzll(bound);
}

template <int L>
struct ExactSums {
  static void sums(const Precision& p, Word* out, Word* undecided, const DataMatrix& X,
                   const Extremes& of_x, std::size_t groups, const FixedVector& u) {
    if (X.packing == Packing::stored) {
      const Exponent scale = of_x.top + p.slack + 1 + u.scale;
      const Settling settle(p, u, scale, error_bits(u.terms, L));
      switch (L - p.limbs) {
        case 0: return full(StoredEntries<0>(X, of_x.top), X, settle, p, out, undecided, groups, u);
        case 1: return full(StoredEntries<1>(X, of_x.top), X, settle, p, out, undecided, groups, u);
        default:
          return full(StoredEntries<-1>(X, of_x.top, p.limbs), X, settle, p, out, undecided, groups,
                      u);
      }
    }
    const Exponent bits = significand_bits(X.packing) + 1 + of_x.top - of_x.least;
    const Exponent scale = X.top + 1 + u.scale;
    if (bits <= 2 * limb_bits) return few<2>(X, scale, p, out, undecided, groups, u);
    if constexpr (L >= 3)
      if (bits <= 3 * limb_bits) return few<3>(X, scale, p, out, undecided, groups, u);
    const Settling settle(p, u, scale, error_bits(u.terms, L));
    full(ShortEntries(X, L), X, settle, p, out, undecided, groups, u);
  }

 private:
  static void settle_columns(const Settling& settle, Word* out, Word* undecided,
                             const Columns<L>& sum) {
    Lanes v[most_window + 2];
    v[0] = zero();
    for (int i = 0; i < L; ++i) v[i + 1] = sum.column[0][i];
    v[L + 1] = sum.overflow;
    *undecided = settle(out, v);
  }

  template <int M>
  static void few(const DataMatrix& X, Exponent scale, const Precision& p, Word* out,
                  Word* undecided, std::size_t groups, const FixedVector& u) {
    constexpr int together = L <= 4 ? 2 : 1;
    const ShortEntries entries(X, M);
    const Settling settle(p, u, scale, error_bits(u.terms, M));
    const std::size_t words = words_of_group(p);
    std::size_t g = 0;
    for (; g + together <= groups; g += together) {
      Columns<L> sum[together];
      sum_short<L, M, together>(sum, entries, X.data + g * X.group_stride, X.group_stride, u.data,
                                u.terms);
      for (std::size_t i = 0; i < together; ++i)
        settle_columns(settle, out + (g + i) * words, undecided + g + i, sum[i]);
    }
    for (; g < groups; ++g) {
      Columns<L> sum[1];
      sum_short<L, M, 1>(sum, entries, X.data + g * X.group_stride, X.group_stride, u.data,
                         u.terms);
      settle_columns(settle, out + g * words, undecided + g, sum[0]);
    }
  }

  template <class Entries>
  static void full(const Entries& entries, const DataMatrix& X, const Settling& settle,
                   const Precision& p, Word* out, Word* undecided, std::size_t groups,
                   const FixedVector& u) {
    for (std::size_t g = 0; g < groups; ++g) {
      Columns<L> sum;
      sum_full<L>(sum, entries, X.data + g * X.group_stride, u.data, u.terms);
      settle_columns(settle, out + g * words_of_group(p), undecided + g, sum);
    }
  }
};

}  // namespace precipice::limbs::avx512ifma
