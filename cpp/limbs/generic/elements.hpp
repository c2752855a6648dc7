// Operations on vectors, element by element.
#pragma once

#include "limbs/generic/accumulate.hpp"
#include "limbs/generic/divide.hpp"
#include "limbs/generic/multiply.hpp"
#include "limbs/kernels.hpp"

namespace precipice::limbs::generic {

// False where the result is out of range: nothing has been written.
template <int K>
bool store_in_range(const Precision& p, Word* out, const Number<K>& a) {
  if (a.exponent < p.emin || a.exponent > p.emax) return false;
  store(out, a);
  return true;
}

template <int K>
bool multiply_element(const Precision& p, Word* out, const Word* a, const Word* b) {
  if (is_special(a[0]) || is_special(b[0])) return false;
  const Word sign = (a[0] ^ b[0]) & 1;
  if (is_zero_head(a[0]) || is_zero_head(b[0])) return store_zero<K>(out, sign != 0), true;
  const Number<K> x = load<K>(a), y = load<K>(b);
  Term<K> term =
      rounded_product<K>(x.exponent + y.exponent, sign,
                         multiply_limbs(x.significand, y.significand), place_of_product(p));
  const unsigned below = term.magnitude.top() >> 63 ^ 1;  // the highest bit
  term.magnitude = shifted_left(term.magnitude, below);
  return store_in_range<K>(p, out,
                           {term.exponent - below, term.minus, without_guard<K>(term.magnitude)});
}

template <int K>
Term<K> term_of(const Word* words) {
  const Number<K> a = load<K>(words);
  return {a.exponent, a.minus, guarded(a.significand)};
}

// a + b, or a - b where `minus` is 1.
template <int K>
bool add_element(const Precision& p, Word* out, const Word* a, const Word* b, Word minus) {
  if (is_special(a[0]) || is_special(b[0])) return false;
  Accumulator<K> sum(p);
  sum.add(term_of<K>(a));
  Term<K> term = term_of<K>(b);
  term.minus ^= minus;
  sum.add(term);
  if (!is_zero(sum.value)) return store_in_range<K>(p, out, number_of(sum));
  const bool zeros = is_zero_head(a[0]) && is_zero_head(b[0]);
  store_zero<K>(out, zeros && minus_of(a[0]) && term.minus != 0);
  return true;
}

template <int K>
bool divide_element(const Precision& p, Word* out, const Word* a, const Divisor& d) {
  if (is_special(a[0])) return false;
  if (is_zero_head(a[0])) return store_zero<K>(out, minus_of(a[0])), true;
  return store_in_range<K>(p, out, divided(load<K>(a), d, place_of_product(p) + 1));
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
