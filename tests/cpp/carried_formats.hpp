// Narrow formats to test with, by name and by shape.
#pragma once

#include <string>
#include <vector>

#include "numbers/format.hpp"

namespace precipice::test {

inline Format narrow(const std::string& name, long precision, long emin, long emax,
                     bool subnormals = true, Overflow overflow = Overflow::infinity,
                     long reserved = 0) {
  Format format{name, Family::mpfr, precision, emin, emax, subnormals, overflow, reserved};
  format.family = native_family(format);
  return format;
}

inline Format float16() {
  return narrow("float16", 11, -23, 16);
}
inline Format bfloat16() {
  return narrow("bfloat16", 8, -132, 128);
}
inline Format tfloat32() {
  return narrow("tfloat32", 11, -135, 128);
}
inline Format e4m3fn() {
  return narrow("float8_e4m3fn", 4, -8, 9, true, Overflow::nan, 1);
}

// Formats of eight bits and fewer.
inline std::vector<Format> tiny_formats() {
  const Format e5m2 = narrow("float8_e5m2", 3, -15, 16);
  std::vector<Format> formats = {
      e5m2,
      e4m3fn(),
      narrow("float8_e4m3fn:sat", 4, -8, 9, true, Overflow::saturate, 1),
      narrow("float8_e5m2:sat", 3, -15, 16, true, Overflow::saturate),
      narrow("e4m3", 4, -8, 8),
      narrow("e3m2fn", 3, -3, 5, true, Overflow::saturate),
      narrow("e2m3fn", 4, -2, 3, true, Overflow::saturate),
      narrow("e2m1fn", 2, 0, 3, true, Overflow::saturate),
      narrow("3 bits, no subnormals", 3, -13, 16, false),
      narrow("4 bits, no subnormals, 3 reserved", 4, -6, 9, false, Overflow::nan, 3),
      narrow("4 bits, none below 1/2, saturating", 4, 0, 6, false, Overflow::saturate),
      narrow("2 bits", 2, -20, 20),
  };
  return formats;
}

// Formats of up to 11 bits.
inline std::vector<Format> short_formats() {
  return {float16(),
          bfloat16(),
          tfloat32(),
          narrow("float16:sat", 11, -23, 16, true, Overflow::saturate),
          narrow("float16, no subnormals", 11, -13, 16, false),
          narrow("bfloat16, no subnormals", 8, -125, 128, false),
          narrow("bfloat16, few exponents", 8, -130, 100),
          narrow("10 bits, 5 reserved", 10, -20, 30, true, Overflow::nan, 5),
          narrow("7 bits", 7, -131, 128)};
}

// Formats of 12 to 25 bits, and some that float32 cannot carry.
inline std::vector<Format> long_formats() {
  return {narrow("25 bits", 25, -200, 200),
          narrow("25 bits, float64's exponents", 25, -1020, 1024, false),
          narrow("24 bits, few exponents", 24, -40, 20),
          narrow("24 bits, no subnormals", 24, -125, 128, false),
          narrow("17 bits, saturating", 17, -60, 80, true, Overflow::saturate),
          narrow("12 bits", 12, -40, 16),
          narrow("13 bits, wide", 13, -1000, 1000),
          narrow("bfloat16:sat", 8, -132, 128, true, Overflow::saturate)};
}

}  // namespace precipice::test
