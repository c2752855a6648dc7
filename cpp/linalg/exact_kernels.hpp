// The compensated sums of exact_products.hpp for each instruction set, as tables to choose from at
// run time.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstddef>

namespace precipice {

enum class CpuPath;

// The vector of a product: each float64 number, and two numbers of 26 bits whose sum it is
// (Veltkamp). anchor = 3/2 2^t, where no sum of absolute products exceeds 2^(t-1).
struct SplitVector {
  const double *value, *high, *low;
  double anchor;
};

// Sums of products that are to be rounded: sum + rest each.
struct UnroundedSums {
  double *sum, *rest;
  __attribute__((always_inline)) UnroundedSums from(std::size_t i) const {
    return {sum + i, rest + i};
  }
};

struct ExactKernels {
  std::size_t lanes, rows_at_once;

  // The rows row[0], ..., row[rows_at_once - 1], of so many columns, times u.
  template <class T>
  using OfRows = void (*)(const UnroundedSums&, const T* const* row, std::size_t columns,
                          const SplitVector& u);
  OfRows<double> rows;
  OfRows<double> rows_of_exact_products;
  OfRows<float> rows_of_float32;

  // Columns of so many rows, `stride` apart, times z: as many columns as fill lanes. Returns their
  // number.
  template <class T>
  using OfColumns = std::size_t (*)(const UnroundedSums&, const T* x, std::size_t stride,
                                    std::size_t rows, std::size_t columns, const SplitVector& z);
  OfColumns<double> columns;
  OfColumns<double> columns_of_exact_products;
  OfColumns<float> columns_of_float32;
};

// Those of a path.
const ExactKernels& exact_kernels(CpuPath path);

namespace native {
extern const ExactKernels avx2_exact, avx512_exact;
}  // namespace native
}  // namespace precipice
