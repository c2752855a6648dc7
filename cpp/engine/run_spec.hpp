// The front door: a run described in plain values, and the simulation it becomes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "numbers/format.hpp"
#include "training/curvature.hpp"
#include "training/loop.hpp"
#include "training/simulation.hpp"
#include "training/trainee.hpp"

namespace precipice {

struct RunSpec {
  Format format;
  MinimalistSpec model;
  LoopSpec loop;
  std::optional<CurvatureSpec> curvature;  // needed if sharpness or layer imbalance is recorded
};

// Throws std::invalid_argument for shapes that do not fit, a format that does not exist here, or
// floating-point state (rounding mode, flush to zero) that would change results.
std::unique_ptr<Simulation> make_simulation(const RunSpec& spec);

// How the format's arithmetic is carried out here; a sentence for reports.
std::string carried_out_by(const Format& format);

}  // namespace precipice
