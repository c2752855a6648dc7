#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind.hpp"
#include "engine/run_spec.hpp"

namespace precipice {
namespace {

namespace py = pybind11;

// Hands a vector's memory to NumPy without a copy.
template <class T>
py::array_t<T> as_array(std::vector<T>&& values) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  const py::capsule guard(owner.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  auto* const data = owner.release();
  return py::array_t<T>(static_cast<py::ssize_t>(data->size()), data->data(), guard);
}

std::vector<double> doubles(const py::array_t<double, py::array::c_style>& values) {
  return {values.data(), values.data() + values.size()};
}

// float64 arrays cross as buffers, everything else as text.
ExactVector exact_vector(const py::object& values) {
  if (py::isinstance<py::array_t<double>>(values))
    return doubles(values.cast<py::array_t<double, py::array::c_style>>());
  return values.cast<std::vector<std::string>>();
}

Loss parse_loss(const std::string& loss) {
  if (loss == "half_mean") return Loss::half_mean;
  if (loss == "mean") return Loss::mean;
  if (loss == "half_sum") return Loss::half_sum;
  if (loss == "sum") return Loss::sum;
  throw std::invalid_argument("loss = " + loss + ": must be half_mean, mean, half_sum or sum");
}

CurvatureSpec curvature_spec(const py::dict& values) {
  const auto read = [&](const char* key) {
    return doubles(values[key].cast<py::array_t<double, py::array::c_style>>());
  };
  return {{read("sigma"), read("d")}, read("left"), read("X")};
}

py::dict as_dict(Records&& records) {
  const auto series = [](auto&&... named) {
    py::dict d;
    ((d[named.first] = as_array(std::move(named.second))), ...);
    return d;
  };
  using namespace std::string_literals;
  py::dict d;
  d["loss"] = series(std::pair("step", std::move(records.loss.step)),
                     std::pair("value", std::move(records.loss.value)),
                     std::pair("log2", std::move(records.loss.log2)));
  d["sharpness"] = series(std::pair("step", std::move(records.sharpness.step)),
                          std::pair("value", std::move(records.sharpness.value)));
  d["layer_imbalance"] = series(std::pair("step", std::move(records.layer_imbalance.step)),
                                std::pair("value", std::move(records.layer_imbalance.value)));
  py::dict parameters = series(std::pair("step", std::move(records.parameters.step)));
  parameters["text"] = py::cast(std::move(records.parameters.text));
  d["parameters"] = std::move(parameters);
  return d;
}

}  // namespace

void bind_simulation(py::module_& m) {
  py::class_<Simulation>(m, "Simulation", "A run that advances in blocks of time.")
      .def(
          py::init(
              [](const std::string& format, std::size_t samples, std::size_t features,
                 std::size_t factors, const py::object& X, const py::object& y, const py::object& u,
                 const py::object& v, const std::string& lr, const std::string& loss,
                 std::int64_t steps, std::optional<double> blowup_factor, std::optional<double> tol,
                 double loss_floor, std::optional<double> max_seconds, std::int64_t record_loss,
                 std::int64_t record_sharpness, std::int64_t record_parameters,
                 std::int64_t record_layer_imbalance, const std::optional<py::dict>& curvature) {
                RunSpec spec{
                    parse_format(format),
                    {samples, features, factors, exact_vector(X), exact_vector(y), exact_vector(u),
                     exact_vector(v), std::vector<std::string>{lr}, parse_loss(loss)},
                    {steps,
                     blowup_factor,
                     tol,
                     loss_floor,
                     max_seconds,
                     {record_loss, record_sharpness, record_parameters, record_layer_imbalance}},
                    std::nullopt};
                if (curvature) spec.curvature = curvature_spec(*curvature);
                const py::gil_scoped_release release;
                return make_simulation(spec);
              }),
          py::kw_only(), py::arg("format"), py::arg("samples"), py::arg("features"),
          py::arg("factors"), py::arg("X"), py::arg("y"), py::arg("u"), py::arg("v"), py::arg("lr"),
          py::arg("loss"), py::arg("steps"), py::arg("blowup_factor"), py::arg("tol"),
          py::arg("loss_floor"), py::arg("max_seconds"), py::arg("record_loss"),
          py::arg("record_sharpness"), py::arg("record_parameters"),
          py::arg("record_layer_imbalance"), py::arg("curvature"))
      .def(
          "advance",
          [](Simulation& self, double seconds) {
            Records records;
            {
              const py::gil_scoped_release release;
              records = self.advance(seconds);
            }
            return as_dict(std::move(records));
          },
          py::arg("seconds"), "Runs for about so long; returns the series recorded meanwhile.")
      .def("stop", &Simulation::stop, "Ends advance() within 0.1 s; from any thread.")
      .def_property_readonly(
          "outcome", [](const Simulation& self) { return std::string(name(self.outcome())); })
      .def_property_readonly("step", &Simulation::step)
      .def_property_readonly("step_size", &Simulation::step_size)
      .def("parameters", [](Simulation& self) {
        py::dict d;
        for (NamedValues& block : self.parameters()) d[py::str(block.name)] = std::move(block.text);
        return d;
      });
}

}  // namespace precipice
