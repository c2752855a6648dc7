// The two products of a row-major matrix with a vector, for native numbers in sequential order.
// They vectorise across outputs: every output keeps its own ascending sum, so the bits are those
// of the scalar loop.
//
// A sum starts from -0, the identity of rounded addition: -0 + x is x for every x, zeros included,
// so the first term enters as the written order has it, unrounded.
//
// Rows lie `stride` apart and come in groups of lanes; the last group is filled up with copies of
// the last row, whose results are dropped.
#pragma once

#include <algorithm>
#include <cstddef>

#include "linalg/lanes.hpp"

namespace precipice::native {

// f_i = sum_k x[i,k] u[k] for `groups` groups of lanes of rows: rows are lanes. Square blocks are
// transposed in registers, so one row-major copy of the data serves both products.
template <std::size_t groups, class T>
void matvec(T* f, const T* x, std::size_t stride, std::size_t columns, const T* u) {
  using L = Lanes<T>;
  using Vector = typename L::Vector;
  constexpr std::size_t lanes = L::count;
  Vector sum[groups];
  std::fill_n(sum, groups, L::broadcast(T(-0.0)));
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

// g_k = sum_i x[i,k] z[i] over `rows` rows, continuing g unless `first`: columns are lanes.
template <class T>
void matvec_transposed(T* g, const T* x, std::size_t stride, std::size_t rows, std::size_t columns,
                       const T* z, bool first) {
  using L = Lanes<T>;
  using Vector = typename L::Vector;
  const std::size_t whole = columns - columns % L::count;
  for (std::size_t k = 0; k < whole; k += L::count) {
    Vector sum = first ? L::broadcast(T(-0.0)) : L::load(g + k);
    for (std::size_t i = 0; i < rows; ++i)
      sum = sum + L::load(x + i * stride + k) * L::broadcast(z[i]);
    L::store(g + k, sum);
  }
  for (std::size_t k = whole; k < columns; ++k) {
    T sum = first ? T(-0.0) : g[k];
    for (std::size_t i = 0; i < rows; ++i) sum = sum + x[i * stride + k] * z[i];
    g[k] = sum;
  }
}

}  // namespace precipice::native
