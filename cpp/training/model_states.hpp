// A model in training: its parameters at two steps, its work arrays, and its gradient block by
// block. A block is an array that the optimiser updates at once; blocks of one name make up one
// parameter.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "linalg/space.hpp"
#include "models/minimalist.hpp"
#include "models/two_layer_linear.hpp"
#include "numbers/exact.hpp"
#include "training/problem_spec.hpp"

namespace precipice {

template <class Space>
struct Block {
  std::string name;
  typename Space::Array current, other;  // theta_t, and theta_{t-1} that theta_{t+1} will replace
};

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
      : current_{space.array(problem.features), space.array(spec.factors)},
        other_{space.array(problem.features), space.array(spec.factors)},
        work_{space.array(problem.rows),
              space.array(problem.rows),
              space.array(problem.features),
              space.array(spec.factors),
              space.scalar(),
              space.scalar(),
              space.scalar(),
              space.scalar()} {
    assign(space, current_.u, spec.u);
    assign(space, current_.v, spec.v);
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
  typename Model::Parameters current_, other_;
  typename Model::Work work_;
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
        factors_{space.scalar(), space.scalar()},
        current_{space.weights(spec.width, problem.features), space.array(spec.width)},
        other_{space.weights(spec.width, problem.features), space.array(spec.width)},
        work_{space.array(problem.rows),
              space.array(problem.rows),
              space.array(spec.width),
              space.scalar(),
              space.array(problem.features),
              space.array(problem.features),
              space.array(spec.width),
              space.array(problem.features),
              layerwise_weights(space, problem.rows),
              layerwise_weights(space, problem.features),
              space.array(problem.rows),
              space.array(problem.rows)} {
    space.assign(factors_.c, spec.scale, 0);
    space.assign(factors_.kappa, spec.kappa, 0);
    for (std::size_t q = 0; q < spec.width; ++q)
      assign(space, Space::row_of(current_.W, q), spec.W, q * problem.features);
    assign(space, current_.a, spec.a);
  }

  void evaluate(Space& space, const TrainingData<Space>& data) {
    Model::evaluate(space, data, factors_, current_, work_, contraction_);
  }
  std::vector<Block<Space>> blocks() const {
    std::vector<Block<Space>> rows;
    for (std::size_t q = 0; q < current_.a.size; ++q)
      rows.push_back({"W", Space::row_of(current_.W, q), Space::row_of(other_.W, q)});
    rows.push_back({"a", current_.a, other_.a});
    return rows;
  }
  void differentiate(Space& space, const TrainingData<Space>& data) {
    Model::gradient(space, data, factors_, current_, work_, contraction_);
  }
  Array gradient(Space& space, std::size_t block) {
    if (block == current_.a.size) return work_.t;
    return Model::gradient_of_row(space, work_, block, contraction_);
  }
  void swap() { std::swap(current_, other_); }

  // Where X is dense, a non-finite parameter makes every residual non-finite (0*Inf is NaN, and no
  // sum recovers); where it is diagonal, some residual.
  bool finite(const TrainingData<Space>& data) const {
    return Space::is_finite({work_.z.data, data.X.diagonal ? work_.z.size : 1});
  }

  Array residuals() const { return work_.z; }
  typename Space::Scalar loss() const { return work_.L; }

 private:
  typename Space::Weights layerwise_weights(Space& space, std::size_t columns) const {
    const bool needed = contraction_ == Contraction::layerwise;
    return needed ? space.weights(current_.a.size, columns) : space.weights(1, 1);
  }

  Contraction contraction_;
  typename Model::Factors factors_;
  typename Model::Parameters current_, other_;
  typename Model::Work work_;
};

}  // namespace precipice
