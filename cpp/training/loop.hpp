// The training loop: evaluate, test, update, record, until something ends the run.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "numbers/format.hpp"
#include "numbers/mpfr_number.hpp"
#include "training/blowup.hpp"
#include "training/outcome.hpp"
#include "training/record.hpp"
#include "training/simulation.hpp"

namespace precipice {

struct LoopSpec {
  std::int64_t steps = 0;
  std::optional<double> blowup_factor;
  std::optional<double> tolerance;  // converged: L - loss_floor < tolerance
  double loss_floor = 0;            // kappa ||y_perp||^2, what no parameters can reduce
  std::optional<double> max_seconds;
  RecordPlan record;
};

template <class Trainee, class Curvature>
class Loop final : public Simulation {
 public:
  // No curvature: neither sharpness nor layer imbalance is recorded.
  Loop(const Format& format, const LoopSpec& spec, std::unique_ptr<Trainee> trainee,
       std::unique_ptr<Curvature> curvature)
      : format_(format),
        spec_(spec),
        trainee_(std::move(trainee)),
        curvature_(std::move(curvature)),
        blowup_(spec.blowup_factor, trainee_->loss_of_labels()) {}

  Records advance(double seconds) override {
    const std::lock_guard lock(busy_);
    const ExponentRange range(format_);
    const auto start = Clock::now();
    const double before = seconds_;
    // The clock is read every `stride` steps: rarely where steps are short, always where they are
    // long.
    for (std::int64_t stride = 1; outcome_ == Outcome::running && seconds_ - before < seconds;) {
      const double elapsed = seconds_;
      for (std::int64_t i = 0; i < stride && outcome_ == Outcome::running; ++i)
        if (!take_step()) return finish_block(before, start);
      seconds_ = before + seconds_since(start);
      out_of_time_ = spec_.max_seconds && seconds_ >= *spec_.max_seconds;
      stride = std::max<std::int64_t>(1, seconds_ - elapsed < 1e-3 ? 2 * stride : stride / 2);
    }
    return finish_block(before, start);
  }

  void stop() noexcept override { trainee_->stop_flag().store(true); }
  void resume() noexcept override { trainee_->stop_flag().store(false); }
  Outcome outcome() const override { return outcome_; }
  std::int64_t step() const override { return step_; }
  std::vector<NamedValues> parameters() override {
    const std::lock_guard lock(busy_);
    const ExponentRange range(format_);
    return trainee_->exact_parameters();
  }
  LoopState state() override {
    const std::lock_guard lock(busy_);
    const ExponentRange range(format_);
    return {step_,
            trainee_->exact_parameters(),
            trainee_->exact_previous_parameters(),
            returned_,
            blowup_.reference(),
            seconds_,
            curvature_ ? curvature_->state() : std::vector<double>()};
  }
  void restore(const LoopState& state) override {
    const std::lock_guard lock(busy_);
    const ExponentRange range(format_);
    trainee_->restore(state.current, state.previous);
    step_ = state.step;
    returned_ = state.returned;
    blowup_.restore(state.blowup_reference);
    if (curvature_) curvature_->restore(state.curvature);
    seconds_ = state.seconds;
  }
  double step_size() const override { return trainee_->step_size(); }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  Records finish_block(double before, Clock::time_point start) {
    seconds_ = before + seconds_since(start);
    return std::exchange(records_, {});
  }

  // False if stopped before the step was finished; the parameters are then what they were.
  bool take_step() {
    if (!trainee_->evaluate()) return false;
    outcome_ = outcome_at_evaluation();
    Change change{true, false};
    if (outcome_ == Outcome::running) {
      if (!trainee_->differentiate()) return false;
      change = trainee_->update();
      if (!change.moved) outcome_ = Outcome::stalled;  // theta_{t+1} = theta_t
    }
    record(outcome_ != Outcome::running);
    if (outcome_ != Outcome::running) return true;
    trainee_->accept();
    ++step_;
    returned_ = change.returned && step_ >= 2;
    return true;
  }

  // What the parameters and residuals of this step say, before any update.
  Outcome outcome_at_evaluation() {
    if (returned_) return Outcome::locked;  // theta_t = theta_{t-2} != theta_{t-1}
    if (blowup_.enabled() && !trainee_->parameters_finite()) return Outcome::blowup;
    if (blowup_.exceeded(step_, trainee_->measured_loss())) return Outcome::blowup;
    if (spec_.tolerance && trainee_->loss().value - spec_.loss_floor < *spec_.tolerance)
      return Outcome::converged;
    if (step_ == spec_.steps) return Outcome::max_steps;
    return out_of_time_ ? Outcome::time : Outcome::running;
  }

  void record(bool last) {
    if (due(spec_.record.loss, step_) || (last && spec_.record.loss > 0)) record_loss();
    const bool sharpness =
        due_in_pairs(spec_.record.sharpness, step_) || (last && spec_.record.sharpness > 0);
    const bool imbalance =
        due(spec_.record.layer_imbalance, step_) || (last && spec_.record.layer_imbalance > 0);
    if (sharpness || imbalance) curvature_->observe(*trainee_);
    if (sharpness) {
      records_.sharpness.step.push_back(step_);
      curvature_->record_sharpness(records_.sharpness);
      if (spec_.record.measured_parameters) record_parameters(records_.measured);
    }
    if (imbalance) {
      records_.layer_imbalance.step.push_back(step_);
      for (const double c : curvature_->layer_imbalance())
        records_.layer_imbalance.value.push_back(c);
    }
    if (due(spec_.record.parameters, step_) || (last && spec_.record.parameters > 0))
      record_parameters(records_.parameters);
  }
  void record_loss() {
    const DoubleLog2 loss = trainee_->loss();
    records_.loss.step.push_back(step_);
    records_.loss.value.push_back(loss.value);
    records_.loss.log2.push_back(loss.log2);
  }
  void record_parameters(Records::Parameters& series) {
    series.step.push_back(step_);
    for (NamedValues& block : trainee_->exact_parameters())
      for (std::string& text : block.text) series.text.push_back(std::move(text));
  }

  Format format_;
  LoopSpec spec_;
  std::unique_ptr<Trainee> trainee_;
  std::unique_ptr<Curvature> curvature_;
  BlowupTest blowup_;
  Records records_;
  std::atomic<std::int64_t> step_ = 0;
  bool returned_ = false;  // theta_t equals theta_{t-2}
  bool out_of_time_ = false;
  double seconds_ = 0;  // spent in advance()
  std::atomic<Outcome> outcome_ = Outcome::running;
  std::mutex busy_;  // one thread at a time; stop(), step() and outcome() are for any
};

}  // namespace precipice
