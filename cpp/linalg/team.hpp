// What a Team is: the lanes that carry out one run together. Every lane has a Team of its own, and
// all go through the same text, phase by phase. What a lane computes outlives the phase in memory
// only, and no lane waits for another but at a barrier. A run may have several blocks of lanes, a
// grid; blocks can hold copies of an array, which each of them computes for itself.
//
//   one_lane, of_grid             constants: whether a run has one lane; whether several blocks
//   for_each(n, f)                f(i) for i < n, by lane i mod lanes
//   for_each_in_block(n, f)       the same in every block, by lane i mod lanes of the block
//   once(f)                       f(), by the first lane of every block
//   warps(n, partials, partial, combine, store)
//                                 for i < n, by warp i mod warps, which are 32 lanes: p_r =
//                                 partial(i, r), once for each r < partials <= 32, combined by
//                                 halving: for w = half the next power of two of partials, ... 1,
//                                 p_t = combine(i, p_t, p_{t+w}, w + t) where there is a p_{t+w};
//                                 then store(i, p_0), by the warp's first lane
//   warps_in_block(...)           the same in every block, by its warps
//   any(n, f)                     whether f(i) for some i < n; the same answer for every lane.
//                                 Every block looks at all; a barrier of the block
//   raise(word, bits)             *word |= bits of every lane, as if one after the other
//   block_barrier()               the lanes of a block wait for each other, and see then what each
//   grid_barrier()                has written; all lanes of the run
//   one_warp()                    whether the lanes of the run are one warp: they wait for each
//   other
//                                 sooner than they find out whether they must
//   leader(), leading_block()     whether this is the run's first lane, is of its first block
//   slot(), slots()               of runs that interleave in memory: which of how many
//
// All but one_warp(), leader(), leading_block(), slot() and slots() are called by all lanes of the
// run.
#pragma once

#include <cstdint>

#include "machine/host_device.hpp"

namespace precipice {

// Lanes of a warp, and partial sums of a blocked sum along a row.
inline constexpr std::uint32_t lanes_of_a_warp = 32;

// Half the next power of two of n, where a sum of n partial sums begins to be halved; 0 of one.
PRECIPICE_HOST_DEVICE inline std::uint32_t first_half(std::uint32_t n) {
  std::uint32_t half = 1;
  while (half < n) half *= 2;
  return half / 2;
}

}  // namespace precipice
