// Runs on a device, between one chunk of steps and the next: what was recorded, and their exact
// states. Numbers come as float64, which holds those of every format that a device carries out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "device/chunk.hpp"
#include "device/device_table.hpp"
#include "engine/ensemble.hpp"

namespace precipice {

// What the engine would choose by itself; 0 leaves it to that.
struct DeviceTuning {
  enum class Team { any, thread, block, grid };
  Team team = Team::any;
  std::uint32_t lanes = 0;         // of a block
  std::int64_t steps = 0;          // of a chunk
  std::int64_t shared_bytes = -1;  // of a block, at most; -1: what the device has
};

// A member's parameters at a step, then what else is measured.
struct ExportedNumbers {
  std::int64_t step;
  std::vector<double> parameters, preactivations;
};

class DeviceRuns {
 public:
  DeviceRuns() = default;
  DeviceRuns(const DeviceRuns&) = delete;
  DeviceRuns& operator=(const DeviceRuns&) = delete;
  virtual ~DeviceRuns() = default;

  virtual std::size_t size() const = 0;
  virtual const RunStatus& status(std::size_t member) const = 0;
  // Some steps of every run that has not ended, at most about 0.1 s; what was recorded before is
  // gone.
  virtual void run_chunk() = 0;
  // Every run ends where it is, in the next chunk.
  virtual void end_in_time() = 0;

  virtual RecordedLoss loss(std::size_t member, std::size_t i) const = 0;
  virtual LossWindow window(std::size_t member, std::size_t i) const = 0;
  virtual ExportedNumbers exported(std::size_t member, std::size_t i) const = 0;

  // theta_t (or theta_{t-1}), each parameter after the other.
  virtual std::vector<double> parameters(std::size_t member, bool before) const = 0;
  // The same as exact numbers, rounded to nearest; and where the run stands.
  virtual void restore(std::size_t member, const ExactVector& current, const ExactVector& before,
                       const RunStatus& status) = 0;
  virtual double step_size(std::size_t member) const = 0;
  // Whether the device rounds in software what a processor leaves to MPFR.
  virtual bool in_software() const = 0;
};

// Throws std::invalid_argument with a sentence for what a device does not carry out.
std::unique_ptr<DeviceRuns> make_device_runs(const EnsembleSpec& spec, const DeviceTable& table,
                                             const DeviceTuning& tuning);

}  // namespace precipice
