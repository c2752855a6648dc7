// What the benchmark times the engine against, where that has to be compiled.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/plain_mpfr.hpp"
#include "bindings/bind.hpp"
#include "numbers/format.hpp"

namespace precipice {
namespace {

namespace py = pybind11;
using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;

std::vector<double> copied(const Doubles& values) {
  return {values.data(), values.data() + values.size()};
}

PlainMpfr::Outer parse_outer(const std::string& outer) {
  if (outer == "rows") return PlainMpfr::Outer::rows;
  if (outer == "columns") return PlainMpfr::Outer::columns;
  throw std::invalid_argument("outer = " + outer + ": must be rows or columns");
}

std::unique_ptr<PlainMpfr> make_plain_mpfr(long precision, const Doubles& X, const Doubles& y,
                                           const Doubles& u, double v, double lr) {
  if (y.size() == 0 || u.size() == 0 || X.size() != y.size() * u.size())
    throw std::invalid_argument("X = " + std::to_string(X.size()) +
                                " numbers: must be as many as y has times as many as u has");
  parse_format("mpfr" + std::to_string(precision));  // refuses what is no precision
  return std::make_unique<PlainMpfr>(precision, copied(X), copied(y), copied(u), v, lr);
}

}  // namespace

// The formats mpfr<bits> have MPFR's default exponent range, which a thread has unless told
// otherwise.
void bind_peers(py::module_& m) {
  using Release = py::call_guard<py::gil_scoped_release>;
  py::class_<PlainMpfr>(m, "PlainMpfr", "A plain C MPFR loop: a baseline for timing only.")
      .def(py::init(&make_plain_mpfr), py::kw_only(), py::arg("precision"), py::arg("X"),
           py::arg("y"), py::arg("u"), py::arg("v"), py::arg("lr"))
      .def(
          "advance",
          [](PlainMpfr& self, std::int64_t steps, const std::string& preactivations,
             const std::string& gradient) {
            self.advance(steps, parse_outer(preactivations), parse_outer(gradient));
          },
          py::arg("steps"), py::arg("preactivations"), py::arg("gradient"), Release(),
          "Takes steps; the outer loops of X u and X^T z go over rows or columns.")
      .def(
          "preactivations",
          [](PlainMpfr& self, const std::string& outer) {
            self.preactivations(parse_outer(outer));
          },
          py::arg("outer"), Release(), "Computes X u.")
      .def(
          "gradient",
          [](PlainMpfr& self, const std::string& outer) { self.gradient(parse_outer(outer)); },
          py::arg("outer"), Release(), "Computes X^T z.")
      .def("parameters",
           [](PlainMpfr& self) {
             const std::vector<std::string> v{self.v()};
             return py::dict(py::arg("u") = self.u(), py::arg("v") = v);
           })
      .def_property_readonly("loss", &PlainMpfr::loss);
}

}  // namespace precipice
