#include "numbers/format.hpp"

#include <mpfr.h>

#include <charconv>
#include <stdexcept>
#include <vector>

#include "numbers/native.hpp"

namespace precipice {
namespace {

// MPFR's default range. Its greatest range depends on how it was built; this one is every build's.
constexpr long mpfr_exponent_limit = 1073741823;

const std::vector<Format>& native_formats() {
  static const std::vector<Format> formats = {
      {"float32", Family::float32, 24, -148, 128, true},
      {"float64", Family::float64, 53, -1073, 1024, true},
      {"float80", Family::float80, 64, -16444, 16384, true},
      {"float128", Family::float128, 113, -16493, 16384, true},
  };
  return formats;
}

[[noreturn]] void reject(const std::string& name) {
  throw std::invalid_argument(
      "precision = " + name + ": must be float32, float64, float80, float128 or mpfr<bits> with " +
      std::to_string(least_precision) + " <= bits <= " + std::to_string(greatest_precision));
}

}  // namespace

Format parse_format(const std::string& name) {
  for (const Format& format : native_formats())
    if (format.name == name) return format;
  const std::string prefix = "mpfr";
  if (name.rfind(prefix, 0) != 0) reject(name);
  long bits = 0;
  const char* const first = name.data() + prefix.size();
  const char* const last = name.data() + name.size();
  const auto [end, error] = std::from_chars(first, last, bits);
  if (error != std::errc() || end != last || bits < least_precision || bits > greatest_precision)
    reject(name);
  return {name, Family::mpfr, bits, -mpfr_exponent_limit, mpfr_exponent_limit, false};
}

Family native_family(const Format& format) {
  for (const Format& native : native_formats()) {
    Format alike = native;
    alike.name = format.name;
    alike.rounding = format.rounding;
    alike.family = format.family;
    if (alike == format) return native.family;
  }
  return Family::mpfr;
}

Availability availability(const Format& format) {
  switch (format.family) {
    case Family::float32:
    case Family::float64: return {true, "hardware arithmetic"};
    case Family::float80:
      return {has_float80, has_float80 ? "hardware arithmetic (x87 long double)"
                                       : "long double has no 64-bit significand here"};
    case Family::float128:
      return {has_float128, has_float128 ? "software arithmetic (compiler's binary128)"
                                         : "the compiler has no binary128 type here"};
    case Family::mpfr: return {true, "MPFR " + std::string(mpfr_get_version())};
    case Family::double_double: return {true, "pairs of float64 (double-double algorithms)"};
  }
  return {false, "unknown family"};
}

}  // namespace precipice
