// Which steps are due at a cadence (training/due.hpp), counted along: a division of 64-bit integers
// takes a lane as long as many operations on numbers.
#pragma once

#include <cstdint>

#include "linalg/space.hpp"

namespace precipice {

class LaneCadence {
 public:
  // 0: no step is due.
  PRECIPICE_HOST_DEVICE LaneCadence(std::int64_t cadence, std::int64_t step)
      : cadence_(cadence), phase_(cadence > 0 ? step % cadence : none) {}

  PRECIPICE_HOST_DEVICE bool due() const { return phase_ == 0; }
  PRECIPICE_HOST_DEVICE bool due_in_pairs() const { return phase_ >= 0 && phase_ <= 1; }
  // Whether the next step is due.
  PRECIPICE_HOST_DEVICE bool ends() const { return phase_ == cadence_ - 1; }
  PRECIPICE_HOST_DEVICE bool given() const { return cadence_ > 0; }

  // One step on, or back.
  PRECIPICE_HOST_DEVICE void next() {
    if (phase_ == none) return;
    phase_ = ends() ? 0 : phase_ + 1;
  }
  PRECIPICE_HOST_DEVICE void back() {
    if (phase_ == none) return;
    phase_ = (phase_ == 0 ? cadence_ : phase_) - 1;
  }

 private:
  static constexpr std::int64_t none = -1;

  std::int64_t cadence_;
  std::int64_t phase_;  // the step modulo the cadence
};

}  // namespace precipice
