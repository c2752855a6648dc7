// Which samples make up the mini-batch of a step: a function of the seed and the step alone, the
// same at every precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "training/optimizer_spec.hpp"

namespace precipice {

class Batches {
 public:
  // 1 <= spec.size <= samples.
  Batches(const BatchSpec& spec, std::size_t samples);

  // Indices of the samples, ascending. iid: distinct, drawn afresh each step. Reshuffle: one
  // permutation an epoch, cut into pieces of `size`, of which the last may be smaller.
  const std::vector<std::size_t>& at(std::int64_t step);

 private:
  void draw(std::uint64_t index, std::uint64_t stream, std::size_t count);

  BatchSpec spec_;
  std::size_t samples_;
  std::int64_t epoch_ = -1;  // whose permutation `order_` is
  std::vector<std::size_t> order_, batch_;
};

}  // namespace precipice
