// The arithmetic of a run: which format each stage of a step rounds to, and in which order sums are
// taken. It says where every rounding is; a Space carries it out.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "numbers/format.hpp"
#include "numbers/order.hpp"

namespace precipice {

// What a format may be chosen for. parameters: what is trained. forward: data, predictions and
// residuals. accumulate: products and partial sums. gradient: derivatives. update: step sizes,
// momentum, velocities, eta*g. measurement: the loss.
enum class Stage { parameters, forward, accumulate, gradient, update, measurement };
inline constexpr std::size_t stages = 6;

struct Arithmetic {
  std::array<Format, stages> formats;
  Order order = Order::sequential;
  std::uint64_t seed = 0, run = 0;  // of stochastic rounding (numbers/draws.hpp)

  // One format for all, in sequential order.
  Arithmetic(const Format& format) { formats.fill(format); }
  Arithmetic(const std::array<Format, stages>& each, Order of_sums, std::uint64_t seed_of_draws,
             std::uint64_t run_of_draws)
      : formats(each), order(of_sums), seed(seed_of_draws), run(run_of_draws) {}

  const Format& operator[](Stage stage) const { return formats[static_cast<std::size_t>(stage)]; }
  bool uniform() const {
    return std::all_of(formats.begin(), formats.end(),
                       [&](const Format& format) { return format == formats[0]; });
  }
  bool to_nearest() const {
    return std::all_of(formats.begin(), formats.end(), [](const Format& format) {
      return format.rounding == Rounding::nearest_even;
    });
  }
  bool stochastic() const {
    return std::any_of(formats.begin(), formats.end(), [](const Format& format) {
      return format.rounding == Rounding::stochastic;
    });
  }
  // One format, to nearest, in sequential order.
  bool plain() const { return uniform() && to_nearest() && order == Order::sequential; }
};

}  // namespace precipice
