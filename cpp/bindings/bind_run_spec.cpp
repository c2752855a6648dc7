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

Contraction parse_contraction(const std::string& contraction) {
  if (contraction == "collapsed") return Contraction::collapsed;
  if (contraction == "layerwise") return Contraction::layerwise;
  throw std::invalid_argument("contraction = " + contraction + ": must be collapsed or layerwise");
}

ProblemSpec problem_spec(bool diagonal, std::size_t samples, std::size_t rows, std::size_t features,
                         const py::object& X, const py::object& y, const std::string& loss) {
  return {diagonal, samples, rows, features, exact_vector(X), exact_vector(y), parse_loss(loss)};
}

MinimalistSpec minimalist_spec(std::size_t factors, const py::object& u, const py::object& v) {
  return {factors, exact_vector(u), exact_vector(v)};
}

TwoLayerSpec two_layer_spec(std::size_t width, const std::string& contraction, const py::object& W,
                            const py::object& a, const py::object& b1, const py::object& b2,
                            const std::string& scale, const std::vector<std::string>& kappa,
                            const std::vector<std::string>& kappa_L) {
  return {width,
          parse_contraction(contraction),
          exact_vector(W),
          exact_vector(a),
          exact_vector(b1),
          exact_vector(b2),
          std::vector<std::string>{scale},
          kappa,
          kappa_L};
}

CurvatureSpec curvature_spec(const Doubles& sigma, const Doubles& d, const Doubles& left,
                             const Doubles& X) {
  return {{copied(sigma), copied(d)}, copied(left), copied(X)};
}

TwoLayerCurvatureSpec two_layer_curvature_spec(const Doubles& X, const Doubles& y, double scale,
                                               double sharpness_tolerance,
                                               double eigenvalue_tolerance, std::size_t features,
                                               const Doubles& W_at_start) {
  return {copied(X), copied(y),         scale, sharpness_tolerance, eigenvalue_tolerance,
          features,  copied(W_at_start)};
}

}  // namespace

void bind_run_spec(py::module_& m) {
  py::class_<ProblemSpec>(m, "ProblemSpec", "Data, loss and step size, exactly.")
      .def(py::init(&problem_spec), py::kw_only(), py::arg("diagonal"), py::arg("samples"),
           py::arg("rows"), py::arg("features"), py::arg("X"), py::arg("y"), py::arg("loss"));
  py::class_<MinimalistSpec>(m, "MinimalistSpec", "The minimalist model's start, exactly.")
      .def(py::init(&minimalist_spec), py::kw_only(), py::arg("factors"), py::arg("u"),
           py::arg("v"));
  py::class_<TwoLayerSpec>(m, "TwoLayerSpec", "A two-layer linear network's start, exactly.")
      .def(py::init(&two_layer_spec), py::kw_only(), py::arg("width"), py::arg("contraction"),
           py::arg("W"), py::arg("a"), py::arg("b1"), py::arg("b2"), py::arg("scale"),
           py::arg("kappa"), py::arg("kappa_L"));
  py::class_<RecordPlan::Adaptive>(m, "AdaptiveCadence",
                                   "When the sharpness is measured at each step.")
      .def(py::init<double, double, std::int64_t>(), py::kw_only(), py::arg("near"),
           py::arg("stability"), py::arg("quiet"));
  py::class_<RecordPlan>(m, "RecordPlan", "Cadences in steps; 0 records nothing.")
      .def(py::init<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t,
                    std::int64_t, std::int64_t, std::int64_t, bool,
                    std::optional<RecordPlan::Adaptive>>(),
           py::kw_only(), py::arg("loss"), py::arg("sharpness"), py::arg("parameters"),
           py::arg("layer_imbalance"), py::arg("eigenvalues"), py::arg("quantities"),
           py::arg("window"), py::arg("top"), py::arg("measured_parameters"),
           py::arg("adaptive") = py::none());
  py::class_<LoopSpec>(m, "LoopSpec", "When a run ends and what it records.")
      .def(py::init<std::int64_t, std::optional<double>, std::optional<double>, double,
                    std::optional<double>, RecordPlan, std::optional<Handover>>(),
           py::kw_only(), py::arg("steps"), py::arg("blowup_factor"), py::arg("tol"),
           py::arg("loss_floor"), py::arg("max_seconds"), py::arg("record"),
           py::arg("handover") = py::none());
  py::class_<CurvatureSpec>(m, "CurvatureSpec", "The surface that sharpness is measured on.")
      .def(py::init(&curvature_spec), py::kw_only(), py::arg("sigma"), py::arg("d"),
           py::arg("left"), py::arg("X"));
  py::class_<TwoLayerCurvatureSpec>(m, "TwoLayerCurvatureSpec",
                                    "The surface of a two-layer network, and how it is measured.")
      .def(py::init(&two_layer_curvature_spec), py::kw_only(), py::arg("X"), py::arg("y"),
           py::arg("scale"), py::arg("sharpness_tolerance"), py::arg("eigenvalue_tolerance"),
           py::arg("features"), py::arg("W_at_start"));
}

}  // namespace precipice
