// The largest eigenvalue of a diagonal matrix with a rank-one border,
//
//   H = [ diag(delta)   b p^T ]        delta, b (r);  p (n);  A (n, n) symmetric
//       [ p b^T         A     ]
//
// as the root of its secular equation: where A is diagonal, gamma, and p becomes q, an eigenvalue
// beyond all diagonal entries has phi(lambda) psi(lambda) = 1 with phi = sum b_i^2/(lambda -
// delta_i) and psi = sum q_j^2/(lambda - gamma_j). Cost: O(n^3) once, O(r + n) for each of a few
// Newton steps.
#pragma once

#include <cstddef>
#include <vector>

namespace precipice {

struct BorderedDiagonal {
  BorderedDiagonal(std::size_t r, std::size_t n)
      : diagonal(r), border(r), direction(n), corner(n * n) {}

  std::vector<double> diagonal;   // delta, all >= 0 and the first one the largest
  std::vector<double> border;     // b
  std::vector<double> direction;  // p
  std::vector<double> corner;     // A, row-major
};

// The algebraically largest eigenvalue, at least max(delta_1, 0): H acts on a space with the null
// vectors of X besides, and its diagonal is an eigenvalue where b_1 p vanishes. Accurate to a few
// units in the last place of ||H||. NaN if an entry is not finite.
double largest_eigenvalue(const BorderedDiagonal& h);

}  // namespace precipice
