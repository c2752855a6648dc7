// A dense matrix laid out for lanes of several rows, each row one step behind the row above it:
//
//                          step   0      1      2     ...
//   group of three rows    row 0  x[0,0] x[0,1] x[0,2] ...
//                          row 1    -0   x[1,0] x[1,1] ...
//                          row 2    -0     -0   x[2,0] ...
//
// What a step of this picture holds is one vector, the last row in lane 0, so that lanes ascend
// with the columns of the matrix. The vectors of a group follow one another, and so do the groups.
// Missing entries are -0: with 1 for the number they are multiplied by, the product -0 leaves every
// sum as it was. So do the rows that fill up the last group. skewed_products.hpp says what this is
// good for.
#pragma once

#include <cstddef>

#include "linalg/native_kernels.hpp"

namespace precipice {

struct SkewedLayout {
  std::size_t rows, columns, lanes;

  // Whether whole steps are faster than with row-major data in 128-bit vectors: lanes idle at the
  // ends of rows and beyond the last row. (Measured from (8, 10) to (300, 40); near the bounds both
  // take the same time within a tenth.) The products need columns >= lanes.
  bool pays() const {
    return rows >= lanes && columns >= 4 * lanes && rows * columns >= 32 * lanes * lanes;
  }

  std::size_t steps() const { return columns + lanes - 1; }  // numbers a row takes
  std::size_t size() const { return (rows + lanes - 1) / lanes * lanes * steps(); }

  // Where x[i,k] lies.
  std::size_t index(std::size_t i, std::size_t k) const {
    const std::size_t row = i % lanes;  // of the group
    return (i - row) * steps() + (k + row) * lanes + (lanes - 1 - row);
  }
};

}  // namespace precipice
