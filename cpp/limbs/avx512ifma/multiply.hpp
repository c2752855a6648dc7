// Products: columns of partial products, exact down to one guard limb.
//
// The product of limbs i and j adds its low half to column i+j and its high half to column i+j+1.
// Columns are left as they add up, below 2^58: a term of a sum needs no carries but the one into
// limb 0.
#pragma once

#include "limbs/avx512ifma/normalise.hpp"
#include "limbs/data_matrix.hpp"

namespace precipice::limbs::avx512ifma {

// limb 0 ... K-1 hold the upper K columns; `below` is the column under them, carries included, and
// is zero only if all that lies beneath limb 0 is.
template <int K>
struct Product {
  Lanes limb[K];
  Lanes below;
};

// (h + odd/2) * u: a packed number's 52 leading bits, and its last one if it has 53; `half` is u/2.
// 2K multiplications, K additions.
template <int K, bool has_odd, class Multiplicand>
PRECIPICE_INLINE Product<K> multiply_short(Lanes h, Mask odd, Multiplicand u, Multiplicand half) {
  Product<K> product;
  Lanes column = zero();
#pragma GCC unroll 32
  for (int j = 0; j < K; ++j) {
    const Lanes limb = u.limb(j);
    column = add_low(column, h, limb);
    if (has_odd) column = add_where(odd, column, half.limb(j));
    (j == 0 ? product.below : product.limb[j > 0 ? j - 1 : 0]) = column;
    column = add_high(zero(), h, limb);
  }
  product.limb[K - 1] = column;
  return product;
}

// From this K on the lowest columns are not computed: all but one limb's worth of them lies beneath
// the guard, and decides a rounding once in 2^51 products of long factors.
inline constexpr int least_truncated = 5;

// The columns of a product from `first` up, to limbs and what lies beneath.
template <int K, int first>
PRECIPICE_INLINE Product<K> collected(const Lanes (&column)[2 * K - first]) {
  Product<K> product;
  Lanes carry = zero(), sticky = zero();
#pragma GCC unroll 32
  for (int k = first; k < K; ++k) {
    product.below = add(column[k - first], carry);
    carry = carry_of(product.below);
    if (k < K - 1) sticky = either(sticky, low_limb(product.below));
  }
  if (first == 0) product.below = either(product.below, only_where(not_zero(sticky), all(1)));
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) product.limb[i] = column[K + i - first];
  return product;
}

// x * u, the columns from `first` up: 2 K^2 multiplications if first = 0, K^2 + 4K - 4 if K-2. A
// limb of x at a time, so that its products fall into as many chains of additions as there are
// columns.
template <int K, int first, class X, class Multiplicand>
PRECIPICE_INLINE Product<K> multiply_columns(X x, Multiplicand u) {
  Lanes column[2 * K - first];
#pragma GCC unroll 64
  for (int k = 0; k < 2 * K - first; ++k) column[k] = zero();
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) {
    const Lanes x_i = x.limb(i);
#pragma GCC unroll 32
    for (int j = first - 1 - i > 0 ? first - 1 - i : 0; j < K; ++j) {
      const int k = i + j - first;
      const Lanes u_j = u.limb(j);
      if (k >= 0) column[k >= 0 ? k : 0] = add_low(column[k >= 0 ? k : 0], x_i, u_j);
      column[k + 1] = add_high(column[k + 1], x_i, u_j);
    }
  }
  return collected<K, first>(column);
}

// The product again with all its columns, unless those left out are zero: they are where a factor
// is zero or has one limb, as small integers and powers of two do.
template <int K>
PRECIPICE_RARE void multiply_fully(Product<K>& product, const Word* x, const Word* u,
                                   bool u_is_one_lane, Mask undecided) {
  Lanes low_x = zero(), low_u = zero();
#pragma GCC unroll 1
  for (int i = 0; i + 1 < K; ++i) {
    low_x = either(low_x, Group{x}.limb(i));
    low_u = either(low_u, u_is_one_lane ? OneLane{u}.limb(i) : Group{u}.limb(i));
  }
  if ((undecided & not_zero(low_x) & not_zero(low_u)) == 0) return;
  Lanes column[2 * K] = {};
#pragma GCC unroll 1
  for (int i = 0; i < K; ++i)
#pragma GCC unroll 1
    for (int j = 0; j < K; ++j) {
      const Lanes x_i = Group{x}.limb(i);
      const Lanes u_j = u_is_one_lane ? OneLane{u}.limb(j) : Group{u}.limb(j);
      column[i + j] = add_low(column[i + j], x_i, u_j);
      column[i + j + 1] = add_high(column[i + j + 1], x_i, u_j);
    }
  product = collected<K, 0>(column);
}

// x * u for two stored numbers. The columns left out could add one to the guard: it tells what lies
// beneath limb 0 unless its bits are all ones, or all zeros.
template <int K, class Multiplicand>
PRECIPICE_INLINE Product<K> multiply_stored(Group x, Multiplicand u) {
  if constexpr (K < least_truncated) {
    return multiply_columns<K, 0>(x, u);
  } else {
    Product<K> product = multiply_columns<K, K - 2>(x, u);
    const Lanes guard = low_limb(product.below);
    const Mask undecided = not_below(subtract(guard, all(1)), all(limb_mask - 1));
    if (undecided != 0) [[unlikely]] {
      Product<K> full = product;
      multiply_fully(full, x.words, u.words, __is_same(Multiplicand, OneLane), undecided);
      product = full;
    }
    return product;
  }
}

// A product as a number, rounded: carries first, so that its leading bit is known. `grid` is the
// exponent of bit 0 of limb 0.
template <int K>
PRECIPICE_INLINE Number<K> rounded_product(const Product<K>& product, Lanes grid, Mask minus,
                                           const Rounding& rounding) {
  Lanes guarded[K + 1];
  guarded[0] = product.below;
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) guarded[i + 1] = product.limb[i];
  propagate_carries(guarded);
  return rounded<K>(guarded, subtract(grid, all(limb_bits)), minus, minus, rounding);
}

template <int K>
PRECIPICE_INLINE Number<K> multiply(Group a, Group b, const Rounding& rounding) {
  const Product<K> product = multiply_stored<K>(a, b);
  // limb * 2^(e - span) twice; the upper limbs are K limbs up.
  const Lanes grid =
      add(add(a.exponent(), b.exponent()), all(limb_bits * K - 2 * Exponent(rounding.span)));
  return rounded_product(product, grid, static_cast<Mask>(a.minus() ^ b.minus()), rounding);
}

}  // namespace precipice::limbs::avx512ifma
