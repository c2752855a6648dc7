// How long a step of gradient flow is. A fixed step stays what it is; an adaptive one is
// factor / S, with the sharpness S measured every so many steps (Yoo, Song and Yun 2025, appendix
// C.1). That rule alone explodes where the curvature grows between two measurements, so the guard
// measures too when an estimate of the curvature exceeds 1.5 times its value at the last
// measurement, and has a step halved and redone that was longer than 2.5 / S (the method's bound
// of stability is 2.785) or raised the loss.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "numbers/exact.hpp"
#include "training/optimizer_spec.hpp"

namespace precipice {

class FlowControl {
 public:
  explicit FlowControl(const FlowSpec& spec, double fixed_step)
      : spec_(spec), step_(spec.step ? fixed_step : 0) {}

  bool adaptive() const { return !spec_.step; }
  // Whether the estimate of the curvature at each step is needed.
  bool guarded() const { return adaptive() && spec_.guard; }

  bool measurement_due(double estimate) const {
    if (!adaptive()) return false;
    return since_ < 0 || since_ >= spec_.every ||
           (guarded() && estimate > 1.5 * measured_estimate_);
  }
  void measured(double sharpness, double estimate) {
    sharpness_ = sharpness;
    measured_estimate_ = estimate;
    step_ = sharpness > 0 && std::isfinite(sharpness) ? spec_.factor / sharpness : spec_.factor;
    since_ = 0;
  }

  // Whether the step that led here is to be taken back.
  bool too_long(double loss, double estimate) const {
    if (!guarded() || since_ < 1) return false;
    // No shorter step helps where there is none, or where the loss was not finite before.
    if (step_ == 0 || !std::isfinite(loss_before_)) return false;
    const double sharpness = sharpness_ * (estimate / measured_estimate_);
    return !(loss <= loss_before_) || step_ * sharpness > 2.5;
  }
  void halve() {
    take_back();
    step_ /= 2;
  }
  void take_back() {
    time_ = time_before_;
    --since_;
  }
  void taken(double loss_before) {
    loss_before_ = loss_before;
    time_before_ = time_;
    time_ += step_;
    ++since_;
  }

  // The next step is as the first: it is measured for, and none before it is taken back.
  void begin_afresh() { since_ = -1; }

  double time() const { return time_; }
  ExactVector step() const {
    return spec_.step ? *spec_.step : ExactVector(std::vector<double>{step_});
  }

  std::vector<double> state() const {
    return {step_,        sharpness_, measured_estimate_,
            loss_before_, time_,      static_cast<double>(since_),
            time_before_};
  }
  void restore(const std::vector<double>& state) {
    if (adaptive()) step_ = state.at(0);
    sharpness_ = state.at(1);
    measured_estimate_ = state.at(2);
    loss_before_ = state.at(3);
    time_ = state.at(4);
    since_ = static_cast<std::int64_t>(state.at(5));
    time_before_ = state.at(6);
  }

 private:
  FlowSpec spec_;
  double step_;
  double sharpness_ = 0, measured_estimate_ = 0;         // at the last measurement
  double loss_before_ = 0, time_ = 0, time_before_ = 0;  // before: the last step
  std::int64_t since_ = -1;  // steps since the last measurement; -1: none yet
};

}  // namespace precipice
