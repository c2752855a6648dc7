// Sums under way, each in a mood: which aims its terms have.
#pragma once

#include <mpfr.h>

#include "limb_aims.hpp"
#include "limbs/stored.hpp"

namespace precipice::test {

enum class Mood {
  adverse,     // one aim after the other
  calm,        // plain terms, of one size
  dark,        // the same, most of them zero
  heavy,       // carries pile up until the sum comes to a power of two, or a tie
  minus_zeros  // nothing but -0, or nearly so
};

struct Row {
  Row(int bits, Mood m) : sum(bits), mood(m) { mpfr_set_zero(sum.get(), 1); }

  // Before the next term: what is its aim? `unload` is when carries no longer
  // pile up.
  void proceed(LimbDraws& draws, bool unload) {
    switch (mood) {
      case Mood::adverse:
        if (course.left-- == 0)
          course = new_course(draws, static_cast<int>(mpfr_get_prec(sum.get())));
        break;
      case Mood::calm: break;
      case Mood::dark: course.aim = draws.one_in(4) ? Aim::ordinary : Aim::zero; break;
      case Mood::heavy:
        if (course.aim != Aim::pile_up) course.size = draws.between(0, 3);
        course.aim = !unload ? Aim::pile_up : draws.one_in(2) ? Aim::tie : Aim::to_power;
        break;
      case Mood::minus_zeros: course.aim = Aim::zero; break;
    }
  }
  // The sum of one term is that term, -0 too.
  void add(mpfr_srcptr term) {
    if (begun)
      mpfr_add(sum.get(), sum.get(), term, MPFR_RNDN);
    else
      mpfr_set(sum.get(), term, MPFR_RNDN);
    begun = true;
  }

  Slow sum;
  Mood mood;
  Course course;
  bool begun = false;
};

// Exponents about which those of data and vectors lie: ordinary ones, or such that the numbers or
// their products come near the ends of what can be stored.
struct Usual {
  mpfr_exp_t x, u;
};
inline Usual usual_exponents(LimbDraws& draws) {
  constexpr mpfr_exp_t far = limbs::greatest_exponent - (1 << 24);
  constexpr Usual usual[] = {{far / 2, far / 2}, {-far / 2, -far / 2}, {far, -far}, {-far, far}};
  return draws.one_in(4) ? usual[draws.below(4)] : Usual{0, 0};
}

}  // namespace precipice::test
