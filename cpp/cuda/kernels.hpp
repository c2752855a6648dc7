// The kernels, by what a launch names. Each unit of kernels_*.cu holds a few of them.
#pragma once

#include <cstddef>

#include "device/chunk.hpp"
#include "numbers/lane_numbers.hpp"

namespace precipice {

struct Kernel {
  const void* function = nullptr;  // null: there is none
  std::size_t chunk_bytes = 0;     // of its only argument, Chunk<Numbers>
};

// There is none of one thread a run for the two-layer network, and none of the whole grid in
// formats rounded in software: a block a run does them.
Kernel find_kernel(DeviceModel model, DeviceNumbers numbers, DeviceTeam team);

// Numbers in hardware: float32 and float64. Rounded in software: the others.
Kernel minimalist_by_thread(DeviceNumbers numbers);
Kernel minimalist_by_thread_rounded(DeviceNumbers numbers);
Kernel minimalist_by_block(DeviceNumbers numbers);
Kernel minimalist_by_block_rounded(DeviceNumbers numbers);
Kernel minimalist_by_grid(DeviceNumbers numbers);
Kernel two_layer_by_block(DeviceNumbers numbers);
Kernel two_layer_by_block_rounded(DeviceNumbers numbers);
Kernel two_layer_by_grid(DeviceNumbers numbers);

}  // namespace precipice
