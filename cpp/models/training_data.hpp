// What every model is trained on: X (N, d), y (N), and how the residuals become a loss.
#pragma once

#include "linalg/space.hpp"
#include "models/element_programs.hpp"
#include "models/loss.hpp"

namespace precipice {

template <class Space>
struct TrainingData {
  typename Space::Matrix X;
  typename Space::Array y;
  Loss loss;
  LossIntegers<Space> integers;
};

// L = (sum_i z_i*z_i) / 2N; half_mean. The others: loss.hpp.
template <class Space>
PRECIPICE_HOST_DEVICE void loss_of_residuals(Space& space, const TrainingData<Space>& data,
                                             typename Space::Array z, typename Space::Scalar L) {
  space.dot(L, z, z);
  switch (data.loss) {
    case Loss::half_mean: return space.template map<DivideByInteger>(L, L, data.integers.two_n);
    case Loss::mean: return space.template map<DivideByInteger>(L, L, data.integers.n);
    case Loss::half_sum: return space.template map<DivideByInteger>(L, L, data.integers.two);
    case Loss::sum: return;
  }
}

}  // namespace precipice
