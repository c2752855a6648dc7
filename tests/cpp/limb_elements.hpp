// The laws of operations element by element.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "limb_aims.hpp"
#include "limb_subject.hpp"

namespace precipice::test {

inline long element_operations = 0;

// Which arrays are the same, and which are one group that is read again and again.
enum class Sharing { none, out_is_a, out_is_b, all_are_one, a_repeats, b_repeats, both_repeat };
inline constexpr std::size_t sharings = 7;

// What MPFR makes of each element, and how many groups have one that is the rescue's.
struct Expected {
  Values values;
  std::size_t rescued = 0;
};
inline Expected expected(LimbSubject& on, Operation operation, const Values& a, std::size_t a_step,
                         const Values& b, std::size_t b_step, Word n) {
  Expected result;
  const std::size_t lanes = on.lanes();
  for (std::size_t g = 0; g < a.size() / lanes; ++g) {
    bool rescue = false;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      Slow out(on.p.bits);
      rescue |=
          by_mpfr(operation, out.get(), a[g * a_step + lane].get(), b[g * b_step + lane].get(), n);
      result.values.push_back(out);
    }
    result.rescued += rescue ? 1 : 0;
  }
  return result;
}

inline void carry_out(LimbSubject& on, Operation operation, const limbs::Rescue& rescue, Word* out,
                      limbs::Operand a, limbs::Operand b, Word n, std::size_t groups) {
  switch (operation) {
    case Operation::multiply: return on.kernels.multiply(on.p, rescue, out, a, b, groups);
    case Operation::add: return on.kernels.add(on.p, rescue, out, a, b, groups);
    case Operation::subtract: return on.kernels.subtract(on.p, rescue, out, a, b, groups);
    case Operation::divide: return on.kernels.divide(on.p, rescue, out, a, n, groups);
  }
}

// Every element is MPFR's, and the rescue was asked for those groups that need it, no others. A
// division has one operand, given twice.
inline void law_of_elements(LimbSubject& on, Operation operation, const Values& a, const Values& b,
                            Word n, Sharing sharing) {
  const bool a_repeats = sharing == Sharing::a_repeats || sharing == Sharing::both_repeat;
  const bool b_repeats = operation == Operation::divide
                             ? a_repeats
                             : sharing == Sharing::b_repeats || sharing == Sharing::both_repeat;
  const bool one = sharing == Sharing::all_are_one;
  const std::size_t lanes = on.lanes(), words = limbs::words_of_group(on.p);
  const Expected expect =
      expected(on, operation, a, a_repeats ? 0 : lanes, one ? a : b, b_repeats ? 0 : lanes, n);

  const Groups in_a(on.p, a), in_b(on.p, b), apart(on.p, a.size());
  const Groups& out = sharing == Sharing::out_is_b          ? in_b
                      : sharing == Sharing::out_is_a || one ? in_a
                                                            : apart;
  MpfrRescue mpfr(on.p);
  carry_out(on, operation, mpfr.rescue(), out.data(), {in_a.data(), a_repeats ? 0 : words},
            {(one ? in_a : in_b).data(), b_repeats ? 0 : words}, n, a.size() / lanes);

  const char* const names[] = {"multiply", "add", "subtract", "divide"};
  const char* const what = names[static_cast<int>(operation)];
  CHECK(mpfr.calls() == expect.rescued, on.path, on.p.bits, what, n, mpfr.calls(), expect.rescued);
  CHECK(out.ends_untouched(), on.path, on.p.bits, what);
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK(out.holds(i, expect.values[i]), on.path, on.p.bits, what, static_cast<int>(sharing), i,
          a[i], b[i], n, out.number(i), expect.values[i]);
  element_operations += static_cast<long>(a.size());
}

// Numbers of two and three bits, whose product is a tie but for the product of the last ones: the
// least that can lie below a tie, with nothing else beneath it.
inline void draw_sparse_pair(LimbDraws& draws, mpfr_ptr a, mpfr_ptr b) {
  const long p = mpfr_get_prec(a), i = draws.between(1, p - 1), k = draws.between(p - i, p - 1);
  Slow last(2);
  mpfr_set_ui_2exp(a, 1, -i, MPFR_RNDN);
  mpfr_add_ui(a, a, 1, MPFR_RNDN);
  mpfr_set_ui_2exp(b, 1, i - p, MPFR_RNDN);
  mpfr_add_ui(b, b, 1, MPFR_RNDN);
  mpfr_set_si_2exp(last.get(), draws.one_in(2) ? 1 : -1, -k, MPFR_RNDN);
  mpfr_add(b, b, last.get(), MPFR_RNDN);
}

// A pair that finds mistakes in a sum, a difference or a product.
inline void draw_pair(LimbDraws& draws, mpfr_ptr a, mpfr_ptr b) {
  const auto p = static_cast<int>(mpfr_get_prec(a));
  draws.number(a, p, draws.between(-3, 3));
  if (draws.one_in(24)) draws.zero(a);
  switch (mpfr_zero_p(a) ? 9 : draws.below(10)) {
    case 0:
    case 1: ProductAim(a, p).draw(draws, b, 0); break;
    case 2: mpfr_ui_div(b, 1, a, MPFR_RNDN); break;  // the product is nearly one
    case 3: draw_sparse_pair(draws, a, b); break;
    default: {
      const Course course = new_course(draws, p);
      aim(draws, b, a, course, 0);
      if (!mpfr_zero_p(b)) nudge(b, nudge(draws, course.aim));
    }
  }
  if (draws.one_in(2)) mpfr_neg(b, b, MPFR_RNDN);
  if (draws.one_in(2)) mpfr_swap(a, b);
}

// Such pairs; or one a group among plain ones, since a kernel does for a group what one lane needs.
inline std::pair<Values, Values> drawn_pairs(LimbSubject& on, std::size_t n) {
  LimbDraws& draws = on.draws;
  const bool lonely = draws.one_in(2);
  Values left, right;
  for (std::size_t i = 0; i < n; ++i) {
    Slow a(on.p.bits), b(on.p.bits);
    if (lonely && i % on.lanes() != 0) {
      draws.plain_number(a.get(), on.p.bits, draws.between(-3, 3));
      draws.plain_number(b.get(), on.p.bits, draws.between(-3, 3));
    } else {
      draw_pair(draws, a.get(), b.get());
    }
    left.push_back(a);
    right.push_back(b);
  }
  return {left, right};
}

inline Word drawn_divisor(LimbDraws& draws) {
  const std::size_t bits = draws.below(64);
  switch (draws.below(6)) {
    case 0: return draws.below(70);
    case 1: return Word(1) << bits;
    case 2: return (Word(2) << bits) - 1;  // 2^52 - 1 is the greatest that is not rescued
    case 3: return (Word(1) << 52) - 1 + draws.below(3);
    case 4: return 1 + draws.below((Word(1) << 52) - 1);
    default: return 1 + draws.below(Word(1) << bits);
  }
}

// Dividends whose quotients are exact, or missed by a last place, or any numbers.
inline Values drawn_dividends(LimbSubject& on, std::size_t count, Word n) {
  Values dividends;
  for (std::size_t i = 0; i < count; ++i) {
    Slow a(on.p.bits);
    on.draws.number(a.get(), on.p.bits, on.draws.between(-3, 3));
    if (on.draws.one_in(24)) on.draws.zero(a.get());
    if (on.draws.one_in(2) && mpfr_regular_p(a.get())) {
      mpfr_prec_round(a.get(), std::max(2L, on.draws.between(1, on.p.bits)), MPFR_RNDN);
      mpfr_prec_round(a.get(), on.p.bits, MPFR_RNDN);
      mpfr_mul_ui(a.get(), a.get(), n, MPFR_RNDN);
      nudge(a.get(), on.draws.between(-1, 1));
    }
    dividends.push_back(a);
  }
  return dividends;
}

// Each operation, on `groups` groups.
inline void laws_of_elements(LimbSubject& on, std::size_t groups) {
  const std::size_t n = groups * on.lanes();
  const auto [a, b] = drawn_pairs(on, n);
  for (const Operation operation : {Operation::multiply, Operation::add, Operation::subtract})
    law_of_elements(on, operation, a, b, 0, static_cast<Sharing>(on.draws.below(sharings)));
  const Word divisor = drawn_divisor(on.draws);
  const Values dividends = drawn_dividends(on, n, divisor);
  const Sharing of_two[] = {Sharing::none, Sharing::out_is_a, Sharing::a_repeats};
  law_of_elements(on, Operation::divide, dividends, dividends, divisor, of_two[on.draws.below(3)]);
}

}  // namespace precipice::test
