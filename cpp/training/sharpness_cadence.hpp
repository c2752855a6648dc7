// At which steps the sharpness is measured. A fixed cadence measures pairs of steps (record.hpp).
// An adaptive one measures every `coarse` steps while the sharpness is well below the threshold of
// stability, and where the loss has risen, as it does only above. The first measurement that comes
// near the threshold sends the run back to the last one that did not, from where each step is
// measured: so the crossing is found to the step. After `quiet` steps in a row well below the
// threshold it measures rarely again.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "training/record.hpp"

namespace precipice {

class SharpnessCadence {
 public:
  explicit SharpnessCadence(const RecordPlan& plan) : plan_(plan) {}

  bool adaptive() const { return plan_.adaptive.has_value(); }
  bool due(std::int64_t step) const {
    if (step <= measured_) return false;
    if (!adaptive()) return due_in_pairs(plan_.sharpness, step);
    return fine(step) || precipice::due(plan_.sharpness, step);
  }
  // Of a step that is measured whatever the cadence, as the last one is.
  bool unmeasured(std::int64_t step) const { return plan_.sharpness > 0 && step > measured_; }

  enum class Advice { go_on, remember, go_back };

  // What follows from a measurement at `step`: go back to the remembered step, remember this one,
  // or neither. Where the loss has risen or the run blows up, it goes back too: what led there may
  // have come between two measurements, and above the threshold every second step is below it.
  Advice observe(std::int64_t step, double sharpness, double step_size, bool unstable) {
    measured_ = step;
    if (!adaptive()) return Advice::go_on;
    const bool calm =
        sharpness < plan_.adaptive->near * plan_.adaptive->stability / step_size && !unstable;
    if (fine(step)) {
      quiet_ = calm ? quiet_ + 1 : 0;
      if (quiet_ < plan_.adaptive->quiet) return Advice::go_on;
      coarse_from_ = step + 1;
      return remember(step);
    }
    if (calm) return remember(step);
    if (step > remembered_ + 1) return Advice::go_back;
    measure_each_after(step);
    return remember(step);
  }

  // Each step after the remembered one is to be measured; the run goes on from there.
  std::int64_t go_back() {
    measure_each_after(remembered_);
    return measured_ = remembered_;
  }

  std::vector<std::int64_t> state() const {
    return {fine_from_, coarse_from_, quiet_, remembered_, measured_};
  }
  void restore(const std::vector<std::int64_t>& state) {
    fine_from_ = state.at(0);
    coarse_from_ = state.at(1);
    quiet_ = state.at(2);
    remembered_ = state.at(3);
    measured_ = state.at(4);
  }

 private:
  bool fine(std::int64_t step) const { return step >= fine_from_ && step < coarse_from_; }
  Advice remember(std::int64_t step) {
    remembered_ = step;
    return Advice::remember;
  }
  void measure_each_after(std::int64_t step) {
    fine_from_ = step + 1;
    coarse_from_ = std::numeric_limits<std::int64_t>::max();
    quiet_ = 0;
  }

  RecordPlan plan_;
  std::int64_t fine_from_ = 0, coarse_from_ = 0;  // no step is fine at first
  std::int64_t quiet_ = 0;
  std::int64_t remembered_ = -1, measured_ = -1;
};

}  // namespace precipice
