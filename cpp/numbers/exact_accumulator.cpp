#include "numbers/exact_accumulator.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace precipice {
namespace {

__extension__ typedef unsigned __int128 DoubleWord;

constexpr int fraction_bits = 52, least_exponent = -1074;

// |x| = significand 2^exponent
struct Parts {
  std::uint64_t significand;
  int exponent;
};
Parts parts_of(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto biased = static_cast<int>(bits >> fraction_bits & 0x7ff);
  const std::uint64_t fraction = bits & ((std::uint64_t(1) << fraction_bits) - 1);
  if (biased == 0) return {fraction, least_exponent};
  return {fraction | std::uint64_t(1) << fraction_bits, least_exponent + biased - 1};
}

}  // namespace

void ExactAccumulator::clear() {
  digit_.fill(0);
  waiting_ = 0;
  special_ = 0;
  all_minus_zero_ = true;
}

void ExactAccumulator::add_product(double x, double y) {
  if (!std::isfinite(x) || !std::isfinite(y)) {
    special_ += x * y;
    return;
  }
  const bool minus = std::signbit(x) != std::signbit(y);
  if (x == 0 || y == 0) {
    all_minus_zero_ = all_minus_zero_ && minus;
    return;
  }
  all_minus_zero_ = false;
  const Parts a = parts_of(x), b = parts_of(y);
  const DoubleWord product = DoubleWord(a.significand) * b.significand;
  const auto at = static_cast<unsigned>(a.exponent + b.exponent - least_bit);
  const unsigned shift = at % digit_bits;
  const DoubleWord low = DoubleWord(static_cast<std::uint64_t>(product)) << shift;
  const DoubleWord high = DoubleWord(static_cast<std::uint64_t>(product >> 64)) << shift;
  const auto part = [](DoubleWord of, int i) {
    return static_cast<Digit>(static_cast<std::uint32_t>(of >> (digit_bits * i)));
  };
  const Digit parts[] = {part(low, 0), part(low, 1), part(low, 2) + part(high, 0), part(high, 1),
                         part(high, 2)};
  Digit* const digit = &digit_[at / digit_bits];
  for (int i = 0; i < 5; ++i) digit[i] += minus ? -parts[i] : parts[i];
  if (++waiting_ == (1u << 29)) propagate();
}

// All digits but the last in [0, 2^32).
void ExactAccumulator::propagate() {
  for (std::size_t i = 0; i + 1 < digits; ++i) {
    digit_[i + 1] += digit_[i] >> digit_bits;
    digit_[i] &= (Digit(1) << digit_bits) - 1;
  }
  waiting_ = 0;
}

ExactAccumulator::Leading ExactAccumulator::leading() {
  propagate();
  const bool minus = digit_[digits - 1] < 0;
  if (minus) {
    for (Digit& digit : digit_) digit = -digit;
    propagate();
  }
  std::size_t top = digits;
  while (top > 0 && digit_[top - 1] == 0) --top;
  if (top == 0) return {0, 0, minus};
  DoubleWord bits = 0;  // of the highest four digits
  for (std::size_t i = 0; i < 4; ++i)
    bits = bits << digit_bits | static_cast<DoubleWord>(top > i ? digit_[top - 1 - i] : 0);
  bool below = false;
  for (std::size_t i = 0; i + 4 < top; ++i) below = below || digit_[i] != 0;
  const int zeros = std::countl_zero(static_cast<std::uint64_t>(bits >> 64));
  bits <<= zeros;
  below = below || static_cast<std::uint64_t>(bits) != 0;
  return {static_cast<std::uint64_t>(bits >> 64) | (below ? 1 : 0),
          least_bit + digit_bits * static_cast<int>(top) - zeros - 64, minus};
}

double ExactAccumulator::rounded(bool odd) {
  if (special_ != 0) return special_;  // NaN too
  const Leading sum = leading();
  if (sum.bits == 0) return all_minus_zero_ ? -0.0 : 0.0;
  int drop = 11;
  if (sum.exponent + drop < least_exponent) drop = least_exponent - sum.exponent;
  if (drop > 65) drop = 65;  // what is left is below half the smallest number
  const DoubleWord bits = sum.bits, rest = bits & ((DoubleWord(1) << drop) - 1);
  const DoubleWord half = DoubleWord(1) << (drop - 1);
  auto kept = static_cast<std::uint64_t>(bits >> drop);
  if (odd)
    kept |= rest != 0 ? 1 : 0;
  else if (rest > half || (rest == half && (kept & 1) != 0))
    ++kept;
  const int exponent = sum.exponent + drop > least_exponent ? sum.exponent + drop : least_exponent;
  double x = std::ldexp(static_cast<double>(kept), exponent);
  if (odd && std::isinf(x)) x = std::numeric_limits<double>::max();
  return sum.minus ? -x : x;
}

double ExactAccumulator::nearest() {
  return rounded(false);
}

double ExactAccumulator::to_odd() {
  return rounded(true);
}

}  // namespace precipice
