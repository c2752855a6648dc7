// The oracle of the Space's laws: numbers of any format as MPFR numbers, one rounded operation at a
// time, and every sum as the loop that the written order describes. Slow, obvious, and free of the
// library's code: it shares only the description of a format.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "numbers/format.hpp"

namespace precipice::test {

class Slow {
 public:
  explicit Slow(long precision) { mpfr_init2(value_, precision); }
  Slow(const Slow& other) : Slow(mpfr_get_prec(other.value_)) {
    mpfr_set(value_, other.value_, MPFR_RNDN);
  }
  Slow& operator=(const Slow& other) {
    mpfr_set_prec(value_, mpfr_get_prec(other.value_));
    mpfr_set(value_, other.value_, MPFR_RNDN);
    return *this;
  }
  ~Slow() { mpfr_clear(value_); }
  mpfr_ptr get() { return value_; }
  mpfr_srcptr get() const { return value_; }

  std::string text() const {
    char* buffer = nullptr;
    mpfr_asprintf(&buffer, "%Ra", value_);
    const std::string result = buffer;
    mpfr_free_str(buffer);
    return result;
  }

 private:
  mpfr_t value_;
};

inline std::ostream& operator<<(std::ostream& out, const Slow& x) {
  return out << x.text();
}

// Bit for bit; any NaN is the NaN.
inline bool identical(const Slow& a, const Slow& b) {
  if (mpfr_nan_p(a.get()) || mpfr_nan_p(b.get())) return mpfr_nan_p(a.get()) && mpfr_nan_p(b.get());
  return mpfr_equal_p(a.get(), b.get()) && !mpfr_signbit(a.get()) == !mpfr_signbit(b.get());
}
inline bool finite(const Slow& x) {
  return mpfr_number_p(x.get()) != 0;
}
// Equal as numbers (zeros of both signs are), and finite.
inline bool repeats(const Slow& a, const Slow& b) {
  return finite(a) && finite(b) && mpfr_equal_p(a.get(), b.get());
}

using Values = std::vector<Slow>;

// MPFR's widest range of exponents, for as long as this lives.
class WidestRange {
 public:
  WidestRange() : emin_(mpfr_get_emin()), emax_(mpfr_get_emax()) {
    mpfr_set_emin(mpfr_get_emin_min());
    mpfr_set_emax(mpfr_get_emax_max());
  }
  WidestRange(const WidestRange&) = delete;
  WidestRange& operator=(const WidestRange&) = delete;
  ~WidestRange() {
    mpfr_set_emin(emin_);
    mpfr_set_emax(emax_);
  }

 private:
  mpfr_exp_t emin_, emax_;
};

class SlowArithmetic {
 public:
  explicit SlowArithmetic(const Format& format) : format_(format) {}

  // The draw is a stochastic rounding's.
  Slow multiply(const Slow& a, const Slow& b, std::uint32_t draw = 0) const {
    return rounded(exact(mpfr_mul, a, b), draw);
  }
  Slow add(const Slow& a, const Slow& b, std::uint32_t draw = 0) const {
    return rounded(exact(mpfr_add, a, b), draw);
  }
  Slow subtract(const Slow& a, const Slow& b, std::uint32_t draw = 0) const {
    return rounded(exact(mpfr_sub, a, b), draw);
  }
  Slow divide(const Slow& a, const Slow& b, std::uint32_t draw = 0) const {
    return rounded(exact(mpfr_div, a, b), draw);
  }
  Slow fma(const Slow& a, const Slow& b, const Slow& c, std::uint32_t draw = 0) const {
    const auto operation = [&](mpfr_ptr out, mpfr_rnd_t mode) {
      return mpfr_fma(out, a.get(), b.get(), c.get(), mode);
    };
    return rounded(exact(operation), draw);
  }
  Slow sqrt(const Slow& a, std::uint32_t draw = 0) const {
    const auto operation = [&](mpfr_ptr out, mpfr_rnd_t mode) {
      return mpfr_sqrt(out, a.get(), mode);
    };
    return rounded(exact(operation), draw);
  }
  Slow convert(const Slow& a, std::uint32_t draw = 0) const { return rounded(a, draw); }

  // Data: to nearest, whatever the format's rounding.
  Slow integer(long n) const {
    Slow exact(64);
    mpfr_set_si(exact.get(), n, MPFR_RNDN);
    return nearest(exact);
  }
  Slow number(const Slow& x) const { return nearest(x); }
  Slow nearest(const Slow& exact) const { return rounded(exact, 0, Rounding::nearest_even); }

  // The next number of the format; mpfr_nextabove knows of no subnormals.
  Slow next_above(const Slow& x) const {
    const WidestRange range;
    Slow least(format_.precision), above = x;
    mpfr_set_ui_2exp(least.get(), 1, format_.emin - 1, MPFR_RNDN);
    if (format_.subnormals && finite(x) &&
        (mpfr_zero_p(x.get()) || mpfr_get_exp(x.get()) - format_.precision < format_.emin))
      mpfr_add(above.get(), x.get(), least.get(), MPFR_RNDN);
    else if (finite(x) && mpfr_zero_p(x.get()))
      above = least;
    else
      mpfr_nextabove(above.get());
    return nearest(above);
  }

  // An exact number rounded by the definition of the format: to one of the two multiples of its
  // last place that it lies between; below the smallest number to a multiple of that; beyond the
  // largest as the format and the direction have it. MPFR's own rounding, range and
  // mpfr_subnormalize take no part in it.
  Slow rounded(const Slow& exact, std::uint32_t draw, Rounding rounding) const {
    const WidestRange range;
    Slow result(format_.precision);
    mpfr_set(result.get(), exact.get(), MPFR_RNDN);
    if (mpfr_inf_p(exact.get()) && format_.overflow != Overflow::infinity)
      mpfr_set_nan(result.get());
    if (!mpfr_regular_p(exact.get())) return result;
    const mpfr_exp_t exponent = mpfr_get_exp(exact.get());
    mpfr_exp_t last_place = exponent - format_.precision;
    if (format_.subnormals || exponent < format_.emin)
      last_place = std::max(last_place, format_.emin - 1);
    const bool minus = mpfr_signbit(exact.get()) != 0;
    Slow lower = exact, rest = exact;
    mpfr_abs(lower.get(), lower.get(), MPFR_RNDN);
    mpfr_mul_2si(lower.get(), lower.get(), -last_place, MPFR_RNDN);
    mpfr_frac(rest.get(), lower.get(), MPFR_RNDN);
    mpfr_trunc(lower.get(), lower.get());
    if (goes_up(rounding, minus, lower, rest, draw))
      mpfr_add_ui(lower.get(), lower.get(), 1, MPFR_RNDN);
    mpfr_mul_2si(lower.get(), lower.get(), last_place, MPFR_RNDN);
    mpfr_set(result.get(), lower.get(), MPFR_RNDN);
    if (mpfr_regular_p(lower.get()) && mpfr_get_exp(lower.get()) >= format_.emax &&
        exceeds_largest(lower))
      result = beyond_largest(rounding, minus);
    mpfr_setsign(result.get(), result.get(), minus ? 1 : 0, MPFR_RNDN);
    return result;
  }
  Slow rounded(const Slow& exact, std::uint32_t draw) const {
    return rounded(exact, draw, format_.rounding);
  }

  Slow largest() const {
    const WidestRange range;
    Slow wide(format_.precision + 64), result(format_.precision);
    mpfr_set_ui_2exp(wide.get(), 1, format_.precision, MPFR_RNDN);
    mpfr_sub_ui(wide.get(), wide.get(), 1, MPFR_RNDN);
    mpfr_sub_si(wide.get(), wide.get(), format_.reserved, MPFR_RNDN);
    mpfr_mul_2si(result.get(), wide.get(), format_.emax - format_.precision, MPFR_RNDN);
    return result;
  }

  Slow product(const Values& v, std::size_t skip) const {
    Values kept;
    for (std::size_t j = 0; j < v.size(); ++j)
      if (j != skip) kept.push_back(v[j]);
    Slow result = kept.at(0);
    for (std::size_t j = 1; j < kept.size(); ++j) result = multiply(result, kept[j]);
    return result;
  }
  const Format& format() const { return format_; }

 private:
  // Whether a magnitude of `lower` whole units and a rest of one is rounded to the next unit.
  static bool goes_up(Rounding rounding, bool minus, const Slow& lower, const Slow& rest,
                      std::uint32_t draw) {
    const bool inexact = !mpfr_zero_p(rest.get());
    switch (rounding) {
      case Rounding::nearest_even: {
        const int order = mpfr_cmp_ui_2exp(rest.get(), 1, -1);
        if (order != 0) return order > 0;
        Slow half = lower;
        mpfr_div_2ui(half.get(), half.get(), 1, MPFR_RNDN);
        return !mpfr_integer_p(half.get());
      }
      case Rounding::toward_zero: return false;
      case Rounding::upward: return inexact && !minus;
      case Rounding::downward: return inexact && minus;
      case Rounding::away: return inexact;
      case Rounding::stochastic: break;
    }
    Slow scaled = rest;
    mpfr_mul_2ui(scaled.get(), scaled.get(), 33, MPFR_RNDN);
    return mpfr_cmp_ui(scaled.get(), 2 * static_cast<unsigned long>(draw) + 1) > 0;
  }
  bool exceeds_largest(const Slow& magnitude) const {
    const Slow most = largest();
    return mpfr_greater_p(magnitude.get(), most.get()) != 0;
  }
  Slow beyond_largest(Rounding rounding, bool minus) const {
    Slow result(format_.precision);
    const bool back = rounding == Rounding::toward_zero ||
                      (rounding == Rounding::upward && minus) ||
                      (rounding == Rounding::downward && !minus);
    if (back || format_.overflow == Overflow::saturate)
      result = largest();
    else if (format_.overflow == Overflow::infinity)
      mpfr_set_inf(result.get(), 1);
    return result;  // NaN to begin with
  }

  // The exact result, or a number of so many more bits that every rounding of it to the format
  // gives what that of the exact result does: where bits are lost the last one is set.
  template <class Operation>
  Slow exact(Operation operation) const {
    const WidestRange range;
    const long bits = format_.precision + 80;
    Slow out(bits);
    const int lost = operation(out.get(), MPFR_RNDZ);
    if (mpfr_zero_p(out.get()) && format_.rounding == Rounding::downward)
      operation(out.get(), MPFR_RNDD);  // for the sign of a difference that is zero
    if (lost == 0) return out;
    if (mpfr_min_prec(out.get()) == bits) return out;
    if (mpfr_sgn(out.get()) > 0)
      mpfr_nextabove(out.get());
    else
      mpfr_nextbelow(out.get());
    return out;
  }
  template <class Operation>
  Slow exact(Operation operation, const Slow& a, const Slow& b) const {
    return exact(
        [&](mpfr_ptr out, mpfr_rnd_t mode) { return operation(out, a.get(), b.get(), mode); });
  }

  Format format_;
};

}  // namespace precipice::test
