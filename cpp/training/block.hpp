// A block: an array that the optimiser updates at once. Blocks of one name make up one parameter.
#pragma once

#include <string>

#include "linalg/space.hpp"

namespace precipice {

template <class Space>
struct Block {
  using Array = typename Space::Array;
  std::string name;
  Array current, other;                // theta_t, and theta_{t-1} that theta_{t+1} will replace
  Array velocity{}, other_velocity{};  // likewise; of size 0 where the optimiser has none
};

}  // namespace precipice
