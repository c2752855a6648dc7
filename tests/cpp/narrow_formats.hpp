// Formats that are not the compiler's: narrow ranges, no subnormals, no infinities.
#pragma once

#include <vector>

#include "numbers/format.hpp"

namespace precipice::test {

inline const Format float16{"float16", Family::mpfr, 11, -23, 16, true};
inline const Format bfloat16{"bfloat16", Family::mpfr, 8, -132, 128, true};
inline const Format tfloat32{"tfloat32", Family::mpfr, 11, -135, 128, true};
inline const Format e5m2{"float8_e5m2", Family::mpfr, 3, -15, 16, true};
inline const Format e4m3fn{"float8_e4m3fn", Family::mpfr, 4, -8, 9, true, Overflow::nan, 1};
inline const Format e4m3fn_saturating{
    "float8_e4m3fn:sat", Family::mpfr, 4, -8, 9, true, Overflow::saturate, 1};
inline const Format float16_saturating{"float16:sat", Family::mpfr,      11, -23, 16,
                                       true,          Overflow::saturate};
inline const Format flushing{"11 bits, 2^-40 to 2^40", Family::mpfr, 11, -39, 40, false};
inline const Format flushing_to_nan{
    "5 bits, 2^-10 to 2^9, NaN beyond", Family::mpfr, 5, -9, 9, false, Overflow::nan, 3};
inline const Format thirty_bits{"e8m29", Family::mpfr, 30, -154, 128, true};
inline const Format hundred_bits{
    "100 bits, 2^-300 to 2^200", Family::mpfr, 100, -299, 200, true, Overflow::saturate, 5};
inline const Format two_bits{"e5m1", Family::mpfr, 2, -14, 16, true};

inline std::vector<Format> narrow_formats() {
  return {
      float16,  bfloat16,        tfloat32,           e5m2,        e4m3fn,       e4m3fn_saturating,
      flushing, flushing_to_nan, float16_saturating, thirty_bits, hundred_bits, two_bits};
}

inline constexpr Rounding roundings[] = {Rounding::nearest_even, Rounding::toward_zero,
                                         Rounding::upward,       Rounding::downward,
                                         Rounding::away,         Rounding::stochastic};

inline Format with(Format format, Rounding rounding) {
  constexpr const char* names[] = {":rn", ":rz", ":ru", ":rd", ":ra", ":sr"};
  format.name += names[static_cast<int>(rounding)];
  format.rounding = rounding;
  return format;
}

}  // namespace precipice::test
