// Division of a number by an integer n below 2^52, limb by limb from the top.
//
// Of each two limbs (remainder, next limb of the dividend) the quotient by a divisor d >= 2^63 is
// found by a multiplication with v = floor((2^128 - 1) / d) - 2^64, computed once: the estimate
// that it gives is at most one too large or too small (Moeller, Granlund, "Improved division by
// invariant integers", IEEE Trans. Comput. 60, 2011, algorithm 4).
#pragma once

#include "limbs/generic/layout.hpp"
#include "limbs/generic/round.hpp"

namespace precipice::limbs::generic {

struct Divisor {
  int shift;        // n 2^shift = value
  Word value;       // >= 2^63
  Word reciprocal;  // v

  explicit Divisor(Word n)
      : shift(__builtin_clzll(n)),
        value(n << shift),
        reciprocal(low(~DoubleWord(0) / value - (DoubleWord(1) << 64))) {}
};

// The quotient of remainder 2^64 + next by d; `remainder` (< d) becomes that of the division.
inline Word quotient_digit(Word& remainder, Word next, const Divisor& d) {
  const DoubleWord estimate = DoubleWord(d.reciprocal) * remainder +
                              (DoubleWord(remainder) << 64 | next) + (DoubleWord(1) << 64);
  Word digit = high(estimate);
  remainder = next - digit * d.value;
  if (remainder > low(estimate)) {
    --digit;
    remainder += d.value;
  }
  if (remainder >= d.value) {
    ++digit;
    remainder -= d.value;
  }
  return digit;
}

// a / n for a number a. The quotient of the significand (as a fraction in [1/2, 1)) by that of d
// lies in (1/2, 2): its integer part is a bit, and the next K + 1 limbs hold all that rounding
// needs, the remainder being a trace in the lowest bit. (The bit that the integer part pushes out
// is zero if the remainder is: an exact quotient has no more bits than a.)
template <int K>
Number<K> divided(const Number<K>& a, const Divisor& d, std::size_t place) {
  Word remainder = a.significand.top();
  const bool one = remainder >= d.value;
  if (one) remainder -= d.value;
  Guarded<K> quotient;
  for (int i = K; i >= 0; --i)
    quotient.limb[i] = quotient_digit(remainder, i >= 2 ? a.significand.limb[i - 2] : 0, d);
  Exponent exponent = a.exponent - 64 + d.shift;
  if (one) {
    quotient = shifted_right(quotient, 1);
    quotient.top() |= Word(1) << 63;
    ++exponent;
  }
  quotient.limb[0] |= remainder != 0 ? 1 : 0;
  const unsigned char carry = round_at(quotient, place);
  quotient.top() |= Word(carry) << 63;
  return {exponent + carry, a.minus, without_guard<K>(quotient)};
}

}  // namespace precipice::limbs::generic
