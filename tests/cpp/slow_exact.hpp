// The oracle of sums that are rounded once: exact products, added without rounding in a number wide
// enough, then rounded by the definition of the format.
#pragma once

#include <mpfr.h>

#include "check.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {

// Numbers whose products' bits lie within 2^-20000 and 2^20000.
class SlowExactSum {
 public:
  void add(mpfr_srcptr x, mpfr_srcptr y) {
    mpfr_clear_flags();
    mpfr_mul(product_.get(), x, y, MPFR_RNDN);
    if (begun_)
      mpfr_add(sum_.get(), sum_.get(), product_.get(), MPFR_RNDN);
    else
      mpfr_set(sum_.get(), product_.get(), MPFR_RNDN);
    begun_ = true;
    CHECK(mpfr_inexflag_p() == 0, product_);
  }
  const Slow& value() const { return sum_; }
  Slow rounded(const Format& format) const {
    const Slow wide = SlowArithmetic(format).nearest(sum_);
    Slow out(format.precision);
    mpfr_clear_flags();
    mpfr_set(out.get(), wide.get(), MPFR_RNDN);
    CHECK(mpfr_inexflag_p() == 0, wide);
    return out;
  }

 private:
  Slow sum_{40200}, product_{4096};
  bool begun_ = false;
};

}  // namespace precipice::test
