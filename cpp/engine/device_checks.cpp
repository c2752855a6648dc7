#include "engine/device_checks.hpp"

#include <stdexcept>
#include <string>
#include <variant>

#include "numbers/lane_formats.hpp"

namespace precipice {
namespace {

void require(bool holds, const std::string& sentence) {
  if (!holds) throw std::invalid_argument(sentence);
}

void check_arithmetic(const Arithmetic& arithmetic) {
  const LaneChoice choice = lane_numbers_of(arithmetic);
  require(choice.numbers.has_value(),
          "precision = " + arithmetic[Stage::parameters].name + ": " + choice.sentence);
}

void check_model(const RunSpec& spec, const MinimalistSpec&) {
  require(spec.loop.record.quantities == 0, "record = quantities: not of a run on a device");
}
void check_model(const RunSpec& spec, const TwoLayerSpec& model) {
  require(model.contraction == Contraction::collapsed,
          "contraction = layerwise: a device carries out the collapsed one");
  require(size(model.b2) == 0, "bias = true: a device carries out networks without biases");
  require(!spec.problem.diagonal, "coordinates = spectral: a device trains W in primal ones");
  require(spec.loop.record.quantities == 0, "record = quantities: not of a run on a device");
}

}  // namespace

void check_carried_out_on_device(const RunSpec& spec) {
  check_arithmetic(spec.arithmetic);
  const OptimizerSpec& optimizer = spec.optimizer;
  require(optimizer.rule == UpdateRule::gradient_descent && !optimizer.flow,
          "optimizer = given: a device carries out gradient descent");
  require(optimizer.first_step.size() == 1 && !optimizer.event,
          "lr = schedule: a device carries out one constant step size");
  require(!optimizer.batch || optimizer.batch->size == spec.problem.samples,
          "batch_size = given: a device descends on all samples");
  require(!spec.loop.handover, "precision = switched: a device carries out one arithmetic");
  require(!spec.loop.record.adaptive, "record = adaptive: a device measures at a fixed cadence");
  std::visit([&](const auto& model) { check_model(spec, model); }, spec.model);
}

}  // namespace precipice
