// One MPFR number that owns its memory, and the scope that sets a thread's exponent range.
#pragma once

#include <mpfr.h>

#include "numbers/format.hpp"

namespace precipice {

class MpfrNumber {
 public:
  explicit MpfrNumber(long precision) { mpfr_init2(value_, precision); }
  MpfrNumber(const MpfrNumber&) = delete;
  MpfrNumber& operator=(const MpfrNumber&) = delete;
  ~MpfrNumber() { mpfr_clear(value_); }

  operator mpfr_ptr() { return value_; }
  operator mpfr_srcptr() const { return value_; }

 private:
  mpfr_t value_;
};

// MPFR keeps the exponent range per thread. Nothing here relies on what a caller left there:
// each entry into the engine sets the range of its format and puts the old one back.
class ExponentRange {
 public:
  ExponentRange(mpfr_exp_t emin, mpfr_exp_t emax) : emin_(mpfr_get_emin()), emax_(mpfr_get_emax()) {
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
  }
  explicit ExponentRange(const Format& format) : ExponentRange(format.emin, format.emax) {}
  static ExponentRange widest() { return {mpfr_get_emin_min(), mpfr_get_emax_max()}; }
  ExponentRange(const ExponentRange&) = delete;
  ExponentRange& operator=(const ExponentRange&) = delete;
  ~ExponentRange() {
    mpfr_set_emin(emin_);
    mpfr_set_emax(emax_);
  }

 private:
  mpfr_exp_t emin_, emax_;
};

}  // namespace precipice
