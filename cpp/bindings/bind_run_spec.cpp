// The description of a run, as keyword-only constructors of the engine's plain structs.
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/bind.hpp"
#include "bindings/exact_vector.hpp"
#include "engine/run_spec.hpp"

namespace precipice {
namespace {

namespace py = pybind11;

Loss parse_loss(const std::string& loss) {
  if (loss == "half_mean") return Loss::half_mean;
  if (loss == "mean") return Loss::mean;
  if (loss == "half_sum") return Loss::half_sum;
  if (loss == "sum") return Loss::sum;
  throw std::invalid_argument("loss = " + loss + ": must be half_mean, mean, half_sum or sum");
}

MinimalistSpec model_spec(bool diagonal, std::size_t samples, std::size_t rows,
                          std::size_t features, std::size_t factors, const py::object& X,
                          const py::object& y, const py::object& u, const py::object& v,
                          const std::string& lr, const std::string& loss) {
  return {diagonal,
          samples,
          rows,
          features,
          factors,
          exact_vector(X),
          exact_vector(y),
          exact_vector(u),
          exact_vector(v),
          std::vector<std::string>{lr},
          parse_loss(loss)};
}

CurvatureSpec curvature_spec(const Doubles& sigma, const Doubles& d, const Doubles& left,
                             const Doubles& X) {
  return {{copied(sigma), copied(d)}, copied(left), copied(X)};
}

}  // namespace

void bind_run_spec(py::module_& m) {
  py::class_<MinimalistSpec>(m, "MinimalistSpec", "Data, start and step size, exactly.")
      .def(py::init(&model_spec), py::kw_only(), py::arg("diagonal"), py::arg("samples"),
           py::arg("rows"), py::arg("features"), py::arg("factors"), py::arg("X"), py::arg("y"),
           py::arg("u"), py::arg("v"), py::arg("lr"), py::arg("loss"));
  py::class_<RecordPlan>(m, "RecordPlan", "Cadences in steps; 0 records nothing.")
      .def(py::init<std::int64_t, std::int64_t, std::int64_t, std::int64_t, bool>(), py::kw_only(),
           py::arg("loss"), py::arg("sharpness"), py::arg("parameters"), py::arg("layer_imbalance"),
           py::arg("measured_parameters"));
  py::class_<LoopSpec>(m, "LoopSpec", "When a run ends and what it records.")
      .def(py::init<std::int64_t, std::optional<double>, std::optional<double>, double,
                    std::optional<double>, RecordPlan>(),
           py::kw_only(), py::arg("steps"), py::arg("blowup_factor"), py::arg("tol"),
           py::arg("loss_floor"), py::arg("max_seconds"), py::arg("record"));
  py::class_<CurvatureSpec>(m, "CurvatureSpec", "The surface that sharpness is measured on.")
      .def(py::init(&curvature_spec), py::kw_only(), py::arg("sigma"), py::arg("d"),
           py::arg("left"), py::arg("X"));
}

}  // namespace precipice
