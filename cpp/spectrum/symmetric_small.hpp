// The largest eigenpair of a small dense symmetric matrix (the D-1 scalar layers).
#pragma once

#include <vector>

namespace precipice {

struct Eigenpair {
  double value;
  std::vector<double> vector;  // unit norm
};

// Cyclic Jacobi rotations (Golub and Van Loan, section 8.5); a (n, n) row-major, finite.
Eigenpair largest_eigenpair(std::vector<double> a, std::size_t n);

}  // namespace precipice
