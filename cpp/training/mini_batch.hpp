// The rows of the data that make up a step's mini-batch, gathered into a matrix of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/training_data.hpp"
#include "training/batches.hpp"

namespace precipice {

template <class Space>
class MiniBatch {
 public:
  MiniBatch(Space& space, const BatchSpec& spec, const TrainingData<Space>& all)
      : batches_(spec, all.y.size),
        all_(all),
        batch_{space.rows_like(all.X, spec.size),
               space.array(spec.size, Stage::forward),
               all.loss,
               {}} {
    for (const std::size_t size : {spec.size, all.y.size % spec.size}) {
      const auto n = static_cast<long>(size == 0 ? spec.size : size);
      integers_.push_back({all.integers.two, space.integer(n), space.integer(2 * n)});
    }
    size_ = spec.size;
  }

  // Sums run over the samples ascending; a mean divides by their own number.
  const TrainingData<Space>& at(Space& space, std::int64_t step) {
    const std::vector<std::size_t>& samples = batches_.at(step);
    space.gather(batch_.X, all_.X, samples.data(), samples.size());
    batch_.y.size = samples.size();
    space.gather(batch_.y, all_.y, samples.data(), samples.size());
    batch_.integers = integers_[which()];
    return batch_;
  }
  // Of the sizes that batches have: 0 the full one, 1 that of an epoch's last batch.
  std::size_t which() const { return batch_.y.size == size_ ? 0 : 1; }

 private:
  Batches batches_;
  const TrainingData<Space>& all_;
  TrainingData<Space> batch_;
  std::vector<LossIntegers<Space>> integers_;  // of each size
  std::size_t size_;
};

}  // namespace precipice
