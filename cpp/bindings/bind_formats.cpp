// Formats and the arithmetic of a run, as keyword-only constructors.
#include <pybind11/stl.h>

#include <array>
#include <stdexcept>
#include <string>
#include <utility>

#include "bindings/bind.hpp"
#include "engine/carrier.hpp"

namespace precipice {
namespace {

namespace py = pybind11;

template <class Enum, std::size_t n>
Enum find(const std::array<const char*, n>& names, const std::string& argument,
          const std::string& name) {
  std::string rule;
  for (std::size_t i = 0; i < n; ++i) {
    if (name == names[i]) return static_cast<Enum>(i);
    rule += (i == 0 ? "" : i + 1 < n ? ", " : " or ") + std::string(names[i]);
  }
  throw std::invalid_argument(argument + " = " + name + ": must be " + rule);
}

constexpr std::array overflows = {"infinity", "nan", "saturate"};
constexpr std::array roundings = {"rn", "rz", "ru", "rd", "ra", "sr"};
constexpr std::array orders = {"sequential", "fused", "blocked", "pairwise", "kahan", "exact"};

Format make_format(const std::string& name, long precision, long emin, long emax, bool subnormals,
                   const std::string& overflow, long reserved, const std::string& rounding) {
  Format format{name,
                Family::mpfr,
                precision,
                emin,
                emax,
                subnormals,
                find<Overflow>(overflows, "overflow", overflow),
                reserved,
                find<Rounding>(roundings, "rounding", rounding)};
  if (precision < least_precision || precision > greatest_precision || emin > emax)
    throw std::invalid_argument("precision = " + name + ": must be 2 to 100000 bits, emin <= emax");
  format.family = name == "double_double" ? Family::double_double : native_family(format);
  return format;
}

Arithmetic make_arithmetic(const std::array<Format, stages>& formats, const std::string& order,
                           std::uint64_t seed, std::uint64_t run) {
  return {formats, find<Order>(orders, "order", order), seed, run};
}

}  // namespace

void bind_formats(py::module_& m) {
  py::class_<Format>(m, "Format", "A number format of the core, in MPFR's convention.")
      .def(py::init(&make_format), py::kw_only(), py::arg("name"), py::arg("precision"),
           py::arg("emin"), py::arg("emax"), py::arg("subnormals"),
           py::arg("overflow") = "infinity", py::arg("reserved") = 0, py::arg("rounding") = "rn")
      .def_readonly("name", &Format::name)
      .def_readonly("precision", &Format::precision)
      .def_readonly("emin", &Format::emin)
      .def_readonly("emax", &Format::emax)
      .def_readonly("subnormals", &Format::subnormals);
  py::class_<Arithmetic>(m, "Arithmetic", "The formats of a step's stages, and the order of sums.")
      .def(py::init(&make_arithmetic), py::kw_only(), py::arg("stages"),
           py::arg("order") = "sequential", py::arg("seed") = 0, py::arg("run") = 0);
  m.def(
      "format_availability",
      [](const Arithmetic& arithmetic) {
        const Availability here = carried_out_by(cpu_path(), arithmetic);
        return std::pair(here.available, here.sentence);
      },
      py::arg("arithmetic"), "Whether the arithmetic is carried out here, and how or why not.");
}

}  // namespace precipice
