// Constant data of carried numbers, twice: for the products that sum along rows, and for those that
// sum down the rows. A product's outputs are cut into panels of so many as a kernel sums side by
// side; a panel holds its outputs' terms one after another, so that it is read from first to last.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

#include "linalg/carried_kernels.hpp"

namespace precipice {

// The least magnitude that is not zero (infinity if there is none) and the largest (NaN if one is
// not a number).
template <class T>
struct Extremes {
  T least, largest;
};

// In integers, which have the order of the numbers: zero, less one, is the largest.
template <class T>
Extremes<T> extremes(const T* x, std::size_t n) {
  using Bits = typename CarrierOf<T>::Bits;
  constexpr Bits size = ~Bits(0) >> 1;
  Bits least = ~Bits(0), largest = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Bits bits;
    std::memcpy(&bits, x + i, sizeof bits);
    bits &= size;
    largest = std::max(largest, bits);
    least = std::min(least, bits - 1);
  }
  if (++least == 0) return {std::numeric_limits<T>::infinity(), 0};
  Extremes<T> result;
  std::memcpy(&result.least, &least, sizeof least);
  std::memcpy(&result.largest, &largest, sizeof largest);
  return result;
}

// The x of sums of products: that of output i and term k is in the panel of i.
template <class T>
struct Panels {
  T* data;
  std::size_t width;  // outputs of a panel

  static std::size_t size(std::size_t width, std::size_t outputs, std::size_t terms) {
    return (outputs + width - 1) / width * width * terms;
  }
  T* panel(std::size_t output, std::size_t terms) const {
    return data + output / width * width * terms;
  }
  T& at(std::size_t output, std::size_t term, std::size_t terms) const {
    return panel(output, terms)[term * width + output % width];
  }
};

template <class T>
struct CarriedMatrix {
  Panels<T> along_rows, down_rows;  // diagonal: the entries are along_rows.data
  std::size_t rows, columns;
  bool diagonal;
  Extremes<T> range;

  void set(std::size_t i, std::size_t k, T x) {
    along_rows.at(i, k, columns) = x;
    down_rows.at(k, i, rows) = x;
  }
  T get(std::size_t i, std::size_t k) const { return along_rows.at(i, k, columns); }
};

// The n given rows of x, in a place made for as many or more.
template <class T>
void gather(CarriedMatrix<T>& to, const CarriedMatrix<T>& x, const std::size_t* rows,
            std::size_t n) {
  to.rows = n;
  to.range = x.range;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < x.columns; ++k) to.set(i, k, x.get(rows[i], k));
}

}  // namespace precipice
