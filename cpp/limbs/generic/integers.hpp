// Unsigned integers of N limbs of 64 bits, the lowest first, and sums modulo 2^(64 N).
#pragma once

#include "limbs/stored.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace precipice::limbs::generic {

__extension__ using DoubleWord = unsigned __int128;

template <int N>
struct Integer {
  Word limb[N];
  Word& top() { return limb[N - 1]; }
  const Word& top() const { return limb[N - 1]; }
};

constexpr Word high(DoubleWord x) {
  return static_cast<Word>(x >> 64);
}
constexpr Word low(DoubleWord x) {
  return static_cast<Word>(x);
}

// a + b + carry; `carry` (0 or 1) becomes that of the sum. One instruction of each carry chain,
// where the compiler is told so.
inline Word add_with_carry(Word a, Word b, unsigned char& carry) {
#if defined(__x86_64__)
  unsigned long long sum;
  carry = _addcarry_u64(carry, a, b, &sum);
  return sum;
#elif defined(__clang__)
  unsigned long long carried;
  const Word sum = __builtin_addcll(a, b, carry, &carried);
  carry = static_cast<unsigned char>(carried);
  return sum;
#else
  const DoubleWord sum = DoubleWord(a) + b + carry;
  carry = static_cast<unsigned char>(high(sum));
  return low(sum);
#endif
}

template <int N>
bool is_zero(const Integer<N>& a) {
  Word any = 0;
  for (int i = 0; i < N; ++i) any |= a.limb[i];
  return any == 0;
}

template <int N>
void negate(Integer<N>& a) {
  unsigned char carry = 1;
  for (int i = 0; i < N; ++i) a.limb[i] = add_with_carry(~a.limb[i], 0, carry);
}

// a + b, or a - b where `minus` is 1.
template <int N>
[[gnu::always_inline]] inline Integer<N> add(const Integer<N>& a, const Integer<N>& b, Word minus) {
  const Word flip = Word(0) - minus;
  auto carry = static_cast<unsigned char>(minus);
  Integer<N> sum;
  for (int i = 0; i < N; ++i) sum.limb[i] = add_with_carry(a.limb[i], b.limb[i] ^ flip, carry);
  return sum;
}

// Shifts by less than a limb. The bits that leave a limb are shifted in two parts, so that no shift
// is by 64.
template <int N>
[[gnu::always_inline]] inline Integer<N> shifted_right(const Integer<N>& a, unsigned bits) {
  Integer<N> shifted;
  for (int i = 0; i + 1 < N; ++i)
    shifted.limb[i] = a.limb[i] >> bits | a.limb[i + 1] << 1 << (63 - bits);
  shifted.top() = a.top() >> bits;
  return shifted;
}
template <int N>
Integer<N> shifted_left(const Integer<N>& a, unsigned bits) {
  Integer<N> shifted;
  for (int i = N - 1; i > 0; --i)
    shifted.limb[i] = a.limb[i] << bits | a.limb[i - 1] >> 1 >> (63 - bits);
  shifted.limb[0] = a.limb[0] << bits;
  return shifted;
}

// a 2^-bits for any bits >= 0: what is shifted out leaves its trace in the lowest bit, which then
// stands for "something nonzero here or below".
template <int N>
[[gnu::noinline]] Integer<N> far_right(const Integer<N>& a, Exponent bits) {
  Integer<N> moved;
  const int limbs = bits < 64 * N ? static_cast<int>(bits / 64) : N;
  Word lost = 0;
  for (int i = 0; i < limbs; ++i) lost |= a.limb[i];
  for (int i = 0; i < N; ++i) moved.limb[i] = i + limbs < N ? a.limb[i + limbs] : 0;
  const auto rest = static_cast<unsigned>(bits % 64);
  lost |= moved.limb[0] & ((Word(1) << rest) - 1);
  moved = shifted_right(moved, rest);
  moved.limb[0] |= lost != 0 ? 1 : 0;
  return moved;
}
// a 2^bits where nothing leaves the top: bits < 64 N.
template <int N>
[[gnu::noinline]] Integer<N> far_left(const Integer<N>& a, int bits) {
  Integer<N> moved;
  const int limbs = bits / 64;
  for (int i = 0; i < N; ++i) moved.limb[i] = i < limbs ? 0 : a.limb[i - limbs];
  return shifted_left(moved, static_cast<unsigned>(bits % 64));
}

// The position of the leading bit of a limb that is not zero, and of a number that is not zero.
inline unsigned leading_bit(Word a) {
  return static_cast<unsigned>(__builtin_clzll(a)) ^ 63;
}
template <int N>
int leading_bit(const Integer<N>& a) {
  int i = N - 1;
  while (a.limb[i] == 0) --i;
  return 64 * i + static_cast<int>(leading_bit(a.limb[i]));
}

}  // namespace precipice::limbs::generic
