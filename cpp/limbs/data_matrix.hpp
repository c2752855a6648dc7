// The constant data of a run as the kernels read it: for each group of outputs (rows of X for X u,
// columns for X^T z) the terms of their sums one after the other, a group of numbers each.
//
// Data is short: float64 numbers have 53 bits whatever the precision of the run, pixels eight. A
// product with a short number costs K multiplications instead of K^2, and one word holds it:
//
//   packed53   depth << 54 | sign << 53 | m     m < 2^53
//   packed52   depth << 53 | sign << 52 | m     m < 2^52
//
// value = (-1)^sign m 2^(top - depth - 53 or 52); the leading bit of m is its highest, and m = 0 is
// zero. The depth of a zero is no part of its value: it is a usual one of the matrix, so that the
// product is scaled like its neighbours.
#pragma once

#include "limbs/stored.hpp"

namespace precipice::limbs {

enum class Packing { packed52, packed53, stored };

PRECIPICE_ALWAYS_INLINE constexpr int significand_bits(Packing packing) {
  return packing == Packing::packed52 ? 52 : 53;
}
PRECIPICE_ALWAYS_INLINE constexpr Exponent greatest_depth(Packing packing) {
  return (Exponent(1) << (63 - significand_bits(packing))) - 1;
}
PRECIPICE_ALWAYS_INLINE constexpr Word packed(Packing packing, Word significand, bool minus,
                                              Exponent depth) {
  const int bits = significand_bits(packing);
  return static_cast<Word>(depth) << (bits + 1) | Word(minus) << bits | significand;
}

struct DataMatrix {
  Packing packing;
  const Word* data;
  std::size_t group_stride;  // words from a group of outputs to the next
  std::size_t term_stride;   // words from a term to the next
  Exponent top;              // of packed data: the greatest exponent
};

}  // namespace precipice::limbs
