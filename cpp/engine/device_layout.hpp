// Which lanes carry out a run on a device, and where its arrays lie.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "device/chunk.hpp"
#include "device/device_table.hpp"
#include "engine/device_runs.hpp"

namespace precipice {

struct RunSize {
  DeviceModel model;
  std::uint32_t rows, features, factors;
  std::size_t runs;
  DeviceNumbers numbers;
};

// A thread a run for the tiniest of many, a grid for one that is large, else a block, of one warp
// where the runs alone fill the device.
DeviceTeam team_for(const RunSize& size, const DeviceFacts& facts, const DeviceTuning& tuning);
std::uint32_t lanes_for(DeviceTeam team, const RunSize& size, const DeviceFacts& facts,
                        const DeviceTuning& tuning);
std::uint32_t blocks_for(const RunSize& size, std::uint32_t lanes, std::uint32_t most_blocks);

// How many numbers a run has in the memory of a block and in that of the device, with a placement.
struct LaneCounts {
  std::uint32_t block, device;
};

// As much in the memory of a block as it holds: work before parameters. `count(placement)` gives
// LaneCounts; `header` bytes are taken already.
template <class Count>
DevicePlacement placement_for(DeviceTeam team, std::uint32_t lanes, std::size_t number_bytes,
                              std::size_t header, std::size_t shared_bytes, const Count& count) {
  const std::size_t runs = team == DeviceTeam::thread ? lanes : 1;
  const auto bytes_of = [&](const DevicePlacement& placement) {
    return header + runs * count(placement).block * number_bytes;
  };
  const bool may_move = team != DeviceTeam::grid, together = team == DeviceTeam::thread;
  DevicePlacement placement{team, may_move, may_move, 0};
  if (bytes_of(placement) > shared_bytes) placement.parameters = false;
  if (bytes_of(placement) > shared_bytes || (together && !placement.parameters))
    placement.work = placement.parameters = false;
  const std::size_t bytes = bytes_of(placement);
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  placement.block_bytes = static_cast<std::uint32_t>(std::min(bytes, most));
  return placement;
}

}  // namespace precipice
