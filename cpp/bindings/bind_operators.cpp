// The curvature of a two-layer network at a point, by products: for users and the tests.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/bind.hpp"
#include "bindings/exact_vector.hpp"
#include "models/two_layer_gram.hpp"
#include "models/two_layer_hessian.hpp"
#include "models/two_layer_reduced_hessian.hpp"

namespace precipice {
namespace {

namespace py = pybind11;

py::array_t<double> as_array(const std::vector<double>& values) {
  return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

class TwoLayerOperators {
 public:
  TwoLayerOperators(std::size_t rows, std::size_t features, const Doubles& X, const Doubles& y,
                    const Doubles& W, const Doubles& a, const Doubles& b1, const Doubles& b2,
                    double scale, double curvature_factor)
      : point_(rows, features, false, copied(X), copied(y), static_cast<std::size_t>(a.size()),
               scale, b2.size() > 0),
        hessian_(point_, curvature_factor),
        reduced_(point_, curvature_factor),
        gram_(point_, curvature_factor, features) {
    point_.move_to(copied(W), copied(a), copied(b1), copied(b2));
    reduced_.move();
  }

  std::size_t size() const { return hessian_.size(); }
  std::size_t reduced_size() const { return reduced_.size(); }
  py::array_t<double> hessian(const Doubles& v, bool gauss_newton) {
    hessian_.multiply(out_, copied(v), gauss_newton);
    return as_array(out_);
  }
  py::array_t<double> reduced_hessian(const Doubles& v) {
    reduced_.multiply(out_, copied(v));
    return as_array(out_);
  }
  py::array_t<double> direction(const Doubles& v) {
    return as_array(reduced_.direction(copied(v)));
  }
  py::array_t<double> gram(const std::string& name, const Doubles& v, double step_size) {
    gram_.multiply(out_, copied(v), factors(name, step_size));
    return as_array(out_);
  }

 private:
  GramFactors factors(const std::string& name, double step_size) const {
    if (name == "M") return gram_.M();
    if (name == "M_A") return gram_.M_A();
    if (name == "M_W") return gram_.M_W();
    if (name == "M*") return gram_.M_star(step_size);
    if (name == "Gamma") return gram_.Gamma();
    throw std::invalid_argument("name = " + name + ": must be M, M_A, M_W, M* or Gamma");
  }

  TwoLayerPoint point_;
  TwoLayerHessian hessian_;
  TwoLayerReducedHessian reduced_;
  TwoLayerGram gram_;
  std::vector<double> out_;
};

}  // namespace

void bind_operators(py::module_& m) {
  py::class_<TwoLayerOperators>(m, "TwoLayerOperators", "Curvature at a point, by products.")
      .def(py::init<std::size_t, std::size_t, const Doubles&, const Doubles&, const Doubles&,
                    const Doubles&, const Doubles&, const Doubles&, double, double>(),
           py::kw_only(), py::arg("rows"), py::arg("features"), py::arg("X"), py::arg("y"),
           py::arg("W"), py::arg("a"), py::arg("b1"), py::arg("b2"), py::arg("scale"),
           py::arg("curvature_factor"))
      .def_property_readonly("size", &TwoLayerOperators::size)
      .def_property_readonly("reduced_size", &TwoLayerOperators::reduced_size)
      .def("hessian", &TwoLayerOperators::hessian, py::arg("v"), py::arg("gauss_newton"))
      .def("reduced_hessian", &TwoLayerOperators::reduced_hessian, py::arg("v"))
      .def("direction", &TwoLayerOperators::direction, py::arg("v"))
      .def("gram", &TwoLayerOperators::gram, py::arg("name"), py::arg("v"), py::arg("step_size"));
}

}  // namespace precipice
