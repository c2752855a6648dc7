// Terms that are drawn by one who knows the sum so far: each has an aim.
#pragma once

#include <mpfr.h>

#include <cstddef>

#include "limb_draws.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {

// What adding the term is to do to the sum.
enum class Aim {
  plain,     // nothing in particular: terms of one size, all their bits drawn
  ordinary,  // the same, with significands that find mistakes
  zero,      // nothing at all
  power,     // the term is a power of two
  tie,       // leave half a last place beneath it
  cancel,    // leave zero
  to_power,  // leave a power of two
  shrink,    // leave a sum 2^size times as small
  grow,      // leave one about 2^size times as large
  turn,      // leave about its opposite
  creep,     // move it by about 2^-size of it, always in the same direction
  gap,       // nothing in particular: the term is as far from it as finds mistakes
  pile_up    // make every limb of it carry: nothing but ones, always in the same direction
};
inline constexpr std::size_t aims = 13;

// An aim that is followed for a while.
struct Course {
  Aim aim = Aim::plain;
  long size = 0;
  bool minus = false;
  std::size_t left = 0;
};

// About a limb or more, about p, or anything; in either direction.
inline long far_away(LimbDraws& draws, int p) {
  const long from[] = {45, 50, 62, 102, 126, p - 2, p + 50, 2 * p, 900};
  const long distance =
      draws.one_in(4) ? draws.between(0, 200) : from[draws.below(9)] + draws.between(0, 4);
  return draws.one_in(3) ? -distance : distance;
}

inline Course new_course(LimbDraws& draws, int p) {
  Course course;
  course.aim = static_cast<Aim>(draws.below(aims));
  course.minus = draws.one_in(2);
  course.left = draws.one_in(2) ? draws.below(4) : draws.below(48);
  switch (course.aim) {
    case Aim::shrink: course.size = draws.between(1, draws.one_in(2) ? 8 : p + 2); break;
    case Aim::grow: course.size = draws.between(1, draws.one_in(2) ? 3 : 70); break;
    case Aim::creep: course.size = draws.between(0, 24); break;
    case Aim::gap: course.size = far_away(draws, p); break;
    default: break;
  }
  return course;
}

// Half a last place of the sum, or of one twice or half as large, as often as makes an odd number
// of p bits.
inline void aim_at_tie(LimbDraws& draws, mpfr_ptr term, mpfr_exp_t exponent, int p) {
  BigInteger odd;
  draws.significand(odd, static_cast<int>(draws.between(1, p)));
  mpz_setbit(odd, 0);
  mpfr_set_z_2exp(term, odd, exponent - p - 1 + draws.between(-1, 1), MPFR_RNDN);
}

// A power of two next to the sum, or a few halves of a last place above or below it.
inline void aim_at_power(LimbDraws& draws, mpfr_ptr term, mpfr_srcptr sum, mpfr_exp_t exponent) {
  const auto p = static_cast<int>(mpfr_get_prec(sum));
  Slow power(p + 4), halves(2);
  mpfr_set_ui_2exp(power.get(), 1, exponent - draws.between(0, 1), MPFR_RNDN);
  mpfr_set_si_2exp(halves.get(), draws.between(-3, 3), mpfr_get_exp(power.get()) - p - 2,
                   MPFR_RNDN);
  mpfr_add(power.get(), power.get(), halves.get(), MPFR_RNDN);
  mpfr_setsign(power.get(), power.get(), mpfr_signbit(sum), MPFR_RNDN);
  mpfr_sub(term, power.get(), sum, MPFR_RNDN);
}

// Beside a sum of zero: what can be aimed at where nothing can be cancelled or made smaller.
inline bool aim_at_zero(LimbDraws& draws, mpfr_ptr term, Aim aim, int p, mpfr_exp_t usual) {
  switch (aim) {
    case Aim::cancel:
    case Aim::shrink:
    case Aim::grow:
    case Aim::turn:
      draws.number(term, p, usual - (draws.one_in(2) ? far_away(draws, p) : 0));
      if (draws.one_in(3)) mpfr_set_ui_2exp(term, 1, usual, MPFR_RNDN);
      return true;
    default: return false;
  }
}

// The term, of p bits as `sum`; `usual` is the exponent of ordinary ones.
inline void aim(LimbDraws& draws, mpfr_ptr term, mpfr_srcptr sum, const Course& course,
                mpfr_exp_t usual) {
  const auto p = static_cast<int>(mpfr_get_prec(sum));
  const mpfr_exp_t exponent = mpfr_zero_p(sum) ? usual : mpfr_get_exp(sum);
  if (mpfr_zero_p(sum) && aim_at_zero(draws, term, course.aim, p, usual)) return;
  switch (course.aim) {
    case Aim::zero: draws.zero(term); return;
    case Aim::plain: draws.plain_number(term, p, usual + draws.between(-3, 3)); return;
    case Aim::ordinary: draws.number(term, p, usual + draws.between(-3, 3)); return;
    case Aim::gap: draws.number(term, p, exponent - course.size); return;
    case Aim::creep:
      draws.number(term, p, exponent - course.size);
      mpfr_setsign(term, term, course.minus, MPFR_RNDN);
      return;
    case Aim::power: mpfr_set_ui_2exp(term, 1, usual + draws.between(-3, 3), MPFR_RNDN); break;
    case Aim::tie: aim_at_tie(draws, term, exponent, p); break;
    case Aim::cancel: mpfr_neg(term, sum, MPFR_RNDN); return;
    case Aim::turn: mpfr_mul_si(term, sum, -2, MPFR_RNDN); return;
    case Aim::grow:
      mpfr_mul_2si(term, sum, course.size, MPFR_RNDN);
      if (course.minus) mpfr_sub(term, term, sum, MPFR_RNDN);
      return;
    case Aim::shrink:
      mpfr_div_2si(term, sum, course.size, MPFR_RNDN);
      mpfr_sub(term, term, sum, MPFR_RNDN);
      return;
    case Aim::pile_up:
      mpfr_set_ui_2exp(term, 1, usual + course.size, MPFR_RNDN);
      mpfr_nextbelow(term);
      mpfr_setsign(term, term, course.minus, MPFR_RNDN);
      return;
    case Aim::to_power: aim_at_power(draws, term, sum, exponent); return;
  }
  mpfr_setsign(term, term, draws.one_in(2), MPFR_RNDN);
}

// Whether what comes out should also be missed by a last place.
inline long nudge(LimbDraws& draws, Aim aim) {
  switch (aim) {
    case Aim::tie:
    case Aim::cancel:
    case Aim::to_power:
    case Aim::shrink: return draws.between(-1, 1);
    default: return 0;
  }
}

inline void nudge(mpfr_ptr x, long places) {
  for (; places > 0; --places) mpfr_nextabove(x);
  for (; places < 0; ++places) mpfr_nextbelow(x);
}

// Factors whose product with a number u has lowest bits that are drawn.
class ProductAim {
 public:
  ProductAim(mpfr_srcptr u, int width) : width_(width), p_(static_cast<int>(mpfr_get_prec(u))) {
    BigInteger odd, modulus;
    mpfr_get_z_2exp(odd, u);
    mpz_abs(odd, odd);
    mpz_fdiv_q_2exp(odd, odd, mpz_scan1(odd, 0));
    bits_of_odd_ = static_cast<int>(mpz_sizeinbase(odd, 2));
    mpz_setbit(modulus, static_cast<mp_bitcnt_t>(width));
    mpz_invert(inverse_, odd, modulus);
  }
  // x of at most `width` bits, of the exponent given.
  void draw(LimbDraws& draws, mpfr_ptr x, mpfr_exp_t exponent) const {
    BigInteger bits;
    draws.lowest_bits(bits, width_, bits_of_odd_ + width_ - p_);
    mpz_mul(bits, bits, inverse_);
    mpz_fdiv_r_2exp(bits, bits, static_cast<mp_bitcnt_t>(width_));
    mpfr_set_z(x, bits, MPFR_RNDN);
    if (!mpfr_zero_p(x)) mpfr_set_exp(x, exponent);
    mpfr_setsign(x, x, draws.one_in(2), MPFR_RNDN);
  }

 private:
  int width_, p_, bits_of_odd_;
  BigInteger inverse_;
};

}  // namespace precipice::test
