// Many runs of one problem, given and recorded by columns.
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind.hpp"
#include "bindings/columns.hpp"
#include "bindings/device_argument.hpp"
#include "bindings/exact_vector.hpp"
#include "bindings/named_values.hpp"
#include "engine/device_ensemble.hpp"
#include "engine/ensemble.hpp"

namespace precipice {
namespace {

namespace py = pybind11;
using namespace py::literals;
using Keys = py::array_t<std::uint64_t, py::array::c_style | py::array::forcecast>;

// One row a member: of a float64 matrix, or of lists of exact text.
std::vector<ExactVector> rows(const py::object& starts) {
  std::vector<ExactVector> all;
  if (!py::isinstance<py::array_t<double>>(starts)) {
    for (auto& row : starts.cast<std::vector<std::vector<std::string>>>())
      all.emplace_back(std::move(row));
    return all;
  }
  const auto values = starts.cast<Doubles>();
  if (values.ndim() != 2) throw std::invalid_argument("starts = array: must have a row a member");
  const auto count = static_cast<std::size_t>(values.shape(1));
  for (py::ssize_t i = 0; i < values.shape(0); ++i) {
    const double* row = values.data(i, 0);
    all.emplace_back(std::vector<double>(row, row + count));
  }
  return all;
}

std::vector<Member> members(const py::object& starts, const std::vector<std::string>& step_sizes,
                            const Keys& seeds, const Keys& runs) {
  std::vector<ExactVector> parameters = rows(starts);
  const std::size_t count = parameters.size();
  if (step_sizes.size() != count || static_cast<std::size_t>(seeds.size()) != count ||
      static_cast<std::size_t>(runs.size()) != count)
    throw std::invalid_argument("members = columns of different length: must have one row each");
  std::vector<Member> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({std::move(parameters[i]), std::vector<std::string>{step_sizes[i]},
                   seeds.data()[i], runs.data()[i]});
  return all;
}

template <class Function>
auto without_gil(Function function) {
  const py::gil_scoped_release release;
  return function();
}

template <class Series>
py::dict as_columns(Series&& series) {
  return py::dict("member"_a = as_array(std::move(series.member)),
                  "step"_a = as_array(std::move(series.step)),
                  "value"_a = as_array(std::move(series.value)));
}

py::dict as_columns(EnsembleRecords&& records) {
  py::dict windows = as_dict(records.windows.window);
  windows["member"] = as_array(std::move(records.windows.member));
  return py::dict("loss"_a = as_columns(std::move(records.loss)), "windows"_a = windows,
                  "sharpness"_a = as_columns(std::move(records.sharpness)));
}

std::vector<std::string> outcomes(const Ensemble& ensemble) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < ensemble.size(); ++i) names.emplace_back(name(ensemble.outcome(i)));
  return names;
}

py::array_t<std::int64_t> steps(const Ensemble& ensemble) {
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < ensemble.size(); ++i) values.push_back(ensemble.step(i));
  return as_array(std::move(values));
}

}  // namespace

void bind_ensemble(py::module_& m) {
  py::class_<Ensemble>(m, "Ensemble", "Many runs of one problem that advance in blocks of time.")
      .def(py::init([](const Arithmetic& arithmetic, const ProblemSpec& problem,
                       const ModelSpec& model, const OptimizerSpec& optimizer, const LoopSpec& loop,
                       const decltype(RunSpec::curvature)& curvature, const py::object& starts,
                       const std::vector<std::string>& lrs, const Keys& seeds, const Keys& runs,
                       const std::optional<py::capsule>& device,
                       const std::optional<py::dict>& tuning) {
             const EnsembleSpec spec{{arithmetic, problem, model, optimizer, loop, curvature},
                                     members(starts, lrs, seeds, runs)};
             const DeviceTable* const table = device ? &device_table(*device) : nullptr;
             const DeviceTuning tuned = device_tuning(tuning);
             const py::gil_scoped_release release;
             return table ? make_device_ensemble(spec, *table, tuned) : make_core_ensemble(spec);
           }),
           py::kw_only(), py::arg("arithmetic"), py::arg("problem"), py::arg("model"),
           py::arg("optimizer"), py::arg("loop"), py::arg("curvature"), py::arg("starts"),
           py::arg("lrs"), py::arg("seeds"), py::arg("runs"), py::arg("device") = py::none(),
           py::arg("tuning") = py::none(), py::keep_alive<1, 12>(),
           "starts: a row a member, of float64 or of exact texts: u, v or W by rows, a, b1, b2.")
      .def(
          "advance",
          [](Ensemble& self, double seconds) {
            return as_columns(without_gil([&] { return self.advance(seconds); }));
          },
          py::arg("seconds"), "Runs for about so long; returns what was recorded meanwhile.")
      .def("stop", &Ensemble::stop, "Ends advance() within 0.1 s; from any thread.")
      .def("resume", &Ensemble::resume, "Lets a stopped ensemble advance again.")
      .def("__len__", &Ensemble::size)
      .def_property_readonly("running", &Ensemble::running, "Whether a member has not ended.")
      .def("outcomes", &outcomes, "How each member ended, or running.")
      .def("steps", &steps, "Steps taken by each member.")
      .def(
          "parameters",
          [](Ensemble& self, std::size_t member) {
            return as_dict(without_gil([&] { return self.parameters(member); }));
          },
          py::arg("member"), "Exact, of the step the member has come to.")
      .def(
          "state",
          [](Ensemble& self, std::size_t member) {
            return without_gil([&] { return self.state(member); });
          },
          py::arg("member"), "Of a member that has not ended.")
      .def("restore", &Ensemble::restore, py::arg("member"), py::arg("state"),
           py::call_guard<py::gil_scoped_release>(), "The member goes on from there.");
}

}  // namespace precipice
