// The laws of a Space: every primitive, bit for bit, against one slow loop over correctly rounded
// operations, on numbers that find mistakes.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "laws_of_batches.hpp"
#include "laws_of_elements.hpp"
#include "laws_of_outer_descent.hpp"
#include "laws_of_sums.hpp"
#include "laws_of_the_boundary.hpp"

namespace precipice::test {

using Sizes = std::vector<std::size_t>;

// The shapes to test: every small one and a few long enough to be padded, or those about the ends
// of groups of eight lanes.
struct Shapes {
  Sizes rows, columns, long_columns;
};
inline Sizes up_to(std::size_t n) {
  Sizes sizes(n);
  std::iota(sizes.begin(), sizes.end(), 1);
  return sizes;
}
inline Shapes every_shape() {
  return {up_to(17), up_to(40), {63, 64, 65, 127, 128, 129, 200}};
}
inline Shapes few_shapes() {
  return {{1, 2, 7, 8, 9, 17}, {1, 2, 3, 7, 8, 9, 15, 16, 17, 33}, {65, 200}};
}

inline Kind kind_of(std::size_t i) {
  return static_cast<Kind>(i % kinds);
}

template <class Space>
void laws(const Arithmetic& arithmetic, unsigned long seed, const Shapes& shapes) {
  Subject<Space> on(arithmetic, seed);
  laws_of_text(on);
  laws_of_doubles(on);
  laws_of_integers(on);
  for (const std::size_t n : shapes.columns)
    for (int k = 0; k < kinds; ++k) {
      const Kind kind = kind_of(static_cast<std::size_t>(k));
      laws_of_ties(on, kind);
      laws_of_reading(on, kind);
      laws_of_map(on, n, kind);
      laws_of_map_rows(on, n, kind);
      laws_of_descend(on, n, kind);
      laws_of_replacing(on, n, kind);
      laws_of_dot(on, n, kind);
      laws_of_a_diagonal(on, n, kind);
      if (n <= 7) laws_of_product(on, n, kind);
    }
  for (const std::size_t n : shapes.rows) laws_of_is_finite(on, n);
}

// Every shape, each with another kind of numbers.
template <class Space>
void laws_of_shapes(const Arithmetic& arithmetic, unsigned long seed, const Shapes& shapes) {
  std::size_t i = seed;
  for (const std::size_t n : shapes.rows) {
    Subject<Space> on(arithmetic, seed + n);
    for (const std::size_t d : shapes.columns) {
      laws_of_a_shape(on, n, d, kind_of(i));
      laws_of_map_outer(on, n, d, kind_of(i / kinds));
      if (i % 3 == 1) laws_of_gathering(on, n, d, kind_of(i / kinds));
      if constexpr (Space::fuses_descent)
        if (i % 3 == 0) laws_of_outer_descent(on, n, d, kind_of(i / kinds));
      ++i;
    }
  }
  for (const std::size_t d : shapes.long_columns) {
    Subject<Space> on(arithmetic, seed + d);
    laws_of_a_shape(on, 9, d, kind_of(++i));
    laws_of_map_outer(on, 5, d, kind_of(i));
    laws_of_gathering(on, 9, d, kind_of(i));
    if constexpr (Space::fuses_descent) laws_of_outer_descent(on, 5, d, kind_of(i));
  }
}

template <class Space>
void all_laws(const Arithmetic& arithmetic, unsigned long soak,
              const Shapes& shapes = every_shape()) {
  if (!availability(arithmetic[Stage::parameters]).available) return;
  for (unsigned long seed = 0; seed < soak; ++seed) {
    laws<Space>(arithmetic, seed, shapes);
    laws_of_shapes<Space>(arithmetic, 1000 * seed, shapes);
  }
}

inline unsigned long soak() {
  const char* const times = std::getenv("PRECIPICE_SOAK");
  return times ? std::strtoul(times, nullptr, 10) : 1;
}

}  // namespace precipice::test
