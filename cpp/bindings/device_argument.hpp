// A device as it crosses the boundary: a capsule that holds its table.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "device/device_table.hpp"
#include "engine/device_runs.hpp"

namespace precipice {

inline const DeviceTable& device_table(const pybind11::capsule& device) {
  if (std::string(device.name() ? device.name() : "") != device_capsule)
    throw std::invalid_argument("device = capsule of another name: must be precipice.device");
  return *static_cast<const DeviceTable*>(device.get_pointer());
}

inline DeviceTuning::Team device_team(const std::string& name) {
  using Team = DeviceTuning::Team;
  if (name == "thread") return Team::thread;
  if (name == "block") return Team::block;
  if (name == "grid") return Team::grid;
  throw std::invalid_argument("tuning = " + name + ": must be thread, block or grid");
}

// Which lanes and how many steps a chunk, for tests: keys team, lanes, steps, shared_bytes.
inline DeviceTuning device_tuning(const std::optional<pybind11::dict>& given) {
  DeviceTuning tuning;
  if (!given) return tuning;
  for (const auto& [key, value] : *given) {
    const auto name = key.cast<std::string>();
    if (name == "team") {
      tuning.team = device_team(value.cast<std::string>());
    } else if (name == "lanes") {
      tuning.lanes = value.cast<std::uint32_t>();
    } else if (name == "steps") {
      tuning.steps = value.cast<std::int64_t>();
    } else if (name == "shared_bytes") {
      tuning.shared_bytes = value.cast<std::int64_t>();
    } else {
      throw std::invalid_argument("tuning = " + name +
                                  ": must be team, lanes, steps or shared_bytes");
    }
  }
  return tuning;
}

}  // namespace precipice
