// The two products of a skewed matrix (skewed_layout.hpp) with a vector, in sequential order. One
// copy of the data serves both, and neither transposes anything; every output keeps its own
// ascending sum, so the bits are those of the scalar loop.
//
//   X u     A lane is a row: in step t, row r of a group adds x[r,t-r] u[t-r]. The factors of all
//           lanes are neighbours in u.
//   X^T z   A sum is a column, and moves: that of column k enters at row 0 in step k, gathers row
//           after row, one a step, and leaves at the last row for the next group's row 0. A
//           systolic array; what its lanes hold before their first column comes, and after their
//           last, is never stored. (They then read other steps of the same block.)
//
// Against row-major data transposed in registers this takes 0.75 (float32) and 0.9 (float64) of the
// time at (300, 3072) in AVX-512, where the cache's bandwidth is the limit; against two copies of
// the data, rows as lanes and columns as lanes, 0.9 and 0.8.
//
// Lanes is a type of the including unit, in an unnamed namespace: so then is all that these
// templates become, and the linker never chooses it for code that is to run on any machine. No
// header of the standard library may come in, for the same reason.
//
//   Lanes: Number, Vector, count, broadcast, load, and shifted(x, next): each lane takes the one
//   above it, the last lane 0 of next
#pragma once

#include <cstddef>

#include "linalg/native_kernels.hpp"

namespace precipice::native {

// From one group of lanes to the next. A block is read as so many streams, which the processor
// fetches ahead: where X comes from memory, 0.7 of the time of one stream.
template <class Lanes>
constexpr std::size_t group_size(std::size_t columns) {
  return (columns + Lanes::count - 1) * Lanes::count;
}

// `steps` steps of X u; window[t] is lane 0's factor in step t.
template <class Lanes, std::size_t groups, class T>
inline void add_steps(typename Lanes::Vector (&sum)[groups], const T* x, std::size_t group,
                      const T* window, std::size_t steps) {
  for (std::size_t t = 0; t < steps; ++t) {
    const auto u = Lanes::load(window + t);
    for (std::size_t j = 0; j < groups; ++j)
      sum[j] = sum[j] + Lanes::load(x + j * group + t * Lanes::count) * u;
  }
}

// f_i = sum_k x[i,k] u[k] for the rows of a block; columns >= lanes.
//
// A sum starts from -0, the identity of rounded addition: -0 + x is x for every x, zeros included,
// so the first term enters as the written order has it, unrounded.
template <class Lanes, std::size_t groups, class T>
void matvec(T* f, const T* x, std::size_t columns, const T* u) {
  constexpr std::size_t lanes = Lanes::count, overhang = lanes - 1;
  T front[2 * overhang], back[2 * overhang];  // u where a window hangs over its end
  for (std::size_t j = 0; j < overhang; ++j) {
    front[j] = back[overhang + j] = 1;
    front[overhang + j] = u[j];
    back[j] = u[columns - overhang + j];
  }
  typename Lanes::Vector sum[groups];
  for (auto& s : sum) s = Lanes::broadcast(T(-0.0));
  const std::size_t group = group_size<Lanes>(columns);
  add_steps<Lanes>(sum, x, group, front, overhang);
  add_steps<Lanes>(sum, x + overhang * lanes, group, u, columns - overhang);
  add_steps<Lanes>(sum, x + columns * lanes, group, back, overhang);
  for (std::size_t i = 0; i < groups * lanes; ++i) f[i] = sum[i / lanes][lanes - 1 - i % lanes];
}

// g_k continued by the rows of a block, in `ranges` ranges of `columns` columns side by side: one
// alone would wait for its additions.
template <class Lanes, std::size_t groups, std::size_t ranges, class T>
inline void add_to_ranges(T* g, const T* x, std::size_t group, std::size_t columns,
                          const typename Lanes::Vector (&z)[groups]) {
  constexpr std::size_t lanes = Lanes::count, delay = groups * lanes - 1;
  typename Lanes::Vector sum[ranges][groups] = {};
  for (std::size_t t = 0; t < columns + delay; ++t)
    for (std::size_t r = 0; r < ranges; ++r) {
      T* const g_r = g + r * columns;
      const T* const x_r = x + (r * columns + t) * lanes;
      const auto entering = Lanes::broadcast(g_r[t < columns ? t : 0]);
      for (std::size_t j = groups; j-- > 0;) {
        const std::size_t behind = j * lanes;  // steps that group j lags group 0
        sum[r][j] = Lanes::shifted(sum[r][j], j == 0 ? entering : sum[r][j - 1]) +
                    Lanes::load(x_r + j * group - behind * lanes) * z[j];
      }
      if (t >= delay) g_r[t - delay] = sum[r][groups - 1][0];
    }
}

// g_k = g_k + sum_i x[i,k] z[i] over the rows of a block, ascending; columns >= lanes.
template <class Lanes, std::size_t groups, class T>
void add_matvec_transposed(T* g, const T* x, std::size_t columns, const T* z) {
  constexpr std::size_t lanes = Lanes::count, ranges = groups <= 2 ? 4 : 2;
  const std::size_t group = group_size<Lanes>(columns);
  typename Lanes::Vector reversed[groups];
  for (std::size_t i = 0; i < groups * lanes; ++i)
    reversed[i / lanes][lanes - 1 - i % lanes] = z[i];
  const std::size_t each = columns / ranges, done = ranges * each;
  add_to_ranges<Lanes, groups, ranges>(g, x, group, each, reversed);
  if (done < columns)
    add_to_ranges<Lanes, groups, 1>(g + done, x + done * lanes, group, columns - done, reversed);
}

template <class Lanes>
constexpr NativeKernels<typename Lanes::Number> kernels_over(
    const char* name, const WeightsKernels<typename Lanes::Number>& weights) {
  return {name,
          Lanes::count,
          {matvec<Lanes, 1>, matvec<Lanes, 2>, matvec<Lanes, 3>, matvec<Lanes, 4>},
          {add_matvec_transposed<Lanes, 1>, add_matvec_transposed<Lanes, 2>,
           add_matvec_transposed<Lanes, 3>, add_matvec_transposed<Lanes, 4>},
          &weights};
}

}  // namespace precipice::native
