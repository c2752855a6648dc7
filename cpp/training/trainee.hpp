// What the loop trains: data, a model in training and an optimiser, in one Space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "linalg/space.hpp"
#include "models/training_data.hpp"
#include "training/block.hpp"
#include "training/mini_batch.hpp"
#include "training/model_states.hpp"
#include "training/optimizer_spec.hpp"
#include "training/problem_spec.hpp"
#include "training/runge_kutta.hpp"
#include "training/simulation.hpp"
#include "training/step_sizes.hpp"
#include "training/update_rules.hpp"

namespace precipice {

template <class Model>
class Trainee {
 public:
  using Space = typename Model::Space;
  using Array = typename Space::Array;

  Trainee(const Arithmetic& arithmetic, const ProblemSpec& problem,
          const typename Model::Spec& spec, const OptimizerSpec& optimizer)
      : space_(arithmetic, stop_),
        data_{matrix(problem),
              space_.array(problem.rows, Stage::forward),
              problem.loss,
              {space_.integer(2), integer(problem.samples), integer(2 * problem.samples)}},
        model_(space_, problem, spec),
        blocks_(model_.blocks()),
        step_sizes_(space_, optimizer),
        descent_(space_, optimizer, blocks_),
        loss_factor_(loss_factor(problem.loss, problem.samples)),
        stochastic_(arithmetic.stochastic()) {
    assign(space_, data_.y, problem.y);
    if (optimizer.rule == UpdateRule::runge_kutta) flow_.emplace(space_, blocks_);
    if (optimizer.batch && optimizer.batch->size < problem.samples) {
      batch_.emplace(space_, *optimizer.batch, data_);
      model_.reserve_batch(space_, optimizer.batch->size);
    }
  }

  StopFlag& stop_flag() { return stop_; }
  const Model& model() const { return model_; }

  // A step begins: the loss at the current parameters, and of the gradient what comes with it;
  // false if stopped before they were finished.
  bool evaluate(std::int64_t step) {
    if constexpr (requires { space_.begin_step(step); }) space_.begin_step(step);
    if (batch_)
      model_.evaluate_loss(space_, data_);
    else
      model_.evaluate(space_, data_);
    return !space_.stopped();
  }
  // What is left of the gradient; false if stopped before it was finished.
  bool differentiate(std::int64_t step) {
    if (batch_) {
      const TrainingData<Space>& batch = batch_->at(space_, step);
      model_.differentiate_batch(space_, batch, batch_->which());
    } else if (!fuses_descent()) {
      model_.differentiate(space_, data_);
    }
    return !space_.stopped();
  }
  // Computes the next parameters; accept() makes them the current ones. Finished even if stopped:
  // theta_{t-1}, which they replace, would be lost half way.
  Change update(std::int64_t step) {
    const auto eta = step_sizes_.at(step);
    if constexpr (can_fuse_descent)
      if (fuses_descent()) return model_.descend(space_, eta);
    Change change;
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      change &= descent_.step(space_, blocks_[i], eta, model_.gradient(space_, i));
    return change;
  }
  // The same by a step of gradient flow; false if stopped before it was finished.
  bool flow(const ExactVector& step_size, Change& change) {
    flow_->set_step(space_, step_size);
    return flow_->step(space_, model_, data_, blocks_, change);
  }
  void accept() {
    model_.swap();
    for (Block<Space>& block : blocks_) {
      std::swap(block.current, block.other);
      std::swap(block.velocity, block.other_velocity);
    }
  }
  // Back to step t-1; the parameters of step t are lost with the next update.
  void take_back() { accept(); }

  // Whether the updates from this step on are one and the same map, so that parameters that do not
  // move never will, and parameters that return always will. A step of flow that does not move
  // has no shorter one that does. Stochastic rounding never repeats itself.
  bool repeats_from(std::int64_t step) const {
    return !stochastic_ && !batch_ && (flow_ || step_sizes_.constant_since(step) <= step);
  }
  bool full_batch() const { return !batch_; }
  bool returns_from(std::int64_t step) const { return !flow_ && repeats_from(step); }
  StepSizes<Space>& step_sizes() { return step_sizes_; }
  const StepSizes<Space>& step_sizes() const { return step_sizes_; }

  // A copy of all that the next steps depend on, to start again from.
  void take_snapshot() {
    for (const Side side : {Side::now, Side::before}) {
      std::vector<NamedArray>& copies = snapshot_[side];
      const std::vector<NamedArray> values = state(side);
      if (copies.empty())
        for (const NamedArray& v : values)
          copies.push_back({v.name, space_.array(v.array.size, v.stage), v.stage});
      for (std::size_t i = 0; i < values.size(); ++i) space_.copy(copies[i].array, values[i].array);
    }
  }
  void return_to_snapshot() {
    for (const Side side : {Side::now, Side::before}) {
      const std::vector<NamedArray> values = state(side);
      for (std::size_t i = 0; i < values.size(); ++i)
        space_.copy(values[i].array, snapshot_[side][i].array);
    }
  }

  void restore_snapshot(const SavedParameters& saved) {
    take_snapshot();
    restore(snapshot_[Side::now], saved.current);
    restore(snapshot_[Side::before], saved.previous);
  }

  bool parameters_finite() const { return model_.finite(data_); }
  double measured_loss() const { return measured_loss_of(model_.residuals()); }
  double loss_of_labels() const { return measured_loss_of(data_.y); }
  DoubleLog2 loss() { return space_.measure(model_.loss()); }
  double step_size(std::int64_t step) const { return step_sizes_.as_double(step); }

  void preactivations(std::vector<double>& f) const { to_doubles(model_.preactivations(), f); }
  // One parameter as float64: its blocks one after the other.
  void parameter(const std::string& name, std::vector<double>& out) const {
    out.clear();
    for (const Block<Space>& block : blocks_)
      if (block.name == name)
        for (std::size_t i = 0; i < block.current.size; ++i)
          out.push_back(Space::to_double(block.current, i));
  }
  std::vector<NamedValues> exact_parameters() { return exact(parameters(Side::now)); }

  // All that the next steps depend on, and the same of the snapshot.
  SavedParameters exact_state() { return {exact(state(Side::now)), exact(state(Side::before))}; }
  SavedParameters exact_snapshot() {
    return {exact(snapshot_[Side::now]), exact(snapshot_[Side::before])};
  }
  void restore(const SavedParameters& saved) {
    restore(state(Side::now), saved.current);
    restore(state(Side::before), saved.previous);
  }

 private:
  static constexpr bool can_fuse_descent =
      requires(Model model, Space space, typename Space::Scalar eta) { model.descend(space, eta); };

  // Whether the update takes along what is left of the gradient.
  bool fuses_descent() const {
    if constexpr (can_fuse_descent)
      return model_.fuses_descent() && !batch_ && !flow_ && !descent_.has_velocity();
    return false;
  }

  struct NamedArray {
    std::string name;
    Array array;
    Stage stage;
  };
  enum Side { now, before };  // steps t and t-1
  std::vector<NamedArray> parameters(Side side) const {
    std::vector<NamedArray> arrays;
    for (const Block<Space>& block : blocks_)
      arrays.push_back(
          {block.name, side == Side::now ? block.current : block.other, Stage::parameters});
    return arrays;
  }
  std::vector<NamedArray> state(Side side) const {
    std::vector<NamedArray> arrays = parameters(side);
    if (descent_.has_velocity())
      for (const Block<Space>& block : blocks_)
        arrays.push_back({"velocity of " + block.name,
                          side == Side::now ? block.velocity : block.other_velocity,
                          Stage::update});
    return arrays;
  }

  typename Space::Matrix matrix(const ProblemSpec& problem) {
    return problem.diagonal ? space_.diagonal_matrix(problem.rows, problem.X)
                            : space_.matrix(problem.rows, problem.features, problem.X);
  }
  typename Space::Integer integer(std::size_t n) { return space_.integer(static_cast<long>(n)); }
  double measured_loss_of(Array z) const {
    double squares = 0;
    for (std::size_t i = 0; i < z.size; ++i) {
      const double x = Space::to_double(z, i);
      squares += x * x;
    }
    return loss_factor_ * squares;
  }
  static void to_doubles(Array a, std::vector<double>& out) {
    out.resize(a.size);
    for (std::size_t i = 0; i < a.size; ++i) out[i] = Space::to_double(a, i);
  }
  // Arrays of one name, which follow one another, make up one vector.
  std::vector<NamedValues> exact(const std::vector<NamedArray>& arrays) {
    std::vector<NamedValues> values;
    for (const auto& [name, array, stage] : arrays) {
      if (values.empty() || values.back().name != name) values.push_back({name, {}});
      for (std::size_t i = 0; i < array.size; ++i)
        values.back().text.push_back(space_.exact(array, i));
    }
    return values;
  }
  void restore(const std::vector<NamedArray>& arrays, const std::vector<NamedValues>& values) {
    for (const NamedValues& given : values) {
      const ExactVector numbers(given.text);
      std::size_t offset = 0;
      for (const auto& [name, array, stage] : arrays) {
        if (name != given.name) continue;
        if (offset + array.size <= given.text.size()) assign(space_, array, numbers, offset);
        offset += array.size;
      }
      if (offset != given.text.size())
        throw std::invalid_argument("state = " + given.name + " of " +
                                    std::to_string(given.text.size()) + " numbers: must be " +
                                    std::to_string(offset));
    }
  }

  StopFlag stop_{false};
  Space space_;
  TrainingData<Space> data_;
  Model model_;
  std::vector<Block<Space>> blocks_;
  StepSizes<Space> step_sizes_;
  Descent<Space> descent_;
  std::optional<RungeKutta4<Model>> flow_;
  std::optional<MiniBatch<Space>> batch_;
  std::vector<NamedArray> snapshot_[2];
  double loss_factor_;  // kappa
  bool stochastic_;
};

}  // namespace precipice
