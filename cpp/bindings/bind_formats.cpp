#include <pybind11/stl.h>

#include <string>
#include <utility>

#include "bindings/bind.hpp"
#include "engine/run_spec.hpp"
#include "numbers/format.hpp"

namespace precipice {

void bind_formats(pybind11::module_& m) {
  pybind11::class_<Format>(m, "Format", "A number format of the core, in MPFR's convention.")
      .def_readonly("name", &Format::name)
      .def_readonly("precision", &Format::precision)
      .def_readonly("emin", &Format::emin)
      .def_readonly("emax", &Format::emax)
      .def_readonly("subnormals", &Format::subnormals);
  m.def("parse_format", &parse_format, pybind11::arg("name"),
        "The format of that name; ValueError if there is none.");
  m.def("named_formats", &named_formats, "Names of the formats besides mpfr<bits>.");
  m.def(
      "format_availability",
      [](const std::string& name) {
        const Format format = parse_format(name);
        return std::pair(availability(format).available, carried_out_by(format));
      },
      pybind11::arg("name"), "Whether the format is carried out here, and how or why not.");
}

}  // namespace precipice
