// When the loss has blown up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace precipice {

// L_m > factor * max(L_m of steps 0..9 so far, kappa ||y||^2), with L_m the loss of the residuals
// in the measuring format. An infinite factor leaves only the test for non-finite parameters; no
// factor switches the whole test off.
class BlowupTest {
 public:
  BlowupTest(std::optional<double> factor, double loss_of_labels)
      : factor_(factor), reference_(loss_of_labels) {}

  // The largest early loss so far: the whole state of the test.
  double reference() const { return reference_; }
  void restore(double reference) { reference_ = reference; }

  bool enabled() const { return factor_.has_value(); }

  // To be called once a step, in order.
  bool exceeded(std::int64_t step, double measured_loss) {
    if (step < early_steps) reference_ = std::max(reference_, measured_loss);
    return factor_.has_value() && measured_loss > *factor_ * reference_;
  }

 private:
  static constexpr std::int64_t early_steps = 10;
  std::optional<double> factor_;
  double reference_;
};

}  // namespace precipice
