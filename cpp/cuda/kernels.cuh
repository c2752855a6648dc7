// The kernels: each hands its lanes to the training loop, the same text as on the host.
#pragma once

#include <type_traits>

#include "cuda/cuda_teams.cuh"
#include "cuda/kernels.hpp"
#include "device/lane_loop.hpp"

namespace precipice {

// Blocks of most_lanes that a processor must hold: one leaves a lane 255 registers. Two leave it
// 128, which is enough in float64 for the minimalist model, of which a processor shall hold many
// runs. Asked for none, the compiler spills registers for the sake of more.
template <DeviceModel model, class Numbers>
inline constexpr int least_blocks =
    model == DeviceModel::minimalist && std::is_same_v<Numbers, NativeNumbers<double>> ? 2 : 1;

// Dynamic shared memory, as much as the launch says.
__device__ inline void* block_memory() {
  extern __shared__ __align__(16) unsigned char memory[];
  return memory;
}

template <DeviceModel model, class Numbers>
__global__ void __launch_bounds__(most_lanes, 1)
    train_by_thread(const __grid_constant__ Chunk<Numbers> chunk) {
  const std::uint32_t run = blockIdx.x * blockDim.x + threadIdx.x;
  if (run >= chunk.runs) return;
  ThreadTeam team;
  train_chunk<model>(team, chunk, run, block_memory());
}

template <DeviceModel model, class Numbers>
__global__ void __launch_bounds__(most_lanes, (least_blocks<model, Numbers>))
    train_by_block(const __grid_constant__ Chunk<Numbers> chunk) {
  BlockTeam team;
  train_chunk<model>(team, chunk, blockIdx.x, block_memory());
}

template <DeviceModel model, class Numbers>
__global__ void __launch_bounds__(most_lanes, 1)
    train_by_grid(const __grid_constant__ Chunk<Numbers> chunk) {
  GridTeam team;
  for (std::uint32_t run = 0; run < chunk.runs; ++run) {
    train_chunk<model>(team, chunk, run, block_memory());
    team.grid_barrier();
  }
}

template <class Numbers>
Kernel kernel_of(void (*function)(Chunk<Numbers>)) {
  return {reinterpret_cast<const void*>(function), sizeof(Chunk<Numbers>)};
}

}  // namespace precipice
