// What a number format is: a significand width and an exponent range, in MPFR's convention
// (a number is 0.1xxx * 2^e with emin <= e <= emax), and how its arithmetic is carried out here.
#pragma once

#include <string>
#include <vector>

namespace precipice {

enum class Family { float32, float64, float80, float128, mpfr };

struct Format {
  std::string name;
  Family family;
  long precision;   // bits of the significand, the leading one included
  long emin, emax;  // MPFR's convention; for IEEE formats emin reaches down to the subnormals
  bool subnormals;  // gradual underflow: fewer bits near emin
};

// Whether this build carries a format out, and a sentence that says how or why not.
struct Availability {
  bool available;
  std::string sentence;
};

constexpr long least_precision = 2;
constexpr long greatest_precision = 100000;

// "float32", "float64", "float80", "float128", "mpfr<bits>"; throws std::invalid_argument.
Format parse_format(const std::string& name);
Availability availability(const Format& format);
std::vector<std::string> named_formats();

}  // namespace precipice
