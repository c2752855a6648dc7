// A number of p bits in K = ceil(p / 64) limbs of 64 bits, one number a group. Its leading bit is
// the highest (slack 0), as in MPFR; 64 K - p bits at the bottom are zero.
#pragma once

#include "limbs/generic/integers.hpp"
#include "limbs/stored.hpp"

namespace precipice::limbs::generic {

inline constexpr int greatest_limbs = 18;

inline Precision precision(int bits, Exponent emin, Exponent emax) {
  const int limbs = bits < 2 || bits > 64 * greatest_limbs ? 0 : (bits + 63) / 64;
  return {bits, limbs, 64, 1, 0, emin, emax};
}

// Zero bits at the bottom of a significand.
inline std::size_t spare_bits(const Precision& p) {
  return static_cast<std::size_t>(64 * p.limbs - p.bits);
}

// (-1)^minus significand 2^(exponent - 64 K); a significand of zero is zero, whatever the exponent.
template <int K>
struct Number {
  Exponent exponent;
  Word minus;  // 0 or 1
  Integer<K> significand;
};

template <int K>
[[gnu::always_inline]] inline Number<K> load(const Word* words) {
  Number<K> a;
  a.exponent = exponent_of(words[0]);
  a.minus = words[0] & 1;
  for (int i = 0; i < K; ++i) a.significand.limb[i] = words[1 + i];
  return a;
}

template <int K>
void store(Word* words, const Number<K>& a) {
  words[0] = head(a.exponent, a.minus != 0);
  for (int i = 0; i < K; ++i) words[1 + i] = a.significand.limb[i];
}
template <int K>
void store_zero(Word* words, bool minus) {
  store(words, Number<K>{zero_exponent, Word(minus), {}});
}

// What neither a number nor a zero can be: the operations leave these to others.
inline bool is_special(Word head) {
  return exponent_of(head) > greatest_exponent;
}
inline bool is_zero_head(Word head) {
  return exponent_of(head) == zero_exponent;
}

// K limbs with a limb below them, for the bits that rounding looks at. Products and sums are of
// this kind: value 2^(exponent - 64 (K + 1)), the exponent being that of the highest bit.
template <int K>
using Guarded = Integer<K + 1>;

template <int K>
Guarded<K> guarded(const Integer<K>& a) {
  Guarded<K> wide;
  wide.limb[0] = 0;
  for (int i = 0; i < K; ++i) wide.limb[1 + i] = a.limb[i];
  return wide;
}
template <int K>
Integer<K> without_guard(const Guarded<K>& wide) {
  Integer<K> a;
  for (int i = 0; i < K; ++i) a.limb[i] = wide.limb[1 + i];
  return a;
}

}  // namespace precipice::limbs::generic
