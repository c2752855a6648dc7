// What a Space is. Models and optimisers are written once, as text against these operations; a
// Space carries them out for one family of numbers. No other code touches an element.
//
//   types
//     Array     n numbers, all of one format        Scalar    one number, broadcast in map
//     Integer   N, 2N, m ..., rounded once to the format (README: what is promised)
//     Matrix    constant data, opaque layout        Rows      a half-open range of its rows
//     Weights   a trainable matrix
//
//   elements, called by element programs only; one rounding each, to the format of `out`
//     multiply(out, a, b)  add(out, a, b)  subtract(out, a, b)
//     multiply_by_integer(out, a, n)  divide_by_integer(out, a, n)
//     copy(out, a)           no rounding
//     temporary(like)        a place for an intermediate result; one a program
//
//   arrays
//     map<Program>(out, in...)              Program::apply(space, out_i, in_i...); aliasing allowed
//     map_rows<Program>(rows, out, in...)   the same for i in rows
//     map_outer<Program>(W, a, g, in...)    Program::apply(space, W[q,k], W[q,k], a_q, g_k, in...)
//                                           for every q, k; in are Scalars and Integers; finished
//                                           even if stopped
//     descend(next, current, eta, g)        next = current - eta*g; next holds the array before
//                                           current on entry; the Change says what repeats
//     replace(next, current, value)         next = value, likewise
//     descend_outer(next, current, eta, a, g, t)
//                                           as descend, of Weights: next[q,k] = current[q,k] -
//                                           eta*(a_q*g_k); and t_q = sum_k current[q,k] g_k in the
//                                           same pass. Finished even if stopped, so there is none
//                                           where that may take long:
//     fuses_descent                         a constant, whether there is
//
//   sums, in the order of the arithmetic (sequential: from the first term, ascending, each product
//   and each sum rounded)
//     matvec(f, X, rows, u)                 f_i = sum_k X[i,k] u[k]  for i in rows
//     matvec_transposed(g, X, rows, z)      g_k = sum_i X[i,k] z[i]; rows.begin > 0 continues g
//     matvec(t, W, g)                       t_q = sum_k W[q,k] g_k
//     matvec_transposed(b, W, a)            b_k = sum_q a_q W[q,k]
//     dot(s, a, b)   product(s, v, skip)    product in ascending order without v[skip];
//                                           must not be empty
//
//     element_of(array, j)                  one element as a Scalar
//     row_of(W, q)                          one row as an Array
//
//   iteration over rows; a Space picks block sizes that suit its memory
//     first_rows(X)  next_rows(X, rows)  done(X, rows)
//     stopped()                             the caller asked to stop: results are unfinished
//
//   boundary, outside the step
//     Space(arithmetic, stop)
//     array(n, stage)  scalar(stage)  weights(rows, columns, stage)  integer(n)
//                                           memory lives as long as the Space; what rounds to an
//                                           array rounds to its stage's format, which is of no
//                                           matter where all stages have one
//     matrix(rows, columns, values)  diagonal_matrix(rows, values)     of the forward stage
//     begin_step(t)                         only of Spaces with draws: from now on those of step t
//     rows_like(X, n)                       a place for n rows of X
//     gather(place, X, rows, n)             the n given rows of X there; n at most what it has
//     gather(to, from, indices, n)          the same for an array
//     copy(to, from)                        an array of the same stage
//     assign(array, i, values, j)  exact(array, i)  to_double(array, i)  is_finite(array)
//     measure(scalar)
#pragma once

#include <atomic>
#include <cstddef>

#include "machine/host_device.hpp"

namespace precipice {

// A half-open range of rows.
struct Rows {
  std::size_t begin, end;
};

// What an update did. `moved`: some parameter of step t+1 differs from step t's; `returned`: none
// differs from step t-1's. A non-finite parameter always counts as different.
struct Change {
  bool moved = false;
  bool returned = true;

  PRECIPICE_HOST_DEVICE Change& operator&=(const Change& other) {
    moved = moved || other.moved;
    returned = returned && other.returned;
    return *this;
  }
};

// No element is skipped by this index of product().
inline constexpr std::size_t skip_none = static_cast<std::size_t>(-1);

// Set from another thread to end a run; Spaces look at it between blocks of work.
using StopFlag = std::atomic<bool>;

}  // namespace precipice
