// The oracle of double-double: the programs of Joldes, Muller and Popescu (2017), one float64
// operation of MPFR at a time, on numbers held as hi + lo exactly. Free of the library's code.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <vector>

#include "draws.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {

class SlowPairs {
 public:
  Slow add(const Slow& a, const Slow& b) const {
    const WidestRange range;
    const Pair x = pair(a), y = pair(b);
    const Pair s = two_sum(x.hi, y.hi), t = two_sum(x.lo, y.lo);
    const Pair v = fast_two_sum(s.hi, words_.add(s.lo, t.hi));
    return checked(fast_two_sum(v.hi, words_.add(t.lo, v.lo)), s.hi);
  }
  Slow subtract(const Slow& a, const Slow& b) const {
    Slow minus = b;
    mpfr_neg(minus.get(), b.get(), MPFR_RNDN);
    return add(a, minus);
  }
  Slow multiply(const Slow& a, const Slow& b) const {
    const WidestRange range;
    const Pair x = pair(a), y = pair(b), p = two_product(x.hi, y.hi);
    const Slow first = words_.multiply(x.hi, y.lo), second = words_.multiply(x.lo, y.hi);
    return checked(fast_two_sum(p.hi, words_.add(p.lo, words_.add(first, second))), p.hi);
  }
  Slow divide(const Slow& a, const Slow& b) const {
    const WidestRange range;
    const Pair x = pair(a), y = pair(b);
    const Slow q = words_.divide(x.hi, y.hi);
    const Pair p = two_product(y.hi, q);
    const Pair t = fast_two_sum(p.hi, words_.multiply(y.lo, q));
    const Pair back = fast_two_sum(t.hi, words_.add(t.lo, p.lo));
    const Slow rest = words_.add(words_.subtract(x.hi, back.hi), words_.subtract(x.lo, back.lo));
    return checked(fast_two_sum(q, words_.divide(rest, y.hi)), q);
  }
  Slow integer(long n) const {
    Slow exact(64);
    mpfr_set_si(exact.get(), n, MPFR_RNDN);
    return nearest(exact);
  }
  Slow next_above(const Slow& x) const {
    const WidestRange range;
    const Pair p = pair(x);
    return joined({p.hi, words_.next_above(p.lo)});
  }
  Slow nearest(const Slow& exact) const {
    const WidestRange range;
    return joined(pair(exact));
  }
  Slow number(const Slow& x) const { return nearest(x); }

  // Sums ascend from their first term.
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
    for (auto row = x.begin(); row != x.end(); row += static_cast<std::ptrdiff_t>(u.size()))
      f.push_back(dot(Values(row, row + static_cast<std::ptrdiff_t>(u.size())), u));
    return f;
  }
  Values matvec_transposed(const Values& x, const Values& z) const {
    Values g;
    for (std::size_t columns = x.size() / z.size(), k = 0; k < columns; ++k) {
      Values column;
      for (std::size_t i = 0; i < z.size(); ++i) column.push_back(x[i * columns + k]);
      g.push_back(dot(column, z));
    }
    return g;
  }

 private:
  struct Pair {
    Slow hi, lo;
  };
  static constexpr long all_bits = 2200, all_bits_of_products = 4500;

  static Slow zero() {
    Slow x(53);
    mpfr_set_zero(x.get(), 1);
    return x;
  }
  // hi = RN(x) and lo = RN(x - hi).
  Pair pair(const Slow& x) const {
    const Slow hi = words_.nearest(x);
    if (!finite(hi)) return {hi, zero()};
    Slow rest(all_bits);
    mpfr_sub(rest.get(), x.get(), hi.get(), MPFR_RNDN);
    return {hi, words_.nearest(rest)};
  }
  static Slow joined(const Pair& p) {
    Slow sum(all_bits);
    mpfr_add(sum.get(), p.hi.get(), p.lo.get(), MPFR_RNDN);
    if (mpfr_zero_p(sum.get())) mpfr_set_zero(sum.get(), 1);
    return sum;
  }
  Pair two_sum(const Slow& a, const Slow& b) const {
    const Slow s = words_.add(a, b), b_seen = words_.subtract(s, a),
               a_seen = words_.subtract(s, b_seen);
    return {s, words_.add(words_.subtract(a, a_seen), words_.subtract(b, b_seen))};
  }
  Pair fast_two_sum(const Slow& a, const Slow& b) const {
    const Slow s = words_.add(a, b);
    return {s, words_.subtract(b, words_.subtract(s, a))};
  }
  Pair two_product(const Slow& a, const Slow& b) const {
    const Slow p = words_.multiply(a, b);
    Slow error(all_bits_of_products), minus = p;
    mpfr_neg(minus.get(), p.get(), MPFR_RNDN);
    mpfr_fma(error.get(), a.get(), b.get(), minus.get(), MPFR_RNDN);
    return {p, words_.nearest(error)};
  }
  static Slow checked(const Pair& result, const Slow& leading) {
    if (finite(result.lo)) return joined(result);
    Slow out = leading;
    if (finite(leading)) mpfr_set_inf(out.get(), mpfr_signbit(leading.get()) ? -1 : 1);
    return out;
  }

  SlowArithmetic words_{Format{"float64", Family::float64, 53, -1073, 1024, true}};
};

// Pairs to test with: those nearest to any other format's, and some whose parts lie far apart.
class PairDraws {
 public:
  PairDraws(const Format& format, unsigned long seed) : draws_(format, seed) {}

  std::size_t below(std::size_t n) { return draws_.below(n); }
  Slow number(Kind kind) { return pairs_.nearest(draws_.number(kind)); }
  Values numbers(std::size_t n, Kind kind) {
    Values values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(number(kind));
    return values;
  }

 private:
  Draws draws_;
  SlowPairs pairs_;
};

}  // namespace precipice::test
