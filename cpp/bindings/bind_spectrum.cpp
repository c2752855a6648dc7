// Eigenpairs of an operator that Python gives, for its users and the tests.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/bind.hpp"
#include "bindings/exact_vector.hpp"
#include "spectrum/lanczos.hpp"
#include "training/two_layer_quantities.hpp"

namespace precipice {
namespace {

namespace py = pybind11;

py::dict as_dict(const Eigenpair& pair) {
  using namespace py::literals;
  const auto size = static_cast<py::ssize_t>(pair.vector.size());
  return py::dict("value"_a = pair.value,
                  "vector"_a = py::array_t<double>(size, pair.vector.data()),
                  "residual"_a = pair.residual, "converged"_a = pair.converged);
}

py::dict found_eigenpairs(const std::function<Doubles(const Doubles&)>& product, std::size_t n,
                          std::size_t largest, bool smallest, const std::vector<Doubles>& start,
                          double tolerance, std::size_t basis, int products) {
  using namespace py::literals;
  const Operator multiply = [&](Vector& out, const Vector& in) {
    const Doubles image = product(Doubles(static_cast<py::ssize_t>(in.size()), in.data()));
    if (static_cast<std::size_t>(image.size()) != n)
      throw std::invalid_argument("operator = " + std::to_string(image.size()) +
                                  " numbers: must return " + std::to_string(n));
    out = copied(image);
  };
  std::vector<Vector> vectors;
  for (const Doubles& vector : start) vectors.push_back(copied(vector));
  const Eigenpairs found =
      eigenpairs(multiply, n, {largest, smallest}, vectors, {tolerance, basis, products, 0});
  py::list pairs, next;
  for (const Eigenpair& pair : found.largest) pairs.append(as_dict(pair));
  for (const Vector& vector : found.start)
    next.append(py::array_t<double>(static_cast<py::ssize_t>(n), vector.data()));
  return py::dict("largest"_a = pairs,
                  "smallest"_a = smallest ? py::object(as_dict(found.smallest)) : py::none(),
                  "start"_a = next, "products"_a = found.products);
}

}  // namespace

void bind_spectrum(py::module_& m) {
  m.def("eigenpairs", &found_eigenpairs, py::kw_only(), py::arg("product"), py::arg("n"),
        py::arg("largest"), py::arg("smallest"), py::arg("start"), py::arg("tolerance"),
        py::arg("basis"), py::arg("products"),
        "The largest eigenpairs of a symmetric operator, and the smallest if wanted.");
  m.def(
      "two_layer_quantities",
      [] {
        return std::vector<std::string>(TwoLayerQuantity::names.begin(),
                                        TwoLayerQuantity::names.end());
      },
      "The columns of the two-layer network's quantities, in order.");
}

}  // namespace precipice
