// The products of a skewed matrix (skewed_products.hpp) for each instruction set that has vectors
// wider than 128 bits, as tables to choose from at run time.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstddef>

namespace precipice {

enum class CpuPath;

// Groups of lanes whose rows are taken together, a block of a skewed matrix.
inline constexpr std::size_t groups_per_block = 4;

template <class T>
struct NativeKernels {
  const char* name;
  std::size_t lanes;
  // By number of groups of lanes, less one. x is a block's first number; f and z hold a number for
  // every lane of the block.
  void (*matvec[groups_per_block])(T* f, const T* x, std::size_t columns, const T* u);
  void (*add_matvec_transposed[groups_per_block])(T* g, const T* x, std::size_t columns,
                                                  const T* z);
};

// Those of a path; null where the baseline's (native_products.hpp) are all there is.
template <class T>
const NativeKernels<T>* native_kernels(CpuPath) {
  return nullptr;
}
template <>
const NativeKernels<float>* native_kernels<float>(CpuPath path);
template <>
const NativeKernels<double>* native_kernels<double>(CpuPath path);

namespace native {

extern const NativeKernels<float> avx2_float32, avx512_float32;
extern const NativeKernels<double> avx2_float64, avx512_float64;

}  // namespace native
}  // namespace precipice
