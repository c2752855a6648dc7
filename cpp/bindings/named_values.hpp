// Parameters by name, as Python dictionaries of exact text.
#pragma once

#include <pybind11/stl.h>

#include <string>
#include <utility>
#include <vector>

#include "training/simulation.hpp"

namespace precipice {

inline pybind11::dict as_dict(std::vector<NamedValues>&& blocks) {
  pybind11::dict d;
  for (NamedValues& block : blocks)
    d[pybind11::str(block.name)] = pybind11::cast(std::move(block.text));
  return d;
}

inline std::vector<NamedValues> named_values(const pybind11::dict& blocks) {
  std::vector<NamedValues> values;
  for (const auto& [name, text] : blocks)
    values.push_back({name.cast<std::string>(), text.cast<std::vector<std::string>>()});
  return values;
}

}  // namespace precipice
