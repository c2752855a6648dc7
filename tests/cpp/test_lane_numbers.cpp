// The numbers of the lanes, bit for bit against MPFR: every pair of members of formats of eight
// bits, and hard pairs of formats of 2 to 25 bits, in every rounding; the draws of a lane against
// those of a run. PRECIPICE_SOAK=n repeats what is drawn n times with other numbers.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <sstream>
#include <type_traits>
#include <vector>

#include "carried_formats.hpp"
#include "check.hpp"
#include "lane_operands.hpp"
#include "numbers/carried_format.hpp"
#include "numbers/draws.hpp"
#include "numbers/lane_formats.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/rounding.hpp"

namespace precipice::test {
namespace {

static_assert(std::is_trivially_copyable_v<NativeNumbers<float>>);
static_assert(std::is_trivially_copyable_v<CarriedNumbers<float>>);
static_assert(std::is_trivially_copyable_v<CarriedNumbers<double>>);
static_assert(std::is_trivially_copyable_v<SoftNumbers>);

constexpr Operation operations[] = {Operation::add, Operation::subtract, Operation::multiply,
                                    Operation::divide};
constexpr Rounding directions[] = {Rounding::nearest_even, Rounding::toward_zero,
                                   Rounding::upward,       Rounding::downward,
                                   Rounding::away,         Rounding::stochastic};

Format with(Format format, Rounding rounding) {
  constexpr const char* names[] = {":rn", ":rz", ":ru", ":rd", ":ra", ":sr"};
  format.name += names[static_cast<int>(rounding)];
  format.rounding = rounding;
  return format;
}

// The oracle: MPFR, as the Spaces of the CPU round.
class Oracle {
 public:
  explicit Oracle(const Format& format) : rounder_(format), out_(format.precision) {}

  double operate(Operation operation, double a, double b, std::uint32_t w) {
    mpfr_set_d(a_, a, MPFR_RNDN);
    mpfr_set_d(b_, b, MPFR_RNDN);
    const auto draw = [w] { return w; };
    switch (operation) {
      case Operation::add: rounder_.add(out_, a_, b_, draw); break;
      case Operation::subtract: rounder_.subtract(out_, a_, b_, draw); break;
      case Operation::multiply: rounder_.multiply(out_, a_, b_, draw); break;
      default: rounder_.divide(out_, a_, b_, draw); break;
    }
    return mpfr_get_d(out_, MPFR_RNDN);
  }

 private:
  Rounder rounder_;
  MpfrNumber out_, a_{53}, b_{53};
};

template <class Numbers, class T = typename Numbers::Number>
T operate(const Numbers& numbers, Operation operation, T a, T b, std::uint32_t w = 0) {
  const auto draw = [w] { return w; };
  switch (operation) {
    case Operation::add: return numbers.add(a, b, draw);
    case Operation::subtract: return numbers.subtract(a, b, draw);
    case Operation::multiply: return numbers.multiply(a, b, draw);
    default: return numbers.divide(a, b, draw);
  }
}

bool same(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

// The draw at which a result of the format is rounded the other way, or the one before or after:
// 2w + 1 is next to 2^33 q, where q is how far the result lies from its lower neighbour.
class PartingDraws {
 public:
  explicit PartingDraws(const Format& format)
      : below_(with(format, Rounding::toward_zero)), above_(with(format, Rounding::away)) {}

  std::uint32_t of(Operation operation, double a, double b) {
    const double low = std::fabs(below_.operate(operation, a, b, 0));
    const double high = std::fabs(above_.operate(operation, a, b, 0));
    if (!std::isfinite(high) || !std::isfinite(low) || !(low < high)) return 0;
    mpfr_set_d(a_, a, MPFR_RNDN);
    mpfr_set_d(b_, b, MPFR_RNDN);
    switch (operation) {
      case Operation::add: mpfr_add(x_, a_, b_, MPFR_RNDZ); break;
      case Operation::subtract: mpfr_sub(x_, a_, b_, MPFR_RNDZ); break;
      case Operation::multiply: mpfr_mul(x_, a_, b_, MPFR_RNDZ); break;
      default: mpfr_div(x_, a_, b_, MPFR_RNDZ); break;
    }
    mpfr_abs(x_, x_, MPFR_RNDN);
    mpfr_sub_d(x_, x_, low, MPFR_RNDZ);
    mpfr_div_d(x_, x_, high - low, MPFR_RNDZ);
    mpfr_mul_2ui(x_, x_, 32, MPFR_RNDN);
    return static_cast<std::uint32_t>(mpfr_get_ui(x_, MPFR_RNDZ));
  }

 private:
  Oracle below_, above_;
  MpfrNumber x_{2400}, a_{53}, b_{53};
};

std::uint32_t some_draw(std::mt19937_64& words) {
  constexpr std::uint32_t aimed[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  const std::uint64_t word = words();
  return word % 4 == 0 ? aimed[(word >> 8) % 6] : static_cast<std::uint32_t>(word >> 32);
}

// One format in one rounding: the numbers of the lanes that carry it out, and the oracle.
class Subject {
 public:
  explicit Subject(const Format& format)
      : format_(format),
        oracle_(format),
        parting_(format),
        soft_(lane_numbers<SoftNumbers>(format)),
        short_(carried<float>(format)),
        long_(carried<double>(format)) {}

  // In every operation; a stochastic rounding with draws that decide, if only just, and any.
  void check(double a, double b, std::mt19937_64& words) {
    for (const Operation operation : operations) {
      if (format_.rounding != Rounding::stochastic) {
        check(operation, a, b, 0);
        continue;
      }
      check(operation, a, b, some_draw(words));
      const std::uint32_t w = parting_.of(operation, a, b);
      check(operation, a, b, w + static_cast<std::uint32_t>(words() % 3) - 1);
      check(operation, a, b, w);
    }
  }

 private:
  void check(Operation operation, double a, double b, std::uint32_t w) {
    const double expected = oracle_.operate(operation, a, b, w);
    const double soft = operate(soft_, operation, a, b, w);
    const int name = static_cast<int>(operation);
    CHECK(same(soft, expected), format_.name, name, std::hexfloat, a, b, w, soft, expected);
    if (short_) check_carried(*short_, operation, a, b, expected);
    if (long_) check_carried(*long_, operation, a, b, expected);
  }
  template <class T>
  void check_carried(const Carried<T>& format, Operation operation, double a, double b,
                     double expected) {
    const T x = static_cast<T>(a), y = static_cast<T>(b);
    const T result = operate(CarriedNumbers<T>(format), operation, x, y);
    const int name = static_cast<int>(operation);
    CHECK(same(static_cast<double>(result), expected), format_.name, sizeof(T), name, std::hexfloat,
          a, b, result, expected);
    CHECK(same(static_cast<double>(operate_carried(operation, format, x, y)), expected),
          format_.name, sizeof(T), name, std::hexfloat, a, b);
  }

  Format format_;
  Oracle oracle_;
  PartingDraws parting_;
  SoftNumbers soft_;
  std::optional<Carried<float>> short_;
  std::optional<Carried<double>> long_;
};

void law_of_all_members(const Format& numbers, std::uint64_t seed) {
  std::mt19937_64 words(seed);
  const std::vector<double> all = all_members(numbers);
  for (const Rounding rounding : directions) {
    Subject subject(with(numbers, rounding));
    for (const double a : all)
      for (const double b : all) subject.check(a, b, words);
  }
}

void law_of_hard_pairs(const Format& numbers, std::uint64_t seed, int pairs) {
  std::mt19937_64 words(seed);
  LaneOperands operands(numbers, seed);
  for (const Rounding rounding : directions) {
    Subject subject(with(numbers, rounding));
    for (int i = 0; i < pairs; ++i) {
      const auto [a, b] = operands.pair();
      subject.check(a, b, words);
    }
  }
}

// A product far below the smallest number, next to where the draw 0 parts: a little more or less
// than 2^-33 of it, by less than the 64 bits that a rounding looks at can tell.
void law_of_the_last_bit(std::uint64_t seed) {
  Format format = narrow("25 bits:sr", 25, -300, 300);
  format.rounding = Rounding::stochastic;
  Subject subject(format);
  std::mt19937_64 words(seed);
  const std::uint64_t aim = std::uint64_t(1) << 49;
  for (int found = 0; found < 100;) {
    const std::uint64_t a = (1u << 24) + words() % (1u << 24), less = aim / a;
    for (const std::uint64_t b : {less, less + 1}) {
      const std::uint64_t product = a * b, off = product > aim ? product - aim : aim - product;
      if (off == 0 || off >= 1u << 18) continue;
      ++found;
      subject.check(std::ldexp(static_cast<double>(a), -190),
                    std::ldexp(static_cast<double>(b), -301 - 33 - 49 + 190), words);
    }
  }
}

// Of a precision, with a range somewhere in float64's.
Format odd_format(long precision, std::mt19937_64& words) {
  const auto between = [&](long low, long high) {
    return low + static_cast<long>(words() % static_cast<std::uint64_t>(high - low + 1));
  };
  const bool subnormals = words() % 2 == 0;
  const long least = subnormals ? -1073 : precision - 1074;
  const long fewest = subnormals ? precision : 1;  // exponents, for one to have all bits
  long emin = 0;
  switch (words() % 4) {
    case 0: emin = least + between(0, 3); break;
    case 1: emin = between(least, 1024 - fewest); break;
    default: emin = between(-100, 20); break;
  }
  const long first = emin + fewest - 1;
  const long emax = words() % 4 == 0 ? 1024 - between(0, std::min(2L, 1024 - first))
                                     : between(first, std::min(1024L, first + 300));
  const auto overflow = static_cast<Overflow>(words() % 3);
  const long reserved =
      overflow == Overflow::infinity ? 0 : between(0, (1L << (precision - 1)) - 1);
  std::ostringstream name;
  name << precision << " bits, " << emin << " to " << emax << (subnormals ? ", subnormals" : "")
       << ", overflow " << static_cast<int>(overflow) << ", reserved " << reserved;
  return {name.str(), Family::mpfr, precision, emin, emax, subnormals, overflow, reserved};
}

// The known answer of the generator's authors, and every half-word of many places.
void law_of_draws(std::uint64_t seed) {
  const Philox::Counter zero = Philox::block({0, 0, 0, 0}, {0, 0});
  CHECK(zero[0] == 0x16554d9eca36314c && zero[1] == 0xdb20fe9d672d0fdc &&
        zero[2] == 0xd7e772cee186176b && zero[3] == 0x7e68b68aec7ba23b);
  std::mt19937_64 words(seed);
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t key = words(), run = words() % 4, element = words() % 100;
    const auto step = static_cast<std::int64_t>(words() % 1000);
    const std::uint64_t first = words() % 2 == 0 ? words() % 1000 : std::uint64_t(1) << 63;
    Draws of_run(key, run);
    LaneDraws of_lane(key, run);
    of_run.begin_step(step);
    of_lane.begin_step(step);
    for (int call = 0; call < 3; ++call) {
      of_run.begin_call();
      of_lane.begin_call();
      ElementDraws draws(of_lane, element);
      for (std::uint64_t index = first; index < first + 20; ++index)
        CHECK(draws.at(index)() == of_run.at(element, index), key, run, step, element, index);
    }
  }
}

void expect(const Arithmetic& arithmetic, std::optional<DeviceNumbers> numbers) {
  const LaneChoice choice = lane_numbers_of(arithmetic);
  CHECK(choice.numbers == numbers, arithmetic[Stage::parameters].name, choice.sentence);
  CHECK(!choice.sentence.empty());
}

void law_of_the_choice() {
  const Format float32 = parse_format("float32"), float64 = parse_format("float64");
  expect(float32, DeviceNumbers::float32);
  expect(float64, DeviceNumbers::float64);
  for (const Format& format : short_formats()) {
    expect(format, DeviceNumbers::carried32);
    expect(with(format, Rounding::stochastic), DeviceNumbers::soft);
  }
  expect(narrow("17 bits, saturating", 17, -60, 80, true, Overflow::saturate),
         DeviceNumbers::carried64);
  expect(with(float32, Rounding::upward), DeviceNumbers::soft);
  expect(narrow("25 bits, down to 2^-1074", 25, -1073, 1024), DeviceNumbers::soft);
  expect(narrow("25 bits, down to 2^-1075", 25, -1074, 1024), {});
  expect(narrow("8 bits, up to 2^1025", 8, 0, 1025), {});
  expect(narrow("26 bits", 26, -100, 100), {});
  expect(with(float64, Rounding::toward_zero), {});
  for (const char* name : {"float80", "mpfr8", "mpfr100"}) expect(parse_format(name), {});
  Format pairs = float64;
  pairs.family = Family::double_double;
  expect(pairs, {});
  std::array<Format, stages> formats = Arithmetic(float32).formats;
  expect({formats, Order::blocked, 0, 0}, DeviceNumbers::float32);
  for (const Order order : {Order::fused, Order::pairwise, Order::kahan, Order::exact})
    expect({formats, order, 0, 0}, {});
  formats[1] = float16();
  expect({formats, Order::sequential, 0, 0}, {});
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice;
  using namespace precipice::test;
  const ExponentRange range = ExponentRange::widest();
  const char* const times = std::getenv("PRECIPICE_SOAK");
  const std::uint64_t soak = times ? std::strtoul(times, nullptr, 10) : 1;
  law_of_the_choice();
  for (std::uint64_t seed = 0; seed < soak; ++seed) {
    law_of_draws(seed);
    law_of_the_last_bit(seed);
    for (const Format& format : tiny_formats())
      if (soak > 1 || all_members(format).size() < 280) law_of_all_members(format, seed);
    for (const Format& format : short_formats()) law_of_hard_pairs(format, seed, 3000);
    for (const Format& format : long_formats()) law_of_hard_pairs(format, seed, 3000);
    std::mt19937_64 words(seed);
    for (long precision = 2; precision <= 25; ++precision)
      for (int i = 0; i < 10; ++i) law_of_hard_pairs(odd_format(precision, words), words(), 300);
  }
  return verdict("lane_numbers");
}
