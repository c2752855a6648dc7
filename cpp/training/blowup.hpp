// When the loss has blown up.
#pragma once

#include <cstdint>
#include <optional>

#include "linalg/space.hpp"

namespace precipice {

// L_m > factor * max(L_m of steps 0..9 so far, kappa ||y||^2), with L_m the loss of the residuals
// in the measuring format. An infinite factor leaves only the test for non-finite parameters; no
// factor switches the whole test off.
class BlowupTest {
 public:
  BlowupTest(std::optional<double> factor, double loss_of_labels)
      : BlowupTest(factor.has_value(), factor.value_or(0), loss_of_labels) {}
  PRECIPICE_HOST_DEVICE BlowupTest(bool enabled, double factor, double reference)
      : enabled_(enabled), factor_(factor), reference_(reference) {}

  // The largest early loss so far: the whole state of the test.
  PRECIPICE_HOST_DEVICE double reference() const { return reference_; }
  void restore(double reference) { reference_ = reference; }

  PRECIPICE_HOST_DEVICE bool enabled() const { return enabled_; }
  // Whether the loss of this step is looked at.
  PRECIPICE_HOST_DEVICE bool looks_at(std::int64_t step) const {
    return enabled_ || step < early_steps;
  }

  // To be called once a step, in order.
  PRECIPICE_HOST_DEVICE bool exceeded(std::int64_t step, double measured_loss) {
    if (step < early_steps && reference_ < measured_loss) reference_ = measured_loss;
    return enabled_ && measured_loss > factor_ * reference_;
  }

 private:
  static constexpr std::int64_t early_steps = 10;
  bool enabled_;
  double factor_, reference_;
};

}  // namespace precipice
