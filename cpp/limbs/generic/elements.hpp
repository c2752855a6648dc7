// Operations on vectors, element by element.
#pragma once

#include "limbs/generic/divide.hpp"
#include "limbs/generic/product.hpp"
#include "limbs/generic/round.hpp"
#include "limbs/kernels.hpp"

namespace precipice::limbs::generic {

// False where the result is out of range: nothing has been written.
template <int K>
bool store_in_range(const Precision& p, Word* out, const Number<K>& a) {
  if (a.exponent < p.emin || a.exponent > p.emax) return false;
  store(out, a);
  return true;
}

// Where the last of p bits lies, if the highest is the first of them.
inline std::size_t place_of_number(const Precision& p) {
  return 64 + spare_bits(p);
}

// a 2^-bits, of K limbs, as the highest of K + 1; the trace as in far_right.
template <int K>
[[gnu::always_inline]] inline void load_down(Guarded<K>& moved, const Word* a, Exponent bits) {
  if (bits >= 64) {
    for (int i = 0; i < K; ++i) moved.limb[1 + i] = a[i];
    moved.limb[0] = 0;
    moved = far_right(moved, bits);
    return;
  }
  // 1 to 63
  const auto down = static_cast<unsigned>(bits), up = 64 - down;
  moved.limb[0] = a[0] << up;
#pragma GCC unroll 18
  for (int i = 0; i + 1 < K; ++i) moved.limb[1 + i] = a[i] >> down | a[i + 1] << up;
  moved.top() = a[K - 1] >> down;
}

// a / 2 + sum, or a / 2 - sum where `minus` is 1, a as above.
template <int K>
[[gnu::always_inline]] inline void add_halved(Guarded<K>& sum, const Word* a, Word minus) {
  const Word flip = Word(0) - minus;
  auto carry = static_cast<unsigned char>(minus);
  sum.limb[0] = add_with_carry(a[0] << 63, sum.limb[0] ^ flip, carry);
#pragma GCC unroll 18
  for (int i = 1; i <= K; ++i) {
    const Word halved = a[i - 1] >> 1 | (i < K ? a[i] << 63 : 0);
    sum.limb[i] = add_with_carry(halved, sum.limb[i] ^ flip, carry);
  }
}

template <int N>
[[gnu::always_inline]] inline void shift_left(Integer<N>& a, unsigned bits) {
#pragma GCC unroll 18
  for (int i = N - 1; i > 0; --i) a.limb[i] = a.limb[i] << bits | a.limb[i - 1] >> 1 >> (63 - bits);
  a.limb[0] <<= bits;
}

// Stores a magnitude, rounded to p bits; its top limb is not zero. In place and limb by limb: wide
// copies of limbs just written would wait for them.
template <int K>
[[gnu::always_inline]] inline bool store_rounded(const Precision& p, Word* out, Exponent exponent,
                                                 Word minus, Guarded<K>& magnitude) {
  const unsigned up = 63 - leading_bit(magnitude.top());
  shift_left(magnitude, up);
  const unsigned char carry = round_at(magnitude, place_of_number(p));
  exponent += carry;
  exponent -= up;
  if (exponent < p.emin || exponent > p.emax) return false;
  magnitude.top() |= Word(carry) << 63;
  out[0] = head(exponent, minus != 0);
#pragma GCC unroll 18
  for (int i = 1; i <= K; ++i) out[i] = magnitude.limb[i];
  return true;
}

template <int K>
bool multiply_element(const Precision& p, Word* out, const Word* a, const Word* b) {
  if (is_special(a[0]) || is_special(b[0])) return false;
  const Word minus = (a[0] ^ b[0]) & 1;
  if (is_zero_head(a[0]) || is_zero_head(b[0])) return store_zero<K>(out, minus != 0), true;
  Guarded<K> product = highest_of_product<K>(a + 1, b + 1);
  return store_rounded<K>(p, out, exponent_of(a[0]) + exponent_of(b[0]), minus, product);
}

// a + b, or a - b where `minus` is 1, of two numbers that are not zero.
//
// The greater one (of those with equal exponents and top limbs, either), moved a bit down, and the
// other, moved onto the same grid, are added or subtracted as K + 1 limbs. Where two bits or more
// cancel, none has left the lowest limb; else its lowest bit is far below what rounding looks at,
// and a trace there will do.
template <int K>
[[gnu::always_inline]] inline bool add_numbers(const Precision& p, Word* out, const Word* a,
                                               const Word* b, Word minus) {
  const bool equal = exponent_of(a[0]) == exponent_of(b[0]);
  const bool swap = equal ? b[K] > a[K] : exponent_of(b[0]) > exponent_of(a[0]);
  const Word* const x = swap ? b : a;
  const Word* const y = swap ? a : b;
  const Word opposite = (x[0] ^ y[0] ^ minus) & 1;
  Word sign = (x[0] ^ (swap ? minus : 0)) & 1;

  Guarded<K> sum;
  const Exponent down = 1 + exponent_of(x[0]) - exponent_of(y[0]);
  load_down<K>(sum, y + 1, down);
  add_halved<K>(sum, x + 1, opposite);
  if ((sum.top() >> 63 & opposite) != 0) [[unlikely]] {
    negate(sum);
    sign ^= 1;
  }
  Exponent exponent = exponent_of(x[0]) + 1;
  if (sum.top() == 0) [[unlikely]] {
    if (is_zero(sum)) return store_zero<K>(out, false), true;
    const int up = 64 * K + 63 - leading_bit(sum);
    sum = far_left(sum, up);
    exponent -= up;
  }
  return store_rounded<K>(p, out, exponent, sign, sum);
}

// The same where one of them is zero, or both.
template <int K>
[[gnu::noinline]] bool add_zero(const Precision& p, Word* out, const Word* a, const Word* b,
                                Word minus) {
  const Number<K> x = load<K>(a);
  Number<K> y = load<K>(b);
  y.minus ^= minus;
  if (is_zero_head(a[0]) && is_zero_head(b[0]))
    return store_zero<K>(out, (x.minus & y.minus) != 0), true;
  return store_in_range<K>(p, out, is_zero_head(a[0]) ? y : x);
}

template <int K>
bool add_element(const Precision& p, Word* out, const Word* a, const Word* b, Word minus) {
  if (is_special(a[0]) || is_special(b[0])) return false;
  if (is_zero_head(a[0]) || is_zero_head(b[0])) return add_zero<K>(p, out, a, b, minus);
  return add_numbers<K>(p, out, a, b, minus);
}

template <int K>
bool divide_element(const Precision& p, Word* out, const Word* a, const Divisor& d) {
  if (is_special(a[0])) return false;
  if (is_zero_head(a[0])) return store_zero<K>(out, minus_of(a[0])), true;
  return store_in_range<K>(p, out, divided(load<K>(a), d, place_of_number(p)));
}

// The elements in turn; those that `element` does not do go to `rescue`.
template <int K, class Element>
void for_elements(const Rescue& rescue, Operation operation, Word* out, Operand a, Operand b,
                  Word n, std::size_t groups, Element element) {
  for (std::size_t i = 0; i < groups; ++i) {
    Word* const to = out + i * (1 + K);
    const Word *const x = a.data + i * a.step, *const y = b.data + i * b.step;
    if (!element(to, x, y)) rescue.call(rescue.context, operation, to, x, y, n);
  }
}

template <int K>
void multiply(const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b,
              std::size_t groups) {
  for_elements<K>(
      rescue, Operation::multiply, out, a, b, 0, groups,
      [&p](Word* to, const Word* x, const Word* y) { return multiply_element<K>(p, to, x, y); });
}

template <int K>
void add(const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b,
         std::size_t groups) {
  for_elements<K>(
      rescue, Operation::add, out, a, b, 0, groups,
      [&p](Word* to, const Word* x, const Word* y) { return add_element<K>(p, to, x, y, 0); });
}

template <int K>
void subtract(const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b,
              std::size_t groups) {
  for_elements<K>(
      rescue, Operation::subtract, out, a, b, 0, groups,
      [&p](Word* to, const Word* x, const Word* y) { return add_element<K>(p, to, x, y, 1); });
}

template <int K>
void divide(const Precision& p, const Rescue& rescue, Word* out, Operand a, Word n,
            std::size_t groups) {
  const bool here = n > 0 && n >> 52 == 0;
  const Divisor d(here ? n : 1);
  for_elements<K>(
      rescue, Operation::divide, out, a, a, n, groups,
      [&](Word* to, const Word* x, const Word*) { return here && divide_element<K>(p, to, x, d); });
}

}  // namespace precipice::limbs::generic
