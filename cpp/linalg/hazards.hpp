// Where lanes must wait for each other. Between two barriers lanes go on at their own pace, so that
// what one writes no other may read or write, and what one reads no other may write. Every lane
// follows what all of them access since the last barrier, and finds the same barriers.
//
// Arrays have numbers below 32. An access is of the lane's own elements, i by lane i mod lanes, of
// any elements by the first lane alone, or of any elements. Own accesses do not disturb each other,
// nor do those of the first lane.
#pragma once

#include <cstdint>

#include "machine/host_device.hpp"

namespace precipice {

// Sets of arrays, bit by number.
struct Accesses {
  std::uint32_t own_reads = 0, reads = 0;
  std::uint32_t own_writes = 0, first_writes = 0, writes = 0;
};

enum class Wait { none, block, grid };

class Hazards {
 public:
  // Of the given arrays each block has a copy, so that waiting within the block is enough.
  PRECIPICE_HOST_DEVICE explicit Hazards(std::uint32_t copied) : copied_(copied) {}

  // What must come before the given accesses, all at once: they are then those that were made.
  PRECIPICE_HOST_DEVICE Wait before(const Accesses& next) {
    const std::uint32_t own = since_.own_reads | since_.own_writes;
    const std::uint32_t written = since_.first_writes | since_.writes;
    const std::uint32_t conflicts = (next.own_reads & written) |
                                    (next.reads & (since_.own_writes | written)) |
                                    (next.own_writes & (since_.reads | written)) |
                                    (next.first_writes & (own | since_.reads | since_.writes)) |
                                    (next.writes & (own | since_.reads | written));
    const bool in_block = (conflicts & ~copied_) == 0;
    if (conflicts != 0) keep(in_block ? ~copied_ : 0);
    since_.own_reads |= next.own_reads;
    since_.reads |= next.reads;
    since_.own_writes |= next.own_writes;
    since_.first_writes |= next.first_writes;
    since_.writes |= next.writes;
    if (conflicts == 0) return Wait::none;
    return in_block ? Wait::block : Wait::grid;
  }

 private:
  PRECIPICE_HOST_DEVICE void keep(std::uint32_t arrays) {
    since_.own_reads &= arrays;
    since_.reads &= arrays;
    since_.own_writes &= arrays;
    since_.first_writes &= arrays;
    since_.writes &= arrays;
  }

  std::uint32_t copied_;
  Accesses since_;  // the last barrier
};

}  // namespace precipice
