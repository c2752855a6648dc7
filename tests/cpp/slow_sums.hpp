// Sums of products in every order, as the written order describes them: slow, obvious, and free of
// the library's code but for the description of an arithmetic and Philox.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "check.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/philox.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {

// The draw of a rounding: of a step, a call of the Space, an element of its output, an index.
struct SlowDraws {
  std::uint64_t seed, run, step, call;
  std::uint32_t operator()(std::uint64_t element, std::uint64_t index) const {
    const auto words = Philox::block({step, call, element, index / 8}, {seed, run});
    const std::uint64_t word = words[index % 8 / 2];
    return static_cast<std::uint32_t>(index % 2 == 1 ? word >> 32 : word);
  }
};

class SlowSum {
 public:
  using Draw = std::function<std::uint32_t(std::uint64_t index)>;

  SlowSum(const Format& accumulate, const Format& destination, Order order, Draw draw)
      : in_(accumulate), to_(destination), order_(order), draw_(std::move(draw)) {}

  Slow operator()(const Values& x, const Values& y, bool along_a_row) const {
    const std::size_t n = x.size();
    if (order_ == Order::exact) return exact(x, y);
    Slow s = n == 1 ? term(x, y, 0) : sum(x, y, along_a_row);
    return to_.convert(s, draw_(std::uint64_t(1) << 63));
  }

 private:
  Slow term(const Values& x, const Values& y, std::size_t k) const {
    return in_.multiply(x[k], y[k], draw_(k));
  }
  Slow sum(const Values& x, const Values& y, bool along_a_row) const {
    switch (order_) {
      case Order::fused: return fused(x, y);
      case Order::blocked: return blocked(x, y, along_a_row);
      case Order::pairwise: return pairwise(x, y, 0, x.size());
      case Order::kahan: return kahan(x, y);
      default: return partial(x, y, 0, x.size(), 1);
    }
  }
  // Of the terms first, first + stride, ... below end.
  Slow partial(const Values& x, const Values& y, std::size_t first, std::size_t end,
               std::size_t stride) const {
    Slow s = term(x, y, first);
    for (std::size_t k = first + stride; k < end; k += stride)
      s = in_.add(s, term(x, y, k), draw_(x.size() + k));
    return s;
  }
  Slow fused(const Values& x, const Values& y) const {
    Slow s = term(x, y, 0);
    for (std::size_t k = 1; k < x.size(); ++k) s = in_.fma(x[k], y[k], s, draw_(x.size() + k));
    return s;
  }
  Slow blocked(const Values& x, const Values& y, bool along_a_row) const {
    const std::size_t n = x.size();
    Values s;
    if (along_a_row)
      for (std::size_t r = 0; r < 32 && r < n; ++r) s.push_back(partial(x, y, r, n, 32));
    else
      for (std::size_t c = 0; 32 * c < n; ++c)
        s.push_back(partial(x, y, 32 * c, std::min(n, 32 * c + 32), 1));
    std::size_t power = 1;
    while (power < s.size()) power *= 2;
    for (std::size_t w = power / 2; w >= 1; w /= 2)
      for (std::size_t t = 0; t < w; ++t)
        if (t + w < s.size()) s[t] = in_.add(s[t], s[t + w], draw_(2 * n + w + t));
    return s[0];
  }
  Slow pairwise(const Values& x, const Values& y, std::size_t a, std::size_t b) const {
    if (b - a == 1) return term(x, y, a);
    std::size_t h = 1;
    while (2 * h < b - a) h *= 2;
    return in_.add(pairwise(x, y, a, a + h), pairwise(x, y, a + h, b), draw_(x.size() + a + h));
  }
  Slow kahan(const Values& x, const Values& y) const {
    const std::size_t n = x.size();
    Slow s = term(x, y, 0), c = in_.integer(0);
    for (std::size_t k = 1; k < n; ++k) {
      const Slow corrected = in_.subtract(term(x, y, k), c, draw_(n + 4 * k));
      const Slow next = in_.add(s, corrected, draw_(n + 4 * k + 1));
      const Slow added = in_.subtract(next, s, draw_(n + 4 * k + 2));
      c = in_.subtract(added, corrected, draw_(n + 4 * k + 3));
      s = next;
    }
    return s;
  }

  // With as many bits as the exact sum has, which must not be too many.
  Slow exact(const Values& x, const Values& y) const {
    const WidestRange range;
    Values terms;
    mpfr_exp_t top = 0, bottom = 0;
    bool all_negative = true, all_positive = true;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const long bits = mpfr_get_prec(x[k].get()) + mpfr_get_prec(y[k].get());
      Slow& t = terms.emplace_back(bits);
      mpfr_mul(t.get(), x[k].get(), y[k].get(), MPFR_RNDN);
      (mpfr_signbit(t.get()) ? all_positive : all_negative) = false;
      if (!mpfr_regular_p(t.get())) continue;
      top = std::max(top, mpfr_get_exp(t.get()));
      bottom = std::min(bottom, mpfr_get_exp(t.get()) - bits);
    }
    CHECK(top - bottom < 1000000, "the exact sum", top, bottom);
    Slow s(std::min<long>(top - bottom, 1000000) + 64);
    mpfr_set_zero(s.get(), 1);
    for (const Slow& t : terms) mpfr_add(s.get(), s.get(), t.get(), MPFR_RNDN);
    if (mpfr_zero_p(s.get()))
      mpfr_setsign(s.get(), s.get(), all_negative || (!all_positive && downward()) ? 1 : 0,
                   MPFR_RNDN);
    return to_.rounded(s, draw_(x.size()));
  }
  bool downward() const { return to_.format().rounding == Rounding::downward; }

  SlowArithmetic in_, to_;
  Order order_;
  Draw draw_;
};

}  // namespace precipice::test
