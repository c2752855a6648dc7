// How parameters are updated, as exact numbers, and until when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "numbers/exact.hpp"

namespace precipice {

enum class UpdateRule { gradient_descent, heavy_ball, nesterov, runge_kutta };

// A recorded series reaches a bound: a number, or a number over the step size.
struct Event {
  enum class Series { sharpness, loss };
  Series series = Series::sharpness;
  bool above = true;  // >= bound; else <= bound
  double bound = 0;
  bool over_step_size = false;

  bool reached(double value, double step_size) const {
    const double limit = over_step_size ? bound / step_size : bound;
    return above ? value >= limit : value <= limit;
  }
};

// From the step of the event on another step size holds.
struct EventSpec : Event {
  ExactVector step_size;  // one number
};

// At which step, or event, the run is to go on in another arithmetic.
using Handover = std::variant<std::int64_t, Event>;

enum class Sampling { iid, reshuffle };

struct BatchSpec {
  std::size_t size = 0;
  Sampling sampling = Sampling::reshuffle;
  std::uint64_t seed = 0;
};

// Gradient flow by the classical Runge-Kutta method: a fixed step, or factor / sharpness.
struct FlowSpec {
  std::optional<ExactVector> step;  // one number
  double factor = 1;
  std::int64_t every = 50;  // steps between two measurements of the sharpness
  bool guard = true;        // measure when the curvature grows, and redo steps that were too long
};

struct OptimizerSpec {
  UpdateRule rule = UpdateRule::gradient_descent;
  ExactVector momentum;                  // one number; unused by gradient descent
  std::vector<std::int64_t> first_step;  // of each piece of the schedule, ascending from 0
  ExactVector step_sizes;                // one number a piece
  std::optional<EventSpec> event;
  std::optional<BatchSpec> batch;  // none: all samples
  std::optional<FlowSpec> flow;    // of runge_kutta
};

}  // namespace precipice
