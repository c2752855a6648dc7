// The description of an optimiser, as keyword-only constructors of the engine's plain structs.
#include <pybind11/stl.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/bind.hpp"
#include "training/optimizer_spec.hpp"

namespace precipice {
namespace {

UpdateRule parse_rule(const std::string& rule) {
  if (rule == "gradient_descent") return UpdateRule::gradient_descent;
  if (rule == "heavy_ball") return UpdateRule::heavy_ball;
  if (rule == "nesterov") return UpdateRule::nesterov;
  if (rule == "runge_kutta") return UpdateRule::runge_kutta;
  throw std::invalid_argument("rule = " + rule +
                              ": must be gradient_descent, heavy_ball, nesterov or runge_kutta");
}

Event::Series parse_series(const std::string& series) {
  if (series == "sharpness") return Event::Series::sharpness;
  if (series == "loss") return Event::Series::loss;
  throw std::invalid_argument("series = " + series + ": must be sharpness or loss");
}

ExactVector one_number(const std::string& text) {
  return std::vector<std::string>{text};
}

Event event(const std::string& series, bool above, double bound, bool over_step_size) {
  return {parse_series(series), above, bound, over_step_size};
}

EventSpec event_spec(const std::string& series, bool above, double bound, const std::string& lr) {
  return {event(series, above, bound, false), one_number(lr)};
}

BatchSpec batch_spec(std::size_t size, bool reshuffle, std::uint64_t seed) {
  return {size, reshuffle ? Sampling::reshuffle : Sampling::iid, seed};
}

FlowSpec flow_spec(const std::string& step, double factor, std::int64_t every, bool guard) {
  std::optional<ExactVector> fixed;
  if (!step.empty()) fixed = one_number(step);
  return {fixed, factor, every, guard};
}

OptimizerSpec optimizer_spec(const std::string& rule, const std::string& momentum,
                             const std::vector<std::int64_t>& first_step,
                             const std::vector<std::string>& lr,
                             const std::optional<EventSpec>& change,
                             const std::optional<BatchSpec>& batch,
                             const std::optional<FlowSpec>& flow) {
  return {parse_rule(rule), one_number(momentum), first_step, lr, change, batch, flow};
}

}  // namespace

void bind_optimizer_spec(pybind11::module_& m) {
  namespace py = pybind11;
  py::class_<Event>(m, "Event", "What a measured series must reach.")
      .def(py::init(&event), py::kw_only(), py::arg("series"), py::arg("above"), py::arg("bound"),
           py::arg("over_step_size"));
  py::class_<EventSpec>(m, "EventSpec", "What a measured series must reach for another step size.")
      .def(py::init(&event_spec), py::kw_only(), py::arg("series"), py::arg("above"),
           py::arg("bound"), py::arg("lr"));
  py::class_<BatchSpec>(m, "BatchSpec", "How mini-batches are drawn.")
      .def(py::init(&batch_spec), py::kw_only(), py::arg("size"), py::arg("reshuffle"),
           py::arg("seed"));
  py::class_<FlowSpec>(m, "FlowSpec", "How long a step of gradient flow is.")
      .def(py::init(&flow_spec), py::kw_only(), py::arg("step"), py::arg("factor"),
           py::arg("every"), py::arg("guard"));
  py::class_<OptimizerSpec>(m, "OptimizerSpec", "How parameters are updated, exactly.")
      .def(py::init(&optimizer_spec), py::kw_only(), py::arg("rule"), py::arg("momentum"),
           py::arg("first_step"), py::arg("lr"), py::arg("event") = py::none(),
           py::arg("batch") = py::none(), py::arg("flow") = py::none());
}

}  // namespace precipice
