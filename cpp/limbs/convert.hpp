// Between MPFR's numbers and stored ones, exactly; and from a stored number to the nearest float64.
#pragma once

#include <mpfr.h>

#include "limbs/stored.hpp"

namespace precipice::limbs {

// x into a lane; its significand must fit p bits.
void store(const Precision& p, Word* lane, mpfr_srcptr x);

// A lane into x, which has at least p bits; no rounding, and no look at MPFR's range.
void load(const Precision& p, mpfr_ptr x, const Word* lane);

// To nearest, ties to even, as mpfr_get_d.
double to_double(const Precision& p, const Word* lane);

inline bool is_zero(Word head) {
  return exponent_of(head) == zero_exponent;
}
inline bool is_number(Word head) {  // neither infinite nor NaN
  return exponent_of(head) < infinity_exponent;
}

// Finite and equal as numbers: zeros of both signs are, NaN equals nothing.
bool same(const Precision& p, const Word* a, const Word* b);

}  // namespace precipice::limbs
