// Significands that find mistakes in arithmetic with limbs, and numbers made of them.
#pragma once

#include <gmp.h>
#include <mpfr.h>

#include <cstddef>

#include "slow_numbers.hpp"

namespace precipice::test {

class BigInteger {
 public:
  BigInteger() { mpz_init(value_); }
  BigInteger(const BigInteger&) = delete;
  BigInteger& operator=(const BigInteger&) = delete;
  ~BigInteger() { mpz_clear(value_); }
  operator mpz_ptr() { return value_; }
  operator mpz_srcptr() const { return value_; }

 private:
  mpz_t value_;
};

class LimbDraws {
 public:
  explicit LimbDraws(unsigned long seed) {
    gmp_randinit_mt(state_);
    gmp_randseed_ui(state_, seed);
  }
  LimbDraws(const LimbDraws&) = delete;
  LimbDraws& operator=(const LimbDraws&) = delete;
  ~LimbDraws() { gmp_randclear(state_); }

  std::size_t below(std::size_t n) { return gmp_urandomm_ui(state_, n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  long between(long low, long high) {
    return low + static_cast<long>(below(static_cast<std::size_t>(high - low + 1)));
  }

  // A positive integer of at most `width` bits.
  void significand(mpz_ptr m, int width) {
    const auto bits = static_cast<mp_bitcnt_t>(width);
    switch (below(9)) {
      case 0:  // few bits
        mpz_set_ui(m, 1 + below(width < 4 ? (1u << width) - 1 : 9));
        break;
      case 1:  // long runs of ones and zeros
      case 2: mpz_rrandomb(m, state_, bits); break;
      case 3:  // a power of two and its neighbours, if they fit
        mpz_set_ui(m, 0);
        mpz_setbit(m, below(bits));
        if (one_in(2)) mpz_setbit(m, 0);
        if (one_in(3) && mpz_cmp_ui(m, 2) >= 0) mpz_sub_ui(m, m, 1);
        break;
      case 4:  // nothing but ones
        mpz_set_ui(m, 0);
        mpz_setbit(m, 1 + below(bits));
        mpz_sub_ui(m, m, 1);
        break;
      case 5: limb_by_limb(m, width); break;
      case 6: any_significand(m, static_cast<int>(between(1, width))); break;
      default: any_significand(m, width);
    }
  }

  // x = +-m 2^k, of the exponent given, m such a significand.
  void number(mpfr_ptr x, int width, mpfr_exp_t exponent) {
    significand(m_, width);
    set(x, exponent);
  }
  // The same where every bit of m is as likely as not: nothing rare happens to it.
  void plain_number(mpfr_ptr x, int width, mpfr_exp_t exponent) {
    any_significand(m_, width);
    set(x, exponent);
  }
  void zero(mpfr_ptr x) { mpfr_set_zero(x, one_in(2) ? 1 : -1); }

  // The lowest `width` bits of a product that loses about `dropped` of them by rounding: it is
  // nearly a tie, nearly exact, or has runs of zeros and ones there.
  void lowest_bits(mpz_ptr bits, int width, int dropped) {
    if (one_in(4)) return mpz_rrandomb(bits, state_, static_cast<mp_bitcnt_t>(width));
    const long tie = dropped - 1 - between(0, 1);
    mpz_set_ui(bits, 0);
    if (tie >= 0 && !one_in(4)) mpz_setbit(bits, static_cast<mp_bitcnt_t>(tie));
    mpz_set_ui(m_, one_in(2) ? 1 : 1 + below(8));
    mpz_mul_2exp(m_, m_, below(static_cast<std::size_t>(width)));
    (one_in(2) ? mpz_add : mpz_sub)(bits, bits, m_);
  }

 private:
  void set(mpfr_ptr x, mpfr_exp_t exponent) {
    mpfr_set_z(x, m_, MPFR_RNDN);
    mpfr_set_exp(x, exponent);
    mpfr_setsign(x, x, one_in(2), MPFR_RNDN);
  }

  void any_significand(mpz_ptr m, int width) {
    mpz_urandomb(m, state_, static_cast<mp_bitcnt_t>(width));
    mpz_setbit(m, static_cast<mp_bitcnt_t>(width - 1));
  }

  // Each limb, from the highest: zeros, ones, one bit, or any.
  void limb_by_limb(mpz_ptr m, int width) {
    const mp_bitcnt_t limb = one_in(2) ? 52 : 64, bits = static_cast<mp_bitcnt_t>(width);
    mp_bitcnt_t size = 0;
    for (mpz_set_ui(m, 0); size < bits; size += limb) {
      mpz_set_ui(chunk_, 0);
      const std::size_t kind = below(4);
      if (kind == 1) mpz_setbit(chunk_, limb);
      if (kind == 1) mpz_sub_ui(chunk_, chunk_, 1);
      if (kind == 2) mpz_setbit(chunk_, below(limb));
      if (kind == 3) mpz_urandomb(chunk_, state_, limb);
      mpz_mul_2exp(m, m, limb);
      mpz_add(m, m, chunk_);
    }
    mpz_fdiv_q_2exp(m, m, size - bits);
    mpz_setbit(m, bits - 1);
  }

  gmp_randstate_t state_;
  BigInteger m_, chunk_;
};

}  // namespace precipice::test
