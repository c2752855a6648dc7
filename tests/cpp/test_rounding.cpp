// One rounded operation, in every format and direction, against its definition. PRECIPICE_SOAK=n
// repeats what is drawn n times with other numbers.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "check.hpp"
#include "draws.hpp"
#include "narrow_formats.hpp"
#include "numbers/rounding.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {
namespace {

// Draws that decide, if only just, and any.
std::uint32_t some_draw(Draws& draws) {
  constexpr std::uint32_t aimed[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  const std::size_t i = draws.below(12);
  return i < 6 ? aimed[i] : static_cast<std::uint32_t>(draws.below(std::size_t(1) << 32));
}

void expect(const char* what, const Slow& actual, const Slow& expected, const Format& format,
            const Slow& a, const Slow& b, std::uint32_t draw) {
  CHECK(identical(actual, expected), what, format.name, a, b, draw, actual, expected);
}

void law_of_operations(const Format& format, const Slow& a, const Slow& b, const Slow& c,
                       std::uint32_t w) {
  const SlowArithmetic oracle(format);
  Rounder rounder(format);
  Slow out(format.precision);
  const auto draw = [w] { return w; };
  rounder.multiply(out.get(), a.get(), b.get(), draw);
  expect("a * b", out, oracle.multiply(a, b, w), format, a, b, w);
  rounder.add(out.get(), a.get(), b.get(), draw);
  expect("a + b", out, oracle.add(a, b, w), format, a, b, w);
  rounder.subtract(out.get(), a.get(), b.get(), draw);
  expect("a - b", out, oracle.subtract(a, b, w), format, a, b, w);
  rounder.divide(out.get(), a.get(), b.get(), draw);
  expect("a / b", out, oracle.divide(a, b, w), format, a, b, w);
  rounder.sqrt(out.get(), a.get(), draw);
  expect("sqrt(a)", out, oracle.sqrt(a, w), format, a, b, w);
  rounder.fma(out.get(), a.get(), b.get(), c.get(), draw);
  expect("a * b + c", out, oracle.fma(a, b, c, w), format, a, b, w);
  rounder.convert(out.get(), a.get(), draw);
  expect("a", out, oracle.convert(a, w), format, a, b, w);
}

// Every pair of numbers of a format, each in some direction.
void law_of_all_numbers(const Format& format, unsigned long seed) {
  std::vector<Slow> numbers;
  const SlowArithmetic oracle(format);
  Slow x = oracle.integer(0);
  numbers.push_back(x);
  while (finite(x)) {
    const Slow next = oracle.next_above(x);
    if (repeats(next, x)) break;  // saturated
    numbers.push_back(x = next);
  }
  const std::size_t magnitudes = numbers.size();
  for (std::size_t i = 0; i < magnitudes; ++i) {
    Slow negative = numbers[i];
    mpfr_neg(negative.get(), negative.get(), MPFR_RNDN);
    numbers.push_back(negative);
  }
  Draws draws(format, seed);
  for (const Slow& a : numbers)
    for (const Slow& b : numbers)
      law_of_operations(with(format, roundings[draws.below(6)]), a, b,
                        numbers[draws.below(numbers.size())], some_draw(draws));
}

// Operands of this format and of others, wider and narrower.
void laws_of_drawn_numbers(const Format& format, unsigned long seed) {
  Draws own(format, seed);
  std::vector<Format> others = narrow_formats();
  others.push_back(parse_format("float64"));
  for (const Rounding rounding : roundings)
    for (int k = 0; k < kinds; ++k)
      for (int i = 0; i < 100; ++i) {
        const auto kind = static_cast<Kind>(k);
        const Slow a = own.number(kind), b = own.number(kind), c = own.number(kind);
        law_of_operations(with(format, rounding), a, b, c, some_draw(own));
        Draws other(others[own.below(others.size())], own.below(1u << 30));
        law_of_operations(with(format, rounding), other.number(kind), b, other.number(kind),
                          some_draw(own));
      }
}

// A stochastic rounding at the very draws that part: q = f/2^33 and a little more or less.
void law_of_parting_draws(const Format& format, unsigned long seed) {
  Draws draws(format, seed);
  const Format stochastic = with(format, Rounding::stochastic);
  const SlowArithmetic oracle(stochastic);
  Rounder rounder(stochastic);
  for (int i = 0; i < 300; ++i) {
    const Slow x = draws.number(draws.below(2) == 0 ? Kind::ordinary : Kind::tiny);
    if (!mpfr_regular_p(x.get())) continue;
    const Slow above = oracle.next_above(x);
    const auto w = static_cast<std::uint32_t>(draws.below(std::size_t(1) << 32));
    for (const int little : {-1, 0, 1}) {
      // x + (2w + 1) / 2^33 of the way to the next
      Slow exact(format.precision + 200), part(format.precision + 200);
      mpfr_sub(part.get(), above.get(), x.get(), MPFR_RNDN);
      mpfr_mul_ui(part.get(), part.get(), 2 * static_cast<unsigned long>(w) + 1, MPFR_RNDN);
      mpfr_div_2ui(part.get(), part.get(), 33, MPFR_RNDN);
      mpfr_add(exact.get(), x.get(), part.get(), MPFR_RNDN);
      mpfr_mul_2si(part.get(), part.get(), -100, MPFR_RNDN);
      if (little != 0)
        (little > 0 ? mpfr_add : mpfr_sub)(exact.get(), exact.get(), part.get(), MPFR_RNDN);
      for (const std::uint32_t draw : {w - 1, w, w + 1}) {
        Slow out(format.precision);
        rounder.convert(out.get(), exact.get(), [draw] { return draw; });
        expect("between two numbers", out, oracle.convert(exact, draw), stochastic, exact, x, draw);
      }
    }
  }
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice;
  using namespace precipice::test;
  const WidestRange range;
  const char* const times = std::getenv("PRECIPICE_SOAK");
  const unsigned long soak = times ? std::strtoul(times, nullptr, 10) : 1;
  std::vector<Format> formats = narrow_formats();
  for (const char* name : {"float32", "float64", "mpfr2", "mpfr53", "mpfr113", "mpfr200"})
    formats.push_back(parse_format(name));
  for (unsigned long seed = 0; seed < soak; ++seed) {
    for (const Format& format : {e4m3fn, two_bits}) law_of_all_numbers(format, seed);
    for (const Format& format : formats) {
      laws_of_drawn_numbers(format, seed);
      law_of_parting_draws(format, seed);
    }
  }
  return verdict("rounding");
}
