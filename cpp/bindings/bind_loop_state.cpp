// A run between two steps as a Python dictionary of plain values; floats are float64, exactly.
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "bindings/bind.hpp"
#include "bindings/named_values.hpp"

namespace precipice {
namespace {

namespace py = pybind11;
using namespace py::literals;

// The open window's losses and steps; none of either if no window is open.
std::vector<double> losses_of(const std::optional<LossWindow>& window) {
  if (!window) return {};
  return {window->least, window->greatest, window->last};
}
std::vector<std::int64_t> steps_of(const std::optional<LossWindow>& window) {
  if (!window) return {};
  return {window->begin, window->least_step, window->greatest_step, window->last_step};
}
std::optional<LossWindow> loss_window(const std::vector<double>& losses,
                                      const std::vector<std::int64_t>& steps) {
  if (losses.empty()) return {};
  return LossWindow{losses.at(0), losses.at(1), losses.at(2), steps.at(0),
                    steps.at(1),  steps.at(2),  steps.at(3)};
}

py::dict as_dict(LoopState&& s) {
  return py::dict(
      "step"_a = s.step, "current"_a = as_dict(std::move(s.parameters.current)),
      "previous"_a = as_dict(std::move(s.parameters.previous)), "returned"_a = s.returned,
      "blowup_reference"_a = s.blowup_reference, "seconds"_a = s.seconds,
      "curvature"_a = std::move(s.curvature), "recorded"_a = s.recorded, "switched"_a = s.switched,
      "flow"_a = std::move(s.flow), "cadence"_a = std::move(s.cadence),
      "snapshot_current"_a = as_dict(std::move(s.snapshot.current)),
      "snapshot_previous"_a = as_dict(std::move(s.snapshot.previous)),
      "snapshot_returned"_a = s.snapshot_returned, "loss_before"_a = s.loss_before,
      "begun"_a = s.begun, "window"_a = losses_of(s.window), "window_steps"_a = steps_of(s.window));
}

SavedParameters saved_parameters(const py::object& current, const py::object& previous) {
  return {named_values(current), named_values(previous)};
}

LoopState loop_state(const py::dict& s) {
  return {s["step"].cast<std::int64_t>(),
          saved_parameters(s["current"], s["previous"]),
          s["returned"].cast<bool>(),
          s["blowup_reference"].cast<double>(),
          s["seconds"].cast<double>(),
          s["curvature"].cast<std::vector<double>>(),
          s["recorded"].cast<std::int64_t>(),
          s["switched"].cast<std::int64_t>(),
          s["flow"].cast<std::vector<double>>(),
          s["cadence"].cast<std::vector<std::int64_t>>(),
          saved_parameters(s["snapshot_current"], s["snapshot_previous"]),
          s["snapshot_returned"].cast<bool>(),
          s["loss_before"].cast<double>(),
          s["begun"].cast<std::int64_t>(),
          loss_window(s["window"].cast<std::vector<double>>(),
                      s["window_steps"].cast<std::vector<std::int64_t>>())};
}

}  // namespace

void bind_loop_state(py::module_& m) {
  py::class_<LoopState>(m, "LoopState", "A run between two steps, exactly.")
      .def(py::init(&loop_state), py::arg("values"))
      .def("values", [](const LoopState& s) { return as_dict(LoopState(s)); });
}

}  // namespace precipice
