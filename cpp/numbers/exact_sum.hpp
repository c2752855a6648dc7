// Sums of products rounded once, by MPFR: what the order `exact` means, and what faster kernels
// leave to it.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <deque>
#include <vector>

#include "numbers/format.hpp"
#include "numbers/mpfr_number.hpp"

namespace precipice {

class ExactSum {
 public:
  // The factors of a product have at most that many bits together. Sums round to nearest.
  ExactSum(const Format& format, long bits_of_product)
      : format_(format), bits_of_product_(bits_of_product) {}

  // A new sum; then its terms, x y exactly; then its value, of at least one term. Of infinities and
  // NaN too; an exact zero has the sign that mpfr_sum gives it.
  void clear() { terms_ = 0; }
  void add(mpfr_srcptr x, mpfr_srcptr y);
  void round(mpfr_ptr out);

 private:
  Format format_;
  long bits_of_product_;
  std::deque<MpfrNumber> products_;
  std::vector<mpfr_ptr> places_;  // of the products
  std::size_t terms_ = 0;
};

}  // namespace precipice
