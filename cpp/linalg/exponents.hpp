// The range of exponents that MPFR must have on a thread while a Space is used there.
#pragma once

#include "numbers/arithmetic.hpp"
#include "numbers/mpfr_number.hpp"

namespace precipice {

// That of the format, or MPFR's widest for a Space that looks at exponents itself.
template <class Space>
ExponentRange exponent_range(const Arithmetic& arithmetic) {
  if constexpr (requires { Space::checks_exponents; }) return ExponentRange::widest();
  return ExponentRange(arithmetic[Stage::parameters]);
}

}  // namespace precipice
