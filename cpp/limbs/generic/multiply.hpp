// Products, rounded to p bits.
#pragma once

#include "limbs/generic/layout.hpp"
#include "limbs/generic/round.hpp"

namespace precipice::limbs::generic {

// A term of a sum: p bits, of which the first is the highest or the one below.
template <int K>
struct Term {
  Exponent exponent;
  Word minus;  // 0 or 1
  Guarded<K> magnitude;
};

// a b, exact.
template <int K>
[[gnu::always_inline]] inline Guarded<K> multiply_limbs(const Integer<K>& a, Word b) {
  Guarded<K> product;
  DoubleWord column = 0;
  for (int i = 0; i < K; ++i) {
    column = DoubleWord(a.limb[i]) * b + high(column);
    product.limb[i] = low(column);
  }
  product.top() = high(column);
  return product;
}

// The K + 1 highest limbs of a b; the lowest bit is set if anything is left below, where it is
// further from the last bit of p than any rounding looks.
template <int K>
Guarded<K> multiply_limbs(const Integer<K>& a, const Integer<K>& b) {
  Word product[2 * K] = {};
  for (int j = 0; j < K; ++j) {
    DoubleWord column = 0;
    for (int i = 0; i < K; ++i) {
      column = DoubleWord(a.limb[i]) * b.limb[j] + product[i + j] + high(column);
      product[i + j] = low(column);
    }
    product[j + K] = high(column);
  }
  Word rest = 0;
  for (int i = 0; i + 1 < K; ++i) rest |= product[i];
  Guarded<K> highest;
  for (int i = 0; i <= K; ++i) highest.limb[i] = product[K - 1 + i];
  highest.limb[0] |= rest != 0 ? 1 : 0;
  return highest;
}

// Where the last of p bits lies, if the bit below the highest is the first of them.
inline std::size_t place_of_product(const Precision& p) {
  return 63 + spare_bits(p);
}

// The product of a significand of p bits and another, whose leading bits are the highest, has its
// own in the highest bit or in the one below, and is rounded there. `place` is that of the latter.
// No carry leaves the top: the product is below the p-bit factor, and so, rounded, not above it.
// Zero stays zero.
template <int K>
[[gnu::always_inline]] inline Term<K> rounded_product(Exponent exponent, Word minus,
                                                      Guarded<K> product, std::size_t place) {
  round_at(product, place + (product.top() >> 63));
  return {exponent, minus, product};
}

}  // namespace precipice::limbs::generic
