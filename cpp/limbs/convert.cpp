#include "limbs/convert.hpp"

#include <bit>
#include <cstdlib>

#include "numbers/mpfr_number.hpp"

namespace precipice::limbs {
namespace {

static_assert(GMP_NUMB_BITS == 64, "MPFR's significands are read as 64-bit words");

// Both kinds of significands are fractions with the leading one first, so bit 0 of MPFR's lies this
// far above bit 0 of the stored one; where it lies below, the bits between are zero.
long offset_of(const Precision& p, long words) {
  return static_cast<long>(p.limb_bits) * p.limbs - p.slack - 64 * words;
}

long words_of(mpfr_srcptr x) {
  return (static_cast<long>(mpfr_get_prec(x)) + 63) / 64;
}

long word_of(long position) {  // rounded down
  return position >= 0 ? position / 64 : -((63 - position) / 64);
}

Word shifted(Word word, long left) {
  if (std::abs(left) >= 64) return 0;
  return left >= 0 ? word << left : word >> -left;
}

// The 64 bits of a significand from bit `position` on; beyond its ends they are zero.
Word bits_from(const mp_limb_t* significand, long words, long position) {
  const long first = word_of(position);
  Word bits = 0;
  for (long j = first; j <= first + 1; ++j)
    if (j >= 0 && j < words) bits |= shifted(significand[j], 64 * j - position);
  return bits;
}

Exponent special_exponent(mpfr_srcptr x) {
  if (mpfr_nan_p(x)) return nan_exponent;
  return mpfr_inf_p(x) ? infinity_exponent : zero_exponent;
}

int kind_of(Word head) {
  if (is_zero(head)) return MPFR_ZERO_KIND;
  if (is_number(head)) return MPFR_REGULAR_KIND;
  return exponent_of(head) == infinity_exponent ? MPFR_INF_KIND : MPFR_NAN_KIND;
}

// The leading 64 bits, the last of them set if any bit below is.
Word leading_bits(const Precision& p, const Word* lane) {
  const long offset = static_cast<long>(p.limb_bits) * p.limbs - p.slack - 64;
  Word bits = 0, below = 0;
  for (int i = 0; i < p.limbs; ++i) {
    const Word limb = lane[(1 + i) * p.lanes];
    const long position = static_cast<long>(p.limb_bits) * i - offset;
    bits |= shifted(limb, position);
    if (position < 0) below |= position <= -64 ? limb : limb << (64 + position);
  }
  return bits | (below != 0 ? 1 : 0);
}

}  // namespace

void store(const Precision& p, Word* lane, mpfr_srcptr x) {
  const bool minus = mpfr_signbit(x) != 0, regular = mpfr_regular_p(x) != 0;
  lane[0] = head(regular ? mpfr_get_exp(x) : special_exponent(x), minus);
  const auto* const significand = static_cast<const mp_limb_t*>(mpfr_custom_get_significand(x));
  const long words = words_of(x), offset = offset_of(p, words);
  const Word mask = ~Word(0) >> (64 - p.limb_bits);
  for (int i = 0; i < p.limbs; ++i) {
    const long position = static_cast<long>(p.limb_bits) * i - offset;
    lane[(1 + i) * p.lanes] = regular ? bits_from(significand, words, position) & mask : 0;
  }
}

void load(const Precision& p, mpfr_ptr x, const Word* lane) {
  auto* const significand = static_cast<mp_limb_t*>(mpfr_custom_get_significand(x));
  const long words = words_of(x), offset = offset_of(p, words);
  const int kind = kind_of(lane[0]);
  mpfr_custom_init_set(x, minus_of(lane[0]) ? -kind : kind, exponent_of(lane[0]), mpfr_get_prec(x),
                       significand);
  if (kind != MPFR_REGULAR_KIND) return;
  for (long j = 0; j < words; ++j) significand[j] = 0;
  for (int i = 0; i < p.limbs; ++i) {
    const Word limb = lane[(1 + i) * p.lanes];
    const long position = static_cast<long>(p.limb_bits) * i - offset;
    const long first = word_of(position);
    for (long j = first; j <= first + 1; ++j)
      if (j >= 0 && j < words) significand[j] |= shifted(limb, position - 64 * j);
  }
}

double to_double(const Precision& p, const Word* lane) {
  const Exponent exponent = exponent_of(lane[0]);
  if (exponent < -1021 || exponent > 1024) {  // zero, infinite, NaN, or beyond the normal numbers
    MpfrNumber x(p.bits);
    load(p, x, lane);
    return mpfr_get_d(x, MPFR_RNDN);
  }
  const Word bits = leading_bits(p, lane);
  const Word rest = bits & 0x7ff, half = 0x400;
  Word significand = bits >> 11;  // of 53 bits; its leading one adds 1 to the exponent below
  if (rest > half || (rest == half && (significand & 1) != 0)) ++significand;
  const Word magnitude = (static_cast<Word>(exponent + 1021) << 52) + significand;
  return std::bit_cast<double>(Word(minus_of(lane[0])) << 63 | magnitude);
}

bool same(const Precision& p, const Word* a, const Word* b) {
  if (is_zero(a[0]) && is_zero(b[0])) return true;
  if (a[0] != b[0] || !is_number(a[0])) return false;
  for (int i = 1; i <= p.limbs; ++i)
    if (a[i * p.lanes] != b[i * p.lanes]) return false;
  return true;
}

}  // namespace precipice::limbs
