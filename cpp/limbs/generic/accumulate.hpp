// A running sum, rounded to p bits after each term.
//
// The sum stays where it is: its limbs are a multiple of 2^(grid - 64 (K + 1)), in two's
// complement; terms are shifted onto that grid (no bit of theirs is lost), and the new sum is
// rounded at the bit p places below its leading one. It is moved only where its leading bit leaves
// the top limb, or where a term is out of reach of a shift by less than a limb. Nothing else
// branches: signs and leading bits of sums change too often to be foretold.
#pragma once

#include "limbs/generic/layout.hpp"
#include "limbs/generic/multiply.hpp"
#include "limbs/generic/round.hpp"

namespace precipice::limbs::generic {

// Where a sum that has to be moved gets its leading bit, as a bit of the top limb: sums may then
// grow 2^17 times, and terms be as small as 2^-44 of them.
inline constexpr int home = 44;
// Sums and terms below 2^62 in units of the top limb: the next sum does not pass for one of the
// other sign.
inline constexpr int highest_lead = 61;
inline constexpr int least_shift = 2;

template <int K>
struct Accumulator {
  Guarded<K> value;  // two's complement
  Exponent grid;     // of the highest bit
  // Where the last of p bits lies, if bit 0 of the top limb is the first.
  std::size_t place;

  explicit Accumulator(const Precision& p) : value{}, grid(0), place(spare_bits(p) + 1) {}

  [[gnu::always_inline]] inline void add(const Term<K>& term);
};

// The top limb of a value, or of its complement where that is negative: its leading bit is that of
// the magnitude. Only minus a power of two has its own one place higher: it needs no rounding.
inline Word top_of_magnitude(Word top) {
  return top ^ static_cast<Word>(static_cast<std::int64_t>(top) >> 63);
}
// Whether the leading bit lies in the top limb, and low enough for another term.
inline bool in_window(Word top) {
  return top - 1 < (Word(1) << (highest_lead + 1)) - 1;
}

// The sum with its leading bit at home; bits that are lost leave their trace in the lowest one.
// Zero is left as it is.
template <int K>
[[gnu::noinline]] Accumulator<K> at_home(Accumulator<K> sum) {
  if (is_zero(sum.value)) return sum;
  const Word minus = sum.value.top() >> 63;
  if (minus != 0) negate(sum.value);
  const int move = leading_bit(sum.value) - (64 * K + home);
  sum.value = move < 0 ? far_left(sum.value, -move) : far_right(sum.value, move);
  sum.grid += move;
  if (minus != 0) negate(sum.value);
  return sum;
}

// The sum on a higher grid.
template <int K>
Accumulator<K> raised(Accumulator<K> sum, Exponent grid) {
  if (!is_zero(sum.value)) {
    const Word minus = sum.value.top() >> 63;
    if (minus != 0) negate(sum.value);
    sum.value = far_right(sum.value, grid - sum.grid);
    if (minus != 0) negate(sum.value);
  }
  sum.grid = grid;
  return sum;
}

// A sum and a term that are too far from each other for a shift by less than a limb, brought onto
// one grid. Bits of the smaller one may be lost, leaving their trace in the lowest bit: then its
// leading bit lies below the top limb, the other's is at home or next to it, and so is that of the
// sum to come, far above the trace.
template <int K>
struct Aligned {
  Accumulator<K> sum;
  Guarded<K> term;
};
template <int K>
[[gnu::noinline]] Aligned<K> aligned(Accumulator<K> sum, Term<K> term) {
  if (is_zero(term.magnitude)) return {sum, {}};
  if (!is_zero(sum.value)) {
    sum = at_home(sum);
    const Exponent shift = sum.grid - term.exponent;
    if (shift >= least_shift) return {sum, far_right(term.magnitude, shift)};
  }
  return {raised(sum, term.exponent + 63 - home), shifted_right(term.magnitude, 63 - home)};
}

// With the product 88 instructions at K = 1, 118 at 2, 172 at 4 (GCC 12), some 3 in a cycle.
template <int K>
[[gnu::always_inline]] inline void Accumulator<K>::add(const Term<K>& term) {
  const auto shift = static_cast<Word>(grid - term.exponent);
  Guarded<K> shifted;
  if (shift - least_shift <= 63 - least_shift) [[likely]] {
    shifted = shifted_right(term.magnitude, static_cast<unsigned>(shift));
  } else {
    const Aligned<K> both = aligned(Accumulator(*this), Term<K>(term));
    *this = both.sum;
    shifted = both.term;
  }
  value = generic::add(value, shifted, term.minus);
  Word top = top_of_magnitude(value.top());
  if (!in_window(top)) [[unlikely]] {
    *this = at_home(Accumulator(*this));
    top = top_of_magnitude(value.top());
    if (top == 0) return;
  }
  round_at(value, place + leading_bit(top));
}

// The sum as a number; it is not zero.
template <int K>
Number<K> number_of(const Accumulator<K>& sum) {
  Guarded<K> value = sum.value;
  const Word minus = value.top() >> 63;
  if (minus != 0) negate(value);
  const unsigned below = 63 - leading_bit(value.top());
  return {sum.grid - below, minus, without_guard<K>(shifted_left(value, below))};
}

}  // namespace precipice::limbs::generic
