// The laws of operations element by element.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <utility>

#include "limb_aims.hpp"
#include "limb_subject.hpp"

namespace precipice::test {

inline long element_operations = 0;

// Which arrays are the same, and which are one group that is read again and again.
enum class Sharing { none, out_is_a, out_is_b, all_are_one, a_repeats, b_repeats, both_repeat };
inline constexpr std::size_t sharings = 7;

// Every element is MPFR's, and the rescue was asked for those groups that need it, no others.
inline void law_of_elements(LimbSubject& on, Operation operation, const Values& a, const Values& b,
                            Word n, Sharing sharing) {
  const Precision& p = on.p;
  const bool divide = operation == Operation::divide;
  const bool a_repeats = sharing == Sharing::a_repeats || sharing == Sharing::both_repeat;
  const bool b_repeats = sharing == Sharing::b_repeats || sharing == Sharing::both_repeat;
  const std::size_t lanes = on.lanes(), groups = a.size() / lanes, words = limbs::words_of_group(p);

  const Groups in_a(p, a), in_b(p, b), apart(p, a.size());
  const Groups& second = sharing == Sharing::all_are_one ? in_a : in_b;
  const Groups& out = sharing == Sharing::none || a_repeats || b_repeats ? apart
                      : sharing == Sharing::out_is_b                     ? in_b
                                                                         : in_a;
  Values expected;
  std::size_t rescued = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    bool rescue = divide && (n == 0 || n >> 52 != 0);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const Slow& x = a[(a_repeats ? 0 : g * lanes) + lane];
      const Slow& y =
          sharing == Sharing::all_are_one || divide ? x : b[(b_repeats ? 0 : g * lanes) + lane];
      Slow result(p.bits);
      rescue |= by_mpfr(operation, result.get(), x.get(), y.get(), n);
      expected.push_back(result);
    }
    rescued += rescue ? 1 : 0;
  }

  MpfrRescue mpfr(p);
  const limbs::Rescue rescue = mpfr.rescue();
  const limbs::Operand left{in_a.data(), a_repeats ? 0 : words};
  const limbs::Operand right{second.data(), b_repeats ? 0 : words};
  switch (operation) {
    case Operation::multiply:
      on.kernels.multiply(p, rescue, out.data(), left, right, groups);
      break;
    case Operation::add: on.kernels.add(p, rescue, out.data(), left, right, groups); break;
    case Operation::subtract:
      on.kernels.subtract(p, rescue, out.data(), left, right, groups);
      break;
    case Operation::divide: on.kernels.divide(p, rescue, out.data(), left, n, groups); break;
  }
  const char* const names[] = {"multiply", "add", "subtract", "divide"};
  const char* const what = names[static_cast<int>(operation)];
  CHECK(mpfr.calls() == rescued, on.path, p.bits, what, mpfr.calls(), rescued);
  CHECK(out.ends_untouched(), on.path, p.bits, what);
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(out.holds(i, expected[i]), on.path, p.bits, what, static_cast<int>(sharing), i, a[i],
          b[i], n, out.number(i), expected[i]);
  element_operations += static_cast<long>(expected.size());
}

// A pair that finds mistakes in a sum, a difference or a product.
inline void draw_pair(LimbDraws& draws, mpfr_ptr a, mpfr_ptr b) {
  const auto p = static_cast<int>(mpfr_get_prec(a));
  draws.number(a, p, draws.between(-3, 3));
  if (draws.one_in(24)) draws.zero(a);
  switch (mpfr_zero_p(a) ? 3 : draws.below(4)) {
    case 0: ProductAim(a, p).draw(draws, b, 0); break;
    case 1: mpfr_ui_div(b, 1, a, MPFR_RNDN); break;  // the product is nearly one
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
