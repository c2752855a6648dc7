// The laws of exact sums in limbs: rows of entries times a vector, drawn so that sums cancel, come
// near ties or lie on them, or are spread over more bits than any window has.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <vector>

#include "limb_aims.hpp"
#include "limb_data.hpp"
#include "linalg/exact_limb_sums.hpp"
#include "slow_exact.hpp"

namespace precipice::test {

enum class ExactMood {
  plain,       // terms of one size
  ordinary,    // the same, of significands that find mistakes
  scattered,   // exponents anywhere
  cancelling,  // every term twice, with both signs, but for few
  ties,        // the sum of all others lies on a tie, which a far term may decide
  zeros,       // most terms are
  specials     // infinities and NaN
};
inline constexpr std::size_t exact_moods = 7;

// One product of a matrix and a vector, drawn beside its sums.
class DrawnExactSums {
 public:
  DrawnExactSums(LimbSubject& on, const Width& width, ExactMood mood, std::size_t outputs,
                 std::size_t terms, bool subnormals = false)
      : on_(on), width_(width), mood_(mood), terms_(terms), format_(format_of(on.p, subnormals)) {
    for (std::size_t k = 0; k < terms; ++k) u_.push_back(drawn(on.p.bits));
    for (std::size_t i = 0; i < outputs; ++i) {
      std::vector<Slow> row;
      for (std::size_t k = 0; k < terms; ++k) row.push_back(drawn(width.bits));
      rows_.push_back(row);
    }
    if (mood == ExactMood::cancelling) cancel();
    if (mood == ExactMood::ties) aim_at_ties();
    if (mood == ExactMood::specials) put_specials();
  }

  // Every packing of the entries that holds them gives these sums.
  long check() {
    for (const Packing packing : width_.packings)
      if (packing == Packing::stored || mood_ != ExactMood::specials) check(packing);
    return static_cast<long>(rows_.size());
  }

 private:
  // The kernels' range is where every number has p bits; subnormals lie below.
  static Format format_of(const Precision& p, bool subnormals) {
    const long emin = subnormals ? p.emin - p.bits + 1 : p.emin;
    return {"limbs", Family::mpfr, p.bits, emin, p.emax, subnormals};
  }

  Slow drawn(int bits) {
    LimbDraws& draws = on_.draws;
    Slow x(on_.p.bits), narrow(bits);
    const long spread = mood_ == ExactMood::scattered ? width_.depth / 2 : 12;
    const mpfr_exp_t exponent = draws.between(-spread, 0);
    switch (mood_) {
      case ExactMood::plain: draws.plain_number(narrow.get(), bits, exponent); break;
      case ExactMood::zeros:
        if (!draws.one_in(4)) {
          draws.zero(narrow.get());
          break;
        }
        [[fallthrough]];
      default: draws.number(narrow.get(), bits, exponent);
    }
    mpfr_set(x.get(), narrow.get(), MPFR_RNDN);
    return x;
  }

  // Terms k and k + 1 are opposite: x u and x (-u).
  void cancel() {
    const bool wholly = on_.draws.one_in(3);
    for (std::size_t k = 0; k + 1 < terms_; k += 2) {
      mpfr_neg(u_[k + 1].get(), u_[k].get(), MPFR_RNDN);
      if (on_.draws.one_in(8)) nudge(u_[k + 1].get(), wholly ? 0 : 1);
      for (auto& row : rows_) {
        row[k + 1] = row[k];
        if (!wholly && on_.draws.one_in(16)) mpfr_neg(row[k].get(), row[k].get(), MPFR_RNDN);
      }
    }
    if (terms_ % 2 == 1 && wholly) mpfr_set_zero(u_[terms_ - 1].get(), 1);
  }

  // The first term is odd in the last place of p bits; the second half an odd one, the third tiny.
  void aim_at_ties() {
    LimbDraws& draws = on_.draws;
    const int p = on_.p.bits;
    for (std::size_t k = 0; k < terms_; ++k) mpfr_set_zero(u_[k].get(), 1);
    if (terms_ < 3) return;
    draws.number(u_[0].get(), p, 0);
    mpfr_set_ui_2exp(u_[1].get(), 1, -p - static_cast<long>(draws.below(2)), MPFR_RNDN);
    const std::size_t last = 2 + draws.below(terms_ - 2);
    const long far[] = {1, 20, 52, 104, p, 2 * p, 3 * p, 2000};
    mpfr_set_ui_2exp(u_[last].get(), 1, -p - far[draws.below(8)], MPFR_RNDN);
    for (auto& row : rows_)
      for (std::size_t k = 0; k < terms_; ++k) {
        const bool none = k == last && draws.one_in(2);
        mpfr_set_si(row[k].get(), none ? 0 : draws.one_in(2) ? 1 : -1, MPFR_RNDN);
      }
  }

  void put_specials() {
    for (auto& row : rows_)
      for (Slow& x : row) put_special(x);
    for (Slow& x : u_) put_special(x);
  }
  void put_special(Slow& x) {
    const char* const specials[] = {"inf", "-inf", "nan", "0", "-0"};
    if (on_.draws.one_in(4 * terms_))
      mpfr_strtofr(x.get(), specials[on_.draws.below(5)], nullptr, 0, MPFR_RNDN);
  }

  void check(Packing packing) {
    const Precision& p = on_.p;
    const std::size_t outputs = rows_.size(), groups = limbs::groups_of(p, outputs);
    const Groups u(p, u_), out(p, outputs);
    limbs::Extremes extremes;
    for (const auto& row : rows_) include(extremes, row);
    const Exponent top = extremes.least > extremes.top ? 0 : extremes.top;
    Entries entries(on_, packing, groups, terms_, top);
    for (std::size_t i = 0; i < groups * on_.lanes(); ++i)  // the last row again in lanes beyond
      for (std::size_t k = 0; k < terms_; ++k)
        entries.put(i, k, rows_[std::min(i, outputs - 1)][k], on_.draws.between(0, 40));
    const StopFlag stop{false};
    ExactLimbSums sums(on_.kernels, p, format_, stop);
    sums.set_vector(u.data(), terms_, extremes);
    sums.sums(out.data(), entries.matrix(), outputs);
    CHECK(out.ends_untouched(), on_.path, p.bits, terms_);
    for (std::size_t i = 0; i < outputs; ++i) {
      const Slow expected = sum_of(i);
      CHECK(out.holds(i, expected), on_.path, p.bits, name(packing), static_cast<int>(mood_),
            terms_, i, out.number(i), expected);
    }
    if (packing == Packing::stored) check_dot(sums);
  }

  void check_dot(ExactLimbSums& sums) {
    const Groups a(on_.p, rows_[0]), u(on_.p, u_), out(on_.p, 1);
    sums.dot(out.data(), a.data(), u.data(), terms_);
    CHECK(out.holds(0, sum_of(0)), on_.path, on_.p.bits, "dot", static_cast<int>(mood_), terms_,
          out.number(0), sum_of(0));
  }

  Slow sum_of(std::size_t row) const {
    SlowExactSum sum;
    for (std::size_t k = 0; k < terms_; ++k) sum.add(rows_[row][k].get(), u_[k].get());
    return sum.rounded(format_);
  }

  static void include(limbs::Extremes& extremes, const std::vector<Slow>& numbers) {
    for (const Slow& x : numbers) {
      if (mpfr_zero_p(x.get())) continue;
      const bool number = mpfr_number_p(x.get()) != 0;
      extremes.include(limbs::head(number ? mpfr_get_exp(x.get()) : limbs::nan_exponent, false));
    }
  }

  LimbSubject& on_;
  Width width_;
  ExactMood mood_;
  std::size_t terms_;
  Format format_;
  std::vector<Slow> u_;
  std::vector<std::vector<Slow>> rows_;
};

// The fewest and the most bits of numbers of limbs and of windows, and others.
inline bool is_listed(int bits) {
  if (bits <= 12 || bits == 24 || bits == 26 || bits == 53 || bits == 64 || bits == 113)
    return true;
  if (bits == 128 || bits == 256 || bits == 512 || bits == 1024 || bits > 1130) return true;
  const int of_limb = bits % 52;
  return (of_limb >= 40 && of_limb <= 43) || (bits < 210 && of_limb >= 20 && of_limb <= 30);
}

// Drawn at one precision; returns how many sums were compared.
inline long exact_limb_laws(const char* path, const limbs::Kernels& kernels, int bits,
                            unsigned long round) {
  const auto range = ExponentRange::widest();
  constexpr Exponent emax = (Exponent(1) << 30) - 1;
  LimbSubject on{path, kernels, kernels.precision(bits, -emax, emax),
                 LimbDraws(round * 10000 + static_cast<unsigned long>(bits))};
  long sums = 0;
  for (const Width& width : widths(bits))
    for (std::size_t mood = 0; mood < exact_moods; ++mood) {
      Width here = width;
      here.depth = std::min<Exponent>(width.depth, 1000);
      const std::size_t terms[] = {1, 2, 3, 5, 33, 150};
      DrawnExactSums drawn(on, here, static_cast<ExactMood>(mood), 1 + on.draws.below(18),
                           terms[on.draws.below(on.draws.one_in(4) ? 6 : 5)]);
      sums += drawn.check();
    }
  // A range that sums leave.
  on.p = kernels.precision(bits, -20, 6);
  for (std::size_t mood = 0; mood < exact_moods; ++mood)
    for (const bool subnormals : {false, true})
      sums += DrawnExactSums(on, widths(bits).back(), static_cast<ExactMood>(mood),
                             1 + on.draws.below(9), 1 + on.draws.below(40), subnormals)
                  .check();
  return sums;
}

}  // namespace precipice::test
