// The least, greatest and last loss of a window of steps: what a loss recorded now and then would
// miss of a spike.
#pragma once

#include <cstdint>

#include "linalg/space.hpp"

namespace precipice {

struct LossWindow {
  double least, greatest, last;
  std::int64_t begin;  // the window's first step
  std::int64_t least_step, greatest_step, last_step;

  PRECIPICE_HOST_DEVICE static LossWindow of(std::int64_t step, double loss) {
    return {loss, loss, loss, step, step, step, step};
  }

  // The first step with a value has it. NaN is greater than every number.
  PRECIPICE_HOST_DEVICE void add(std::int64_t step, double loss) {
    if (loss < least || (least != least && loss == loss)) {
      least = loss;
      least_step = step;
    }
    if (greatest == greatest && !(loss <= greatest)) {
      greatest = loss;
      greatest_step = step;
    }
    last = loss;
    last_step = step;
  }
};

}  // namespace precipice
