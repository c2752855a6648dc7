// Records as Python dictionaries of columns, each a NumPy array.
#pragma once

#include <pybind11/numpy.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "training/loss_window.hpp"

namespace precipice {

// Hands a vector's memory to NumPy without a copy.
template <class T>
pybind11::array_t<T> as_array(std::vector<T>&& values) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  const pybind11::capsule guard(owner.get(),
                                [](void* p) { delete static_cast<std::vector<T>*>(p); });
  auto* const data = owner.release();
  return pybind11::array_t<T>(static_cast<pybind11::ssize_t>(data->size()), data->data(), guard);
}

inline pybind11::dict as_dict(const std::vector<LossWindow>& windows) {
  const auto column = [&windows](auto LossWindow::* member) {
    std::vector<std::decay_t<decltype(windows[0].*member)>> values;
    values.reserve(windows.size());
    for (const LossWindow& window : windows) values.push_back(window.*member);
    return as_array(std::move(values));
  };
  using namespace pybind11::literals;
  return pybind11::dict(
      "begin"_a = column(&LossWindow::begin), "least"_a = column(&LossWindow::least),
      "least_step"_a = column(&LossWindow::least_step),
      "greatest"_a = column(&LossWindow::greatest),
      "greatest_step"_a = column(&LossWindow::greatest_step), "last"_a = column(&LossWindow::last),
      "last_step"_a = column(&LossWindow::last_step));
}

}  // namespace precipice
