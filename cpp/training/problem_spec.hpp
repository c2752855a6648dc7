// What a run is given, as exact numbers: data, a model and its start, the step size.
#pragma once

#include <cstddef>
#include <variant>

#include "models/loss.hpp"
#include "models/two_layer_linear.hpp"
#include "numbers/exact.hpp"

namespace precipice {

struct ProblemSpec {
  // Primal coordinates: X is (N, d) and rows = N. Spectral coordinates: X is diag(sigma), y is d,
  // and rows = features = r.
  bool diagonal = false;
  std::size_t samples = 0;             // N, of the loss's normalisation
  std::size_t rows = 0, features = 0;  // of X
  ExactVector X, y;
  Loss loss = Loss::half_mean;
};

struct MinimalistSpec {
  std::size_t factors = 0;  // D-1
  ExactVector u, v;         // (features), (factors); in spectral coordinates u is o
};

struct TwoLayerSpec {
  std::size_t width = 0;  // m
  Contraction contraction = Contraction::collapsed;
  ExactVector W, a;    // (m, features) by rows, (m)
  ExactVector b1, b2;  // (m), (1); both empty without biases
  // c, one number, and kappa and kappa_L (two_layer_linear.hpp), one for all samples and for each
  // size that batches have: members of the formats of forward (c) and gradient.
  ExactVector scale, kappa, kappa_L;
};

using ModelSpec = std::variant<MinimalistSpec, TwoLayerSpec>;

}  // namespace precipice
