// The Team of one lane: loops. On a host it carries out a run by itself.
#pragma once

#include <cstdint>

#include "linalg/team.hpp"

namespace precipice {

class HostTeam {
 public:
  static constexpr bool one_lane = true, of_grid = false;

  template <class F>
  PRECIPICE_HOST_DEVICE static void for_each(std::uint32_t n, F f) {
    for (std::uint32_t i = 0; i < n; ++i) f(i);
  }
  template <class F>
  PRECIPICE_HOST_DEVICE static void for_each_in_block(std::uint32_t n, F f) {
    for_each(n, f);
  }
  template <class F>
  PRECIPICE_HOST_DEVICE static void once(F f) {
    f();
  }
  template <class Partial, class Combine, class Store>
  PRECIPICE_HOST_DEVICE static void warps(std::uint32_t n, std::uint32_t partials, Partial partial,
                                          Combine combine, Store store) {
    using T = decltype(partial(0u, 0u));
    for (std::uint32_t i = 0; i < n; ++i) {
      T p[lanes_of_a_warp];
      for (std::uint32_t r = 0; r < partials; ++r) p[r] = partial(i, r);
      for (std::uint32_t w = first_half(partials); w > 0; w /= 2)
        for (std::uint32_t t = 0; t < w && t + w < partials; ++t)
          p[t] = combine(i, p[t], p[t + w], w + t);
      store(i, p[0]);
    }
  }
  template <class Partial, class Combine, class Store>
  PRECIPICE_HOST_DEVICE static void warps_in_block(std::uint32_t n, std::uint32_t partials,
                                                   Partial partial, Combine combine, Store store) {
    warps(n, partials, partial, combine, store);
  }
  template <class F>
  PRECIPICE_HOST_DEVICE static bool any(std::uint32_t n, F f) {
    for (std::uint32_t i = 0; i < n; ++i)
      if (f(i)) return true;
    return false;
  }
  PRECIPICE_HOST_DEVICE static void raise(unsigned* word, unsigned bits) { *word |= bits; }
  PRECIPICE_HOST_DEVICE static void block_barrier() {}
  PRECIPICE_HOST_DEVICE static void grid_barrier() {}
  PRECIPICE_HOST_DEVICE static bool one_warp() { return false; }
  PRECIPICE_HOST_DEVICE static bool leader() { return true; }
  PRECIPICE_HOST_DEVICE static bool leading_block() { return true; }
  PRECIPICE_HOST_DEVICE static std::uint32_t slot() { return 0; }
  PRECIPICE_HOST_DEVICE static std::uint32_t slots() { return 1; }
};

}  // namespace precipice
