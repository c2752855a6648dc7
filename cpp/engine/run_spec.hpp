// The front door: a run described in plain values, and the simulation it becomes.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "numbers/arithmetic.hpp"
#include "training/curvature.hpp"
#include "training/loop.hpp"
#include "training/optimizer_spec.hpp"
#include "training/problem_spec.hpp"
#include "training/simulation.hpp"
#include "training/two_layer_curvature.hpp"

namespace precipice {

struct RunSpec {
  Arithmetic arithmetic;
  ProblemSpec problem;
  ModelSpec model;
  OptimizerSpec optimizer;
  LoopSpec loop;
  // The model's, if sharpness or layer imbalance is recorded.
  std::variant<std::monostate, CurvatureSpec, TwoLayerCurvatureSpec> curvature;
};

// Throws std::invalid_argument for shapes that do not fit, a format that does not exist here, or
// floating-point state (rounding mode, flush to zero) that would change results.
std::unique_ptr<Simulation> make_simulation(const RunSpec& spec);

}  // namespace precipice
