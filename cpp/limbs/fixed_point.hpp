// Correctly rounded sums of products (order `exact`) by fixed point.
//
// The vector becomes integers on one grid, U_k = floor(|u_k| 2^a) < 2^(52 L): a window of L limbs.
// So do the entries of the matrix, X_k = floor(x_k 2^b) with |X_k| < B = 2^(52 M - 1), M limbs.
// With the sign of u_k on X_k,
//
//   sum_k x_k u_k 2^(a+b) = sum_k X_k U_k = sum_k (B + X_k) U_k - B sum_k U_k   (but for floors)
//
// where every factor is non-negative: integer multiply-adds do it, and carries wait. Only the
// columns of weight 2^(52 M) and more are kept, V of them as one signed integer. With n terms
//
//   |V - sum_k x_k u_k 2^(a+b-52M)| <= n (2 M + 2) + 2:
//
// the columns left out hold at most 2 M - 1 halves of products below 2^52 each in the highest of
// them, whose weight is 2^(52 (M-1)), so less than 2 M a term together with those beneath; the
// floor of |u_k| costs |X_k| < 2^(52 M - 1) a term, the floor of x_k less than 2^(52 L) <= 2^(52 M)
// where M = L (where M < L entries are exact); half of sum_k U_k is rounded down.
//
// A sum is decided where no tie of the format lies within that bound of V; the others are left to
// the caller.
#pragma once

#include "limbs/data_matrix.hpp"
#include "limbs/range.hpp"
#include "limbs/stored.hpp"

namespace precipice::limbs {

inline constexpr int most_window = 24;  // limbs

struct FixedVector {
  const Word* data;  // groups as of stored numbers, L limbs; the head is all ones where u_k < 0
  std::size_t terms;
  int limbs;                         // L
  Exponent scale;                    // |u_k| = U_k 2^scale
  Word half_total[most_window + 1];  // floor(sum_k U_k / 2), the last limb unbounded
};

}  // namespace precipice::limbs
