// What a device is given: the problem, rounded as the Spaces of a processor round it.
#pragma once

#include <cstdint>
#include <vector>

#include "device/chunk.hpp"
#include "engine/run_spec.hpp"

namespace precipice {

// Appends the values, each rounded once to the format, to nearest.
template <class T>
void append_rounded(std::vector<T>& out, const ExactVector& values, const Format& format);

template <class T>
struct DeviceInputs {
  explicit DeviceInputs(const RunSpec& spec);

  DeviceModel model;
  DeviceProblem<T> problem{};  // pointers are null
  std::vector<T> X, X_columns, y;
  std::uint32_t parameters;               // of a run
  std::uint32_t exported_preactivations;  // what an exported state has beside them
  double loss_of_labels;
};

DeviceRules rules_of(const RunSpec& spec);

}  // namespace precipice
