// What the runs of an ensemble share, as a LaneSpace has it.
#pragma once

#include <cstdint>

#include "device/chunk.hpp"
#include "models/training_data.hpp"

namespace precipice {

// Constants have numbers of arrays too, but nothing waits for them.
template <class Space, class T>
PRECIPICE_HOST_DEVICE typename Space::Array constant_array(const T* values, std::uint32_t n,
                                                           std::uint32_t id) {
  return {const_cast<T*>(values), n, 1, id};
}
template <class Space, class T>
PRECIPICE_HOST_DEVICE typename Space::Scalar constant_scalar(const T* value, std::uint32_t id) {
  return {const_cast<T*>(value), id};
}

template <class Space, class T>
PRECIPICE_HOST_DEVICE TrainingData<Space> training_data(const DeviceProblem<T>& problem,
                                                        std::uint32_t id_of_y) {
  return {{problem.X, problem.X_columns, problem.rows, problem.features, problem.diagonal},
          constant_array<Space>(problem.y, problem.rows, id_of_y),
          problem.loss,
          {{problem.two.value, problem.two.reciprocal},
           {problem.n.value, problem.n.reciprocal},
           {problem.two_n.value, problem.two_n.reciprocal}}};
}

}  // namespace precipice
