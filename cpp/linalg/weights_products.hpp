// What is done with a trainable matrix W of native numbers, in sequential order: its two products
// with a vector, and the step of gradient descent along an outer product.
//
// W changes at every step and has one layout, row after row. A group of lanes takes as many rows;
// W must have as many. Where the rows are no whole groups the last group begins early, and does
// some of them twice with the same results.
//
// Lanes, and what may be included: native_products.hpp.
#pragma once

#include <cstddef>

#include "linalg/native_kernels.hpp"
#include "linalg/native_products.hpp"

namespace precipice::native {

// Groups of lanes taken together in W g, eight rows or so: their sums hide the latency of an
// addition, and they are as many streams from memory, which the processor fetches ahead.
template <class L>
inline constexpr std::size_t groups_of_sums = L::count >= 8   ? 1
                                              : L::count >= 4 ? 2
                                                              : 4;
// In the descent a row is two streams, and latency is hidden by the update.
template <class L>
inline constexpr std::size_t groups_of_descent = L::count >= 4 ? 1 : 2;

// Where the group begins that is to start with row q.
template <class L>
constexpr std::size_t group_at(std::size_t q, std::size_t rows) {
  return q + L::count <= rows ? q : rows - L::count;
}

// t_q = sum_k W[q,k] g_k
template <class L, class T>
void weights_matvec(T* t, const RowMajor<T>& w, const T* g) {
  constexpr std::size_t together = groups_of_sums<L>;
  std::size_t q = 0;
  for (; q + together * L::count <= w.rows; q += together * L::count)
    row_major_matvec<L, together>(t + q, w.row(q), w.stride, w.columns, g);
  for (; q < w.rows; q += L::count) {
    const std::size_t first = group_at<L>(q, w.rows);
    row_major_matvec<L, 1>(t + first, w.row(first), w.stride, w.columns, g);
  }
}

// b_k = sum_q a_q W[q,k], continuing b unless `first`; some rows at a time, for the streams.
template <class L, class T>
void weights_matvec_transposed(T* b, const RowMajor<T>& w, const T* a, bool first) {
  constexpr std::size_t most = 8;
  for (std::size_t q = 0; q < w.rows; q += most) {
    const std::size_t rows = w.rows - q < most ? w.rows - q : most;
    row_major_matvec_transposed<L>(b, w.row(q), w.stride, rows, w.columns, a + q, first && q == 0);
  }
}

// What was seen to differ so far, in lanes and in the columns that fill none.
template <class L>
struct Differences {
  typename L::Vector moved = {}, away = {};
  bool tail_moved = false, tail_away = false;
};

// Row q from column k on; returns the sum, continued.
template <class L, class T>
T descend_tail(const OuterDescent<T>& step, std::size_t q, std::size_t k, T sum,
               Differences<L>& differences) {
  const T* const current = step.current.row(q);
  T* const next = step.next + q * step.current.stride;
  for (; k < step.current.columns; ++k) {
    const T updated = current[k] - step.eta * (step.a[q] * step.g[k]);
    differences.tail_moved |= !(updated - current[k] == T(0));
    differences.tail_away |= !(updated - next[k] == T(0));
    next[k] = updated;
    sum = sum + current[k] * step.g[k];
  }
  return sum;
}

// The step for groups of rows from row q on, a tile of lanes * lanes numbers at a time: columns are
// lanes for the update, rows for the sums.
template <class L, std::size_t groups, class T>
void descend_rows(const OuterDescent<T>& step, std::size_t q, Differences<L>& differences) {
  using Vector = typename L::Vector;
  constexpr std::size_t lanes = L::count, rows = groups * lanes;
  const std::size_t stride = step.current.stride, columns = step.current.columns;
  const T* const current = step.current.row(q);
  T* const next = step.next + q * stride;
  const Vector eta = L::broadcast(step.eta);
  Vector a[rows], sum[groups], moved = differences.moved, away = differences.away;
  for (std::size_t row = 0; row < rows; ++row) a[row] = L::broadcast(step.a[q + row]);
  for (Vector& s : sum) s = L::broadcast(T(-0.0));
  std::size_t k = 0;
  for (; k + lanes <= columns; k += lanes) {
    const Vector g = L::load(step.g + k);
    for (std::size_t group = 0; group < groups; ++group) {
      Vector tile[lanes];
      for (std::size_t j = 0; j < lanes; ++j) {
        const std::size_t row = group * lanes + j, at = row * stride + k;
        tile[j] = L::load(current + at);
        const Vector updated = tile[j] - eta * (a[row] * g);
        // Only equal finite numbers differ by zero: underflow is gradual and Inf - Inf is NaN.
        moved = L::either(moved, updated - tile[j]);
        away = L::either(away, updated - L::load(next + at));
        L::store(next + at, updated);
      }
      L::transpose(tile);
      for (std::size_t j = 0; j < lanes; ++j)
        sum[group] = sum[group] + tile[j] * L::broadcast(step.g[k + j]);
    }
  }
  differences.moved = moved;
  differences.away = away;
  T sums[rows];
  for (std::size_t group = 0; group < groups; ++group) L::store(sums + group * lanes, sum[group]);
  for (std::size_t row = 0; row < rows; ++row)
    step.t[q + row] = descend_tail(step, q + row, k, sums[row], differences);
}

// t = current g, and next = current - eta*(a g^T).
template <class L, class T>
void descend_outer(const OuterDescent<T>& step, bool& moved, bool& returned) {
  constexpr std::size_t together = groups_of_descent<L>;
  const std::size_t rows = step.current.rows;
  Differences<L> differences;
  std::size_t q = 0;
  for (; q + together * L::count <= rows; q += together * L::count)
    descend_rows<L, together>(step, q, differences);
  for (; q < rows; q += L::count) descend_rows<L, 1>(step, group_at<L>(q, rows), differences);
  moved = differences.tail_moved || L::any_nonzero(differences.moved);
  returned = !differences.tail_away && !L::any_nonzero(differences.away);
}

template <class L>
constexpr WeightsKernels<typename L::Number> weights_kernels_over() {
  using T = typename L::Number;
  return {L::count, weights_matvec<L, T>, weights_matvec_transposed<L, T>, descend_outer<L, T>};
}

}  // namespace precipice::native
