// What the benchmark's compiled contestants work on: the minimalist model of depth 2.
#pragma once

#include "numbers/exact.hpp"

namespace precipice {

struct BenchmarkData {
  ExactVector X, y, u;       // (samples, features), (samples), (features)
  ExactVector v, step_size;  // one number each
};

}  // namespace precipice
