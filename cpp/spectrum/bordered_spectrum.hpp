// Any eigenvalue of a bordered diagonal matrix (spectrum/bordered_diagonal.hpp), by bisection with
// Sylvester's law of inertia: the number of eigenvalues below lambda is that of the negative
// entries of diag(delta - lambda) and of diag(gamma - lambda) - phi q q^T, phi = sum b_i^2/(delta_i
// - lambda), what is left when the first block is eliminated. An update of rank one moves one
// eigenvalue over zero at most, and does if it changes the sign of the determinant. Cost: O(n^3)
// once, O(r + n) for each of some 55 halvings.
#pragma once

#include <cstddef>
#include <optional>

#include "spectrum/secular.hpp"

namespace precipice {

class BorderedSpectrum {
 public:
  explicit BorderedSpectrum(const BorderedDiagonal& h);

  std::size_t size() const { return size_; }  // r + n
  // The i-th largest from 0; NaN if the matrix is not finite.
  double largest(std::size_t i) const;
  // Every one is within this of the matrix's own: rounding of r + n sums, relative to ||H||.
  double residual() const;

 private:
  std::size_t below(double lambda) const;

  std::optional<Secular> h_;
  std::size_t size_;
  double bound_ = 0;  // on |lambda| / scale
};

}  // namespace precipice
