// Which numbers of the lanes carry an arithmetic out, and how they are made of its format.
#pragma once

#include <optional>
#include <string>

#include "numbers/arithmetic.hpp"
#include "numbers/lane_numbers.hpp"

namespace precipice {

// None, and a sentence that says why, where no lanes carry the arithmetic out.
struct LaneChoice {
  std::optional<DeviceNumbers> numbers;
  std::string sentence;
};
LaneChoice lane_numbers_of(const Arithmetic& arithmetic);

// A format in any rounding, if float64 holds its numbers and they have 25 bits at most.
std::optional<SoftNumbers> soft_numbers(const Format& format);

// The numbers of a format that lane_numbers_of chose them for.
template <class Numbers>
Numbers lane_numbers(const Format& format);

}  // namespace precipice
