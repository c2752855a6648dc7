// A single run on a device.
#pragma once

#include <memory>

#include "device/device_table.hpp"
#include "engine/device_runs.hpp"
#include "engine/run_spec.hpp"
#include "training/simulation.hpp"

namespace precipice {

// As make_simulation, and bit for bit the same run; throws as make_device_ensemble does. stop()
// ends a block of time between two chunks of steps, which are of about 0.1 s.
std::unique_ptr<Simulation> make_device_simulation(const RunSpec& spec, const DeviceTable& table,
                                                   const DeviceTuning& tuning = {});

}  // namespace precipice
