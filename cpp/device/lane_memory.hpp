// Where the arrays of one run lie. Each kind of array has its place: replicated ones are copied by
// every block of a grid for itself, distributed ones are the run's. The same text counts numbers on
// the host, without memory, and hands out memory on the device.
#pragma once

#include <cstdint>

#include "device/chunk.hpp"
#include "linalg/space.hpp"

namespace precipice {

// Hands out one array after the other, element i of each at i * stride.
template <class T>
class Carver {
 public:
  PRECIPICE_HOST_DEVICE Carver(T* memory, std::uint32_t stride)
      : memory_(memory), stride_(stride) {}

  PRECIPICE_HOST_DEVICE T* take(std::uint32_t n) {
    T* const array = memory_ ? memory_ + std::uint64_t(used_) * stride_ : nullptr;
    used_ += n;
    return array;
  }
  PRECIPICE_HOST_DEVICE std::uint32_t used() const { return used_; }

 private:
  T* memory_;
  std::uint32_t stride_;
  std::uint32_t used_ = 0;  // numbers
};

template <class T>
class LaneMemory {
 public:
  // Of this run: its part of the block's memory, of the device's work memory, and its parameters at
  // two steps there, `count` each. `stride` is that of both parts.
  PRECIPICE_HOST_DEVICE LaneMemory(const DevicePlacement& placement, T* block, T* work, T* saved,
                                   std::uint32_t count, std::uint32_t stride)
      : placement_(placement),
        block_(block, stride),
        device_(work, stride),
        saved_(saved),
        count_(count),
        stride_(stride) {}

  PRECIPICE_HOST_DEVICE T* replicated(std::uint32_t n) {
    return placement_.team == DeviceTeam::grid ? block_.take(n) : distributed(n);
  }
  PRECIPICE_HOST_DEVICE T* distributed(std::uint32_t n) {
    return placement_.work ? block_.take(n) : device_.take(n);
  }
  // Of theta_t (side 0) and theta_{t-1} (side 1), from the offset on; small ones are replicated.
  PRECIPICE_HOST_DEVICE T* parameters(std::uint32_t side, std::uint32_t offset, std::uint32_t n,
                                      bool small) {
    if (small && placement_.team == DeviceTeam::grid) return block_.take(n);
    if (!copies_parameters()) return saved(side, offset);
    return placement_.parameters ? block_.take(n) : device_.take(n);
  }
  // Where they are between two chunks.
  PRECIPICE_HOST_DEVICE T* saved(std::uint32_t side, std::uint32_t offset) const {
    return saved_ ? saved_ + std::uint64_t(side) * count_ + offset : nullptr;
  }
  // Whether parameters lie elsewhere during a chunk. Those of interleaved runs do.
  PRECIPICE_HOST_DEVICE bool copies_parameters() const {
    return placement_.team == DeviceTeam::thread || placement_.parameters;
  }
  PRECIPICE_HOST_DEVICE bool copies_small() const {
    return placement_.team == DeviceTeam::grid || copies_parameters();
  }
  PRECIPICE_HOST_DEVICE std::uint32_t stride() const { return stride_; }

  PRECIPICE_HOST_DEVICE std::uint32_t block_count() const { return block_.used(); }
  PRECIPICE_HOST_DEVICE std::uint32_t device_count() const { return device_.used(); }

 private:
  DevicePlacement placement_;
  Carver<T> block_, device_;
  T* saved_;
  std::uint32_t count_, stride_;
};

}  // namespace precipice
