// How a run ends. A blow-up is a result, not an error; handed_over is the end of one arithmetic
// only, before the update of a step.
#pragma once

#include <string_view>

namespace precipice {

enum class Outcome {
  running,
  max_steps,
  converged,
  stalled,
  locked,
  blowup,
  cancelled,
  time,
  handed_over
};

constexpr std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::running: return "running";
    case Outcome::max_steps: return "max_steps";
    case Outcome::converged: return "converged";
    case Outcome::stalled: return "stalled";
    case Outcome::locked: return "locked";
    case Outcome::blowup: return "blowup";
    case Outcome::cancelled: return "cancelled";
    case Outcome::time: return "time";
    case Outcome::handed_over: return "handed_over";
  }
  return "";
}

}  // namespace precipice
