// What is recorded, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "numbers/exact.hpp"
#include "training/due.hpp"
#include "training/loss_window.hpp"

namespace precipice {

// Cadences in steps; 0 records nothing. Series are recorded at multiples of their cadence, at the
// last step and at a blow-up.
struct RecordPlan {
  std::int64_t loss = 0, sharpness = 0, parameters = 0, layer_imbalance = 0;
  std::int64_t eigenvalues = 0, quantities = 0;
  std::int64_t window = 0;  // steps of a window of the loss (loss_window.hpp), not a cadence
  std::int64_t top = 1;     // how many of the largest eigenvalues
  // Keep the exact parameters of every measured step, for a measurement in another format.
  bool measured_parameters = false;
  // Measure the sharpness at each step once it has come near the threshold of stability, which is
  // `stability` over the step size.
  struct Adaptive {
    double near, stability;
    std::int64_t quiet;
  };
  std::optional<Adaptive> adaptive;
};

// What was recorded since the last call of advance(); each series with its own steps.
struct Records {
  struct Loss {
    std::vector<std::int64_t> step;
    std::vector<double> value, log2;
  };
  struct Sharpness {
    std::vector<std::int64_t> step;
    std::vector<double> value;
    std::vector<double> residual;        // of an iterative solver; empty for a closed form
    std::vector<std::int64_t> products;  // with the Hessian, likewise

    void take_back() {  // the last one
      step.pop_back();
      value.pop_back();
      if (!residual.empty()) residual.pop_back();
      if (!products.empty()) products.pop_back();
    }
  };
  struct LayerImbalance {
    std::vector<std::int64_t> step;
    std::vector<double> value;  // D-1 numbers a step
  };
  struct Parameters {
    std::vector<std::int64_t> step;
    std::vector<std::string> text;  // exact; all parameters of a step, in order
  };
  struct Time {  // of gradient flow, at the steps of the loss
    std::vector<std::int64_t> step;
    std::vector<double> value;
  };
  struct Eigenvalues {
    std::vector<std::int64_t> step;
    std::vector<double> value;     // the largest, descending, then the smallest
    std::vector<double> residual;  // one for each value
    std::vector<std::int64_t> products;
  };
  struct Quantities {
    std::vector<std::int64_t> step;
    std::vector<double> value;     // TwoLayerQuantity::count numbers a step
    std::vector<double> residual;  // one for each of TwoLayerQuantity::eigenvalues
    std::vector<std::int64_t> products;
  };
  Loss loss;
  std::vector<LossWindow> windows;  // those that have ended
  Time time;
  Sharpness sharpness;
  LayerImbalance layer_imbalance;
  Eigenvalues eigenvalues;
  Quantities quantities;
  Parameters parameters, measured;
};

}  // namespace precipice
