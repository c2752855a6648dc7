// The minimalist model in training on lanes: what training/model_states.hpp has on a CPU.
#pragma once

#include <cstdint>

#include "device/chunk.hpp"
#include "device/lane_data.hpp"
#include "device/lane_memory.hpp"
#include "linalg/lane_space.hpp"
#include "models/minimalist.hpp"

namespace precipice {

template <class Numbers, class Team>
class LaneMinimalist {
  enum Id : std::uint32_t { f, z, g, h, P, s, L, q, u, other_u, v, other_v, y, step_size };

 public:
  using Space = LaneSpace<Numbers, Team>;
  using T = typename Numbers::Number;
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;

  PRECIPICE_HOST_DEVICE LaneMinimalist(const DeviceProblem<T>& problem, LaneMemory<T>& memory,
                                       const T* eta, bool flipped)
      : data_(training_data<Space>(problem, y)),
        step_size_(constant_scalar<Space>(eta, step_size)),
        copies_u_(memory.copies_parameters()),
        copies_v_(memory.copies_small()),
        current_(parameters(problem, memory, flipped, u, v)),
        other_(parameters(problem, memory, !flipped, other_u, other_v)),
        work_{{memory.distributed(problem.rows), problem.rows, memory.stride(), f},
              {memory.replicated(problem.rows), problem.rows, memory.stride(), z},
              {memory.distributed(problem.features), problem.features, memory.stride(), g},
              {memory.replicated(problem.factors), problem.factors, memory.stride(), h},
              {memory.replicated(1), P},
              {memory.replicated(1), s},
              {memory.replicated(1), L},
              {memory.replicated(1), q}} {}

  // Arrays of which each block of a grid has a copy; constants are as good as that.
  static constexpr std::uint32_t replicated = 1u << z | 1u << h | 1u << P | 1u << s | 1u << L |
                                              1u << q | 1u << v | 1u << other_v | 1u << y |
                                              1u << step_size;
  static PRECIPICE_HOST_DEVICE std::uint32_t parameter_count(const DeviceProblem<T>& problem) {
    return problem.features + problem.factors;
  }

  PRECIPICE_HOST_DEVICE void evaluate(Space& space) {
    Model::gradient(space, data_, current_, work_);
    Model::loss(space, data_, work_);
  }
  PRECIPICE_HOST_DEVICE void update(Space& space) {
    space.descend(other_.u, current_.u, step_size_, work_.g);
    space.descend(other_.v, current_.v, step_size_, work_.h);
  }
  PRECIPICE_HOST_DEVICE void swap() {
    const Parameters before = current_;
    current_ = other_;
    other_ = before;
  }

  // As MinimalistState has it.
  PRECIPICE_HOST_DEVICE bool finite(Space& space) const {
    if (!space.finite(current_.v)) return false;
    Array first = work_.f;
    first.size = 1;
    const bool vouched = !data_.X.diagonal && space.finite(first);
    return vouched || space.finite(current_.u);
  }

  PRECIPICE_HOST_DEVICE Array residuals() const { return work_.z; }
  PRECIPICE_HOST_DEVICE Scalar loss() const { return work_.L; }

  // visit(current, other, offset, copied): what is trained, and where it is saved.
  template <class Visit>
  PRECIPICE_HOST_DEVICE void each_parameter(Visit visit) const {
    visit(current_.u, other_.u, 0u, copies_u_);
    visit(current_.v, other_.v, current_.u.size, copies_v_);
  }
  // What is measured beside the parameters.
  template <class Visit>
  PRECIPICE_HOST_DEVICE void each_exported(Visit visit) const {
    visit(work_.f);
  }

 private:
  using Model = Minimalist<Space>;
  using Parameters = typename Model::Parameters;

  static PRECIPICE_HOST_DEVICE Parameters parameters(const DeviceProblem<T>& problem,
                                                     LaneMemory<T>& memory, bool second, Id of_u,
                                                     Id of_v) {
    const std::uint32_t side = second ? 1 : 0, stride = memory.stride();
    return {{memory.parameters(side, 0, problem.features, false), problem.features, stride, of_u},
            {memory.parameters(side, problem.features, problem.factors, true), problem.factors,
             stride, of_v}};
  }

  TrainingData<Space> data_;
  Scalar step_size_;
  bool copies_u_, copies_v_;
  Parameters current_, other_;
  typename Model::Work work_;
};

}  // namespace precipice
