// The products of a skewed matrix (skewed_products.hpp), and what is done with a trainable one
// (weights_products.hpp), for each instruction set that has vectors wider than 128 bits, as tables
// to choose from at run time.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstddef>

namespace precipice {

enum class CpuPath;

// Groups of lanes whose rows are taken together, a block of a skewed matrix.
inline constexpr std::size_t groups_per_block = 4;

// A matrix, rows `stride` apart.
template <class T>
struct RowMajor {
  const T* data;
  std::size_t rows, columns, stride;
  const T* row(std::size_t q) const { return data + q * stride; }
};

// t = current g, and next = current - eta*(a g^T); next has the stride of current, and holds the
// step before on entry. `moved` and `returned` say what a Change (space.hpp) does.
template <class T>
struct OuterDescent {
  T* next;
  RowMajor<T> current;
  T eta;
  const T *a, *g;
  T* t;
};

// For as many rows as there are lanes, or more.
template <class T>
struct WeightsKernels {
  std::size_t lanes;
  void (*matvec)(T* t, const RowMajor<T>& w, const T* g);
  void (*matvec_transposed)(T* b, const RowMajor<T>& w, const T* a, bool first);
  void (*descend_outer)(const OuterDescent<T>& step, bool& moved, bool& returned);
};

template <class T>
struct NativeKernels {
  const char* name;
  std::size_t lanes;
  // By number of groups of lanes, less one. x is a block's first number; f and z hold a number for
  // every lane of the block.
  void (*matvec[groups_per_block])(T* f, const T* x, std::size_t columns, const T* u);
  void (*add_matvec_transposed[groups_per_block])(T* g, const T* x, std::size_t columns,
                                                  const T* z);
  const WeightsKernels<T>* weights;
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

// What float32 weights gain from 512 bits in the products, they lose in the descent, where sixteen
// rows are more streams than are fetched ahead: (200, 3072) takes 1.4 times as long.
extern const WeightsKernels<float> avx2_weights_float32;
extern const WeightsKernels<double> avx2_weights_float64, avx512_weights_float64;
extern const NativeKernels<float> avx2_float32, avx512_float32;
extern const NativeKernels<double> avx2_float64, avx512_float64;

}  // namespace native
}  // namespace precipice
