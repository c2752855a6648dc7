// All eigenpairs of a small dense symmetric matrix (the D-1 scalar layers).
#pragma once

#include <cstddef>
#include <vector>

namespace precipice {

struct SmallSpectrum {
  std::vector<double> values;   // (n)
  std::vector<double> vectors;  // (n, n) row-major; column j belongs to values[j]
};

// Cyclic Jacobi rotations (Golub and Van Loan, section 8.5), O(n^3) a sweep and a few sweeps;
// a (n, n) row-major, finite.
SmallSpectrum spectrum(std::vector<double> a, std::size_t n);

}  // namespace precipice
