// Numbers to test a format with: ordinary ones, and those that find mistakes.
#pragma once

#include <gmp.h>
#include <mpfr.h>

#include <algorithm>
#include <cstddef>

#include "slow_numbers.hpp"

namespace precipice::test {

enum class Kind {
  ordinary,    // of order one, random significands
  cancelling,  // small integers and their neighbours: sums cancel, ties occur
  tiny,        // products and differences fall below the smallest number
  huge,        // products and sums pass the largest number
  zeros,       // of both signs, mostly, so that sums of them occur
  special,     // zeros of both signs, infinities, NaN, the smallest and the largest number
  mixed        // any of these
};
inline constexpr int kinds = 7;
inline constexpr Kind finite_kinds[] = {Kind::ordinary, Kind::cancelling, Kind::tiny, Kind::huge};

class Draws {
 public:
  Draws(const Format& format, unsigned long seed) : arithmetic_(format) {
    gmp_randinit_mt(state_);
    gmp_randseed_ui(state_, seed);
  }
  Draws(const Draws&) = delete;
  Draws& operator=(const Draws&) = delete;
  ~Draws() { gmp_randclear(state_); }

  std::size_t below(std::size_t n) { return gmp_urandomm_ui(state_, n); }

  Slow number(Kind kind) {
    const Format& format = arithmetic_.format();
    const long span = std::min<long>(format.precision + 4, 300);
    switch (kind) {
      case Kind::ordinary: return significand(between(-3, 3));
      case Kind::cancelling: return neighbour_of_integer();
      case Kind::tiny:
        return significand(between(0, 3) == 0 ? format.emin + between(0, span)
                                              : format.emin / 2 + between(-span, span));
      case Kind::huge:
        return significand(between(0, 3) == 0 ? format.emax - between(0, 2)
                                              : format.emax / 2 + between(-2, 2));
      case Kind::zeros: return with_sign(arithmetic_.integer(below(4) == 0 ? 1 : 0));
      case Kind::special: return special();
      case Kind::mixed: break;
    }
    return number(static_cast<Kind>(below(kinds - 1)));
  }
  Values numbers(std::size_t n, Kind kind) {
    Values values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(number(kind));
    return values;
  }

 private:
  long between(long low, long high) {
    return low + static_cast<long>(below(static_cast<std::size_t>(high - low + 1)));
  }
  Slow with_sign(Slow x) {
    if (below(2) == 1) mpfr_neg(x.get(), x.get(), MPFR_RNDN);
    return x;
  }
  Slow significand(mpfr_exp_t exponent) {
    Slow x(arithmetic_.format().precision);
    do mpfr_urandomb(x.get(), state_);
    while (mpfr_zero_p(x.get()));
    mpfr_set_exp(x.get(), exponent);
    x = arithmetic_.number(x);
    return with_sign(finite(x) ? x : arithmetic_.largest());
  }
  Slow neighbour_of_integer() {
    Slow x = arithmetic_.integer(between(1, 9));
    const std::size_t step = below(4);
    if (step == 0) mpfr_nextabove(x.get());
    if (step == 1) mpfr_nextbelow(x.get());
    return with_sign(arithmetic_.number(x));  // no member where there are fewer bits
  }
  Slow special() {
    const Format& format = arithmetic_.format();
    Slow x(format.precision);
    mpfr_set_ui(x.get(), below(2), MPFR_RNDN);  // 0 or 1
    switch (below(6)) {
      case 0: mpfr_set_inf(x.get(), 1); break;
      case 1: mpfr_set_nan(x.get()); break;
      case 2: mpfr_set_ui_2exp(x.get(), 1, format.emin - 1, MPFR_RNDN); break;
      case 3: x = arithmetic_.largest(); break;
      default: break;
    }
    return with_sign(arithmetic_.number(x));  // NaN for an infinity that there is not
  }

  SlowArithmetic arithmetic_;
  gmp_randstate_t state_;
};

}  // namespace precipice::test
