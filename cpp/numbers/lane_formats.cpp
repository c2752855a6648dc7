#include "numbers/lane_formats.hpp"

#include <cmath>
#include <limits>
#include <type_traits>

#include "numbers/carried_format.hpp"

namespace precipice {
namespace {

using Double = std::numeric_limits<double>;
constexpr long greatest_soft_precision = 25;  // 33 bits more leave some of 64 to spare
constexpr long smallest_place = Double::min_exponent - Double::digits;  // -1074

bool float64_holds(const Format& format) {
  const long last_place = format.subnormals ? format.emin - 1 : format.emin - format.precision;
  return last_place >= smallest_place && format.emax <= Double::max_exponent;
}

double largest_of(const Format& format) {
  const long significand = (1L << format.precision) - 1 - format.reserved;
  return std::ldexp(static_cast<double>(significand),
                    static_cast<int>(format.emax - format.precision));
}

SoftRounding::Constants soft_constants(const Format& format) {
  SoftRounding::Constants c{};
  c.direction = format.rounding;
  c.precision = static_cast<int>(format.precision);
  c.least_full =
      static_cast<int>(format.subnormals ? format.emin + format.precision - 1 : format.emin);
  c.greatest = static_cast<int>(format.emax);
  c.least_place = static_cast<int>(format.emin - 1);
  c.largest = largest_of(format);
  const bool infinities = format.overflow == Overflow::infinity;
  c.infinite = infinities ? Double::infinity() : Double::quiet_NaN();
  c.beyond = format.overflow == Overflow::saturate ? c.largest : c.infinite;
  return c;
}

// Of one format in a sequential or blocked order; none where no lanes have it.
std::optional<DeviceNumbers> numbers_for(const Format& format) {
  if (format.family == Family::double_double) return std::nullopt;
  if (format.rounding == Rounding::nearest_even) {
    const Family family = native_family(format);
    if (family == Family::float32) return DeviceNumbers::float32;
    if (family == Family::float64) return DeviceNumbers::float64;
    if (carried<float>(format)) return DeviceNumbers::carried32;
    if (carried<double>(format)) return DeviceNumbers::carried64;
  }
  if (soft_numbers(format)) return DeviceNumbers::soft;
  return std::nullopt;
}

const char* sentence_for(DeviceNumbers numbers) {
  switch (numbers) {
    case DeviceNumbers::float32: return "float32 arithmetic";
    case DeviceNumbers::float64: return "float64 arithmetic";
    case DeviceNumbers::carried32: return "float32 arithmetic, each result rounded to the format";
    case DeviceNumbers::carried64: return "float64 arithmetic, each result rounded to the format";
    case DeviceNumbers::soft: break;
  }
  return "integer arithmetic, each exact result rounded once";
}

}  // namespace

std::optional<SoftNumbers> soft_numbers(const Format& format) {
  if (format.precision > greatest_soft_precision || !float64_holds(format)) return std::nullopt;
  return SoftNumbers(SoftRounding(soft_constants(format)));
}

LaneChoice lane_numbers_of(const Arithmetic& arithmetic) {
  const Format& format = arithmetic[Stage::parameters];
  if (!arithmetic.uniform()) return {{}, "a device has one precision for all stages"};
  if (arithmetic.order != Order::sequential && arithmetic.order != Order::blocked)
    return {{}, "a device takes sums in sequential or blocked order"};
  if (const auto numbers = numbers_for(format)) return {numbers, sentence_for(*numbers)};
  if (format.family == Family::double_double || format.precision > greatest_soft_precision)
    return {{}, "a device has precisions of up to 25 bits, and float64 to nearest"};
  return {{}, "a device holds numbers in float64, and some of " + format.name + " lie beyond it"};
}

template <class Numbers>
Numbers lane_numbers(const Format& format) {
  if constexpr (std::is_same_v<Numbers, SoftNumbers>)
    return soft_numbers(format).value();
  else if constexpr (std::is_same_v<Numbers, NativeNumbers<typename Numbers::Number>>)
    return {};
  else
    return Numbers(carried<typename Numbers::Number>(format).value());
}

template NativeNumbers<float> lane_numbers(const Format&);
template NativeNumbers<double> lane_numbers(const Format&);
template CarriedNumbers<float> lane_numbers(const Format&);
template CarriedNumbers<double> lane_numbers(const Format&);
template SoftNumbers lane_numbers(const Format&);

}  // namespace precipice
