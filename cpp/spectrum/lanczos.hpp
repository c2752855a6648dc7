// The algebraically largest eigenpairs of a symmetric operator known by its products, and the
// smallest one, in float64: a block of vectors is enlarged by the residuals of the wanted Ritz
// pairs, orthogonalised in full, and restarted from the best Ritz vectors when it is full (thick
// restart: Wu and Simon 2000). From one vector that is Lanczos' method; a block finds repeated
// eigenvalues as often as they are wanted, and vectors from a nearby operator, as along a training
// run, save most of the products.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "spectrum/vectors.hpp"

namespace precipice {

struct Eigenpair {
  double value = 0;
  Vector vector;        // of length 1
  double residual = 0;  // ||A v - value v|| and rounding: an eigenvalue lies within it of value
  bool converged = false;
};

struct WantedPairs {
  std::size_t largest = 1;
  bool smallest = false;  // the algebraically smallest too
};

struct Eigenpairs {
  std::vector<Eigenpair> largest;  // descending
  Eigenpair smallest;
  std::vector<Vector> start;  // for an operator nearby
  int products = 0;           // of the operator with a vector
};

struct LanczosLimits {
  double tolerance = 1e-10;  // of a residual, relative to the largest magnitude of a Ritz value
  std::size_t basis = 24;    // vectors before a restart; an operator no larger is solved densely
  int products = 480;
  double first_tolerance = 0;  // of the largest pair, if its vector is wanted to more digits
};

// out = A in; both (n).
using Operator = std::function<void(Vector& out, const Vector& in)>;

// `start` holds vectors (n) of an earlier call, or none. All pairs are NaN and not converged if a
// product is not finite. Throws std::invalid_argument if more pairs are wanted than there are.
Eigenpairs eigenpairs(const Operator& multiply, std::size_t n, const WantedPairs& wanted,
                      const std::vector<Vector>& start, const LanczosLimits& limits);

}  // namespace precipice
