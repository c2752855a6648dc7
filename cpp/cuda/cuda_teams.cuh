// The teams of the kernels (linalg/team.hpp): who carries out one run on a GPU.
#pragma once

#include <cooperative_groups.h>

#include <cstdint>

#include "linalg/host_team.hpp"

namespace precipice {

// The lanes of a block, in warps of 32; a launch has whole warps.
class BlockLanes {
 public:
  static constexpr bool one_lane = false;

  template <class F>
  __device__ static void for_each_in_block(std::uint32_t n, F&& f) {
    for (std::uint32_t i = threadIdx.x; i < n; i += blockDim.x) f(i);
  }
  template <class F>
  __device__ static void once(F&& f) {
    if (threadIdx.x == 0) f();
  }
  template <class Partial, class Combine, class Store>
  __device__ static void warps_in_block(std::uint32_t n, std::uint32_t partials, Partial&& partial,
                                        Combine&& combine, Store&& store) {
    each_by_a_warp(n, warp(), block_warps(), partials, partial, combine, store);
  }
  template <class F>
  __device__ static bool any(std::uint32_t n, F&& f) {
    bool found = false;
    for (std::uint32_t i = threadIdx.x; i < n; i += blockDim.x) found = found || f(i);
    return __syncthreads_or(found);
  }
  // One atomic a warp at most.
  __device__ static void raise(unsigned* word, unsigned bits) {
    const unsigned together = or_of_warp(bits);
    const bool first = threadIdx.x % lanes_of_a_warp == 0;
    if (first && (together & ~*static_cast<volatile unsigned*>(word)) != 0)
      atomicOr(word, together);
  }
  __device__ static void block_barrier() {
    if (blockDim.x == lanes_of_a_warp)
      __syncwarp();
    else
      __syncthreads();
  }
  __device__ static constexpr std::uint32_t slot() { return 0; }
  __device__ static constexpr std::uint32_t slots() { return 1; }

 protected:
  static constexpr unsigned all_lanes = 0xffffffffu;

  __device__ static std::uint32_t warp() { return threadIdx.x / lanes_of_a_warp; }
  __device__ static std::uint32_t block_warps() { return blockDim.x / lanes_of_a_warp; }

  // Partial r is lane r's; halving takes it down the lanes of the warp.
  template <class Partial, class Combine, class Store>
  __device__ static void each_by_a_warp(std::uint32_t n, std::uint32_t first, std::uint32_t warps,
                                        std::uint32_t partials, Partial&& partial,
                                        Combine&& combine, Store&& store) {
    const std::uint32_t r = threadIdx.x % lanes_of_a_warp;
    for (std::uint32_t i = first; i < n; i += warps) {
      decltype(partial(i, r)) sum{};
      if (r < partials) sum = partial(i, r);
      for (std::uint32_t w = first_half(partials); w != 0; w /= 2) {
        const auto other = __shfl_down_sync(all_lanes, sum, w);
        if (r < w && r + w < partials) sum = combine(i, sum, other, w + r);
      }
      if (r == 0) store(i, sum);
    }
  }

 private:
  __device__ static unsigned or_of_warp(unsigned bits) {
#if __CUDA_ARCH__ >= 800
    return __reduce_or_sync(all_lanes, bits);
#else
    for (std::uint32_t w = lanes_of_a_warp / 2; w != 0; w /= 2)
      bits |= __shfl_xor_sync(all_lanes, bits, w);
    return bits;
#endif
  }
};

// One block a run.
class BlockTeam : public BlockLanes {
 public:
  static constexpr bool of_grid = false;

  template <class F>
  __device__ static void for_each(std::uint32_t n, F&& f) {
    for_each_in_block(n, f);
  }
  template <class Partial, class Combine, class Store>
  __device__ static void warps(std::uint32_t n, std::uint32_t partials, Partial&& partial,
                               Combine&& combine, Store&& store) {
    warps_in_block(n, partials, partial, combine, store);
  }
  __device__ static void grid_barrier() { block_barrier(); }
  __device__ static bool one_warp() { return blockDim.x == lanes_of_a_warp; }
  __device__ static bool leader() { return threadIdx.x == 0; }
  __device__ static constexpr bool leading_block() { return true; }
};

// All blocks of a cooperative launch together carry out one run.
class GridTeam : public BlockLanes {
 public:
  static constexpr bool of_grid = true;

  template <class F>
  __device__ static void for_each(std::uint32_t n, F&& f) {
    for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < n;
         i += gridDim.x * blockDim.x)
      f(i);
  }
  template <class Partial, class Combine, class Store>
  __device__ static void warps(std::uint32_t n, std::uint32_t partials, Partial&& partial,
                               Combine&& combine, Store&& store) {
    each_by_a_warp(n, blockIdx.x * block_warps() + warp(), gridDim.x * block_warps(), partials,
                   partial, combine, store);
  }
  __device__ static void grid_barrier() { cooperative_groups::this_grid().sync(); }
  __device__ static constexpr bool one_warp() { return false; }
  __device__ static bool leader() { return leading_block() && threadIdx.x == 0; }
  __device__ static bool leading_block() { return blockIdx.x == 0; }
};

// One thread a run. The runs of a block lie interleaved in memory.
class ThreadTeam : public HostTeam {
 public:
  __device__ static std::uint32_t slot() { return threadIdx.x; }
  __device__ static std::uint32_t slots() { return blockDim.x; }
};

}  // namespace precipice
