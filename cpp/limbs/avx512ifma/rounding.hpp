// Where a significand of p bits ends, as constants of the kernels.
#pragma once

#include "limbs/avx512ifma/lanes.hpp"

namespace precipice::limbs::avx512ifma {

struct Rounding {
  explicit Rounding(const Precision& p)
      : slack(p.slack),
        tail(limb_bits * p.limbs - p.slack - p.bits),
        span(limb_bits * p.limbs - p.slack),
        emin(p.emin),
        emax(p.emax) {}

  int slack;
  int tail;
  int span;  // an exponent less this is that of bit 0 of limb 0
  Exponent emin, emax;
};

// Limb 0 rounded to a multiple of its ulp, to nearest, ties to even; `inexact` where anything not
// zero lies beneath limb 0. A carry stays in the limb. 8 instructions.
PRECIPICE_INLINE Lanes rounded_to(Lanes ulp, Lanes limb, Mask inexact) {
  const Lanes below_ulp = subtract(ulp, all(1));
  // Half an ulp less one carries if the rest is more than half; one more where half suffices.
  const Mask half_suffices = static_cast<Mask>(any_bit(limb, ulp) | inexact);
  limb = add(limb, _mm512_srli_epi64(below_ulp, 1));
  return without(add_where(half_suffices, limb, all(1)), below_ulp);
}

}  // namespace precipice::limbs::avx512ifma
