// How often sums in MPFR look at the stop flag.
#pragma once

#include <algorithm>
#include <cstddef>

namespace precipice {

// Terms between two looks: a product of 100000-bit numbers takes about 0.3 ms, so a few hundred of
// them pass in the 0.1 s that a stop may take.
inline std::size_t terms_between_looks(long precision) {
  return std::max<std::size_t>(64, (1u << 24) / static_cast<std::size_t>(precision));
}

}  // namespace precipice
