// Sums from the left, each product and each partial sum rounded once: where a run spends its time.
//
// A partial sum keeps its place. Its limbs are signed, on a grid that does not follow its leading
// bit; carries wait; a term is shifted onto the grid and added limb by limb, and the sum is rounded
// where it stands: the leading bit, which the last limb shows, tells which bit of limb 0 is the
// ulp. Nothing is normalised within a sum, so a term costs about 4K + 50 instructions beside its
// product.
//
// That is possible while the leading bit stays in a window and the term fits the grid. Where it is
// not so, or the last limb does not tell (a carry from below could move the leading bit), the same
// sum is done carefully, and put on a grid that suits it.
#pragma once

#include "limbs/avx512ifma/add.hpp"
#include "limbs/avx512ifma/multiply.hpp"

namespace precipice::limbs::avx512ifma {

// A number of p bits that is added: (-1)^minus limb * 2^grid, limbs not negative, carries waiting.
template <int K>
struct Term {
  Lanes limb[K];
  Lanes grid;
  Mask minus;
  Mask doubtful;  // where a carry could move its leading bit, and so the place of its rounding
};

// A number of p bits, or zero: (-1)^minus limb * 2^grid, limbs of both signs.
template <int K>
struct Sum {
  Lanes limb[K];
  Lanes grid;
  Mask minus;
  Mask all_minus;  // where every term so far was negative: a zero is then -0
};

// So many terms may be added between propagate_carries(); a limb then holds less than 2^8 times
// what belongs into it: a short product adds at most 4 * 2^52 to it, that of stored numbers 2K + 1
// times 2^52.
inline constexpr Exponent waiting = 1 << 8;
inline constexpr int terms_between_carries = 32, products_between_carries = 4;
// One term more comes before the first propagation, and up to 2 are left by it and by rounding.
static_assert((terms_between_carries + 1) * 4 + 2 < waiting);
static_assert((products_between_carries + 1) * (2 * most_limbs + 1) + 2 < waiting);

struct SumRounding : Rounding {
  explicit SumRounding(const Precision& p) : Rounding(p) {
    const int K = p.limbs, top = limb_bits - 1;
    const int zeros = limb_bits * K - p.bits;  // the ulp of a leading bit at `top`
    const int least_by_waiting = K > 1 ? 16 : 4;
    least_lead = least_by_waiting > top + 2 - zeros ? least_by_waiting : top + 2 - zeros;
    greatest_lead = 60 < top + 50 - zeros ? 60 : top + 50 - zeros;
    half_shift = top + 1 - zeros;
    room = tail - 3 < 8 ? tail - 3 : 8;
  }
  int least_lead, greatest_lead;  // of the leading bit in the last limb; the ulp is bit 2 ... 50
  int half_shift;                 // leading zeros of the last limb + this are those of half an ulp
  int room;                       // how many octaves above the first term later ones may be
};

// A product rounded where it stands: its leading bit is one of two. `lead` is the higher one.
template <int K>
PRECIPICE_INLINE Term<K> rounded_term(const Product<K>& product, Lanes grid, Mask minus, int lead,
                                      const Rounding& rounding) {
  Term<K> term;
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) term.limb[i] = product.limb[i];
  term.limb[0] = add(term.limb[0], carry_of(product.below));
  const Lanes last =
      K > 1 ? add(term.limb[K - 1], carry_of(term.limb[K > 1 ? K - 2 : 0])) : term.limb[K - 1];
  const Lanes threshold = all(Exponent(1) << lead);
  const Exponent high_ulp = Exponent(1)
                            << (rounding.tail + lead - (limb_bits - 1 - rounding.slack));
  const Lanes ulp = select(not_below(last, threshold), all(high_ulp), all(high_ulp >> 1));
  const Mask inexact = any_bit(product.below, all(static_cast<Exponent>(limb_mask)));
  term.limb[0] = rounded_to(ulp, term.limb[0], inexact);
  term.grid = grid;
  term.minus = minus;
  // Limb K-2 lacks the carry from below, which is less than 2^52: the last limb is this or one
  // more.
  term.doubtful = K > 2 ? equal(last, all((Exponent(1) << lead) - 1)) : Mask(0);
  return term;
}

// Where an added term has come to lie.
struct Placed {
  Lanes guard;     // what lies beneath limb 0
  Lanes distance;  // how far the term was shifted down
};

// The term on the sum's grid, added; not rounded. 4K + 6 instructions.
template <int K>
PRECIPICE_INLINE Placed add_on_grid(Sum<K>& sum, const Term<K>& term) {
  const Lanes distance = subtract(sum.grid, term.grid);
  const Lanes scale = shift_left(all(1), subtract(all(limb_bits), distance));
  const Mask turn = static_cast<Mask>(sum.minus ^ term.minus);
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) {
    Lanes limb = negate_where(turn, sum.limb[i]);
    limb = add(limb, shift_right(term.limb[i], distance));
    if (i + 1 < K) limb = add_low(limb, term.limb[i + 1 < K ? i + 1 : i], scale);
    sum.limb[i] = limb;
  }
  sum.minus = term.minus;
  return {add_low(zero(), term.limb[0], scale), distance};
}

// Takes back what add_on_grid added, but for the sign in which the sum is held.
template <int K>
PRECIPICE_INLINE void take_off_grid(Sum<K>& sum, const Term<K>& term, Lanes distance) {
  const Lanes scale = shift_left(all(1), subtract(all(limb_bits), distance));
#pragma GCC unroll 1
  for (int i = 0; i < K; ++i) {
    sum.limb[i] = subtract(sum.limb[i], shift_right(term.limb[i], distance));
    if (i + 1 < K) sum.limb[i] = subtract(sum.limb[i], add_low(zero(), term.limb[i + 1], scale));
  }
}

template <int K>
PRECIPICE_INLINE Number<K> settled(Sum<K> sum, const Rounding& rounding) {
  propagate_carries(sum.limb);
  const Mask turned = take_magnitude(sum.limb);
  normalise(sum.limb, sum.grid, rounding);
  return as_number(sum.limb, sum.grid, static_cast<Mask>(sum.minus ^ turned), sum.all_minus,
                   rounding);
}

// A number as a sum, on a grid where terms of the size of the last one, and up to eight times it,
// will fit, if the window of the leading bit allows.
template <int K>
PRECIPICE_INLINE void seat(Sum<K>& sum, const Number<K>& x, Lanes term_grid,
                           const SumRounding& rounding) {
  const int lead = limb_bits - 1 - rounding.slack;
  const Mask is_zero = is_number_zero(x);
  const Lanes grid = subtract(x.exponent, all(rounding.span));
  Lanes up = subtract(subtract(grid, term_grid), all(3));
  up = greater(up, all(rounding.least_lead + 2 - lead));
  up = lesser(up, all(rounding.greatest_lead - 2 - lead));
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) sum.limb[i] = x.limb[i];
  shift(sum.limb, up);
  sum.grid = select(is_zero, add(term_grid, all(3)), subtract(grid, up));
  sum.minus = x.minus;
}

// The last addition again, in numbers. `term` is the careful one.
template <int K>
PRECIPICE_RARE void add_carefully(Sum<K>& sum, const Term<K>& hasty, Lanes distance,
                                  const Number<K>& term, const SumRounding& rounding) {
  take_off_grid(sum, hasty, distance);
  seat(sum, add(settled(sum, rounding), term, rounding), hasty.grid, rounding);
}

// A zero term fits every grid, and a sum of zero is rounded wherever its leading bit is thought to
// be: pixels are often black.
template <int K>
PRECIPICE_INLINE Mask unless_zero(const Sum<K>& sum, const Placed& placed, const Term<K>& term,
                                  Mask misplaced, Mask unclear) {
  const Mask no_term = is_zero(any_limb(term.limb));
  const Mask no_sum = is_zero(either(any_limb(sum.limb), placed.guard));
  return static_cast<Mask>((misplaced & ~no_term) | (unclear & ~no_sum));
}

// Adds term k of a source, which gives hasty terms and careful ones.
template <int K, class Source>
PRECIPICE_INLINE void add_term(Sum<K>& sum, const Source& source, std::size_t k, Term<K> term,
                               const SumRounding& rounding) {
  sum.all_minus = static_cast<Mask>(sum.all_minus & term.minus);
  const Placed placed = add_on_grid(sum, term);

  const Lanes last = magnitude(sum.limb[K - 1]), margin = all(K > 1 ? waiting : 1);
  const Lanes zeros = leading_zeros(add(last, margin));
  const Mask unclear =
      static_cast<Mask>(differ(zeros, leading_zeros(subtract(last, margin))) |
                        not_below(subtract(zeros, all(63 - rounding.greatest_lead)),
                                  all(rounding.greatest_lead - rounding.least_lead + 1)));
  const Mask misplaced = not_below(placed.distance, all(limb_bits));
  if ((unclear | misplaced | term.doubtful) != 0) [[unlikely]] {
    if ((unless_zero(sum, placed, term, misplaced, unclear) | term.doubtful) != 0) {
      // Copies: what is passed by reference would have to live in memory throughout.
      Sum<K> sum_copy = sum;
      const Term<K> term_copy = term;
      add_carefully(sum_copy, term_copy, placed.distance, source.careful(k), rounding);
      sum = sum_copy;
      return;
    }
  }
  const Lanes half = shift_right(all(INT64_MIN), add(zeros, all(rounding.half_shift)));
  sum.limb[0] = rounded_to(add(half, half), sum.limb[0], not_zero(placed.guard));
}

template <int K, class Source>
PRECIPICE_INLINE Number<K> summed(const Source& source, std::size_t terms,
                                  const SumRounding& rounding) {
  Term<K> term = source.hasty(0);
  Sum<K> sum;
#pragma GCC unroll 32
  for (int i = 0; i < K; ++i) sum.limb[i] = zero();
  sum.grid = add(term.grid, all(rounding.room));
  sum.minus = 0;
  sum.all_minus = 0xff;
  add_term(sum, source, 0, term, rounding);
  for (std::size_t k = 1; k < terms;) {
    const std::size_t end =
        terms - k > Source::between_carries ? k + Source::between_carries : terms;
    for (; k < end; ++k) add_term(sum, source, k, source.hasty(k), rounding);
    propagate_carries(sum.limb);
  }
  return settled(sum, rounding);
}

}  // namespace precipice::limbs::avx512ifma
