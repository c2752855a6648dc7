#include "cuda/kernels.hpp"

namespace precipice {

Kernel find_kernel(DeviceModel model, DeviceNumbers numbers, DeviceTeam team) {
  const bool minimalist = model == DeviceModel::minimalist;
  const bool rounded = numbers != DeviceNumbers::float32 && numbers != DeviceNumbers::float64;
  switch (team) {
    case DeviceTeam::thread:
      if (!minimalist) return {};
      return rounded ? minimalist_by_thread_rounded(numbers) : minimalist_by_thread(numbers);
    case DeviceTeam::block:
      if (rounded)
        return minimalist ? minimalist_by_block_rounded(numbers)
                          : two_layer_by_block_rounded(numbers);
      return minimalist ? minimalist_by_block(numbers) : two_layer_by_block(numbers);
    case DeviceTeam::grid:
      return minimalist ? minimalist_by_grid(numbers) : two_layer_by_grid(numbers);
  }
  return {};
}

}  // namespace precipice
