// What the loop trains: data, a model in training and an optimiser, in one Space.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "linalg/space.hpp"
#include "models/training_data.hpp"
#include "training/gradient_descent.hpp"
#include "training/model_states.hpp"
#include "training/problem_spec.hpp"
#include "training/simulation.hpp"

namespace precipice {

template <class Model>
class Trainee {
 public:
  using Space = typename Model::Space;
  using Array = typename Space::Array;

  Trainee(const Format& format, const ProblemSpec& problem, const typename Model::Spec& spec)
      : space_(format, stop_),
        data_{matrix(problem),
              space_.array(problem.rows),
              problem.loss,
              {space_.integer(2), integer(problem.samples), integer(2 * problem.samples)}},
        model_(space_, problem, spec),
        optimizer_{space_.scalar()},
        step_size_(space_.array(1)),
        loss_factor_(loss_factor(problem.loss, problem.samples)) {
    assign(space_, data_.y, problem.y);
    space_.assign(step_size_, 0, problem.step_size, 0);
    space_.assign(optimizer_.eta, problem.step_size, 0);
  }

  StopFlag& stop_flag() { return stop_; }
  const Model& model() const { return model_; }

  // Loss and gradient at the current parameters; false if stopped before they were finished.
  bool evaluate() {
    model_.evaluate(space_, data_);
    return !space_.stopped();
  }
  // What is left of the gradient; false if stopped before it was finished.
  bool differentiate() {
    model_.differentiate(space_, data_);
    return !space_.stopped();
  }
  // Computes the next parameters; accept() makes them the current ones. Finished even if stopped:
  // theta_{t-1}, which they replace, would be lost half way.
  Change update() {
    Change change;
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      change &=
          optimizer_.step(space_, blocks_[i].other, blocks_[i].current, model_.gradient(space_, i));
    return change;
  }
  void accept() {
    model_.swap();
    for (Block<Space>& block : blocks_) std::swap(block.current, block.other);
  }

  bool parameters_finite() const { return model_.finite(data_); }
  double measured_loss() const { return measured_loss_of(model_.residuals()); }
  double loss_of_labels() const { return measured_loss_of(data_.y); }
  DoubleLog2 loss() { return space_.measure(model_.loss()); }
  double step_size() const { return Space::to_double(step_size_, 0); }

  void preactivations(std::vector<double>& f) const { to_doubles(model_.preactivations(), f); }
  // One parameter as float64: its blocks one after the other.
  void parameter(const std::string& name, std::vector<double>& out) const {
    out.clear();
    for (const Block<Space>& block : blocks_)
      if (block.name == name)
        for (std::size_t i = 0; i < block.current.size; ++i)
          out.push_back(Space::to_double(block.current, i));
  }
  std::vector<NamedValues> exact_parameters() { return exact(&Block<Space>::current); }
  std::vector<NamedValues> exact_previous_parameters() { return exact(&Block<Space>::other); }
  void restore(const std::vector<NamedValues>& current, const std::vector<NamedValues>& previous) {
    restore(&Block<Space>::current, current);
    restore(&Block<Space>::other, previous);
  }

 private:
  using Side = Array Block<Space>::*;

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
  std::vector<NamedValues> exact(Side side) {
    std::vector<NamedValues> parameters;
    for (const Block<Space>& block : blocks_) {
      if (parameters.empty() || parameters.back().name != block.name)
        parameters.push_back({block.name, {}});
      for (std::size_t i = 0; i < (block.*side).size; ++i)
        parameters.back().text.push_back(space_.exact(block.*side, i));
    }
    return parameters;
  }
  void restore(Side side, const std::vector<NamedValues>& parameters) {
    for (const NamedValues& parameter : parameters) {
      const ExactVector values(parameter.text);
      std::size_t offset = 0;
      for (const Block<Space>& block : blocks_) {
        if (block.name != parameter.name) continue;
        if (offset + (block.*side).size <= parameter.text.size())
          assign(space_, block.*side, values, offset);
        offset += (block.*side).size;
      }
      if (offset != parameter.text.size())
        throw std::invalid_argument("state = " + parameter.name + " of " +
                                    std::to_string(parameter.text.size()) + " numbers: must be " +
                                    std::to_string(offset));
    }
  }

  StopFlag stop_{false};
  Space space_;
  TrainingData<Space> data_;
  Model model_;
  std::vector<Block<Space>> blocks_ = model_.blocks();
  GradientDescent<Space> optimizer_;
  Array step_size_;
  double loss_factor_;  // kappa
};

}  // namespace precipice
