// Products of two numbers, one at a time: the limbs that rounding looks at.
#pragma once

#include "limbs/generic/integers.hpp"
#include "limbs/generic/layout.hpp"

namespace precipice::limbs::generic {

// From here on it is worth leaving out the columns that hardly ever matter.
inline constexpr int least_limbs_to_shorten = 4;

// Limbs of a product, column by column from the lowest.
struct Columns {
  Word sum[3] = {};  // what is left of the columns before, and the present one

  [[gnu::always_inline]] inline void add_product(Word a, Word b) {
    const DoubleWord product = DoubleWord(a) * b;
    unsigned char carry = 0;
    sum[0] = add_with_carry(sum[0], low(product), carry);
    sum[1] = add_with_carry(sum[1], high(product), carry);
    sum[2] = add_with_carry(sum[2], 0, carry);
  }
  // The present column's limb; the next column becomes the present one.
  [[gnu::always_inline]] inline Word next() {
    const Word limb = sum[0];
    sum[0] = sum[1];
    sum[1] = sum[2];
    sum[2] = 0;
    return limb;
  }
};

// The K + 1 highest limbs of the sum of a b's columns from `first` upwards. The lowest bit is set
// too if anything is left below these limbs, where it is further from the last bit of p than any
// rounding looks.
template <int K, int first>
[[gnu::always_inline]] inline void highest_limbs(Guarded<K>& highest, const Word* a,
                                                 const Word* b) {
  Columns columns;
  Word rest = 0;
#pragma GCC unroll 36
  for (int c = first; c < 2 * K - 1; ++c) {
#pragma GCC unroll 18
    for (int i = c < K ? 0 : c - K + 1; i <= c && i < K; ++i) columns.add_product(a[i], b[c - i]);
    if (c < K - 1)
      rest |= columns.next();
    else
      highest.limb[c - (K - 1)] = columns.next();
  }
  highest.top() = columns.next();
  highest.limb[0] |= rest != 0 ? 1 : 0;
}

// All of a b, row by row, and of that the same limbs: where the lower columns matter, or where many
// limbs of b are zero.
template <int K>
[[gnu::noinline]] void multiply_by_rows(Guarded<K>& highest, const Word* a, const Word* b) {
  int lowest = 0;
  while (lowest < K - 1 && b[lowest] == 0) ++lowest;
  if (lowest == K - 1) {  // one row: nothing is below
    DoubleWord column = 0;
#pragma GCC unroll 18
    for (int i = 0; i < K; ++i) {
      column = DoubleWord(a[i]) * b[K - 1] + high(column);
      highest.limb[i] = low(column);
    }
    highest.top() = high(column);
    return;
  }
  Word product[2 * K] = {};
  for (int j = lowest; j < K; ++j) {
    DoubleWord column = 0;
    for (int i = 0; i < K; ++i) {
      column = DoubleWord(a[i]) * b[j] + product[i + j] + high(column);
      product[i + j] = low(column);
    }
    product[j + K] = high(column);
  }
  Word rest = 0;
  for (int i = 0; i + 1 < K; ++i) rest |= product[i];
  for (int i = 0; i <= K; ++i) highest.limb[i] = product[K - 1 + i];
  highest.limb[0] |= rest != 0 ? 1 : 0;
}

// The K + 1 highest limbs of a b and that trace, of K limbs each.
//
// Of many limbs, nearly half of the work is in columns 0 to K - 3, which together come to less than
// K in limb K - 1, the lowest of those wanted. Rounding looks at its two highest bits: unless all
// others are zero or a carry out of them is in reach, the other columns do not matter.
template <int K>
[[gnu::always_inline]] inline Guarded<K> highest_of_product(const Word* a, const Word* b) {
  Guarded<K> highest;
  if constexpr (K < least_limbs_to_shorten) {
    highest_limbs<K, 0>(highest, a, b);
  } else if (a[0] == 0 || b[0] == 0) {  // a short number, such as one that was a double
    multiply_by_rows<K>(highest, b[0] == 0 ? a : b, b[0] == 0 ? b : a);
  } else {
    highest_limbs<K, K - 2>(highest, a, b);
    const Word below = highest.limb[0] << 2 >> 2;
    if (below - 1 >= (Word(1) << 62) - K - 1) [[unlikely]]
      multiply_by_rows<K>(highest, a, b);
  }
  return highest;
}

}  // namespace precipice::limbs::generic
