// The kernels' text on the host: every run of a launch, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "device/device_table.hpp"
#include "device/lane_loop.hpp"
#include "linalg/host_team.hpp"

namespace precipice {

// One of the runs that interleave in a block's memory.
class InterleavedTeam : public HostTeam {
 public:
  InterleavedTeam(std::uint32_t slot, std::uint32_t slots) : slot_(slot), slots_(slots) {}
  std::uint32_t slot() const { return slot_; }
  std::uint32_t slots() const { return slots_; }

 private:
  std::uint32_t slot_, slots_;
};

// What a run finds where its arrays are to lie is never a number: it must write before it reads.
template <class Memory>
void spoil(std::vector<LaneShared>& block, const Memory& memory, std::uint32_t first,
           std::uint32_t runs) {
  std::memset(static_cast<void*>(block.data()), 0xff, block.size() * sizeof(LaneShared));
  const std::size_t numbers = memory.work_count;
  if (numbers > 0)
    std::memset(memory.work + first * numbers, 0xff, runs * numbers * sizeof(*memory.work));
}

template <DeviceModel model, class Numbers>
void run_host_kernel(const DeviceLaunch& launch) {
  const auto& chunk = *static_cast<const Chunk<Numbers>*>(launch.chunk);
  std::vector<LaneShared> memory(launch.shared_bytes / sizeof(LaneShared) + 1);
  const bool interleaved = launch.team == static_cast<std::uint32_t>(DeviceTeam::thread);
  const std::uint32_t together = interleaved ? launch.lanes : 1;
  for (std::uint32_t run = 0; run < launch.runs; ++run) {
    if (run % together == 0) spoil(memory, chunk.memory, run, together);
    if (interleaved) {
      InterleavedTeam team(run % together, together);
      train_chunk<model>(team, chunk, run, memory.data());
    } else {
      HostTeam team;
      train_chunk<model>(team, chunk, run, memory.data());
    }
  }
}

using HostKernel = void (*)(const DeviceLaunch&);

// By DeviceModel and DeviceNumbers; null if this file's numbers are others.
HostKernel native_host_kernel(DeviceModel model, DeviceNumbers numbers);
HostKernel carried_host_kernel(DeviceModel model, DeviceNumbers numbers);
HostKernel soft_host_kernel(DeviceModel model, DeviceNumbers numbers);

template <class Numbers>
HostKernel host_kernel_of(DeviceModel model) {
  return model == DeviceModel::minimalist ? run_host_kernel<DeviceModel::minimalist, Numbers>
                                          : run_host_kernel<DeviceModel::two_layer, Numbers>;
}

}  // namespace precipice
