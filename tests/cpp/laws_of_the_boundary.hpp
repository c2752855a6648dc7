// Numbers in and out of a Space: rounded once, read exactly, measured.
#pragma once

#include <mpfr.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "subject.hpp"

namespace precipice::test {

// Exact numbers that a format cannot hold: a number, half a unit of its last place (a subnormal's
// last place included), and half a unit and a little more or less.
template <class Space>
void laws_of_ties(Subject<Space>& on, Kind kind) {
  const Slow x = on.draws.number(kind);
  if (!mpfr_regular_p(x.get())) return;
  const Format& format = on.format;
  mpfr_exp_t last_place = mpfr_get_exp(x.get()) - format.precision;
  if (format.subnormals) last_place = std::max(last_place, format.emin - 1);
  for (const int little : {-1, 0, 1}) {
    const auto range = ExponentRange::widest();
    Slow exact(2 * format.precision + 128), part(2);
    mpfr_set_ui_2exp(part.get(), 1, last_place - 1, MPFR_RNDN);
    mpfr_add(exact.get(), x.get(), part.get(), MPFR_RNDN);
    mpfr_set_si_2exp(part.get(), little, last_place - format.precision - 60, MPFR_RNDN);
    CHECK(mpfr_add(exact.get(), exact.get(), part.get(), MPFR_RNDN) == 0, format.name, exact);
    const auto a = on.space.array(1);
    {
      const ExponentRange own(format);
      on.space.assign(a, 0, texts({exact}), 0);
    }
    on.expect("a number near a tie", a, {on.oracle.nearest(exact)});
  }
}

// Decimals and fractions, at a precision that tells them from every tie.
template <class Space>
void laws_of_text(Subject<Space>& on) {
  const std::vector<std::string> text = {"0",    "-0",        "0.1",  "-0.01",    "2/50",
                                         "-1/3", "2/200",     "1e-5", "3",        "0x1.8p-3",
                                         "7/4",  "123456789", "1e4",  "-0x1p+10", "22/7"};
  const auto a = on.space.array(text.size());
  Values expected;
  for (std::size_t i = 0; i < text.size(); ++i) {
    on.space.assign(a, i, ExactVector(text), i);
    const std::size_t slash = text[i].find('/');
    Slow exact(on.format.precision + 200);
    mpfr_strtofr(exact.get(), text[i].substr(0, slash).c_str(), nullptr, 0, MPFR_RNDN);
    if (slash != std::string::npos)
      mpfr_div_ui(exact.get(), exact.get(), std::stoul(text[i].substr(slash + 1)), MPFR_RNDN);
    expected.push_back(on.oracle.nearest(exact));
  }
  on.expect("text", a, expected);
}

template <class Space>
void laws_of_doubles(Subject<Space>& on) {
  const std::vector<double> doubles = {0.0,
                                       -0.0,
                                       1.0,
                                       -0.1,
                                       1.0 / 3,
                                       5e-324,
                                       -1.5e-320,
                                       0x1.fffffep-127,
                                       0x1.000001p+0,
                                       0x1.000003p+0,
                                       0x1.fffffefffffffp+127,
                                       0x1.ffffffp+127,
                                       0x1p-149,
                                       0x1p-150,
                                       0x1.8p-149,
                                       0x1.0000000000001p-150,
                                       1.7976931348623157e308,
                                       INFINITY,
                                       -INFINITY,
                                       NAN};
  const auto a = on.space.array(doubles.size());
  Values expected;
  for (std::size_t i = 0; i < doubles.size(); ++i) {
    on.space.assign(a, i, doubles, i);
    const auto range = ExponentRange::widest();
    Slow exact(53);
    mpfr_set_d(exact.get(), doubles[i], MPFR_RNDN);
    expected.push_back(on.oracle.nearest(exact));
  }
  on.expect("float64 values", a, expected);
}

// Exact text, read by MPFR and by the Space; the nearest float64; log2 to float64's accuracy.
template <class Space>
void laws_of_reading(Subject<Space>& on, Kind kind) {
  const Slow x = on.draws.number(kind);
  const auto a = on.array({x}), back = on.space.array(1);
  const std::string text = on.space.exact(a, 0);
  Slow read(on.format.precision);
  char* end = nullptr;
  CHECK(mpfr_strtofr(read.get(), text.c_str(), &end, 0, MPFR_RNDN) == 0, on.format.name, text);
  CHECK(*end == '\0' && identical(read, x), on.format.name, text, x);
  on.space.assign(back, 0, std::vector<std::string>{text}, 0);
  on.expect("exact text", back, {x});

  const double nearest = mpfr_get_d(x.get(), MPFR_RNDN);
  const DoubleLog2 measured = on.space.measure(on.scalar(x));
  const double converted = Space::to_double(a, 0);
  if (std::isnan(nearest)) {
    CHECK(std::isnan(measured.value) && std::isnan(measured.log2) && std::isnan(converted));
    return;
  }
  CHECK(measured.value == nearest && std::signbit(measured.value) == std::signbit(nearest), x,
        measured.value);
  CHECK(converted == nearest && std::signbit(converted) == std::signbit(nearest), x, converted);
  Slow log2(120);
  mpfr_abs(log2.get(), x.get(), MPFR_RNDN);
  mpfr_log2(log2.get(), log2.get(), MPFR_RNDN);
  const double expected = mpfr_get_d(log2.get(), MPFR_RNDN);
  const double error = std::fabs(measured.log2 - expected);
  CHECK(measured.log2 == expected || error <= 4e-16 * (1 + std::fabs(expected)), on.format.name, x,
        measured.log2, expected);
}

template <class Space>
void laws_of_is_finite(Subject<Space>& on, std::size_t n) {
  for (const char* special : {"inf", "-inf", "nan"})
    for (std::size_t i = 0; i < n; ++i) {
      const auto a = on.array(on.draws.numbers(n, finite_kinds[i % 4]));
      CHECK(Space::is_finite(a), on.format.name, n);
      on.space.assign(a, i, std::vector<std::string>{special}, 0);
      CHECK(!Space::is_finite(a), on.format.name, n, i, special);
    }
}

}  // namespace precipice::test
