#include "numbers/exact.hpp"

#include <gmp.h>

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "numbers/mpfr_number.hpp"
#include "numbers/rounding.hpp"

namespace precipice {
namespace {

[[noreturn]] void reject(const std::string& text) {
  throw std::invalid_argument("number = " + text +
                              ": must be a decimal, a fraction p/q or a hexadecimal float");
}

// p/q, which mpfr_strtofr does not read.
int round_fraction(mpfr_ptr out, const std::string& text, mpfr_rnd_t rounding) {
  mpq_t fraction;
  mpq_init(fraction);
  const bool valid =
      mpq_set_str(fraction, text.c_str(), 10) == 0 && mpz_sgn(mpq_denref(fraction)) != 0;
  int ternary = 0;
  if (valid) {
    mpq_canonicalize(fraction);
    ternary = mpfr_set_q(out, fraction, rounding);
  }
  mpq_clear(fraction);
  if (!valid) reject(text);
  return ternary;
}

int round_text(mpfr_ptr out, const std::string& text, mpfr_rnd_t rounding) {
  if (text.find('/') != std::string::npos) return round_fraction(out, text, rounding);
  char* end = nullptr;
  const int ternary = mpfr_strtofr(out, text.c_str(), &end, 0, rounding);
  if (text.empty() || end != text.c_str() + text.size()) reject(text);
  return ternary;
}

}  // namespace

std::size_t size(const ExactVector& values) {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

int set_rounded(mpfr_ptr out, const ExactVector& values, std::size_t i, mpfr_rnd_t rounding) {
  if (const auto* doubles = std::get_if<std::vector<double>>(&values))
    return mpfr_set_d(out, (*doubles)[i], rounding);
  return round_text(out, std::get<std::vector<std::string>>(values)[i], rounding);
}

void round_to_format(mpfr_ptr out, const ExactVector& values, std::size_t i, const Format& format) {
  const auto range = ExponentRange::widest();
  const int ternary = set_rounded(out, values, i, MPFR_RNDN);
  settle(out, ternary, MPFR_RNDN, format);
}

std::string exact_text(mpfr_srcptr x) {
  if (mpfr_nan_p(x)) return "nan";
  std::string text = mpfr_signbit(x) ? "-" : "";
  if (mpfr_inf_p(x)) return text + "inf";
  if (mpfr_zero_p(x)) return text + "0x0p+0";
  // Scaled to [1, 2), its sixteenths are the digits after the leading 1.
  MpfrNumber significand(mpfr_get_prec(x));
  mpfr_abs(significand, x, MPFR_RNDN);
  mpfr_set_exp(significand, 1);
  mpfr_exp_t one = 0;
  const std::unique_ptr<char, decltype(&mpfr_free_str)> buffer(
      mpfr_get_str(nullptr, &one, 16, 0, significand, MPFR_RNDN), mpfr_free_str);
  std::string_view digits(buffer.get());
  digits.remove_suffix(digits.size() - 1 - digits.find_last_not_of('0'));
  const long power = static_cast<long>(mpfr_get_exp(x)) - 1;
  text.append("0x").append(digits.substr(0, 1));
  if (digits.size() > 1) text.append(".").append(digits.substr(1));
  return text.append(power < 0 ? "p" : "p+").append(std::to_string(power));
}

DoubleLog2 measure(mpfr_srcptr x) {
  const double value = mpfr_get_d(x, MPFR_RNDN);
  if (!mpfr_regular_p(x)) return {value, std::log2(std::fabs(value))};  // 0, Inf, NaN
  long exponent = 0;
  const double significand = mpfr_get_d_2exp(&exponent, x, MPFR_RNDN);
  return {value, std::log2(std::fabs(significand)) + static_cast<double>(exponent)};
}

}  // namespace precipice
