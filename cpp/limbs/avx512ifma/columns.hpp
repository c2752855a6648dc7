// Columns of sums of products in fixed point (limbs/fixed_point.hpp): the multiply-adds.
#pragma once

#include "limbs/avx512ifma/placing.hpp"
#include "limbs/data_matrix.hpp"

namespace precipice::limbs::avx512ifma {

// Entries of one word, as M limbs of B + X where the vector's element is positive, B - X where not.
struct ShortEntries {
  ShortEntries(const DataMatrix& X, int M)
      : data(X.data),
        stride(X.term_stride),
        sign_bit(all(Exponent(1) << significand_bits(X.packing))),
        significand(all((Exponent(1) << significand_bits(X.packing)) - 1)),
        depth_shift(all(significand_bits(X.packing) + 1)),
        shift(limb_bits * M - 1 - significand_bits(X.packing)) {}

  const Word* data;
  std::size_t stride;
  Lanes sign_bit, significand, depth_shift;
  int shift;  // of a significand, to its place in M limbs if its depth is 0

  struct Entry {
    Lanes value;  // in two's complement
    Lanes depth;
  };
  PRECIPICE_INLINE Entry entry(const Word* x, Lanes u_minus) const {
    const Lanes word = load(x);
    // word ^ (u_minus & sign_bit)
    const Lanes turned = _mm512_ternarylogic_epi64(word, u_minus, sign_bit, 0x78);
    return {negate_where(any_bit(turned, sign_bit), both(word, significand)),
            _mm512_srlv_epi64(word, depth_shift)};
  }
  // Limb i of M; the lowest and the highest never need to shift the other way if no bit is lost.
  template <int M>
  PRECIPICE_INLINE void limbs(Lanes (&v)[M], const Word* x, Lanes u_minus) const {
    const Entry e = entry(x, u_minus);
    v[0] = shift_left(e.value, subtract(all(shift), e.depth));
#pragma GCC unroll 4
    for (int i = 1; i + 1 < M; ++i) v[i] = limb(e, i);
    v[M - 1] = add(_mm512_srav_epi64(e.value, add(e.depth, all(limb_bits * (M - 1) - shift))),
                   all(Exponent(1) << (limb_bits - 1)));
  }
  // Any limb, where bits may be lost.
  PRECIPICE_INLINE Lanes limb(const Entry& e, int i) const {
    const Lanes left = subtract(all(shift - limb_bits * i), e.depth);
    return _mm512_mask_srav_epi64(shift_left(e.value, left), negative(left), e.value,
                                  subtract(zero(), left));
  }

  // An entry as L limbs, from the highest.
  template <int L>
  struct Term {
    PRECIPICE_INLINE Term(const ShortEntries& of, const Word* x, Lanes u_minus)
        : entries(of), entry(of.entry(x, u_minus)) {}
    PRECIPICE_INLINE Lanes limb(int i) {
      const Lanes v = entries.limb(entry, i);
      return i == L - 1 ? add(v, all(Exponent(1) << (limb_bits - 1))) : v;
    }
    const ShortEntries& entries;
    const Entry entry;
  };
};

// Stored entries, as L limbs likewise, `missing` more than they have. What is negative is
// complemented: one unit less.
template <int missing>
struct StoredEntries {
  StoredEntries(const DataMatrix& X, Exponent greatest)
      : data(X.data), stride(X.term_stride), top(greatest) {}

  const Word* data;
  std::size_t stride;
  Exponent top;

  template <int L>
  struct Term {
    PRECIPICE_INLINE Term(const StoredEntries& of, const Word* x, Lanes u_minus)
        : limbs(x + lanes), above(zero()), below(zero()) {
      constexpr int K = L - missing;
      const Group group{x};
      flip = _mm512_xor_si512(u_minus, _mm512_maskz_set1_epi64(group.minus(), -1));
      right =
          select(not_zero(group.limb(K - 1)), subtract(all(of.top + 1), group.exponent()), all(1));
      if (not_below(right, all(limb_bits)) != 0) [[unlikely]] {
        place_far(placed, L, x, K, right);
        below = placed[0];
        limbs = reinterpret_cast<const Word*>(placed + missing);
        right = zero();
      }
      scale = shift_left(all(1), subtract(all(limb_bits), right));
    }
    // From the highest; limbs that are missing are those of a number that was placed, or zero.
    PRECIPICE_INLINE Lanes limb(int i) {
      Lanes here = zero(), shifted = below;
      if (i >= missing) {
        here = load(limbs + lanes * (i - missing));
        shifted = shift_right(here, right);
      }
      const Lanes v = _mm512_xor_si512(add_low(shifted, above, scale), flip);
      above = here;
      return i == L - 1 ? _mm512_xor_si512(v, all(Exponent(1) << (limb_bits - 1))) : v;
    }
    const Word* limbs;
    Lanes right, scale, flip, above, below;
    Lanes placed[L];
  };
};

// The same where many limbs are missing.
template <>
struct StoredEntries<-1> {
  StoredEntries(const DataMatrix& X, Exponent greatest, int limbs)
      : data(X.data), stride(X.term_stride), top(greatest), K(limbs) {}

  const Word* data;
  std::size_t stride;
  Exponent top;
  int K;

  template <int L>
  struct Term {
    PRECIPICE_INLINE Term(const StoredEntries& of, const Word* x, Lanes u_minus) {
      const Group group{x};
      flip = _mm512_xor_si512(u_minus, _mm512_maskz_set1_epi64(group.minus(), -1));
      place(placed, L, x, of.K,
            select(not_zero(group.limb(of.K - 1)), subtract(all(of.top + 1), group.exponent()),
                   all(1)));
    }
    PRECIPICE_INLINE Lanes limb(int i) {
      const Lanes v = _mm512_xor_si512(placed[i], flip);
      return i == L - 1 ? _mm512_xor_si512(v, all(Exponent(1) << (limb_bits - 1))) : v;
    }
    Lanes flip;
    Lanes placed[L];
  };
};

// Two chains of additions a column where one would be waited for.
template <int L>
inline constexpr int chains = L <= 8 ? 2 : 1;

template <int L>
struct Columns {
  Lanes column[chains<L>][L];
  Lanes overflow;

  PRECIPICE_INLINE void clear() {
#pragma GCC unroll 2
    for (auto& chain : column)
#pragma GCC unroll 32
      for (Lanes& c : chain) c = zero();
    overflow = zero();
  }
  PRECIPICE_INLINE void propagate() {
    Lanes carry = zero();
#pragma GCC unroll 32
    for (int i = 0; i < L; ++i) {
      Lanes c = add(column[0][i], carry);
      if (chains<L> > 1) {
        c = add(c, column[chains<L> - 1][i]);
        column[chains<L> - 1][i] = zero();
      }
      carry = carry_of(c);
      column[0][i] = low_limb(c);
    }
    overflow = add(overflow, carry);
  }
  // x u_k for M limbs of x, the columns of weight 2^(52 M) and more; and for one of its limbs.
  template <int M>
  PRECIPICE_INLINE void add_product(const Lanes (&x)[M], const Word* u_k) {
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i) add_product<M>(x[i], i, u_k);
  }
  template <int M>
  PRECIPICE_INLINE void add_product(Lanes x_i, int i, const Word* u_k) {
    constexpr int high = chains<L> - 1;
#pragma GCC unroll 32
    for (int j = M - 1 - i; j < L; ++j) {
      const int c = i + j - M;
      const Lanes u_j = broadcast(u_k + lanes * (1 + j));
      if (c >= 0) column[0][c >= 0 ? c : 0] = add_low(column[0][c >= 0 ? c : 0], x_i, u_j);
      column[high][c + 1] = add_high(column[high][c + 1], x_i, u_j);
    }
  }
};

// Terms between propagations: a term adds at most 2 M halves below 2^52 to a column.
template <int M>
inline constexpr std::size_t terms_that_fit = 4096 / (2 * M) - 2;

// G groups of outputs side by side, so that they share the vector and hide each other's latency.
template <int L, int M, int G, class Entries>
PRECIPICE_INLINE void sum_short(Columns<L> (&sums)[G], const Entries& entries, const Word* x,
                                std::size_t group_stride, const Word* u, std::size_t terms) {
#pragma GCC unroll 4
  for (auto& sum : sums) sum.clear();
  for (std::size_t k = 0; k < terms;) {
    const std::size_t end = terms - k > terms_that_fit<M> ? k + terms_that_fit<M> : terms;
    for (; k < end; ++k) {
      const Word* const u_k = u + k / lanes * (lanes * (1 + L)) + k % lanes;
      const Lanes u_minus = broadcast(u_k);
#pragma GCC unroll 4
      for (int g = 0; g < G; ++g) {
        Lanes v[M];
        entries.template limbs<M>(
            v, x + static_cast<std::size_t>(g) * group_stride + k * entries.stride, u_minus);
        sums[g].template add_product<M>(v, u_k);
      }
    }
#pragma GCC unroll 4
    for (auto& sum : sums) sum.propagate();
  }
}

// Entries of L limbs.
template <int L, class Entries>
PRECIPICE_INLINE void sum_full(Columns<L>& sum, const Entries& entries, const Word* x,
                               const Word* u, std::size_t terms) {
  sum.clear();
  for (std::size_t k = 0; k < terms;) {
    const std::size_t end = terms - k > terms_that_fit<L> ? k + terms_that_fit<L> : terms;
    for (; k < end; ++k) {
      const Word* const u_k = u + k / lanes * (lanes * (1 + L)) + k % lanes;
      typename Entries::template Term<L> term(entries, x + k * entries.stride, broadcast(u_k));
#pragma GCC unroll 32
      for (int i = L - 1; i >= 0; --i) sum.template add_product<L>(term.limb(i), i, u_k);
    }
    sum.propagate();
  }
}

}  // namespace precipice::limbs::avx512ifma
