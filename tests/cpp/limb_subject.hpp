// The kernels of one table at one precision, and what they are tested with: arrays whose words are
// compared with MPFR's results, and MPFR in the place of their rescue.
#pragma once

#include <mpfr.h>

#include <array>
#include <cstddef>

#include "check.hpp"
#include "limb_draws.hpp"
#include "limbs/aligned_words.hpp"
#include "limbs/convert.hpp"
#include "limbs/kernels.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {

using limbs::Exponent;
using limbs::Operation;
using limbs::Precision;
using limbs::Word;

struct LimbSubject {
  const char* path;
  const limbs::Kernels& kernels;
  Precision p;
  LimbDraws draws;

  std::size_t lanes() const { return static_cast<std::size_t>(p.lanes); }
};

// Numbers in groups. Lanes beyond the last number hold what would be seen in a result that they
// had a part in; behind the last group there is one that nothing may write.
class Groups {
 public:
  Groups(const Precision& p, std::size_t n)
      : p_(p), size_(limbs::words_of_group(p) * limbs::groups_of(p, n)) {
    const std::size_t all = size_ + limbs::words_of_group(p);
    words_ = limbs::AlignedWords(all);
    for (std::size_t w = 0; w < all; ++w) words_.data()[w] = junk;
    const char* const spoilers[] = {"-inf", "nan", "0x3p+9"};
    Slow spoiler(p.bits);
    for (std::size_t i = n; i % lanes() != 0; ++i) {
      mpfr_strtofr(spoiler.get(), spoilers[i % 3], nullptr, 0, MPFR_RNDN);
      put(i, spoiler);
    }
  }
  Groups(const Precision& p, const Values& values) : Groups(p, values.size()) {
    for (std::size_t i = 0; i < values.size(); ++i) put(i, values[i]);
  }

  Word* data() const { return words_.data(); }
  void put(std::size_t i, const Slow& x) { limbs::store(p_, lane(i), x.get()); }
  Slow number(std::size_t i) const {
    Slow x(p_.bits);
    limbs::load(p_, x.get(), lane(i));
    return x;
  }
  // Word for word; any NaN is the NaN.
  bool holds(std::size_t i, const Slow& expected) const {
    Precision one = p_;
    one.lanes = 1;
    std::array<Word, 32> words;
    limbs::store(one, words.data(), expected.get());
    const Word* const here = lane(i);
    if (mpfr_nan_p(expected.get()) != 0)
      return limbs::exponent_of(*here) == limbs::exponent_of(words[0]);
    for (std::size_t w = 0; w <= static_cast<std::size_t>(p_.limbs); ++w)
      if (here[w * lanes()] != words[w]) return false;
    return true;
  }
  bool ends_untouched() const {
    for (std::size_t w = 0; w < limbs::words_of_group(p_); ++w)
      if (words_.data()[size_ + w] != junk) return false;
    return true;
  }

 private:
  static constexpr Word junk = 0x5bd1e995a5c3f00d;

  std::size_t lanes() const { return static_cast<std::size_t>(p_.lanes); }
  Word* lane(std::size_t i) const { return limbs::lane_of(p_, words_.data(), i); }

  Precision p_;
  std::size_t size_;
  limbs::AlignedWords words_;
};

// out = a op b, or a / n. True where kernels have to leave it to the rescue: an operand that is no
// number, a result beyond the thread's range of exponents, a divisor of 0 or of 53 bits and more.
inline bool by_mpfr(Operation operation, mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b, Word n) {
  const bool special = mpfr_number_p(a) == 0 || mpfr_number_p(b) == 0 ||
                       (operation == Operation::divide && (n == 0 || n >> 52 != 0));
  mpfr_clear_flags();
  switch (operation) {
    case Operation::multiply: mpfr_mul(out, a, b, MPFR_RNDN); break;
    case Operation::add: mpfr_add(out, a, b, MPFR_RNDN); break;
    case Operation::subtract: mpfr_sub(out, a, b, MPFR_RNDN); break;
    case Operation::divide: mpfr_div_ui(out, a, n, MPFR_RNDN); break;
  }
  return special || mpfr_overflow_p() != 0 || mpfr_underflow_p() != 0;
}

// Carries out the groups that kernels leave to it, and counts them.
class MpfrRescue {
 public:
  explicit MpfrRescue(const Precision& p) : p_(p), a_(p.bits), b_(p.bits), out_(p.bits) {}
  limbs::Rescue rescue() { return {&call, this}; }
  std::size_t calls() const { return calls_; }

 private:
  static void call(void* context, Operation operation, Word* out, const Word* a, const Word* b,
                   Word n) {
    MpfrRescue& here = *static_cast<MpfrRescue*>(context);
    ++here.calls_;
    for (std::size_t lane = 0; lane < static_cast<std::size_t>(here.p_.lanes); ++lane) {
      limbs::load(here.p_, here.a_.get(), a + lane);
      limbs::load(here.p_, here.b_.get(), (operation == Operation::divide ? a : b) + lane);
      by_mpfr(operation, here.out_.get(), here.a_.get(), here.b_.get(), n);
      limbs::store(here.p_, out + lane, here.out_.get());
    }
  }

  Precision p_;
  Slow a_, b_, out_;
  std::size_t calls_ = 0;
};

}  // namespace precipice::test
