// Constant data of a native type: row-major, skewed (skewed_layout.hpp), or diagonal. Products take
// a group of rows at once; what fills up the last group is a repetition of the last row, or in the
// skewed layout -0.
#pragma once

#include <algorithm>
#include <cstddef>

#include "linalg/skewed_layout.hpp"

namespace precipice {

template <class T>
struct NativeMatrix {
  T* data;
  std::size_t rows, columns, stride;
  bool diagonal, skewed;  // diagonal: rows entries of data
  std::size_t group;      // rows

  const T* row(std::size_t i) const { return data + i * stride; }  // skewed: first of a group

  // A row: where it begins, and how far apart its entries are.
  struct Entries {
    T* first;
    std::size_t step;
    T& operator[](std::size_t k) const { return first[k * step]; }
  };
  Entries entries(std::size_t i) const {
    if (!skewed) return {data + i * stride, 1};
    return {data + SkewedLayout{rows, columns, group}.index(i, 0), group};
  }
  // Rows that are written, the last one again to fill up its group.
  std::size_t written_rows() const { return skewed ? rows : (rows + group - 1) / group * group; }
};

// The n given rows of x, in a place made for as many or more.
template <class T>
void gather(NativeMatrix<T>& to, const NativeMatrix<T>& x, const std::size_t* rows, std::size_t n) {
  to.rows = n;
  if (to.skewed && n % to.group != 0)
    std::fill_n(to.data + n / to.group * to.group * to.stride, to.group * to.stride, T(-0.0));
  for (std::size_t i = 0; i < to.written_rows(); ++i) {
    const auto from = x.entries(rows[std::min(i, n - 1)]), entries = to.entries(i);
    for (std::size_t k = 0; k < x.columns; ++k) entries[k] = from[k];
  }
}

}  // namespace precipice
