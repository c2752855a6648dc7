// Many runs of one problem in one arithmetic, each with a start, a step size and a key of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/run_spec.hpp"
#include "numbers/exact.hpp"
#include "training/loss_window.hpp"
#include "training/outcome.hpp"
#include "training/simulation.hpp"

namespace precipice {

struct Member {
  ExactVector parameters;   // u, then v; or W by rows, then a
  ExactVector step_size;    // one number
  std::uint64_t seed, run;  // the key of its draws
};

// The run's own start, step size and key are not used. Each member is the run that
// make_simulation makes of them, bit for bit.
struct EnsembleSpec {
  RunSpec run;
  std::vector<Member> members;
};

// What was recorded since the last call of advance(), by columns; of one member steps ascend.
struct EnsembleRecords {
  struct Losses {
    std::vector<std::int64_t> member, step;
    std::vector<double> value;
  };
  struct Windows {
    std::vector<std::int64_t> member;
    std::vector<LossWindow> window;
  };
  struct Sharpness {
    std::vector<std::int64_t> member, step;
    std::vector<double> value;
  };
  Losses loss;
  Windows windows;
  Sharpness sharpness;
};

class Ensemble {
 public:
  Ensemble() = default;
  Ensemble(const Ensemble&) = delete;
  Ensemble& operator=(const Ensemble&) = delete;
  virtual ~Ensemble() = default;

  // Runs for about `seconds`, or until all members have ended or stop() is called.
  virtual EnsembleRecords advance(double seconds) = 0;
  virtual void stop() noexcept = 0;  // from any thread
  virtual void resume() noexcept = 0;

  virtual std::size_t size() const = 0;
  virtual bool running() const = 0;
  virtual Outcome outcome(std::size_t member) const = 0;
  virtual std::int64_t step(std::size_t member) const = 0;
  virtual std::vector<NamedValues> parameters(std::size_t member) = 0;
  virtual LoopState state(std::size_t member) = 0;
  virtual void restore(std::size_t member, const LoopState& state) = 0;
};

// On the processor, one member after the other; every arithmetic.
std::unique_ptr<Ensemble> make_core_ensemble(const EnsembleSpec& spec);

}  // namespace precipice
