#include "numbers/double_double.hpp"

#include "numbers/mpfr_number.hpp"

namespace precipice {
namespace {

// So many bits reach from any float64 to far below the smallest one.
constexpr long plenty = 2400;

// Rounds to odd: towards zero, and where that was inexact to the neighbour with an odd last bit.
// Rounding that to at least two bits fewer is rounding the exact number.
void to_odd(mpfr_ptr out, const ExactVector& values, std::size_t i) {
  const int ternary = set_rounded(out, values, i, MPFR_RNDZ);
  if (ternary == 0 || !mpfr_number_p(out) || mpfr_min_prec(out) == mpfr_get_prec(out)) return;
  if (ternary < 0)
    mpfr_nextabove(out);
  else
    mpfr_nextbelow(out);
}

}  // namespace

void from_mpfr(double_double& out, mpfr_srcptr x) {
  const auto range = ExponentRange::widest();
  const double hi = mpfr_get_d(x, MPFR_RNDN);
  MpfrNumber rest(plenty);
  mpfr_sub_d(rest, x, hi, MPFR_RNDN);  // exact: hi is of the leading bits of x, or zero
  out = {hi, std::isfinite(hi) ? mpfr_get_d(rest, MPFR_RNDN) : 0.0};
}

double_double nearest_double_double(const ExactVector& values, std::size_t i) {
  const auto range = ExponentRange::widest();
  MpfrNumber x(plenty);
  to_odd(x, values, i);
  double_double nearest;
  from_mpfr(nearest, x);
  return nearest;
}

}  // namespace precipice
