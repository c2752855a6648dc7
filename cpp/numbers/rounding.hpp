// One operation on MPFR's numbers, rounded to a format: of any operands, in any of the formats'
// directions, into any range of exponents, with or without subnormals and infinities.
//
// MPFR rounds to the format's precision with its own widest range of exponents, which no operation
// on numbers of formats leaves (the caller holds that ExponentRange), and says on which side of
// the exact result it ended. Nearly always the result lies well inside the format's range and is
// the format's; else settle() rounds again, knowing that side.
#pragma once

#include <mpfr.h>

#include <cstdint>

#include "numbers/format.hpp"
#include "numbers/mpfr_number.hpp"

namespace precipice {

// Between these exponents every number of p bits is a number of the format.
mpfr_exp_t least_full_exponent(const Format& format);
mpfr_exp_t greatest_full_exponent(const Format& format);

// x, of the format's precision, is an exact number rounded in the mode (none but the precision
// bounding it) and on the side of it that the ternary value tells. Makes x that number rounded to
// the format.
void settle(mpfr_ptr x, int ternary, mpfr_rnd_t mode, const Format& format);

class Rounder {
 public:
  explicit Rounder(const Format& format);

  const Format& format() const { return format_; }

  // out = the operation's exact result, rounded. The operation is a function of MPFR as
  // int(mpfr_ptr out, mpfr_rnd_t), draw() gives the 32 bits of a stochastic rounding.
  template <class Operation, class Draw>
  void round(mpfr_ptr out, const Operation& operation, const Draw& draw) {
    if (mode_ != MPFR_RNDF) {
      const int ternary = operation(out, mode_);
      if (!well_inside(out)) settle(out, ternary, mode_, format_);
    } else {
      const bool inexact = bracket(operation(wide_, MPFR_RNDZ));
      choose(out, inexact && above(draw()));
    }
  }

  template <class Draw>
  void multiply(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, const Draw& draw) {
    round(out, [=](mpfr_ptr x, mpfr_rnd_t mode) { return mpfr_mul(x, a, b, mode); }, draw);
  }
  template <class Draw>
  void add(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, const Draw& draw) {
    round(out, [=](mpfr_ptr x, mpfr_rnd_t mode) { return mpfr_add(x, a, b, mode); }, draw);
  }
  template <class Draw>
  void subtract(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, const Draw& draw) {
    round(out, [=](mpfr_ptr x, mpfr_rnd_t mode) { return mpfr_sub(x, a, b, mode); }, draw);
  }
  template <class Draw>
  void divide(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, const Draw& draw) {
    round(out, [=](mpfr_ptr x, mpfr_rnd_t mode) { return mpfr_div(x, a, b, mode); }, draw);
  }
  template <class Draw>
  void fma(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, mpfr_srcptr c, const Draw& draw) {
    round(out, [=](mpfr_ptr x, mpfr_rnd_t mode) { return mpfr_fma(x, a, b, c, mode); }, draw);
  }
  template <class Draw>
  void sqrt(mpfr_ptr out, mpfr_srcptr a, const Draw& draw) {
    round(out, [=](mpfr_ptr x, mpfr_rnd_t mode) { return mpfr_sqrt(x, a, mode); }, draw);
  }
  template <class Draw>
  void convert(mpfr_ptr out, mpfr_srcptr a, const Draw& draw) {
    round(out, [=](mpfr_ptr x, mpfr_rnd_t mode) { return mpfr_set(x, a, mode); }, draw);
  }

 private:
  // A number that rounding to p bits has made a number of the format; not so zeros and infinities,
  // whose exponents MPFR keeps below all others.
  bool well_inside(mpfr_srcptr x) const {
    return mpfr_get_exp(x) >= least_full_ && mpfr_get_exp(x) <= greatest_full_;
  }

  bool bracket(int ternary);
  bool above(std::uint32_t draw);
  void choose(mpfr_ptr out, bool away);

  Format format_;
  mpfr_rnd_t mode_;  // MPFR_RNDF stands for stochastic rounding, which MPFR has not
  const mpfr_exp_t least_full_, greatest_full_;
  // Of a stochastic rounding: the result, truncated at 33 bits beyond the format's and scaled to
  // multiples of its last place; then its integral part and what lies beyond.
  MpfrNumber wide_, fraction_;
  int wide_ternary_ = 0;
  mpfr_exp_t last_place_ = 0;
};

}  // namespace precipice
