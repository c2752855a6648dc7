#include "engine/device_runs.hpp"

#include <limits>
#include <stdexcept>
#include <string>

#include "engine/checks.hpp"
#include "engine/device_checks.hpp"
#include "engine/typed_device_runs.hpp"
#include "numbers/lane_formats.hpp"

namespace precipice {
namespace {

void require(bool holds, const std::string& sentence) {
  if (!holds) throw std::invalid_argument(sentence);
}

void check_members(const EnsembleSpec& spec) {
  const auto* const network = std::get_if<TwoLayerSpec>(&spec.run.model);
  const std::size_t features = spec.run.problem.features;
  const std::size_t parameters = network
                                     ? network->width * (features + 1)
                                     : features + std::get<MinimalistSpec>(spec.run.model).factors;
  require(!spec.members.empty(), "members = 0: must be at least 1");
  for (const Member& member : spec.members) {
    require(size(member.parameters) == parameters && size(member.step_size) == 1,
            "member = " + std::to_string(size(member.parameters)) + " parameters: must have " +
                std::to_string(parameters) + " and one step size");
  }
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  require(spec.members.size() <= most && size(spec.run.problem.X) <= most && parameters <= most,
          "X = too large: must have less than 2^31 numbers, as the parameters and the members");
}

template <class Numbers>
std::unique_ptr<DeviceRuns> runs_in(const EnsembleSpec& spec, const DeviceTable& table,
                                    const DeviceTuning& tuning, DeviceNumbers kind) {
  return std::make_unique<TypedDeviceRuns<Numbers>>(
      spec, table, tuning, kind, lane_numbers<Numbers>(spec.run.arithmetic[Stage::parameters]));
}

}  // namespace

std::unique_ptr<DeviceRuns> make_device_runs(const EnsembleSpec& spec, const DeviceTable& table,
                                             const DeviceTuning& tuning) {
  require(table.version == device_table_version,
          "device = of another version: must be built with this one");
  check_shapes(spec.run);
  check_carried_out_on_device(spec.run);
  check_members(spec);
  check_floating_point_state();
  const DeviceNumbers kind = lane_numbers_of(spec.run.arithmetic).numbers.value();
  switch (kind) {
    case DeviceNumbers::float32: return runs_in<NativeNumbers<float>>(spec, table, tuning, kind);
    case DeviceNumbers::float64: return runs_in<NativeNumbers<double>>(spec, table, tuning, kind);
    case DeviceNumbers::carried32: return runs_in<CarriedNumbers<float>>(spec, table, tuning, kind);
    case DeviceNumbers::carried64:
      return runs_in<CarriedNumbers<double>>(spec, table, tuning, kind);
    case DeviceNumbers::soft: break;
  }
  return runs_in<SoftNumbers>(spec, table, tuning, kind);
}

}  // namespace precipice
