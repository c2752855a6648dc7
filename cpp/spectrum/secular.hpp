// A bordered diagonal matrix in the basis where its corner is diagonal,
//
//   H / scale = [ diag(delta)   b q^T       ]
//               [ q b^T         diag(gamma) ]
//
// divided by its scale, so that squares neither overflow nor vanish.
#pragma once

#include <optional>

#include "spectrum/bordered_diagonal.hpp"
#include "spectrum/vectors.hpp"

namespace precipice {

struct Secular {
  Vector delta, b;
  Vector gamma, q;
  double scale = 1;
  bool apart = false;  // the border vanishes: b and q are zero, and nothing was divided
};

// None if an entry, or their size, is not finite.
std::optional<Secular> secular(const BorderedDiagonal& h);

}  // namespace precipice
