#include "training/batches.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "numbers/philox.hpp"

namespace precipice {

Batches::Batches(const BatchSpec& spec, std::size_t samples)
    : spec_(spec), samples_(samples), order_(samples) {}

// The first `count` places of a random permutation (Fisher and Yates).
void Batches::draw(std::uint64_t index, std::uint64_t stream, std::size_t count) {
  RandomWords words(spec_.seed, index, stream);
  std::iota(order_.begin(), order_.end(), std::size_t(0));
  for (std::size_t i = 0; i < count; ++i) {
    const auto j = i + static_cast<std::size_t>(words.below(samples_ - i));
    std::swap(order_[i], order_[j]);
  }
}

const std::vector<std::size_t>& Batches::at(std::int64_t step) {
  const std::size_t size = spec_.size;
  std::size_t begin = 0;
  if (spec_.sampling == Sampling::iid) {
    draw(static_cast<std::uint64_t>(step), 0, size);
  } else {
    const auto in_epoch = static_cast<std::int64_t>((samples_ + size - 1) / size);
    if (epoch_ != step / in_epoch) {
      epoch_ = step / in_epoch;
      draw(static_cast<std::uint64_t>(epoch_), 1, samples_ - 1);
    }
    begin = static_cast<std::size_t>(step % in_epoch) * size;
  }
  const auto first = order_.begin() + static_cast<std::ptrdiff_t>(begin);
  batch_.assign(first, first + static_cast<std::ptrdiff_t>(std::min(size, samples_ - begin)));
  std::sort(batch_.begin(), batch_.end());
  return batch_;
}

}  // namespace precipice
