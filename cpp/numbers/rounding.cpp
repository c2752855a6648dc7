#include "numbers/rounding.hpp"

#include <algorithm>

namespace precipice {
namespace {

constexpr int draw_bits = 32;
// The draw w stands for (2w + 1) / 2^33, the middle of its interval.
constexpr int bits_beyond = draw_bits + 1;

mpfr_rnd_t mpfr_mode(Rounding rounding) {
  switch (rounding) {
    case Rounding::nearest_even: return MPFR_RNDN;
    case Rounding::toward_zero: return MPFR_RNDZ;
    case Rounding::upward: return MPFR_RNDU;
    case Rounding::downward: return MPFR_RNDD;
    case Rounding::away: return MPFR_RNDA;
    case Rounding::stochastic: break;
  }
  return MPFR_RNDF;
}

// To a multiple of the smallest number: of the subnormals' last place, or one of 0 and that number.
void round_to_smallest(mpfr_ptr x, int ternary, mpfr_rnd_t mode, const Format& format) {
  mpfr_mul_2si(x, x, 2 - format.emin, MPFR_RNDN);
  // Half way between two multiples lies a number of p bits, to which the exact one may have been
  // rounded: from the side that the ternary value tells.
  if (mode == MPFR_RNDN && ternary != 0 && mpfr_integer_p(x))
    mode = ternary < 0 ? MPFR_RNDU : MPFR_RNDD;
  mpfr_div_2ui(x, x, 1, MPFR_RNDN);
  if (mode == MPFR_RNDN)
    mpfr_roundeven(x, x);
  else
    mpfr_rint(x, x, mode);
  mpfr_mul_2si(x, x, format.emin - 1, MPFR_RNDN);
}

// (2^p - 1 - r) 2^(emax - p)
void set_largest(mpfr_ptr x, const Format& format) {
  MpfrNumber reserved(64);
  mpfr_set_si_2exp(reserved, format.reserved, format.emax - format.precision, MPFR_RNDN);
  mpfr_set_ui_2exp(x, 1, format.emax, MPFR_RNDN);
  mpfr_nextbelow(x);
  mpfr_sub(x, x, reserved, MPFR_RNDN);
}

bool too_large(mpfr_srcptr x, const Format& format) {
  if (mpfr_zero_p(x) || mpfr_get_exp(x) <= greatest_full_exponent(format)) return false;
  MpfrNumber largest(format.precision);
  set_largest(largest, format);
  return mpfr_cmpabs(x, largest) > 0;
}

void overflow(mpfr_ptr x, mpfr_rnd_t mode, const Format& format) {
  const int sign = mpfr_sgn(x);
  const bool stays = mode == MPFR_RNDZ || mode == (sign > 0 ? MPFR_RNDD : MPFR_RNDU);
  if (stays || format.overflow == Overflow::saturate) {
    set_largest(x, format);
    mpfr_setsign(x, x, sign < 0, MPFR_RNDN);
  } else if (format.overflow == Overflow::nan) {
    mpfr_set_nan(x);
  } else {
    mpfr_set_inf(x, sign);
  }
}

}  // namespace

mpfr_exp_t least_full_exponent(const Format& format) {
  return format.subnormals ? format.emin + format.precision - 1 : format.emin;
}

mpfr_exp_t greatest_full_exponent(const Format& format) {
  return format.reserved > 0 ? format.emax - 1 : format.emax;
}

void settle(mpfr_ptr x, int ternary, mpfr_rnd_t mode, const Format& format) {
  if (mpfr_inf_p(x)) {  // the exact result is
    if (format.overflow != Overflow::infinity) mpfr_set_nan(x);
  } else if (mpfr_regular_p(x)) {
    if (mpfr_get_exp(x) < least_full_exponent(format)) round_to_smallest(x, ternary, mode, format);
    if (too_large(x, format)) overflow(x, mode, format);
  }
}

Rounder::Rounder(const Format& format)
    : format_(format),
      mode_(mpfr_mode(format.rounding)),
      least_full_(least_full_exponent(format)),
      greatest_full_(greatest_full_exponent(format)),
      wide_(format.precision + bits_beyond),
      fraction_(format.precision + bits_beyond) {}

// Stochastic rounding. wide_ holds the exact result, truncated, and the ternary value tells
// whether anything was lost. Splits it at the last place of the format's numbers of its size:
// true if it lies between two of them.
bool Rounder::bracket(int ternary) {
  wide_ternary_ = ternary;
  if (!mpfr_regular_p(wide_)) return false;
  const mpfr_exp_t exponent = mpfr_get_exp(wide_);
  last_place_ = exponent - format_.precision;
  if (exponent < least_full_) last_place_ = format_.emin - 1;
  mpfr_mul_2si(wide_, wide_, -last_place_, MPFR_RNDN);
  mpfr_modf(wide_, fraction_, wide_, MPFR_RNDN);
  return ternary != 0 || !mpfr_zero_p(fraction_);
}

// Whether the draw lies below where the result lies between the two: (2w + 1) / 2^33 < q.
bool Rounder::above(std::uint32_t draw) {
  mpfr_mul_2ui(fraction_, fraction_, bits_beyond, MPFR_RNDN);
  const int order = mpfr_cmpabs_ui(fraction_, 2 * static_cast<unsigned long>(draw) + 1);
  return order > 0 || (order == 0 && wide_ternary_ != 0);
}

void Rounder::choose(mpfr_ptr out, bool away) {
  if (mpfr_regular_p(wide_) || away) {
    const bool minus = mpfr_signbit(wide_) != 0;
    if (away && minus) mpfr_sub_ui(wide_, wide_, 1, MPFR_RNDN);
    if (away && !minus) mpfr_add_ui(wide_, wide_, 1, MPFR_RNDN);
    mpfr_mul_2si(wide_, wide_, last_place_, MPFR_RNDN);
  }
  mpfr_set(out, wide_, MPFR_RNDN);
  settle(out, 0, MPFR_RNDN, format_);
}

}  // namespace precipice
