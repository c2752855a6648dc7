// Sums of products in twice the working precision, for float64 lanes: each output of a
// matrix-vector product is sum + rest, but for an error that exact_native_sums.cpp bounds.
//
//   p + e = x u                         (Dekker's product; e = 0 where p is exact)
//   sum' + q = sum + p                  (fast two-sum: an anchor in sum is greater than any p)
//   rest' = rest + (e + q)
//
// The parts of x have 26 and 27 bits, by a mask, those of u 26 and 26. In units of the last bit of
// x u, below 2^106: high u_high - p is a multiple of 2^52 below 2^81; with high u_low a multiple of
// 2^27 that is low u but for half a last place of p, so below 2^80; with low u_high a multiple of
// 2^27 that is low u_low but for that; and e is at most 2^52. All of them are numbers.
//
// Included by units that are compiled for one instruction set, with Lanes of their own
// (skewed_products.hpp): no standard header may come in.
#pragma once

#include <cstddef>

#include "linalg/exact_kernels.hpp"

namespace precipice::native {

template <class L, bool exact>
struct Compensated {
  using Vector = typename L::Vector;
  Vector sum, rest;

  // u's high and low parts are not looked at if products are exact.
  inline __attribute__((always_inline)) void add(Vector x, Vector u, Vector u_high, Vector u_low) {
    const Vector p = x * u;
    const Vector next = sum + p;
    const Vector q = p - (next - sum);
    sum = next;
    if constexpr (exact) {
      rest = rest + q;
    } else {
      const Vector high = L::high_part(x), low = x - high;
      const Vector e = (((high * u_high - p) + high * u_low) + low * u_high) + low * u_low;
      rest = rest + (e + q);
    }
  }
};

template <class L, bool exact>
inline Compensated<L, exact> nothing(const SplitVector& u) {
  return {L::broadcast(u.anchor), L::broadcast(0.0)};
}

template <class L>
inline typename L::Vector wide(const double* p) {
  return L::load(p);
}
template <class L>
inline typename L::Vector wide(const float* p) {
  return L::widened(p);
}

template <class L, class Sums>
inline void put(const UnroundedSums& out, const Sums& sums, const SplitVector& u) {
  L::store(out.sum, sums.sum - L::broadcast(u.anchor));  // exactly
  L::store(out.rest, sums.rest);
}

// Groups of rows that share what is made of u, where lanes are few.
template <class L>
inline constexpr std::size_t groups_of_rows = L::count <= 2 ? 2 : 1;

// The lanes are rows; sums go to out[0], out[1], ...
template <class L, bool exact, class T>
void exact_rows(const UnroundedSums& out, const T* const* row, std::size_t columns,
                const SplitVector& u) {
  using Vector = typename L::Vector;
  constexpr std::size_t lanes = L::count, groups = groups_of_rows<L>;
  Compensated<L, exact> sums[groups];
  for (auto& s : sums) s = nothing<L, exact>(u);
  std::size_t k = 0;
  for (; k + lanes <= columns; k += lanes) {
    Vector block[groups][lanes];
    for (std::size_t g = 0; g < groups; ++g) {
      for (std::size_t j = 0; j < lanes; ++j) block[g][j] = wide<L>(row[g * lanes + j] + k);
      L::transpose(block[g]);
    }
    for (std::size_t j = 0; j < lanes; ++j) {
      const auto u_k = L::broadcast(u.value[k + j]);
      const auto high = L::broadcast(u.high[k + j]), low = L::broadcast(u.low[k + j]);
      for (std::size_t g = 0; g < groups; ++g) sums[g].add(block[g][j], u_k, high, low);
    }
  }
  for (; k < columns; ++k)
    for (std::size_t g = 0; g < groups; ++g) {
      double column[lanes];
      for (std::size_t j = 0; j < lanes; ++j)
        column[j] = static_cast<double>(row[g * lanes + j][k]);
      sums[g].add(L::load(column), L::broadcast(u.value[k]), L::broadcast(u.high[k]),
                  L::broadcast(u.low[k]));
    }
  for (std::size_t g = 0; g < groups; ++g) put<L>(out.from(g * lanes), sums[g], u);
}

// A few vectors of columns, continued by some rows; the anchor is still in the sums.
template <class L, bool exact, std::size_t vectors, class T>
void exact_strip(const UnroundedSums& out, const T* x, std::size_t stride, std::size_t first,
                 std::size_t end, const SplitVector& z) {
  Compensated<L, exact> sums[vectors];
  for (std::size_t j = 0; j < vectors; ++j)
    sums[j] = {L::load(out.sum + j * L::count), L::load(out.rest + j * L::count)};
  for (std::size_t i = first; i < end; ++i) {
    const auto z_i = L::broadcast(z.value[i]);
    const auto high = L::broadcast(z.high[i]), low = L::broadcast(z.low[i]);
    for (std::size_t j = 0; j < vectors; ++j)
      sums[j].add(wide<L>(x + i * stride + j * L::count), z_i, high, low);
  }
  for (std::size_t j = 0; j < vectors; ++j) {
    L::store(out.sum + j * L::count, sums[j].sum);
    L::store(out.rest + j * L::count, sums[j].rest);
  }
}

// Columns, the lanes; as many as fill whole vectors. Returns how many. A few rows at a time: each
// is a page of its own.
template <class L, bool exact, class T>
std::size_t exact_columns(const UnroundedSums& out, const T* x, std::size_t stride,
                          std::size_t rows, std::size_t columns, const SplitVector& z) {
  constexpr std::size_t rows_at_once = 16;
  // As many vectors as the registers hold.
  constexpr std::size_t vectors = L::count >= 8 ? 4 : 2, strip = vectors * L::count;
  const std::size_t whole = columns - columns % L::count;
  const auto anchor = L::broadcast(z.anchor);
  for (std::size_t k = 0; k < whole; k += L::count) {
    L::store(out.sum + k, anchor);
    L::store(out.rest + k, L::broadcast(0.0));
  }
  for (std::size_t i = 0; i < rows; i += rows_at_once) {
    const std::size_t end = rows - i < rows_at_once ? rows : i + rows_at_once;
    std::size_t k = 0;
    for (; k + strip <= whole; k += strip)
      exact_strip<L, exact, vectors>(out.from(k), x + k, stride, i, end, z);
    for (; k < whole; k += L::count)
      exact_strip<L, exact, 1>(out.from(k), x + k, stride, i, end, z);
  }
  for (std::size_t k = 0; k < whole; k += L::count)
    L::store(out.sum + k, L::load(out.sum + k) - anchor);  // exactly
  return whole;
}

template <class L>
constexpr ExactKernels exact_kernels_over() {
  return {L::count,
          groups_of_rows<L> * L::count,
          exact_rows<L, false, double>,
          exact_rows<L, true, double>,
          exact_rows<L, true, float>,
          exact_columns<L, false, double>,
          exact_columns<L, true, double>,
          exact_columns<L, true, float>};
}

}  // namespace precipice::native
