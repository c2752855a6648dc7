// The data of a run in the kernels' layouts: as short as the entries allow, and twice, so that each
// product reads its copy from beginning to end.
//
// An entry takes one word where every entry has at most 53 bits and their exponents lie close
// together, 1 + K words elsewhere; two copies. So N x d takes 16 N d bytes, or 16 (1 + K) N d, and
// up to lanes - 1 more rows and columns.
#pragma once

#include <mpfr.h>

#include <cstddef>

#include "limbs/aligned_words.hpp"
#include "limbs/data_matrix.hpp"
#include "limbs/range.hpp"
#include "numbers/exact.hpp"
#include "numbers/format.hpp"

namespace precipice::limbs {

struct PackedMatrix {
  DataMatrix by_rows;     // lanes are rows, terms columns: for X u
  DataMatrix by_columns;  // lanes are columns, terms rows: for X^T z
  Extremes extremes;
  AlignedWords memory[2];
};

// The values, by rows, each rounded once to the format. Lanes beyond the last row or column repeat
// it: zeros there would send the kernels off their usual way. The caller has set the format's
// exponent range.
PackedMatrix pack(const Precision& p, const Format& format, std::size_t rows, std::size_t columns,
                  const ExactVector& values);

// A place for `rows` rows of a matrix with so many columns, and those rows put there: its rows
// rows[0], ..., rows[n-1], n at most that.
PackedMatrix place_for_rows(const Precision& p, const PackedMatrix& like, std::size_t rows,
                            std::size_t columns);
void gather(const Precision& p, PackedMatrix& to, const PackedMatrix& from, const std::size_t* rows,
            std::size_t n, std::size_t columns);

// The entry for a term of an output's sum, exactly; x has at least p bits.
void load(const Precision& p, mpfr_ptr x, const DataMatrix& matrix, std::size_t output,
          std::size_t term);

}  // namespace precipice::limbs
