// Exact numbers at the boundary: float64 buffers or text, rounded once to a format.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "numbers/format.hpp"

namespace precipice {

// A vector of exact numbers: float64 values, or text ("0x1.8p-3", "0.01", "2/50", "-0", "inf").
using ExactVector = std::variant<std::vector<double>, std::vector<std::string>>;

std::size_t size(const ExactVector& values);

// Round values[i] once to out's precision, in the thread's exponent range; returns MPFR's ternary
// value. Throws std::invalid_argument for text that is not a number.
int set_rounded(mpfr_ptr out, const ExactVector& values, std::size_t i, mpfr_rnd_t rounding);

// Round values[i] once, to nearest even whatever the format's rounding, to the format (out has its
// precision), in any exponent range of the caller. Throws as `set_rounded` does.
void round_to_format(mpfr_ptr out, const ExactVector& values, std::size_t i, const Format& format);

// The number, exactly: "-0x1.8p-3", "0x0p+0", "inf", "nan".
std::string exact_text(mpfr_srcptr x);

// A number as the nearest float64 and as log2 |x| (finite where float64 underflows).
struct DoubleLog2 {
  double value, log2;
};
DoubleLog2 measure(mpfr_srcptr x);

}  // namespace precipice
