// How exact numbers cross the boundary: float64 arrays as buffers, everything else as text.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "numbers/exact.hpp"

namespace precipice {

using Doubles = pybind11::array_t<double, pybind11::array::c_style | pybind11::array::forcecast>;

inline std::vector<double> copied(const Doubles& values) {
  return {values.data(), values.data() + values.size()};
}

inline ExactVector exact_vector(const pybind11::object& values) {
  if (pybind11::isinstance<pybind11::array_t<double>>(values))
    return copied(values.cast<Doubles>());
  return values.cast<std::vector<std::string>>();
}

}  // namespace precipice
