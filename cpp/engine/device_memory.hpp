// Memory of a device that frees itself, and the errors of a device as exceptions.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "device/device_table.hpp"

namespace precipice {

inline void check(const DeviceTable& table, int error) {
  if (error != 0) throw std::runtime_error(std::string("device: ") + table.describe(error));
}

// Objects of plain data, zeros at first.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const DeviceTable& table) : table_(table) {}
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() {
    if (memory_) table_.release(memory_);
  }

  // Once.
  T* allocate(std::size_t n) {
    void* memory = nullptr;
    if (n > 0) check(table_, table_.allocate(&memory, n * sizeof(T)));
    return memory_ = static_cast<T*>(memory);
  }
  T* allocate(const std::vector<T>& values) {
    allocate(values.size());
    upload(values.data(), values.size());
    return memory_;
  }

  // n objects, those from `at` on.
  void upload(const T* values, std::size_t n, std::size_t at = 0) {
    if (n > 0) check(table_, table_.upload(memory_ + at, values, n * sizeof(T)));
  }
  void download(T* values, std::size_t n, std::size_t at = 0) const {
    if (n > 0) check(table_, table_.download(values, memory_ + at, n * sizeof(T)));
  }

 private:
  const DeviceTable& table_;
  T* memory_ = nullptr;
};

// An array here and on the device.
template <class T>
class MirroredArray {
 public:
  explicit MirroredArray(const DeviceTable& table) : device_(table) {}

  T* allocate(std::vector<T> values) {
    here_ = std::move(values);
    return device_.allocate(here_);
  }
  T* allocate(std::size_t n) { return allocate(std::vector<T>(n)); }

  const std::vector<T>& here() const { return here_; }
  const T& operator[](std::size_t i) const { return here_[i]; }
  void set(std::size_t i, const T& value) {
    here_[i] = value;
    device_.upload(&value, 1, i);
  }
  void download() { device_.download(here_.data(), here_.size()); }

 private:
  std::vector<T> here_;
  DeviceArray<T> device_;
};

}  // namespace precipice
