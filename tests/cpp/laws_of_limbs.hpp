// What the limb Space does besides a Space's laws: short data and how it is stored, blocks of long
// arrays, lanes beyond an array's last number, conversions, the range check.
#pragma once

#include <mpfr.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "laws_of_elements.hpp"
#include "laws_of_sums.hpp"
#include "limbs/convert.hpp"
#include "limbs/pack.hpp"
#include "limbs/range.hpp"
#include "subject.hpp"

namespace precipice::test {

// A number of at most `bits` bits, one in five a zero, with an exponent in (-span, 0].
inline Slow short_number(Draws& draws, const Format& format, long bits, std::size_t span) {
  Slow x = draws.number(Kind::ordinary);
  mpfr_prec_round(x.get(), std::min(bits, format.precision), MPFR_RNDN);
  mpfr_prec_round(x.get(), format.precision, MPFR_RNDN);
  mpfr_set_exp(x.get(), -static_cast<mpfr_exp_t>(draws.below(span)));
  if (draws.below(5) == 0) mpfr_set_zero(x.get(), static_cast<int>(draws.below(2)) - 1);
  return x;
}

// Data of few bits, times vectors of all of them; of exponents near each other and far apart.
template <class Space>
void laws_of_short_data(Subject<Space>& on, std::size_t n, std::size_t d, long bits,
                        std::size_t span, limbs::Packing packing) {
  Values x;
  for (std::size_t i = 0; i < n * d; ++i)
    x.push_back(short_number(on.draws, on.format, bits, span));
  // The widest number and both ends of the span are among them.
  const auto end = [&](mpfr_exp_t exponent) {
    Slow widest = on.oracle.integer(1);
    mpfr_nextabove(widest.get());
    mpfr_prec_round(widest.get(), std::min(bits, on.format.precision), MPFR_RNDU);
    mpfr_prec_round(widest.get(), on.format.precision, MPFR_RNDN);
    mpfr_set_exp(widest.get(), exponent);
    return widest;
  };
  x.front() = end(0);
  x.back() = end(1 - static_cast<mpfr_exp_t>(span));
  const Values u = on.draws.numbers(d, Kind::ordinary), z = on.draws.numbers(n, Kind::cancelling);
  const auto matrix = on.space.matrix(n, d, texts(x));
  CHECK(matrix.dense->by_rows.packing == packing, on.format.name, bits, span);
  CHECK(matrix.dense->by_columns.packing == packing, on.format.name, bits, span);
  const auto f = on.space.array(n), g = on.space.array(d);
  products_by_blocks(on, matrix, f, on.array(u), g, on.array(z));
  on.expect("short X u", f, on.oracle.matvec(x, u));
  on.expect("short X^T z", g, on.oracle.matvec_transposed(x, z));
}

template <class Space>
void laws_of_packing(Subject<Space>& on) {
  using limbs::Packing;
  struct Case {
    long bits;
    std::size_t span;
    Packing packing;
  };
  for (const Case& of : {Case{1, 1, Packing::packed52}, Case{8, 8, Packing::packed52},
                         Case{24, 40, Packing::packed52}, Case{52, 2048, Packing::packed52},
                         Case{52, 2049, Packing::stored}, Case{53, 1024, Packing::packed53},
                         Case{53, 1025, Packing::stored}, Case{54, 3, Packing::stored}})
    if (of.bits <= on.format.precision)
      for (const std::size_t n : {2, 8, 13})
        for (const std::size_t d : {1, 9, 24, 61})
          laws_of_short_data(on, n, d, of.bits, of.span, of.packing);
  const Values zeros(6, on.oracle.integer(0));
  const auto matrix = on.space.matrix(2, 3, texts(zeros));
  const auto f = on.array(on.draws.numbers(2, Kind::ordinary));
  on.space.matvec(f, matrix, on.space.first_rows(matrix), on.array(Values(3, zeros[0])));
  on.expect("0 * 0", f, Values(2, zeros[0]));
}

// Arrays longer than a block of an element program, and parts of them.
template <class Space>
void laws_of_long_arrays(Subject<Space>& on) {
  for (const std::size_t n : {511, 512, 513, 1030, 1600}) {
    laws_of_map(on, n, Kind::ordinary);
    laws_of_map_rows(on, n, Kind::ordinary);
    laws_of_descend(on, n, Kind::cancelling);
    laws_of_dot(on, n, Kind::ordinary);
  }
}

// A double and half a unit of its last place, or a little more or less.
inline Slow near_a_tie(const Slow& number, Draws& draws) {
  Slow x = number, half(2);
  mpfr_prec_round(x.get(), 53, MPFR_RNDN);
  mpfr_set_ui_2exp(half.get(), 1, mpfr_get_exp(x.get()) - 54, MPFR_RNDN);
  mpfr_prec_round(x.get(), mpfr_get_prec(number.get()), MPFR_RNDN);
  mpfr_add(x.get(), x.get(), half.get(), MPFR_RNDN);
  if (draws.below(3) == 0) mpfr_nextabove(x.get());
  if (draws.below(3) == 0) mpfr_nextbelow(x.get());
  return x;
}

// The lane's words, and no other, are written; back comes what was stored; the nearest float64 as
// MPFR has it, about the smallest and the largest of them and at ties.
inline void laws_of_conversion(const limbs::Precision& p, Draws& draws) {
  const auto range = ExponentRange::widest();
  for (int i = 0; i < 400; ++i) {
    Slow x(p.bits), back(p.bits);
    x = draws.number(i % 5 == 0 ? Kind::special : Kind::ordinary);
    if (i % 3 == 0 && p.bits > 53 && mpfr_regular_p(x.get())) x = near_a_tie(x, draws);
    const mpfr_exp_t exponents[] = {0, 1 - static_cast<mpfr_exp_t>(draws.below(60)) - 1020,
                                    1020 + static_cast<mpfr_exp_t>(draws.below(8)), 1L << 29};
    if (mpfr_regular_p(x.get())) mpfr_set_exp(x.get(), exponents[draws.below(4)]);
    std::vector<limbs::Word> group(limbs::words_of_group(p), 77);
    const auto lanes = static_cast<std::size_t>(p.lanes);
    const std::size_t lane = draws.below(lanes);
    limbs::store(p, group.data() + lane, x.get());
    limbs::load(p, back.get(), group.data() + lane);
    CHECK(identical(x, back), p.bits, p.limb_bits, p.slack, x, back);
    for (std::size_t w = 0; w < group.size(); ++w) CHECK(w % lanes == lane || group[w] == 77);
    const double nearest = mpfr_get_d(x.get(), MPFR_RNDN);
    const double converted = limbs::to_double(p, group.data() + lane);
    CHECK(std::isnan(nearest)
              ? std::isnan(converted)
              : nearest == converted && std::signbit(nearest) == std::signbit(converted),
          p.bits, x, nearest, converted);
    CHECK(limbs::same(p, group.data() + lane, group.data() + lane) == finite(x), x);
  }
}

// A sum that is said to stay in range raises neither of MPFR's flags.
inline void laws_of_the_range_check(const Format& format, Draws& draws) {
  const ExponentRange range(format);
  const limbs::Precision p{
      static_cast<int>(format.precision), 1, 64, 1, 0, format.emin, format.emax};
  long inside = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::size_t terms = 1 + draws.below(9);
    const auto kind = [&] { return finite_kinds[draws.below(4)]; };
    const Values x = draws.numbers(terms, kind()), u = draws.numbers(terms, kind());
    limbs::Extremes of_x, of_u;
    for (std::size_t k = 0; k < terms; ++k) {
      of_x.include(limbs::head(mpfr_get_exp(x[k].get()), false));
      of_u.include(limbs::head(mpfr_get_exp(u[k].get()), true));
    }
    if (!limbs::sums_stay_in_range(p, of_x, of_u, terms)) continue;
    ++inside;
    Slow sum(format.precision), term(format.precision);
    mpfr_clear_flags();
    for (std::size_t k = 0; k < terms; ++k) {
      mpfr_mul(term.get(), x[k].get(), u[k].get(), MPFR_RNDN);
      mpfr_add(sum.get(), k == 0 ? term.get() : sum.get(), term.get(), MPFR_RNDN);
    }
    CHECK(!mpfr_overflow_p() && !mpfr_underflow_p(), format.name, terms, x[0], u[0]);
  }
  CHECK(inside > 1000, format.name, inside);
}

// The smallest sum of two products of the least exponents is one unit in their last place; it is in
// range exactly where the check says so.
inline void laws_of_the_least_sum(const Format& format) {
  const ExponentRange range(format);
  const limbs::Precision p{
      static_cast<int>(format.precision), 1, 64, 1, 0, format.emin, format.emax};
  for (long least = format.emin; least <= format.emin + 20; ++least) {
    Slow x(format.precision), u(format.precision), sum(format.precision), term(format.precision);
    mpfr_set_ui_2exp(x.get(), 1, least - 1, MPFR_RNDN);
    mpfr_set_ui_2exp(u.get(), 1, -1, MPFR_RNDN);
    limbs::Extremes of_x, of_u;
    of_x.include(limbs::head(least, false));
    of_u.include(limbs::head(0, false));
    mpfr_clear_flags();
    mpfr_mul(sum.get(), x.get(), u.get(), MPFR_RNDN);
    mpfr_nextabove(x.get());
    mpfr_mul(term.get(), x.get(), u.get(), MPFR_RNDN);
    mpfr_sub(sum.get(), term.get(), sum.get(), MPFR_RNDN);
    CHECK(limbs::sums_stay_in_range(p, of_x, of_u, 2) == !mpfr_underflow_p(), format.name, least);
  }
}

}  // namespace precipice::test
