// At which steps a series is recorded, if its cadence is in steps.
#pragma once

#include <cstdint>

#include "linalg/space.hpp"

namespace precipice {

PRECIPICE_HOST_DEVICE inline bool due(std::int64_t cadence, std::int64_t step) {
  return cadence > 0 && step % cadence == 0;
}

// Sharpness oscillates with period 2 in a catapult: single samples would alias, so it is recorded
// at the step after a due one too.
PRECIPICE_HOST_DEVICE inline bool due_in_pairs(std::int64_t cadence, std::int64_t step) {
  return due(cadence, step) || (cadence > 0 && step > 0 && due(cadence, step - 1));
}

}  // namespace precipice
