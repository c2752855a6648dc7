#include "numbers/exact_sum.hpp"

#include "numbers/rounding.hpp"

namespace precipice {

void ExactSum::add(mpfr_srcptr x, mpfr_srcptr y) {
  if (terms_ == places_.size()) places_.push_back(products_.emplace_back(bits_of_product_));
  const auto range = ExponentRange::widest();
  mpfr_mul(places_[terms_++], x, y, MPFR_RNDN);
}

void ExactSum::round(mpfr_ptr out) {
  const auto range = ExponentRange::widest();
  const int ternary = mpfr_sum(out, places_.data(), terms_, MPFR_RNDN);
  settle(out, ternary, MPFR_RNDN, format_);
}

}  // namespace precipice
