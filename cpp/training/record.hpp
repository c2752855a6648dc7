// What is recorded, and when.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "numbers/exact.hpp"

namespace precipice {

// Cadences in steps; 0 records nothing. Series are recorded at multiples of their cadence, at the
// last step and at a blow-up.
struct RecordPlan {
  std::int64_t loss = 0, sharpness = 0, parameters = 0, layer_imbalance = 0;
  // Keep the exact parameters of every measured step, for a measurement in another format.
  bool measured_parameters = false;
};

inline bool due(std::int64_t cadence, std::int64_t step) {
  return cadence > 0 && step % cadence == 0;
}

// Sharpness oscillates with period 2 in a catapult: single samples would alias, so it is recorded
// at the step after a due one too.
inline bool due_in_pairs(std::int64_t cadence, std::int64_t step) {
  return due(cadence, step) || (cadence > 0 && step > 0 && due(cadence, step - 1));
}

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
  };
  struct LayerImbalance {
    std::vector<std::int64_t> step;
    std::vector<double> value;  // D-1 numbers a step
  };
  struct Parameters {
    std::vector<std::int64_t> step;
    std::vector<std::string> text;  // exact; all parameters of a step, in order
  };
  Loss loss;
  Sharpness sharpness;
  LayerImbalance layer_imbalance;
  Parameters parameters, measured;
};

}  // namespace precipice
