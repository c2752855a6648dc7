#include "engine/device_layout.hpp"

#include <algorithm>

namespace precipice {
namespace {

constexpr std::uint32_t warp = 32;

bool is_native(DeviceNumbers numbers) {
  return numbers == DeviceNumbers::float32 || numbers == DeviceNumbers::float64;
}

std::uint32_t widest(const RunSize& size) {
  const bool two_layer = size.model == DeviceModel::two_layer;
  return std::max({size.rows, size.features, two_layer ? size.factors : 1});
}

// Numbers that a step goes through.
double volume(const RunSize& size) {
  const double columns = size.features;
  const bool two_layer = size.model == DeviceModel::two_layer;
  return columns * (size.rows + (two_layer ? size.factors : 0.0));
}

}  // namespace

DeviceTeam team_for(const RunSize& size, const DeviceFacts& facts, const DeviceTuning& tuning) {
  switch (tuning.team) {
    case DeviceTuning::Team::thread: return DeviceTeam::thread;
    case DeviceTuning::Team::block: return DeviceTeam::block;
    case DeviceTuning::Team::grid: return DeviceTeam::grid;
    case DeviceTuning::Team::any: break;
  }
  const bool tiny = size.model == DeviceModel::minimalist && widest(size) <= 4;
  // The time of a thread hardly depends on how many run until each scheduler has some warps, that
  // of blocks grows with them: by the counts of bench/cuda_cost_model.py they meet at half as many.
  if (tiny && size.runs >= std::size_t(warp) / 2 * facts.multiprocessors) return DeviceTeam::thread;
  const bool large = volume(size) >= (1 << 17) && widest(size) >= 1024;
  if (large && size.runs == 1 && is_native(size.numbers) && facts.multiprocessors > 1)
    return DeviceTeam::grid;
  return DeviceTeam::block;
}

std::uint32_t lanes_for(DeviceTeam team, const RunSize& size, const DeviceFacts& facts,
                        const DeviceTuning& tuning) {
  if (tuning.lanes > 0) return tuning.lanes;
  if (team == DeviceTeam::thread) return warp;
  if (team == DeviceTeam::grid) return 8 * warp;
  constexpr std::size_t resident = 2048;  // threads of a multiprocessor
  std::uint32_t lanes = warp;
  while (lanes < widest(size) && lanes < most_lanes &&
         2 * lanes * size.runs <= resident * facts.multiprocessors)
    lanes *= 2;
  return lanes;
}

std::uint32_t blocks_for(const RunSize& size, std::uint32_t lanes, std::uint32_t most_blocks) {
  const double wanted = std::max<double>(widest(size), volume(size) / 64) / lanes;
  return std::clamp(static_cast<std::uint32_t>(wanted) + 1, 1u, std::max(1u, most_blocks));
}

}  // namespace precipice
