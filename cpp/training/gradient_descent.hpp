// Gradient descent: theta_{t+1} = theta_t - eta*g, the product rounded, then the difference.
#pragma once

#include <utility>

#include "linalg/space.hpp"

namespace precipice {

template <class Space>
struct GradientDescent {
  using Array = typename Space::Array;
  typename Space::Scalar eta;

  // One block of parameters. `next` holds step t-1's values on entry and step t+1's on return, so
  // that a run that returns to where it was two steps ago is seen at no extra store.
  PRECIPICE_HOST_DEVICE Change step(Space& space, Array next, Array current, Array g) const {
    return space.descend(next, current, eta, g);
  }
};

}  // namespace precipice
