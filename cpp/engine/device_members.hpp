// The members of a run on a device as the host sees them: outcomes, series, exact states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/device_runs.hpp"
#include "engine/device_series.hpp"
#include "training/simulation.hpp"

namespace precipice {

class DeviceMembers {
 public:
  DeviceMembers(const EnsembleSpec& spec, const DeviceTable& table, const DeviceTuning& tuning);

  std::size_t size() const { return runs_->size(); }
  const RunStatus& status(std::size_t member) const { return runs_->status(member); }
  double step_size(std::size_t member) const { return runs_->step_size(member); }

  // One chunk of steps of all members; every run ends in it if it is to.
  void run_chunk(bool out_of_time);
  // What a member has recorded in the last chunk.
  void append_records(std::size_t member, Records& records);

  std::vector<NamedValues> parameters(std::size_t member);
  LoopState state(std::size_t member, double seconds);
  void restore(std::size_t member, const LoopState& state);

 private:
  double log2_of(double loss) const;

  RecordPlan plan_;
  std::unique_ptr<DeviceRuns> runs_;
  DeviceSeries series_;
  std::vector<DeviceSeries::Place> places_;
};

}  // namespace precipice
