// What a number format is: a significand width and an exponent range, in MPFR's convention
// (a number is 0.1xxx * 2^e with emin <= e <= emax), what lies beyond its largest number, and how
// the result of an operation becomes a member.
#pragma once

#include <string>

namespace precipice {

// The compiler's types, pairs of float64, and mpfr: any other format.
enum class Family { float32, float64, float80, float128, mpfr, double_double };

// What lies beyond the largest number: infinity, or in a format without infinities NaN or the
// largest number itself.
enum class Overflow { infinity, nan, saturate };

enum class Rounding { nearest_even, toward_zero, upward, downward, away, stochastic };

struct Format {
  std::string name;
  Family family;
  long precision;   // bits of the significand, the leading one included
  long emin, emax;  // MPFR's convention; for IEEE formats emin reaches down to the subnormals
  bool subnormals;  // gradual underflow: fewer bits near emin
  Overflow overflow = Overflow::infinity;
  long reserved = 0;  // so many greatest significands at emax are no numbers
  Rounding rounding = Rounding::nearest_even;  // of operations; data is always rounded to nearest

  bool operator==(const Format&) const = default;
};

// The compiler's type that is this set of numbers, or mpfr; whatever the rounding.
Family native_family(const Format& format);

// Whether this build carries a format out, and a sentence that says how or why not.
struct Availability {
  bool available;
  std::string sentence;
};

constexpr long least_precision = 2;
constexpr long greatest_precision = 100000;

// "float32", "float64", "float80", "float128", "mpfr<bits>"; throws std::invalid_argument. The
// other formats reach the core as what they are.
Format parse_format(const std::string& name);
Availability availability(const Format& format);

}  // namespace precipice
