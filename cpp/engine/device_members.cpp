#include "engine/device_members.hpp"

#include <cmath>
#include <limits>

#include "numbers/mpfr_number.hpp"
#include "numbers/native.hpp"

namespace precipice {

DeviceMembers::DeviceMembers(const EnsembleSpec& spec, const DeviceTable& table,
                             const DeviceTuning& tuning)
    : plan_(spec.run.loop.record),
      runs_(make_device_runs(spec, table, tuning)),
      series_(spec.run),
      places_(spec.members.size(), DeviceSeries::Place(plan_)) {}

void DeviceMembers::run_chunk(bool out_of_time) {
  if (out_of_time) runs_->end_in_time();
  runs_->run_chunk();
}

void DeviceMembers::append_records(std::size_t member, Records& records) {
  const RunStatus& now = status(member);
  for (std::size_t i = 0; i < now.losses; ++i) {
    const RecordedLoss loss = runs_->loss(member, i);
    records.loss.step.push_back(loss.step);
    records.loss.value.push_back(loss.value);
    records.loss.log2.push_back(log2_of(loss.value));
  }
  for (std::size_t i = 0; i < now.windows; ++i) records.windows.push_back(runs_->window(member, i));
  for (std::size_t i = 0; i < now.exported; ++i) {
    const bool last = now.outcome != Outcome::running && i + 1 == now.exported;
    series_.take(runs_->exported(member, i), last, places_[member], records);
  }
}

// As the Space that carries such a run out on a processor measures it: MPFR does not take the
// logarithm of a float64.
double DeviceMembers::log2_of(double loss) const {
  if (!runs_->in_software()) return std::log2(std::fabs(loss));
  const auto range = ExponentRange::widest();
  MpfrNumber number(std::numeric_limits<double>::digits);
  to_mpfr(number, loss);
  return measure(number).log2;
}

std::vector<NamedValues> DeviceMembers::parameters(std::size_t member) {
  return series_.named(runs_->parameters(member, false));
}

LoopState DeviceMembers::state(std::size_t member, double seconds) {
  const RunStatus& now = status(member);
  const DeviceSeries::Place& place = places_[member];
  LoopState state{};
  state.step = now.step;
  state.parameters = {series_.named(runs_->parameters(member, false)),
                      series_.named(runs_->parameters(member, true))};
  state.returned = now.returned;
  state.blowup_reference = now.blowup_reference;
  state.seconds = seconds;
  state.curvature = place.curvature.empty() ? series_.unmeasured() : place.curvature;
  state.recorded = now.recorded;
  state.switched = -1;
  state.cadence = place.cadence.state();
  state.snapshot_returned = false;
  state.loss_before = std::numeric_limits<double>::quiet_NaN();
  state.begun = now.begun;
  if (now.window_open) state.window = now.window;
  return state;
}

void DeviceMembers::restore(std::size_t member, const LoopState& state) {
  RunStatus now = status(member);
  now.step = state.step;
  now.begun = state.begun;
  now.recorded = state.recorded;
  now.outcome = Outcome::running;
  now.returned = state.returned;
  now.window_open = plan_.window > 0 && state.window.has_value();
  if (state.window) now.window = *state.window;
  now.blowup_reference = state.blowup_reference;
  runs_->restore(member, series_.joined(state.parameters.current),
                 series_.joined(state.parameters.previous), now);
  places_[member].curvature = state.curvature;
  places_[member].recorded = state.recorded;
  places_[member].cadence.restore(state.cadence);
}

}  // namespace precipice
