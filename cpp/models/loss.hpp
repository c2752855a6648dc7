// Loss normalisations: how ||z||^2 becomes a loss, and what that does to a gradient.
//
//               loss             factor on a gradient    c_L (curvature)
//   half_mean   ||z||^2 / (2N)   / N                     1/N
//   mean        ||z||^2 / N      * 2, then / N           2/N
//   half_sum    ||z||^2 / 2      none                    1
//   sum         ||z||^2          * 2                     2
#pragma once

#include <cstddef>

#include "linalg/space.hpp"

namespace precipice {

enum class Loss { half_mean, mean, half_sum, sum };

// c_L: the Hessian of the loss is c_L times that of ||z||^2 / 2.
inline double curvature_factor(Loss loss, std::size_t samples) {
  const double n = static_cast<double>(samples);
  switch (loss) {
    case Loss::half_mean: return 1 / n;
    case Loss::mean: return 2 / n;
    case Loss::half_sum: return 1;
    case Loss::sum: return 2;
  }
  return 0;
}

// kappa: the loss is kappa ||z||^2.
inline double loss_factor(Loss loss, std::size_t samples) {
  return curvature_factor(loss, samples) / 2;
}

// The integers of the normalisations, each rounded once to the format where it is used.
template <class Space>
struct LossIntegers {
  typename Space::Integer two, n, two_n;
};

// Element programs: the normalisation applied to an element of a gradient, and to ||z||^2.
template <Loss loss>
struct GradientFactor {
  template <class Space, class Out, class In, class Integer>
  PRECIPICE_HOST_DEVICE static void apply(Space& space, Out&& out, In a, Integer two, Integer n) {
    if constexpr (loss == Loss::half_mean) space.divide_by_integer(out, a, n);
    if constexpr (loss == Loss::mean) {
      space.multiply_by_integer(out, a, two);
      space.divide_by_integer(out, out, n);
    }
    if constexpr (loss == Loss::sum) space.multiply_by_integer(out, a, two);
  }
};

template <class Space, class Array>
PRECIPICE_HOST_DEVICE void apply_gradient_factor(Space& space, Loss loss,
                                                 const LossIntegers<Space>& integers, Array g) {
  switch (loss) {
    case Loss::half_mean:
      return space.template map<GradientFactor<Loss::half_mean>>(g, g, integers.two, integers.n);
    case Loss::mean:
      return space.template map<GradientFactor<Loss::mean>>(g, g, integers.two, integers.n);
    case Loss::half_sum: return;
    case Loss::sum:
      return space.template map<GradientFactor<Loss::sum>>(g, g, integers.two, integers.n);
  }
}

}  // namespace precipice
