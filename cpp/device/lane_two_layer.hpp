// The two-layer linear network in training on lanes, collapsed and without biases: what
// training/model_states.hpp has on a CPU.
#pragma once

#include <cstdint>

#include "device/chunk.hpp"
#include "device/lane_data.hpp"
#include "device/lane_memory.hpp"
#include "linalg/lane_space.hpp"
#include "models/two_layer_linear.hpp"

namespace precipice {

template <class Numbers, class Team>
class LaneTwoLayer {
  enum Id : std::uint32_t { F, z, t, L, b, g, ka, row, W, other_W, a, other_a, y, constants };

 public:
  using Space = LaneSpace<Numbers, Team>;
  using T = typename Numbers::Number;
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;

  PRECIPICE_HOST_DEVICE LaneTwoLayer(const DeviceProblem<T>& problem, LaneMemory<T>& memory,
                                     const T* eta, bool flipped)
      : data_(training_data<Space>(problem, y)),
        step_size_(constant_scalar<Space>(eta, constants)),
        factors_{constant_scalar<Space>(&problem.c, constants),
                 constant_scalar<Space>(&problem.kappa, constants),
                 {}},
        copies_W_(memory.copies_parameters()),
        copies_a_(memory.copies_small()),
        current_(parameters(problem, memory, flipped, W, a)),
        other_(parameters(problem, memory, !flipped, other_W, other_a)),
        work_(work(problem, memory)) {}

  // Arrays of which each block of a grid has a copy; constants are as good as that.
  static constexpr std::uint32_t replicated =
      1u << z | 1u << L | 1u << ka | 1u << a | 1u << other_a | 1u << y | 1u << constants;
  static PRECIPICE_HOST_DEVICE std::uint32_t parameter_count(const DeviceProblem<T>& problem) {
    return problem.factors * (problem.features + 1);
  }

  PRECIPICE_HOST_DEVICE void evaluate(Space& space) {
    Model::evaluate(space, data_, factors_, current_, work_, Contraction::collapsed);
  }
  PRECIPICE_HOST_DEVICE void update(Space& space) {
    if constexpr (Space::fuses_descent) {
      Model::descend(space, factors_, current_, other_, work_, step_size_);
    } else {
      Model::gradient(space, data_, factors_, current_, work_, Contraction::collapsed);
      for (std::uint32_t q = 0; q < current_.a.size; ++q)
        space.descend(space.row_of(other_.W, q), space.row_of(current_.W, q), step_size_,
                      Model::gradient_of_row(space, work_, q, Contraction::collapsed));
      space.descend(other_.a, current_.a, step_size_, work_.t);
    }
  }
  PRECIPICE_HOST_DEVICE void swap() {
    const Parameters before = current_;
    current_ = other_;
    other_ = before;
  }

  // As TwoLayerState has it.
  PRECIPICE_HOST_DEVICE bool finite(Space& space) const {
    Array looked_at = work_.z;
    if (!data_.X.diagonal) looked_at.size = 1;
    if (space.finite(looked_at)) return true;
    return space.finite(current_.a) && space.finite(flat(current_.W));
  }

  PRECIPICE_HOST_DEVICE Array residuals() const { return work_.z; }
  PRECIPICE_HOST_DEVICE Scalar loss() const { return work_.L; }

  // visit(current, other, offset, copied): what is trained, and where it is saved.
  template <class Visit>
  PRECIPICE_HOST_DEVICE void each_parameter(Visit visit) const {
    visit(flat(current_.W), flat(other_.W), 0u, copies_W_);
    visit(current_.a, other_.a, current_.W.rows * current_.W.columns, copies_a_);
  }
  // The parameters are all that is measured.
  template <class Visit>
  PRECIPICE_HOST_DEVICE void each_exported(Visit) const {}

 private:
  using Model = TwoLayerLinear<Space>;
  using Parameters = typename Model::Parameters;
  using Weights = typename Space::Weights;

  static PRECIPICE_HOST_DEVICE Array flat(const Weights& w) {
    return {w.data, w.rows * w.columns, w.stride, w.id};
  }
  static PRECIPICE_HOST_DEVICE Parameters parameters(const DeviceProblem<T>& problem,
                                                     LaneMemory<T>& memory, bool second, Id of_W,
                                                     Id of_a) {
    const std::uint32_t side = second ? 1 : 0, rows = problem.factors, columns = problem.features;
    T* const weights = memory.parameters(side, 0, rows * columns, false);
    T* const outer = memory.parameters(side, rows * columns, rows, true);
    return {{weights, rows, columns, memory.stride(), of_W},
            {outer, rows, memory.stride(), of_a},
            {},
            {}};
  }
  static PRECIPICE_HOST_DEVICE typename Model::Work work(const DeviceProblem<T>& problem,
                                                         LaneMemory<T>& memory) {
    const std::uint32_t n = problem.rows, d = problem.features, m = problem.factors;
    const auto distributed = [&](std::uint32_t size, Id id) {
      return Array{memory.distributed(size), size, memory.stride(), id};
    };
    const auto replicated_ = [&](std::uint32_t size, Id id) {
      return Array{memory.replicated(size), size, memory.stride(), id};
    };
    typename Model::Work w{};
    w.F = distributed(n, F);
    w.z = replicated_(n, z);
    w.t = distributed(m, t);
    w.L = {memory.replicated(1), L};
    w.b = distributed(d, b);
    w.g = distributed(d, g);
    w.ka = replicated_(m, ka);
    if constexpr (!Space::fuses_descent) w.row = distributed(d, row);
    return w;
  }

  TrainingData<Space> data_;
  Scalar step_size_;
  typename Model::Factors factors_;
  bool copies_W_, copies_a_;
  Parameters current_, other_;
  typename Model::Work work_;
};

}  // namespace precipice
