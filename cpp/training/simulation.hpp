// A run that advances in blocks of time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "training/outcome.hpp"
#include "training/record.hpp"

namespace precipice {

struct NamedValues {
  std::string name;
  std::vector<std::string> text;  // exact
};

// theta_t and theta_{t-1}, with the velocities of an optimiser that has them.
struct SavedParameters {
  std::vector<NamedValues> current, previous;
};

// A run between two steps: all that its later steps depend on.
struct LoopState {
  std::int64_t step;
  SavedParameters parameters;
  bool returned;  // theta_t = theta_{t-2}
  double blowup_reference;
  double seconds;                     // spent so far
  std::vector<double> curvature;      // what the next measurement of the sharpness starts from
  std::int64_t recorded;              // the last step that has been recorded
  std::int64_t switched;              // the step at which the schedule's event came; -1: not yet
  std::vector<double> flow;           // of gradient flow: how its step size is found
  std::vector<std::int64_t> cadence;  // which steps are measured
  SavedParameters snapshot;           // what an adaptive cadence goes back to
  bool snapshot_returned;
  double loss_before;                // at step - 1, or NaN
  std::int64_t begun;                // the first step whose update is of this arithmetic
  std::optional<LossWindow> window;  // that has begun and not ended
};

class Simulation {
 public:
  Simulation() = default;
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  virtual ~Simulation() = default;

  // Runs for about `seconds`, or until the run ends or stop() is called; returns what was recorded.
  virtual Records advance(double seconds) = 0;

  // From any thread: ends this and every later block within about 0.1 s, if need be within a step
  // (only an update is finished first). After resume() that step is taken afresh.
  virtual void stop() noexcept = 0;
  virtual void resume() noexcept = 0;

  virtual Outcome outcome() const = 0;
  virtual std::int64_t step() const = 0;              // steps taken
  virtual std::vector<NamedValues> parameters() = 0;  // at step()

  // To be called between blocks. A restored run takes the steps that the saved one would have.
  virtual LoopState state() = 0;
  virtual void restore(const LoopState& state) = 0;
  // Goes on where a run of another arithmetic handed over: its numbers are rounded to nearest, and
  // the step is evaluated again, but not recorded twice. What the updates of the other arithmetic
  // said of cycles and of a flow's step size is forgotten.
  virtual void take_over(const LoopState& state) = 0;
  virtual std::int64_t switched() const = 0;  // step at which the schedule's event came, or -1
  virtual double step_size() const = 0;       // eta of step 0 in the working format, as float64
};

}  // namespace precipice
