// Whether sums of products can leave the range of exponents, told beforehand from the operands.
#pragma once

#include <cstddef>

#include "limbs/stored.hpp"

namespace precipice::limbs {

// The exponents of a set of numbers. Zeros count for nothing; without others, least > top.
struct Extremes {
  Exponent top = zero_exponent, least = infinity_exponent;
  bool numbers() const { return top < infinity_exponent; }  // none infinite or NaN

  void include(Word head) {
    const Exponent exponent = exponent_of(head);
    if (exponent == zero_exponent) return;
    top = exponent > top ? exponent : top;
    least = exponent < least ? exponent : least;
  }
  void include(const Extremes& others) {
    top = others.top > top ? others.top : top;
    least = others.least < least ? others.least : least;
  }
};

// Of the first n numbers of an array.
Extremes extremes_of(const Precision& p, const Word* array, std::size_t n);

// Neither sum_k x_k u_k, over any `terms` of these numbers, nor a product or partial sum of it can
// overflow or underflow.
bool sums_stay_in_range(const Precision& p, const Extremes& x, const Extremes& u,
                        std::size_t terms);

}  // namespace precipice::limbs
