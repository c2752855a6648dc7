// double-double: its operations at pairs of every kind, its conversions, and the laws of a Space,
// against MPFR. PRECIPICE_SOAK=n repeats all of it n times with other numbers.
#include <cstddef>
#include <string>
#include <vector>

#include "laws_of_a_space.hpp"
#include "linalg/native_space.hpp"
#include "slow_pairs.hpp"

namespace precipice::test {

// Minus zero is read back as zero.
struct PairOracle : SlowPairs {
  explicit PairOracle(const Arithmetic&) {}
};
inline Slow as_read(const PairOracle& oracle, const Slow& x) {
  return oracle.nearest(x);
}

template <>
struct OracleOf<NativeSpace<double_double>> {
  using Slow = PairOracle;
  using Numbers = PairDraws;
};

namespace {

const Format format{"double_double", Family::double_double, 106, -1073, 1024, true};

double_double number(const Slow& x) {
  return nearest_double_double(texts({x}), 0);
}
void expect(const char* what, double_double actual, const Slow& expected, const Slow& a,
            const Slow& b) {
  CHECK(identical(element(format, actual), expected), what, a, b, element(format, actual),
        expected);
  CHECK(std::isfinite(actual.hi) ? actual.hi + actual.lo == actual.hi : actual.lo == 0, what, a, b);
  CHECK(
      !(actual.hi == 0 && std::signbit(actual.hi)) && !(actual.lo == 0 && std::signbit(actual.lo)),
      what, a, b);
}

// Pairs whose parts lie up to the whole range apart, from sums of two numbers of any size.
Slow far_apart(PairDraws& draws, const SlowPairs& oracle) {
  const Slow a = draws.number(kind_of(draws.below(kinds)));
  Slow b = draws.number(Kind::ordinary);
  mpfr_mul_2si(b.get(), b.get(), -static_cast<long>(draws.below(1200)), MPFR_RNDN);
  Slow exact(4000);
  mpfr_add(exact.get(), a.get(), b.get(), MPFR_RNDN);
  return oracle.nearest(exact);
}

void operations(unsigned long seed) {
  const SlowPairs oracle;
  PairDraws draws(format, seed);
  for (int i = 0; i < 4000; ++i) {
    const Slow a = i % 3 ? draws.number(kind_of(draws.below(kinds))) : far_apart(draws, oracle);
    const Slow b = i % 2 ? draws.number(kind_of(draws.below(kinds))) : far_apart(draws, oracle);
    const double_double x = number(a), y = number(b);
    expect("conversion", x, oracle.nearest(a), a, b);
    expect("sum", x + y, oracle.add(a, b), a, b);
    expect("difference", x - y, oracle.subtract(a, b), a, b);
    expect("x - x", x - x, oracle.subtract(a, a), a, a);
    expect("product", x * y, oracle.multiply(a, b), a, b);
    expect("quotient", x / y, oracle.divide(a, b), a, b);
  }
}

// Zeros of both signs are one.
void zeros() {
  for (const double_double zero :
       {double_double(-0.0), double_double(-0.0, -0.0), double_double(-1.0) * double_double(0.0),
        double_double(-1e-200) * double_double(1e-200)})
    CHECK(!std::signbit(zero.hi) && !std::signbit(zero.lo) && zero == double_double(0));
}

void integers() {
  const SlowPairs oracle;
  for (int bit = 0; bit <= 63; ++bit)
    for (const long offset : {-3, -2, -1, 0, 1, 2, 3}) {
      const long n = static_cast<long>((1UL << bit) + static_cast<unsigned long>(offset));
      expect("integer", double_double(n), oracle.integer(n), oracle.integer(n), oracle.integer(n));
    }
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice::test;
  for (unsigned long seed = 0; seed < soak(); ++seed) operations(seed);
  zeros();
  integers();
  all_laws<precipice::NativeSpace<precipice::double_double>>(format, soak(), few_shapes());
  return verdict("double_double");
}
