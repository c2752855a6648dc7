// Into fixed point and out of it: vectors to windows, columns to rounded numbers. The number of
// limbs is looked at at run time: this is done once an element or a sum, not once a term.
#pragma once

#include "limbs/avx512ifma/placing.hpp"
#include "limbs/avx512ifma/rounding.hpp"
#include "limbs/fixed_point.hpp"

namespace precipice::limbs::avx512ifma {

PRECIPICE_INLINE void propagate_carries(Lanes* v, int n) {  // as of arrays in normalise.hpp
  for (int i = 0; i + 1 < n; ++i) {
    v[i + 1] = add(v[i + 1], signed_carry_of(v[i]));
    v[i] = low_limb(v[i]);
  }
}

// Half the sum of the lanes' integers, limbs propagated.
inline void halve_total(Word* half, const Lanes* sum, int n) {
  Word carry = 0;
  for (int i = 0; i < n; ++i) {
    alignas(64) Word lane[lanes];
    store(lane, sum[i]);
    Word limb = carry;
    for (const Word x : lane) limb += x;
    half[i] = i + 1 < n ? limb & limb_mask : limb;
    carry = limb >> limb_bits;
  }
  for (int i = 0; i < n; ++i)
    half[i] = half[i] >> 1 | (i + 1 < n ? (half[i + 1] & 1) << (limb_bits - 1) : 0);
}

// `to` has room for as many groups as u has, of L limbs; top: no element's exponent is greater.
inline void fix(const Precision& p, FixedVector& fixed, Word* to, int L, const Word* u,
                std::size_t n, Exponent top) {
  constexpr std::size_t groups_that_fit = 2048;
  Lanes sum[most_window + 1];
  for (int i = 0; i <= L; ++i) sum[i] = zero();
  const std::size_t words = words_of_group(p);
  Word* group = to;
  for (std::size_t g = 0; g < groups_of(p, n); ++g, group += lanes * (1 + L)) {
    const Group x{u + g * words};
    const std::size_t left = n - g * lanes;
    const Mask used = static_cast<Mask>(left >= lanes ? 0xff : (1u << left) - 1);
    const Mask numbers = static_cast<Mask>(not_zero(x.limb(p.limbs - 1)) & used);
    Lanes v[most_window];
    place(v, L, x.words, p.limbs, only_where(numbers, subtract(all(top), x.exponent())));
    store(group, _mm512_maskz_set1_epi64(x.minus(), -1));
    for (int i = 0; i < L; ++i) {
      const Lanes limb = only_where(numbers, v[i]);
      store(group + lanes * (1 + i), limb);
      sum[i] = add(sum[i], limb);
    }
    if (g % groups_that_fit == groups_that_fit - 1) propagate_carries(sum, L + 1);
  }
  propagate_carries(sum, L + 1);
  halve_total(fixed.half_total, sum, L + 1);
  fixed.data = to;
  fixed.terms = n;
  fixed.limbs = L;
  fixed.scale = top + p.slack - limb_bits * L;
}

// Sums V 2^scale, V known but for an error below 2^error_bits, to numbers.
class Settling {
 public:
  Settling(const Precision& p, const FixedVector& u, Exponent scale, int error_bits)
      : p_(p),
        half_total_(u.half_total),
        L_(u.limbs),
        tail_(limb_bits * p.limbs - p.slack - p.bits),
        scale_(scale),
        error_bits_(error_bits) {}

  // v: a limb of zero, then L + 1 limbs of the columns, propagated. Returns where the sum is not
  // decided, or not in the range of exponents: what is written there is no result.
  Mask operator()(Word* out, Lanes* v) const {
    const int n = L_ + 2, K = p_.limbs;
    for (int i = 0; i <= L_; ++i) v[i + 1] = subtract(v[i + 1], broadcast(half_total_ + i));
    propagate_carries(v, n);
    const Mask minus = negative(v[n - 1]);
    if (minus != 0) {
      for (int i = 0; i < n; ++i) v[i] = negate_where(minus, v[i]);
      propagate_carries(v, n);
    }
    const Lanes raised = raise(v, n);

    Lanes* const limb = v + n - K;  // of the number, the highest of them
    const Lanes below_ulp = all((Exponent(1) << tail_) - 1);
    // The rest less half an ulp: over * 2^52 + limb[-1], and what lies beneath.
    const Lanes over = subtract(both(limb[0], below_ulp), all(Exponent(1) << (tail_ - 1)));
    const Lanes error = add(raised, all(error_bits_ - p_.slack - limb_bits * (L_ - K)));
    Mask undecided = static_cast<Mask>(near_tie(over, limb[-1], error) | is_zero(limb[K - 1]));

    limb[0] = add_where(static_cast<Mask>(~negative(over)), without(limb[0], below_ulp),
                        add(below_ulp, all(1)));
    propagate_carries(limb, K);
    Lanes exponent = subtract(all(scale_ + limb_bits * (L_ + 1)), raised);
    const int lead = limb_bits - 1 - p_.slack;
    const Mask carried = not_below(limb[K - 1], all(Exponent(2) << lead));
    limb[K - 1] = select(carried, all(Exponent(1) << lead), limb[K - 1]);
    exponent = add_where(carried, exponent, all(1));
    undecided =
        static_cast<Mask>(undecided | less(exponent, all(p_.emin)) | less(all(p_.emax), exponent));

    store(out, add_where(minus, add(exponent, exponent), all(1)));
    for (int i = 0; i < K; ++i) store(out + lanes * (1 + i), limb[i]);
    return undecided;
  }

 private:
  // The leading bit to its place, `slack` below the highest; returns how far it was below that.
  Lanes raise(Lanes* v, int n) const {
    Lanes raised = zero();
    for (int moved = 1; moved < n; ++moved) {
      const Mask low = is_zero(v[n - 1]);
      if (low == 0) break;
      for (int i = n - 1; i > 0; --i) v[i] = select(low, v[i - 1], v[i]);
      v[0] = select(low, zero(), v[0]);
      raised = add_where(low, raised, all(limb_bits));
    }
    const Lanes by = subtract(leading_zeros(v[n - 1]), all(64 - limb_bits));
    const Lanes scale = shift_left(all(1), by);
    for (int i = n - 1; i > 0; --i)
      v[i] = add_high(low_limb(shift_left(v[i], by)), v[i - 1], scale);
    v[0] = low_limb(shift_left(v[0], by));
    const Lanes slack = all(p_.slack), rest = all(limb_bits - p_.slack);
    if (p_.slack > 0)
      for (int i = 0; i < n; ++i)
        v[i] = either(shift_right(v[i], slack),
                      i + 1 < n ? low_limb(shift_left(v[i + 1], rest)) : zero());
    return add(raised, by);
  }

  // Whether a tie may lie within 2^error limbs' units of over * 2^52 + low.
  static Mask near_tie(Lanes over, Lanes low, Lanes error) {
    const Lanes clipped = greater(lesser(over, all(1 << 10)), all(-(1 << 10)));
    const Lanes distance = add(_mm512_slli_epi64(clipped, limb_bits), low);
    const Lanes fine = shift_left(all(1), greater(lesser(error, all(50)), zero()));
    const Lanes coarse =
        shift_left(all(1), greater(lesser(subtract(error, all(limb_bits)), all(60)), zero()));
    return select_mask(less(all(50), error), within(over, coarse), within(distance, fine));
  }
  // -bound - 1 <= x <= bound
  static Mask within(Lanes x, Lanes bound) {
    return static_cast<Mask>(
        ~not_below(add(x, add(bound, all(1))), add(add(bound, bound), all(2))));
  }
  static Mask select_mask(Mask where, Mask yes, Mask no) {
    return static_cast<Mask>((where & yes) | (~where & no));
  }

  const Precision& p_;
  const Word* half_total_;
  int L_, tail_;
  Exponent scale_;
  int error_bits_;
};

}  // namespace precipice::limbs::avx512ifma
