// What the benchmark sets times beside: cycles, bytes, and how many limbs a precision takes.
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "bench/yardsticks.hpp"
#include "bindings/bind.hpp"
#include "limbs/limb_kernels.hpp"

namespace precipice {
namespace {

namespace py = pybind11;

// None where MPFR itself computes.
std::optional<limbs::Precision> limb_layout(long precision) {
  const Format format = parse_format("mpfr" + std::to_string(precision));
  const limbs::Kernels* const kernels = limb_kernels(cpu_path(), format);
  if (kernels == nullptr) return std::nullopt;
  return kernels->precision(static_cast<int>(precision), format.emin, format.emax);
}

}  // namespace

void bind_yardsticks(py::module_& m) {
  using Release = py::call_guard<py::gil_scoped_release>;
  m.def("dependent_additions", &dependent_additions, py::arg("n"), Release(),
        "n additions, one after the other: a cycle each.");
  py::class_<ReadBuffer>(m, "ReadBuffer", "Memory that is read from first to last.")
      .def(py::init<std::size_t>(), py::arg("size"))
      .def("read", &ReadBuffer::read, py::arg("times"), Release());
  py::class_<limbs::Precision>(m, "LimbLayout", "How numbers are stored on this CPU path.")
      .def_readonly("limbs", &limbs::Precision::limbs)
      .def_readonly("limb_bits", &limbs::Precision::limb_bits)
      .def_readonly("lanes", &limbs::Precision::lanes);
  m.def("limb_layout", &limb_layout, py::arg("precision"),
        "The layout of numbers of so many bits; None where MPFR itself computes.");
}

}  // namespace precipice
