// The training loop: evaluate, test, update, record, until something ends the run.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "linalg/exponents.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/mpfr_number.hpp"
#include "training/blowup.hpp"
#include "training/flow_control.hpp"
#include "training/optimizer_spec.hpp"
#include "training/outcome.hpp"
#include "training/record.hpp"
#include "training/sharpness_cadence.hpp"
#include "training/simulation.hpp"

namespace precipice {

struct LoopSpec {
  std::int64_t steps = 0;
  std::optional<double> blowup_factor;
  std::optional<double> tolerance;  // converged: L - loss_floor < tolerance
  double loss_floor = 0;            // kappa ||y_perp||^2, what no parameters can reduce
  std::optional<double> max_seconds;
  RecordPlan record;
  std::optional<Handover> handover;
};

template <class Trainee, class Curvature>
class Loop final : public Simulation {
 public:
  // No curvature: neither sharpness nor layer imbalance is recorded.
  Loop(const Arithmetic& arithmetic, const LoopSpec& spec, const OptimizerSpec& optimizer,
       std::unique_ptr<Trainee> trainee, std::unique_ptr<Curvature> curvature)
      : arithmetic_(arithmetic),
        spec_(spec),
        trainee_(std::move(trainee)),
        curvature_(std::move(curvature)),
        blowup_(spec.blowup_factor, trainee_->loss_of_labels()),
        cadence_(spec.record),
        event_(optimizer.event) {
    if (optimizer.flow) flow_.emplace(*optimizer.flow, trainee_->step_size(0));
  }

  Records advance(double seconds) override {
    const std::lock_guard lock(busy_);
    const ExponentRange range = exponent_range<Space>(arithmetic_);
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
    const ExponentRange range = exponent_range<Space>(arithmetic_);
    return trainee_->exact_parameters();
  }
  LoopState state() override {
    const std::lock_guard lock(busy_);
    const ExponentRange range = exponent_range<Space>(arithmetic_);
    return {step_,
            trainee_->exact_state(),
            returned_,
            blowup_.reference(),
            seconds_,
            curvature_ ? curvature_->state() : std::vector<double>(),
            recorded_,
            trainee_->step_sizes().switched(),
            flow_ ? flow_->state() : std::vector<double>(),
            cadence_.state(),
            cadence_.adaptive() ? trainee_->exact_snapshot() : SavedParameters(),
            snapshot_returned_,
            loss_before_,
            begun_,
            window_};
  }
  void restore(const LoopState& state) override {
    const std::lock_guard lock(busy_);
    const ExponentRange range = exponent_range<Space>(arithmetic_);
    if (cadence_.adaptive()) trainee_->restore_snapshot(state.snapshot);
    snapshot_returned_ = state.snapshot_returned;
    loss_before_ = state.loss_before;
    cadence_.restore(state.cadence);
    trainee_->restore(state.parameters);
    step_ = state.step;
    returned_ = state.returned;
    blowup_.restore(state.blowup_reference);
    if (curvature_) curvature_->restore(state.curvature);
    recorded_ = state.recorded;
    trainee_->step_sizes().switch_at(state.switched);
    if (flow_) flow_->restore(state.flow);
    seconds_ = state.seconds;
    begun_ = state.begun;
    window_ = state.window;
  }
  void take_over(const LoopState& state) override {
    restore(state);
    begun_ = step_;
    returned_ = false;
    if (flow_) flow_->begin_afresh();
  }
  double step_size() const override { return trainee_->step_size(0); }
  std::int64_t switched() const override { return trainee_->step_sizes().switched(); }

 private:
  using Clock = std::chrono::steady_clock;
  using Space = typename Trainee::Space;
  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  Records finish_block(double before, Clock::time_point start) {
    seconds_ = before + seconds_since(start);
    return std::exchange(records_, {});
  }

  // False if stopped before the step was finished; the parameters are then what they were.
  bool take_step() {
    observed_ = false;
    if (!trainee_->evaluate(step_)) return false;
    if (flow_ && flow_->guarded() && !shorten_last_step()) return false;
    outcome_ = outcome_at_evaluation();
    const bool ends = outcome_ != Outcome::running;
    if (!ends && !trainee_->differentiate(step_)) return false;
    if (!record_due(ends)) return true;  // back where nothing was missed yet
    if (!ends && handover_due()) outcome_ = Outcome::handed_over;
    recorded_ = std::max<std::int64_t>(recorded_, step_);
    if (outcome_ != Outcome::running) return true;
    Change change;
    if (flow_) {
      if (!take_flow_step(change)) return false;
    } else {
      change = trainee_->update(step_);
    }
    if (!change.moved && trainee_->repeats_from(step_)) {  // theta_{t+1} = theta_t
      outcome_ = Outcome::stalled;
      if (flow_) flow_->take_back();
      record_last();
      return true;
    }
    trainee_->accept();
    // theta_{t-1} and theta_t must both be of this arithmetic.
    returned_ = change.returned && step_ > begun_ && trainee_->returns_from(step_ - 1);
    ++step_;
    if (curvature_ && !flow_) curvature_->record_change(records_.quantities, *trainee_);
    return true;
  }

  // Takes back steps of gradient flow that were too long; false if stopped on the way.
  bool shorten_last_step() {
    while (flow_->too_long(trainee_->measured_loss(), curvature_->estimate(*trainee_))) {
      trainee_->take_back();
      --step_;
      flow_->halve();
      Change change;
      if (!trainee_->evaluate(step_) || !trainee_->differentiate(step_) || !take_flow_step(change))
        return false;
      trainee_->accept();
      ++step_;
      if (!trainee_->evaluate(step_)) return false;
    }
    return true;
  }
  bool take_flow_step(Change& change) {
    const double loss = trainee_->measured_loss();
    if (flow_->adaptive()) {
      const double estimate = curvature_->estimate(*trainee_);
      if (flow_->measurement_due(estimate)) {
        curvature_->observe(*trainee_);
        flow_->measured(curvature_->sharpness(), estimate);
      }
    }
    if (!trainee_->flow(flow_->step(), change)) return false;
    // A step that does not move is the last: what is recorded then is of these parameters.
    if (!change.moved && !trainee_->evaluate(step_)) return false;
    flow_->taken(loss);
    return true;
  }

  // Whether an event comes at this step: its series is recorded here.
  bool comes(const Event& event) {
    const double step_size = trainee_->step_size(step_);
    if (event.series == Event::Series::sharpness)
      return measured_at_ == step_ && event.reached(measured_sharpness_, step_size);
    return step_ > recorded_ && due(spec_.record.loss, step_) &&
           event.reached(trainee_->loss().value, step_size);
  }
  void switch_step_size() {
    if (event_ && trainee_->step_sizes().pending() && comes(*event_))
      trainee_->step_sizes().switch_at(step_);
  }
  bool handover_due() {
    if (!spec_.handover) return false;
    if (const auto* step = std::get_if<std::int64_t>(&*spec_.handover)) return step_ >= *step;
    return comes(std::get<Event>(*spec_.handover));
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

  // Series that are due; false if the run has gone back to measure what it passed over.
  bool record_due(bool ends) {
    rose_ = loss_rose();
    if (cadence_.due(step_) || ((ends || rose_) && cadence_.unmeasured(step_))) {
      if (!measure()) return false;
    }
    if (!ends) switch_step_size();
    if (step_ > recorded_) record_series(false);
    if (ends) record_last();
    return true;
  }
  // At the last step, what was not due.
  void record_last() {
    if (cadence_.unmeasured(step_) && !measure()) return;
    record_series(true);
  }
  // All but the sharpness: those that are due, or at the last step the others.
  void record_series(bool others) {
    const RecordPlan& plan = spec_.record;
    const auto wanted = [&](std::int64_t cadence) {
      return cadence > 0 && due(cadence, step_) != others;
    };
    if (wanted(plan.loss)) record_loss();
    if (plan.window > 0) record_window(others);
    if (wanted(plan.layer_imbalance)) record_layer_imbalance();
    if (wanted(plan.eigenvalues)) {
      observe();
      records_.eigenvalues.step.push_back(step_);
      curvature_->record_eigenvalues(records_.eigenvalues);
    }
    if (wanted(plan.quantities)) {
      observe();
      // What is said of the coming step is of a step of descent: a flow has none.
      const double nan = std::numeric_limits<double>::quiet_NaN();
      curvature_->record_quantities(records_.quantities, step_,
                                    flow_ ? nan : trainee_->step_size(step_));
    }
    if (wanted(plan.parameters)) record_parameters(records_.parameters);
  }

  // Below the threshold of stability full-batch descent lowers the loss: where an adaptive cadence
  // sees it rise, it measures.
  bool loss_rose() {
    if (!cadence_.adaptive()) return false;
    const double before = std::exchange(loss_before_, trainee_->measured_loss());
    return trainee_->full_batch() && loss_before_ > before;
  }

  // Moves the curvature to the current parameters, once a step.
  void observe() {
    if (observed_) return;
    curvature_->observe(*trainee_);
    observed_ = true;
  }
  // False if the run has gone back.
  bool measure() {
    observe();
    Records::Sharpness& series = records_.sharpness;
    curvature_->record_sharpness(series);
    series.step.push_back(step_);
    measured_sharpness_ = series.value.back();
    measured_at_ = step_;
    switch (cadence_.observe(step_, measured_sharpness_, trainee_->step_size(step_),
                             rose_ || outcome_ == Outcome::blowup)) {
      case SharpnessCadence::Advice::go_on: break;
      case SharpnessCadence::Advice::remember:
        trainee_->take_snapshot();
        snapshot_returned_ = returned_;
        break;
      case SharpnessCadence::Advice::go_back:
        series.take_back();
        go_back();
        return false;
    }
    if (spec_.record.measured_parameters) record_parameters(records_.measured);
    return true;
  }
  void go_back() {
    trainee_->return_to_snapshot();
    step_ = cadence_.go_back();
    returned_ = snapshot_returned_;
    outcome_ = Outcome::running;
  }

  void record_layer_imbalance() {
    observe();
    records_.layer_imbalance.step.push_back(step_);
    for (const double c : curvature_->layer_imbalance())
      records_.layer_imbalance.value.push_back(c);
  }
  void record_loss() {
    const DoubleLog2 loss = trainee_->loss();
    records_.loss.step.push_back(step_);
    records_.loss.value.push_back(loss.value);
    records_.loss.log2.push_back(loss.log2);
    if (!flow_) return;
    records_.time.step.push_back(step_);
    records_.time.value.push_back(flow_->time());
  }
  // The loss of each step; a window ends with its last step or with the run.
  void record_window(bool run_ends) {
    if (!run_ends) {
      const double loss = trainee_->loss().value;
      if (window_)
        window_->add(step_, loss);
      else
        window_ = LossWindow::of(step_, loss);
    }
    if (!window_ || !(run_ends || due(spec_.record.window, step_ + 1))) return;
    records_.windows.push_back(*window_);
    window_.reset();
  }
  void record_parameters(Records::Parameters& series) {
    series.step.push_back(step_);
    for (NamedValues& block : trainee_->exact_parameters())
      for (std::string& text : block.text) series.text.push_back(std::move(text));
  }

  Arithmetic arithmetic_;
  LoopSpec spec_;
  std::unique_ptr<Trainee> trainee_;
  std::unique_ptr<Curvature> curvature_;
  BlowupTest blowup_;
  SharpnessCadence cadence_;
  std::optional<EventSpec> event_;
  std::optional<FlowControl> flow_;
  Records records_;
  std::optional<LossWindow> window_;  // that has begun and not ended
  std::int64_t recorded_ = -1;        // steps up to it have been recorded, but for their sharpness
  double measured_sharpness_ = 0;
  std::int64_t measured_at_ = -1;
  bool observed_ = false;  // by the curvature, in this step
  bool rose_ = false;      // the loss, as an adaptive cadence sees it
  bool snapshot_returned_ = false;
  double loss_before_ = std::numeric_limits<double>::quiet_NaN();  // of an adaptive cadence
  std::atomic<std::int64_t> step_ = 0;
  bool returned_ = false;   // theta_t equals theta_{t-2}
  std::int64_t begun_ = 0;  // the first step whose update is of this arithmetic
  bool out_of_time_ = false;
  double seconds_ = 0;  // spent in advance()
  std::atomic<Outcome> outcome_ = Outcome::running;
  std::mutex busy_;  // one thread at a time; stop(), step() and outcome() are for any
};

}  // namespace precipice
