#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind.hpp"
#include "bindings/columns.hpp"
#include "bindings/device_argument.hpp"
#include "bindings/named_values.hpp"
#include "engine/device_simulation.hpp"
#include "engine/run_spec.hpp"

namespace precipice {
namespace {

namespace py = pybind11;

template <class Method, class... Arguments>
auto without_gil(Simulation& simulation, Method method, Arguments... arguments) {
  const py::gil_scoped_release release;
  return (simulation.*method)(arguments...);
}

py::dict as_dict(Records::Parameters&& parameters) {
  py::dict d;
  d["step"] = as_array(std::move(parameters.step));
  d["text"] = py::cast(std::move(parameters.text));
  return d;
}

// Of the records that consist of these columns.
template <class Spectral>
py::dict as_columns(Spectral&& records) {
  using namespace py::literals;
  return py::dict("step"_a = as_array(std::move(records.step)),
                  "value"_a = as_array(std::move(records.value)),
                  "residual"_a = as_array(std::move(records.residual)),
                  "products"_a = as_array(std::move(records.products)));
}

py::dict as_dict(Records&& records) {
  using namespace py::literals;
  auto& [loss, windows, time, sharpness, imbalance, eigenvalues, quantities, parameters, measured] =
      records;
  return py::dict("loss"_a = py::dict("step"_a = as_array(std::move(loss.step)),
                                      "value"_a = as_array(std::move(loss.value)),
                                      "log2"_a = as_array(std::move(loss.log2))),
                  "loss_windows"_a = as_dict(windows),
                  "time"_a = py::dict("step"_a = as_array(std::move(time.step)),
                                      "value"_a = as_array(std::move(time.value))),
                  "sharpness"_a = as_columns(std::move(sharpness)),
                  "layer_imbalance"_a = py::dict("step"_a = as_array(std::move(imbalance.step)),
                                                 "value"_a = as_array(std::move(imbalance.value))),
                  "eigenvalues"_a = as_columns(std::move(eigenvalues)),
                  "quantities"_a = as_columns(std::move(quantities)),
                  "parameters"_a = as_dict(std::move(parameters)),
                  "measured"_a = as_dict(std::move(measured)));
}

}  // namespace

void bind_simulation(py::module_& m) {
  py::class_<Simulation>(m, "Simulation", "A run that advances in blocks of time.")
      .def(py::init([](const Arithmetic& arithmetic, const ProblemSpec& problem,
                       const ModelSpec& model, const OptimizerSpec& optimizer, const LoopSpec& loop,
                       const decltype(RunSpec::curvature)& curvature,
                       const std::optional<py::capsule>& device,
                       const std::optional<py::dict>& tuning) {
             const RunSpec spec{arithmetic, problem, model, optimizer, loop, curvature};
             const DeviceTable* const table = device ? &device_table(*device) : nullptr;
             const DeviceTuning tuned = device_tuning(tuning);
             const py::gil_scoped_release release;
             return table ? make_device_simulation(spec, *table, tuned) : make_simulation(spec);
           }),
           py::kw_only(), py::arg("arithmetic"), py::arg("problem"), py::arg("model"),
           py::arg("optimizer"), py::arg("loop"), py::arg("curvature"),
           py::arg("device") = py::none(), py::arg("tuning") = py::none(), py::keep_alive<1, 8>())
      .def(
          "advance",
          [](Simulation& self, double seconds) {
            return as_dict(without_gil(self, &Simulation::advance, seconds));
          },
          py::arg("seconds"), "Runs for about so long; returns the series recorded meanwhile.")
      .def("stop", &Simulation::stop, "Ends advance() within 0.1 s; from any thread.")
      .def("resume", &Simulation::resume, "Lets a stopped run advance again.")
      .def_property_readonly(
          "outcome", [](const Simulation& self) { return std::string(name(self.outcome())); })
      .def_property_readonly("step", &Simulation::step)
      .def_property_readonly("step_size", &Simulation::step_size)
      .def_property_readonly("switched", &Simulation::switched)
      .def("parameters",
           [](Simulation& self) { return as_dict(without_gil(self, &Simulation::parameters)); })
      .def("state", [](Simulation& self) { return without_gil(self, &Simulation::state); })
      .def("restore", &Simulation::restore, py::arg("state"),
           py::call_guard<py::gil_scoped_release>())
      .def("take_over", &Simulation::take_over, py::arg("state"),
           py::call_guard<py::gil_scoped_release>());
}

}  // namespace precipice
