// An ensemble on a device.
#pragma once

#include <memory>

#include "device/device_table.hpp"
#include "engine/device_runs.hpp"
#include "engine/ensemble.hpp"

namespace precipice {

// Throws std::invalid_argument with a sentence for what a device does not carry out,
// std::runtime_error where the device fails. The table must outlive the ensemble.
std::unique_ptr<Ensemble> make_device_ensemble(const EnsembleSpec& spec, const DeviceTable& table,
                                               const DeviceTuning& tuning = {});

}  // namespace precipice
