// The numbers of a run on lanes: handles of memory that the caller carves.
//
// `id` is an array's number in linalg/hazards.hpp; those of constants are of no matter. Runs of one
// lane may interleave in memory, at a stride; `strided` says that there may be one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "machine/host_device.hpp"

namespace precipice {

template <class T, bool strided>
struct LaneArray {
  T* data;
  std::uint32_t size;
  std::uint32_t stride = 1;
  std::uint32_t id = 0;
  PRECIPICE_HOST_DEVICE T& operator[](std::size_t i) const {
    return data[strided ? i * stride : i];
  }
};

template <class T>
struct LaneScalar {
  T* data;
  std::uint32_t id = 0;
  bool others = false;  // an element of an array, and not the first lane's own
};

// An integer rounded to the format; the reciprocal is exact if it is a power of two, else 0.
template <class T>
struct LaneInteger {
  T value, reciprocal;
};

// Constant, shared by all runs: row-major and its transpose, of which one lane needs the first
// alone; or a diagonal, by_rows.
template <class T>
struct LaneMatrix {
  const T* by_rows;
  const T* by_columns;
  std::uint32_t rows, columns;
  bool diagonal;
};

// Row-major; a lane's own are every lanes-th column.
template <class T, bool strided>
struct LaneWeights {
  T* data;
  std::uint32_t rows, columns;
  std::uint32_t stride = 1;
  std::uint32_t id = 0;
  PRECIPICE_HOST_DEVICE T& operator()(std::size_t q, std::size_t k) const {
    const std::size_t i = q * columns + k;
    return data[strided ? i * stride : i];
  }
};

}  // namespace precipice
