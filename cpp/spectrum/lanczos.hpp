// The algebraically largest eigenpair of a symmetric operator known by its products, in float64:
// Lanczos with full reorthogonalisation, restarted from the Ritz vector (Golub and Van Loan,
// section 10.1). A start that is nearly the eigenvector, as along a training run, needs few
// products.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace precipice {

struct Eigenpair {
  double value = 0;
  std::vector<double> vector;  // of length 1
  double residual = 0;         // ||A v - value v||: some eigenvalue lies within it of value
  int products = 0;            // of the operator with a vector
  bool converged = false;
};

struct LanczosLimits {
  double tolerance = 1e-10;  // residual <= tolerance * max(|value|, scale)
  int basis = 24;            // vectors before a restart
  int products = 480;
};

// out = A in; both (n).
using Operator = std::function<void(std::vector<double>& out, const std::vector<double>& in)>;

// `start` (n) must not be zero; entries that are not finite make the value NaN, not converged.
Eigenpair largest_eigenpair(const Operator& multiply, std::vector<double> start,
                            const LanczosLimits& limits);

}  // namespace precipice
