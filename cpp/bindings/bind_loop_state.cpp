#include <pybind11/stl.h>

#include <vector>

#include "bindings/bind.hpp"
#include "bindings/named_values.hpp"

namespace precipice {

void bind_loop_state(pybind11::module_& m) {
  namespace py = pybind11;
  py::class_<LoopState>(m, "LoopState", "A run between two steps, exactly.")
      .def(py::init([](std::int64_t step, const py::dict& current, const py::dict& previous,
                       bool returned, double blowup_reference, double seconds,
                       const std::vector<double>& curvature) {
             return LoopState{step,     named_values(current), named_values(previous),
                              returned, blowup_reference,      seconds,
                              curvature};
           }),
           py::kw_only(), py::arg("step"), py::arg("current"), py::arg("previous"),
           py::arg("returned"), py::arg("blowup_reference"), py::arg("seconds"),
           py::arg("curvature"))
      .def_readonly("step", &LoopState::step)
      .def_property_readonly("current",
                             [](const LoopState& s) { return as_dict(std::vector(s.current)); })
      .def_property_readonly("previous",
                             [](const LoopState& s) { return as_dict(std::vector(s.previous)); })
      .def_readonly("returned", &LoopState::returned)
      .def_readonly("blowup_reference", &LoopState::blowup_reference)
      .def_readonly("seconds", &LoopState::seconds)
      .def_readonly("curvature", &LoopState::curvature);
}

}  // namespace precipice
