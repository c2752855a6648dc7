// The benchmark's compiled contestants: plain C MPFR, and precipice's own stages of a step.
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "bench/plain_mpfr.hpp"
#include "bench/stages.hpp"
#include "bindings/bind.hpp"
#include "bindings/exact_vector.hpp"

namespace precipice {
namespace {

namespace py = pybind11;
using Release = py::call_guard<py::gil_scoped_release>;

PlainMpfr::Outer parse_outer(const std::string& outer) {
  if (outer == "rows") return PlainMpfr::Outer::rows;
  if (outer == "columns") return PlainMpfr::Outer::columns;
  throw std::invalid_argument("outer = " + outer + ": must be rows or columns");
}

// What both are constructed from: the format mpfr<precision>, and the data.
template <class Make>
auto from_data(Make make) {
  return py::init([make](long precision, const py::object& X, const py::object& y,
                         const py::object& u, const std::string& v, const std::string& lr) {
    const Format format = parse_format("mpfr" + std::to_string(precision));
    const BenchmarkData data{exact_vector(X), exact_vector(y), exact_vector(u), std::vector{v},
                             std::vector{lr}};
    if (size(data.y) == 0 || size(data.u) == 0 || size(data.X) != size(data.y) * size(data.u))
      throw std::invalid_argument("X = " + std::to_string(size(data.X)) +
                                  " numbers: must be as many as y has times as many as u has");
    return make(format, data);
  });
}

template <class Run>
void repeat(std::int64_t repeats, Run run) {
  for (std::int64_t i = 0; i < repeats; ++i) run();
}

void bind_plain_mpfr(py::module_& m) {
  py::class_<PlainMpfr>(m, "PlainMpfr", "A plain C MPFR loop: a baseline for timing only.")
      .def(from_data([](const Format& format, const BenchmarkData& data) {
             return std::make_unique<PlainMpfr>(format, data);
           }),
           py::kw_only(), py::arg("precision"), py::arg("X"), py::arg("y"), py::arg("u"),
           py::arg("v"), py::arg("lr"))
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
          [](PlainMpfr& self, const std::string& outer, std::int64_t repeats) {
            repeat(repeats, [&, by = parse_outer(outer)] { self.preactivations(by); });
          },
          py::arg("outer"), py::arg("repeats") = 1, Release(), "f = X u")
      .def("residuals", &PlainMpfr::residuals, Release(), "z = f v - y")
      .def(
          "gradient",
          [](PlainMpfr& self, const std::string& outer, std::int64_t repeats) {
            repeat(repeats, [&, by = parse_outer(outer)] { self.gradient(by); });
          },
          py::arg("outer"), py::arg("repeats") = 1, Release(), "g = X^T z")
      .def(
          "update",
          [](PlainMpfr& self, std::int64_t repeats) { repeat(repeats, [&] { self.descend(); }); },
          py::arg("repeats") = 1, Release(), "u = u - lr g")
      .def_property_readonly("f", &PlainMpfr::f)
      .def_property_readonly("g", &PlainMpfr::g)
      .def_property_readonly("u", &PlainMpfr::u)
      .def_property_readonly("v", &PlainMpfr::v)
      .def_property_readonly("loss", &PlainMpfr::loss);
}

void bind_stages(py::module_& m) {
  py::class_<Stages>(m, "Stages", "Stages of a step, in the arithmetic a run has here.")
      .def(from_data(&make_stages), py::kw_only(), py::arg("precision"), py::arg("X"), py::arg("y"),
           py::arg("u"), py::arg("v"), py::arg("lr"))
      .def(
          "preactivations",
          [](Stages& self, std::int64_t repeats) {
            repeat(repeats, [&] { self.preactivations(); });
          },
          py::arg("repeats") = 1, Release(), "f = X u")
      .def("residuals", &Stages::residuals, Release(), "z = f v - y")
      .def(
          "gradient",
          [](Stages& self, std::int64_t repeats) { repeat(repeats, [&] { self.gradient(); }); },
          py::arg("repeats") = 1, Release(), "g = X^T z")
      .def(
          "update",
          [](Stages& self, std::int64_t repeats) { repeat(repeats, [&] { self.update(); }); },
          py::arg("repeats") = 1, Release(), "u = u - lr g")
      .def_property_readonly("f", &Stages::f)
      .def_property_readonly("g", &Stages::g)
      .def_property_readonly("u", &Stages::u);
}

}  // namespace

// The formats mpfr<bits> have MPFR's default exponent range, which a thread has unless told
// otherwise.
void bind_peers(py::module_& m) {
  bind_plain_mpfr(m);
  bind_stages(m);
}

}  // namespace precipice
