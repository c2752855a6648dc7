// The oracle of the Space's laws: numbers of any format as MPFR numbers, one correctly rounded
// operation at a time, and every sum as the loop that the written order describes. Slow, obvious,
// and free of the library's code: it shares only the description of a format.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cstddef>
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

class SlowArithmetic {
 public:
  explicit SlowArithmetic(const Format& format) : format_(format) {}

  Slow multiply(const Slow& a, const Slow& b) const { return binary(mpfr_mul, a, b); }
  Slow add(const Slow& a, const Slow& b) const { return binary(mpfr_add, a, b); }
  Slow subtract(const Slow& a, const Slow& b) const { return binary(mpfr_sub, a, b); }
  Slow divide(const Slow& a, const Slow& b) const { return binary(mpfr_div, a, b); }
  Slow integer(long n) const {
    return rounded([&](mpfr_ptr out) { return mpfr_set_si(out, n, MPFR_RNDN); });
  }
  Slow number(const Slow& x) const {
    return rounded([&](mpfr_ptr out) { return mpfr_set(out, x.get(), MPFR_RNDN); });
  }

  // The next number of the format; mpfr_nextabove knows of no subnormals.
  Slow next_above(const Slow& x) const {
    Slow least(format_.precision);
    mpfr_set_ui_2exp(least.get(), 1, format_.emin - 1, MPFR_RNDN);
    if (format_.subnormals && finite(x) &&
        (mpfr_zero_p(x.get()) || mpfr_get_exp(x.get()) - format_.precision < format_.emin))
      return add(x, least);
    return rounded([&](mpfr_ptr out) {
      mpfr_set(out, x.get(), MPFR_RNDN);
      mpfr_nextabove(out);
      return 0;
    });
  }

  // An exact number rounded by the definition of the format: to a multiple of its last place, the
  // even one at a tie; below the smallest number to a multiple of that; beyond the largest to
  // infinity. MPFR's own rounding, range and mpfr_subnormalize, on which all else here rests, take
  // no part in it.
  Slow nearest(const Slow& exact) const {
    if (!mpfr_regular_p(exact.get())) return exact;
    const mpfr_exp_t exponent = mpfr_get_exp(exact.get());
    mpfr_exp_t last_place = exponent - format_.precision;
    if (format_.subnormals || exponent < format_.emin)
      last_place = std::max(last_place, format_.emin - 1);
    Slow result = exact;
    mpfr_mul_2si(result.get(), result.get(), -last_place, MPFR_RNDN);
    mpfr_roundeven(result.get(), result.get());
    mpfr_mul_2si(result.get(), result.get(), last_place, MPFR_RNDN);
    if (mpfr_regular_p(result.get()) && mpfr_get_exp(result.get()) > format_.emax)
      mpfr_set_inf(result.get(), mpfr_sgn(result.get()));
    return result;
  }

  Slow dot(const Values& a, const Values& b) const {
    Slow sum = multiply(a[0], b[0]);
    for (std::size_t i = 1; i < a.size(); ++i) sum = add(sum, multiply(a[i], b[i]));
    return sum;
  }
  Slow product(const Values& v, std::size_t skip) const {
    Values kept;
    for (std::size_t j = 0; j < v.size(); ++j)
      if (j != skip) kept.push_back(v[j]);
    Slow result = kept.at(0);
    for (std::size_t j = 1; j < kept.size(); ++j) result = multiply(result, kept[j]);
    return result;
  }
  // f_i = sum_k x[i,k] u[k] and g_k = sum_i x[i,k] z[i], x by rows.
  Values matvec(const Values& x, const Values& u) const {
    Values f;
    for (std::size_t i = 0; i < x.size() / u.size(); ++i) {
      const auto row = x.begin() + static_cast<std::ptrdiff_t>(i * u.size());
      f.push_back(dot(Values(row, row + static_cast<std::ptrdiff_t>(u.size())), u));
    }
    return f;
  }
  Values matvec_transposed(const Values& x, const Values& z) const {
    const std::size_t columns = x.size() / z.size();
    Values g;
    for (std::size_t k = 0; k < columns; ++k) {
      Values column;
      for (std::size_t i = 0; i < z.size(); ++i) column.push_back(x[i * columns + k]);
      g.push_back(dot(column, z));
    }
    return g;
  }

  const Format& format() const { return format_; }

 private:
  template <class Operation>
  Slow rounded(Operation operation) const {
    const mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
    mpfr_set_emin(format_.emin);
    mpfr_set_emax(format_.emax);
    Slow out(format_.precision);
    const int ternary = operation(out.get());
    if (format_.subnormals) mpfr_subnormalize(out.get(), ternary, MPFR_RNDN);
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
    return out;
  }
  template <class Operation>
  Slow binary(Operation operation, const Slow& a, const Slow& b) const {
    return rounded([&](mpfr_ptr out) { return operation(out, a.get(), b.get(), MPFR_RNDN); });
  }

  Format format_;
};

}  // namespace precipice::test
