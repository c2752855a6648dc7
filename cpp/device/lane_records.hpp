// What one run writes down during a chunk.
#pragma once

#include <cstdint>

#include "device/chunk.hpp"
#include "device/lane_cadence.hpp"
#include "linalg/space.hpp"

namespace precipice {

template <class T>
class LaneRecords {
 public:
  // The records of the chunk before are gone.
  PRECIPICE_HOST_DEVICE LaneRecords(const DeviceMemory<T>& memory, const DeviceRules& rules,
                                    std::uint32_t run, bool writes, RunStatus& status)
      : memory_(memory),
        run_(run),
        writes_(writes),
        status_(status),
        losses_(rules.loss, status.step),
        window_(rules.window, status.step),
        sharpness_(rules.sharpness, status.step),
        states_(rules.states, status.step),
        exports_(rules.exports()) {
    status_.losses = status_.windows = status_.exported = 0;
  }

  // For a step, and for the last one that it may turn out to have been.
  PRECIPICE_HOST_DEVICE bool have_room() const {
    return (!losses_.given() || status_.losses + 2 <= memory_.most_losses) &&
           (!window_.given() || status_.windows + 2 <= memory_.most_windows) &&
           (!exports_ || status_.exported + 2 <= memory_.most_exported);
  }
  PRECIPICE_HOST_DEVICE void next_step() {
    losses_.next();
    window_.next();
    sharpness_.next();
    states_.next();
  }
  PRECIPICE_HOST_DEVICE void step_back() {
    losses_.back();
    window_.back();
    sharpness_.back();
    states_.back();
  }

  // What is due, and at the last step what is not.
  PRECIPICE_HOST_DEVICE void record(double loss, bool last) {
    const bool is_fresh = fresh();
    if (losses_.due() ? is_fresh : last && losses_.given()) add(loss);
    if (is_fresh && window_.given()) add_to_window(loss);
    if (last) close_window();
    if (is_fresh) status_.recorded = status_.step;
  }
  PRECIPICE_HOST_DEVICE bool state_due(bool last) const {
    if (last) return exports_;
    return sharpness_.due_in_pairs() || (states_.due() && fresh());
  }
  // Parameters, then what else is measured. Barriers, as the Space does not know of it: what is
  // read is finished, and stays until all have read it.
  template <class Team, class Model>
  PRECIPICE_HOST_DEVICE void export_state(Team& team, const Model& model) {
    const std::uint64_t at = place(memory_.most_exported, status_.exported);
    if (writes_) memory_.exported_steps[at] = status_.step;
    T* to = memory_.exported + at * memory_.export_count;
    const auto write = [&](const auto& array) {
      T* const begin = to;
      team.for_each(array.size, [&](std::uint32_t i) { begin[i] = array[i]; });
      to += array.size;
    };
    team.grid_barrier();
    model.each_parameter(
        [&](const auto& current, const auto&, std::uint32_t, bool) { write(current); });
    model.each_exported(write);
    team.grid_barrier();
    ++status_.exported;
  }

 private:
  PRECIPICE_HOST_DEVICE bool fresh() const { return status_.step > status_.recorded; }

  PRECIPICE_HOST_DEVICE void add(double loss) {
    if (writes_) memory_.losses[place(memory_.most_losses, status_.losses)] = {status_.step, loss};
    ++status_.losses;
  }
  // Windows begin at multiples of their length; the run's first may begin later.
  PRECIPICE_HOST_DEVICE void add_to_window(double loss) {
    if (status_.window_open)
      status_.window.add(status_.step, loss);
    else
      status_.window = LossWindow::of(status_.step, loss);
    status_.window_open = true;
    if (window_.ends()) close_window();
  }
  PRECIPICE_HOST_DEVICE void close_window() {
    if (!status_.window_open) return;
    if (writes_) memory_.windows[place(memory_.most_windows, status_.windows)] = status_.window;
    ++status_.windows;
    status_.window_open = false;
  }
  PRECIPICE_HOST_DEVICE std::uint64_t place(std::uint32_t most, std::uint32_t recorded) const {
    return std::uint64_t(run_) * most + recorded;
  }

  const DeviceMemory<T>& memory_;
  std::uint32_t run_;
  bool writes_;  // whether this lane writes for the run
  RunStatus& status_;
  LaneCadence losses_, window_, sharpness_, states_;
  bool exports_;
};

}  // namespace precipice
