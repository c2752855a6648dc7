// A model in training: its parameters at two steps, its work arrays, and its gradient block by
// block. With mini-batches the loss is of all samples, and the gradient of a batch: it has work
// arrays of its own size.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "linalg/space.hpp"
#include "models/minimalist.hpp"
#include "models/two_layer_linear.hpp"
#include "numbers/exact.hpp"
#include "training/block.hpp"
#include "training/problem_spec.hpp"

namespace precipice {

// The values of one array, from the offset on.
template <class Space>
void assign(Space& space, typename Space::Array a, const ExactVector& values,
            std::size_t offset = 0) {
  for (std::size_t i = 0; i < a.size; ++i) space.assign(a, i, values, offset + i);
}

template <class Space_>
class MinimalistState {
 public:
  using Space = Space_;
  using Spec = MinimalistSpec;
  using Model = Minimalist<Space>;
  using Array = typename Space::Array;

  MinimalistState(Space& space, const ProblemSpec& problem, const Spec& spec)
      : current_{space.array(problem.features, Stage::parameters),
                 space.array(spec.factors, Stage::parameters)},
        other_{space.array(problem.features, Stage::parameters),
               space.array(spec.factors, Stage::parameters)},
        work_{space.array(problem.rows, Stage::forward),
              space.array(problem.rows, Stage::forward),
              space.array(problem.features, Stage::gradient),
              space.array(spec.factors, Stage::gradient),
              space.scalar(Stage::forward),
              space.scalar(Stage::gradient),
              space.scalar(Stage::measurement),
              space.scalar(Stage::gradient)} {
    assign(space, current_.u, spec.u);
    assign(space, current_.v, spec.v);
  }

  // Loss and residuals of the data; the gradient is to be a batch's, of at most so many samples.
  void reserve_batch(Space& space, std::size_t samples) {
    batch_work_ = work_;
    batch_work_.f = space.array(samples, Stage::forward);
    batch_work_.z = space.array(samples, Stage::forward);
  }
  void evaluate_loss(Space& space, const TrainingData<Space>& data) {
    Model::residuals(space, data, current_, work_);
    Model::loss(space, data, work_);
  }
  // `which`: of the sizes that batches have.
  void differentiate_batch(Space& space, const TrainingData<Space>& batch, std::size_t) {
    Work w = batch_work_;
    w.f.size = w.z.size = batch.y.size;
    Model::gradient(space, batch, current_, w);
  }

  void evaluate(Space& space, const TrainingData<Space>& data) {
    Model::gradient(space, data, current_, work_);
    Model::loss(space, data, work_);
  }
  std::vector<Block<Space>> blocks() const {
    return {{"u", current_.u, other_.u}, {"v", current_.v, other_.v}};
  }
  void differentiate(Space&, const TrainingData<Space>&) {}  // evaluate has done it
  Array gradient(Space&, std::size_t block) { return block == 0 ? work_.g : work_.h; }
  void swap() { std::swap(current_, other_); }

  // Where X is dense, a non-finite u_k makes every pre-activation non-finite (0*Inf is NaN, and no
  // sum recovers), so a finite f_0 vouches for all of u without looking at it.
  bool finite(const TrainingData<Space>& data) const {
    if (!Space::is_finite(current_.v)) return false;
    const bool vouched = !data.X.diagonal && Space::is_finite({work_.f.data, 1});
    return vouched || Space::is_finite(current_.u);
  }

  Array residuals() const { return work_.z; }
  typename Space::Scalar loss() const { return work_.L; }
  Array preactivations() const { return work_.f; }

 private:
  using Work = typename Model::Work;
  typename Model::Parameters current_, other_;
  Work work_, batch_work_{};
};

template <class Space_>
class TwoLayerState {
 public:
  using Space = Space_;
  using Spec = TwoLayerSpec;
  using Model = TwoLayerLinear<Space>;
  using Array = typename Space::Array;

  TwoLayerState(Space& space, const ProblemSpec& problem, const Spec& spec)
      : contraction_(spec.contraction),
        factors_{space.scalar(Stage::forward), space.scalar(Stage::gradient),
                 space.scalar(Stage::gradient)},
        current_{parameters(space, problem, spec)},
        other_{parameters(space, problem, spec)},
        work_{space.array(problem.rows, Stage::forward),
              space.array(problem.rows, Stage::forward),
              space.array(spec.width, Stage::gradient),
              space.scalar(Stage::measurement),
              space.array(problem.features, Stage::forward),
              space.array(problem.features, Stage::gradient),
              space.array(spec.width, Stage::gradient),
              space.array(problem.features, Stage::gradient),
              layerwise_weights(space, problem.rows, Stage::forward),
              layerwise_weights(space, problem.features, Stage::gradient),
              space.array(problem.rows, Stage::gradient),
              space.array(problem.rows, Stage::gradient),
              bias(space, problem.rows, Stage::forward),
              bias(space, spec.width, Stage::gradient),
              bias(space, 1, Stage::gradient),
              space.scalar(Stage::forward),
              space.scalar(Stage::gradient)} {
    space.assign(factors_.c, spec.scale, 0);
    space.assign(factors_.kappa, spec.kappa, 0);
    space.assign(factors_.kappa_L, spec.kappa_L, 0);
    for (std::size_t i = 1; i < size(spec.kappa); ++i) {
      batch_factors_.push_back(
          {factors_.c, space.scalar(Stage::gradient), space.scalar(Stage::gradient)});
      space.assign(batch_factors_.back().kappa, spec.kappa, i);
      space.assign(batch_factors_.back().kappa_L, spec.kappa_L, i);
    }
    for (std::size_t q = 0; q < spec.width; ++q)
      assign(space, Space::row_of(current_.W, q), spec.W, q * problem.features);
    assign(space, current_.a, spec.a);
    assign(space, current_.b1, spec.b1);
    assign(space, current_.b2, spec.b2);
    const ExactVector one = std::vector<double>{1};
    for (std::size_t i = 0; i < work_.ones.size; ++i) space.assign(work_.ones, i, one, 0);
  }

  void reserve_batch(Space& space, std::size_t samples) {
    batch_work_ = work_;
    batch_work_.F = space.array(samples, Stage::forward);
    batch_work_.z = space.array(samples, Stage::forward);
    batch_work_.e = space.array(samples, Stage::gradient);
    batch_work_.share = space.array(samples, Stage::gradient);
    batch_work_.H = layerwise_weights(space, samples, Stage::forward);
    batch_work_.L = space.scalar(Stage::measurement);
  }
  void evaluate_loss(Space& space, const TrainingData<Space>& data) {
    Model::residuals(space, data, factors_, current_, work_, contraction_);
  }
  void differentiate_batch(Space& space, const TrainingData<Space>& batch, std::size_t which) {
    Work w = batch_work_;
    w.F.size = w.z.size = w.e.size = w.share.size = w.H.columns = batch.y.size;
    if (current_.biased()) w.ones.size = batch.y.size;
    Model::evaluate(space, batch, batch_factors_[which], current_, w, contraction_);
    if (!space.stopped())
      Model::gradient(space, batch, batch_factors_[which], current_, w, contraction_);
  }

  void evaluate(Space& space, const TrainingData<Space>& data) {
    Model::evaluate(space, data, factors_, current_, work_, contraction_);
  }
  std::vector<Block<Space>> blocks() const {
    std::vector<Block<Space>> rows;
    for (std::size_t q = 0; q < current_.a.size; ++q)
      rows.push_back({"W", Space::row_of(current_.W, q), Space::row_of(other_.W, q)});
    rows.push_back({"a", current_.a, other_.a});
    if (!current_.biased()) return rows;
    rows.push_back({"b1", current_.b1, other_.b1});
    rows.push_back({"b2", current_.b2, other_.b2});
    return rows;
  }
  void differentiate(Space& space, const TrainingData<Space>& data) {
    Model::gradient(space, data, factors_, current_, work_, contraction_);
  }
  // Whether gradient descent is one pass, descend(), in place of differentiate() and a step of
  // every block.
  bool fuses_descent() const {
    return Space::fuses_descent && contraction_ == Contraction::collapsed && !current_.biased();
  }
  Change descend(Space& space, typename Space::Scalar eta)
    requires(Space::fuses_descent)
  {
    return Model::descend(space, factors_, current_, other_, work_, eta);
  }
  Array gradient(Space& space, std::size_t block) {
    const std::size_t width = current_.a.size;
    if (block < width) return Model::gradient_of_row(space, work_, block, contraction_);
    if (block == width) return work_.t;
    return block == width + 1 ? work_.db1 : work_.db2;
  }
  void swap() { std::swap(current_, other_); }

  // Where X is dense, a non-finite parameter makes every residual non-finite (0*Inf is NaN, and no
  // sum recovers), so a finite one vouches for all; but finite parameters may overflow in a
  // product.
  bool finite(const TrainingData<Space>& data) const {
    if (Space::is_finite({work_.z.data, data.X.diagonal ? work_.z.size : 1})) return true;
    if (!Space::is_finite(current_.a)) return false;
    if (current_.biased() && !(Space::is_finite(current_.b1) && Space::is_finite(current_.b2)))
      return false;
    for (std::size_t q = 0; q < current_.a.size; ++q)
      if (!Space::is_finite(Space::row_of(current_.W, q))) return false;
    return true;
  }

  Array residuals() const { return work_.z; }
  typename Space::Scalar loss() const { return work_.L; }

 private:
  static typename Model::Parameters parameters(Space& space, const ProblemSpec& problem,
                                               const Spec& spec) {
    const bool biased = size(spec.b2) > 0;
    const Stage stage = Stage::parameters;
    return {space.weights(spec.width, problem.features, stage), space.array(spec.width, stage),
            biased ? space.array(spec.width, stage) : Array{},
            biased ? space.array(1, stage) : Array{}};
  }
  Array bias(Space& space, std::size_t n, Stage stage) const {
    return current_.biased() ? space.array(n, stage) : Array{};
  }
  typename Space::Weights layerwise_weights(Space& space, std::size_t columns, Stage stage) const {
    const bool needed = contraction_ == Contraction::layerwise;
    return needed ? space.weights(current_.a.size, columns, stage) : space.weights(1, 1, stage);
  }

  using Work = typename Model::Work;
  Contraction contraction_;
  typename Model::Factors factors_;
  std::vector<typename Model::Factors> batch_factors_;  // for each size that batches have
  typename Model::Parameters current_, other_;
  Work work_, batch_work_{};
};

}  // namespace precipice
