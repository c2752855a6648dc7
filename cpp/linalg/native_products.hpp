// The two products of a row-major matrix with a vector, for native numbers in sequential order.
// They vectorise across outputs: every output keeps its own ascending sum, so the bits are those
// of the scalar loop.
//
// A sum starts from -0, the identity of rounded addition: -0 + x is x for every x, zeros included,
// so the first term enters as the written order has it, unrounded.
//
// Rows lie `stride` apart. Lanes is one of lanes.hpp, or a type of the including unit in an unnamed
// namespace (skewed_products.hpp says why; for the same reason no header of the standard library
// may come in).
#pragma once

#include <cstddef>

namespace precipice::native {

// f_i = sum_k x[i,k] u[k] for `groups` groups of lanes of rows: rows are lanes. Square blocks are
// transposed in registers, so one row-major copy of the data serves both products.
template <class L, std::size_t groups, class T>
void row_major_matvec(T* f, const T* x, std::size_t stride, std::size_t columns, const T* u) {
  using Vector = typename L::Vector;
  constexpr std::size_t lanes = L::count;
  Vector sum[groups];
  for (Vector& s : sum) s = L::broadcast(T(-0.0));
  const std::size_t whole = columns - columns % lanes;
  for (std::size_t k = 0; k < whole; k += lanes)
    for (std::size_t g = 0; g < groups; ++g) {
      Vector block[lanes];
      for (std::size_t j = 0; j < lanes; ++j) block[j] = L::load(x + (g * lanes + j) * stride + k);
      L::transpose(block);
      for (std::size_t j = 0; j < lanes; ++j) sum[g] = sum[g] + block[j] * L::broadcast(u[k + j]);
    }
  for (std::size_t k = whole; k < columns; ++k)
    for (std::size_t g = 0; g < groups; ++g) {
      T column[lanes];
      for (std::size_t j = 0; j < lanes; ++j) column[j] = x[(g * lanes + j) * stride + k];
      sum[g] = sum[g] + L::load(column) * L::broadcast(u[k]);
    }
  for (std::size_t g = 0; g < groups; ++g) L::store(f + g * lanes, sum[g]);
}

// g_k = sum_i x[i,k] z[i] for `vectors` vectors of columns, continuing g unless `first`.
template <class L, std::size_t vectors, class T>
void add_columns(T* g, const T* x, std::size_t stride, std::size_t rows, const T* z, bool first) {
  typename L::Vector sum[vectors];
  for (std::size_t j = 0; j < vectors; ++j)
    sum[j] = first ? L::broadcast(T(-0.0)) : L::load(g + j * L::count);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto z_i = L::broadcast(z[i]);
    for (std::size_t j = 0; j < vectors; ++j)
      sum[j] = sum[j] + L::load(x + i * stride + j * L::count) * z_i;
  }
  for (std::size_t j = 0; j < vectors; ++j) L::store(g + j * L::count, sum[j]);
}

// g_k = sum_i x[i,k] z[i] over `rows` rows, continuing g unless `first`: columns are lanes.
template <class L, class T>
void row_major_matvec_transposed(T* g, const T* x, std::size_t stride, std::size_t rows,
                                 std::size_t columns, const T* z, bool first) {
  constexpr std::size_t lanes = L::count;
  // Eight vectors share a z_i and hide the latency of an addition; the x87's registers hold no
  // eight numbers beside the operands.
  constexpr std::size_t vectors = lanes == 1 ? 1 : 8;
  std::size_t k = 0;
  for (; k + vectors * lanes <= columns; k += vectors * lanes)
    add_columns<L, vectors>(g + k, x + k, stride, rows, z, first);
  for (; k + lanes <= columns; k += lanes) add_columns<L, 1>(g + k, x + k, stride, rows, z, first);
  for (; k < columns; ++k) {
    T sum = first ? T(-0.0) : g[k];
    for (std::size_t i = 0; i < rows; ++i) sum = sum + x[i * stride + k] * z[i];
    g[k] = sum;
  }
}

}  // namespace precipice::native
