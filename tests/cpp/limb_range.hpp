// The laws of operations at the ends of the range of exponents, and on what is no number.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cstddef>

#include "limb_elements.hpp"
#include "numbers/mpfr_number.hpp"

namespace precipice::test {

// A number whose results with others of the kind are in range, just out of it, or far out.
inline Slow drawn_near_limits(LimbSubject& on) {
  LimbDraws& draws = on.draws;
  const mpfr_exp_t emin = on.p.emin, emax = on.p.emax;
  const mpfr_exp_t from[] = {emin, emax, emin / 2, emax / 2, 0, 1};
  const mpfr_exp_t exponent = from[draws.below(6)] + draws.between(-2, 2);
  Slow x(on.p.bits);
  draws.number(x.get(), on.p.bits, std::clamp(exponent, emin, emax));
  return x;
}
inline Slow drawn_special(LimbSubject& on) {
  Slow x(on.p.bits);
  if (on.draws.one_in(2))
    mpfr_set_inf(x.get(), on.draws.one_in(2) ? 1 : -1);
  else if (on.draws.one_in(2))
    mpfr_set_nan(x.get());
  else
    on.draws.zero(x.get());
  return x;
}

inline void laws_of_a_range(LimbSubject& on, std::size_t groups) {
  const ExponentRange range(on.p.emin, on.p.emax);
  for (const Operation operation :
       {Operation::multiply, Operation::add, Operation::subtract, Operation::divide}) {
    // One in so many is no number: a group is rescued for one of its lanes.
    const std::size_t rarity = on.draws.one_in(2) ? 4 : 64;
    Values a, b;
    for (std::size_t i = 0; i < groups * on.lanes(); ++i) {
      a.push_back(on.draws.one_in(rarity) ? drawn_special(on) : drawn_near_limits(on));
      b.push_back(on.draws.one_in(rarity) ? drawn_special(on) : drawn_near_limits(on));
      if (on.draws.one_in(4) && mpfr_regular_p(a.back().get())) {  // their difference is small
        b.back() = a.back();
        nudge(b.back().get(), on.draws.between(-1, 1));
      }
    }
    const bool divide = operation == Operation::divide;
    const auto sharing = static_cast<Sharing>(on.draws.below(sharings));
    law_of_elements(on, operation, a, divide ? a : b, divide ? drawn_divisor(on.draws) : 0,
                    divide && sharing != Sharing::a_repeats ? Sharing::none : sharing);
  }
}

}  // namespace precipice::test
