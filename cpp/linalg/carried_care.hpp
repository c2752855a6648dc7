// How much care the sums of products of given vectors need.
#pragma once

#include <cmath>
#include <cstddef>
#include <stdexcept>

#include "linalg/carried_kernels.hpp"
#include "linalg/carried_matrix.hpp"
#include "numbers/arithmetic.hpp"

namespace precipice {

// No partial sum of so many products of numbers of these sizes, in an order in which each term
// takes part in at most as many roundings, is beyond `largest`.
inline bool bounded(std::size_t terms, double product, double relative_error, double largest) {
  const double n = static_cast<double>(terms);
  return n * product * std::exp((n + 2) * relative_error) * 1.01 <= largest;
}

template <class T>
Care care_for(const CarriedFormat<T>& format, Order order, std::size_t terms, const Extremes<T>& x,
              const Extremes<T>& y) {
  if (format.native) return Care::native;
  if (order == Order::fused) return Care::full;
  if (format.by_bits()) return Care::bits;
  const double least = static_cast<double>(x.least) * static_cast<double>(y.least);
  const int precision = CarrierOf<T>::precision - format.dropped;
  // What a product is at most when it is rounded, up to a quantum if it is less.
  const double quantum = std::ldexp(static_cast<double>(format.grid), 1 - CarrierOf<T>::precision);
  const double most = static_cast<double>(x.largest) * static_cast<double>(y.largest) + quantum;
  const bool within =
      format.overflows || (order != Order::kahan && bounded(terms, most, std::ldexp(1, -precision),
                                                            static_cast<double>(format.largest)));
  if (within && least >= format.exact_sums) return Care::bits;
  if (!format.has_products) return Care::wide;
  return within && format.raises_products ? Care::gradual : Care::full;
}

// Of vectors that nobody has looked at.
template <class T>
Care care_for(const CarriedFormat<T>& format) {
  if (format.native) return Care::native;
  if (format.by_bits()) return Care::bits;
  return format.has_products ? Care::full : Care::wide;
}

template <class T>
SumKernel<T> kernel_of(const typename CarriedKernels<T>::OfAnOrder& kernels, Care care) {
  switch (care) {
    case Care::native: return kernels.native;
    case Care::bits: return kernels.bits;
    case Care::gradual: return kernels.gradual;
    case Care::full:
    case Care::wide: break;
  }
  return kernels.full;
}

inline SumKernel<float> wide_kernel(Order order) {
  const WideKernels& kernels = wide_kernels();
  switch (order) {
    case Order::blocked: return kernels.blocked;
    case Order::pairwise: return kernels.pairwise;
    case Order::kahan: return kernels.kahan;
    default: return kernels.sequential;
  }
}

template <class T>
SumKernel<T> kernel_of(const CarriedKernels<T>& kernels, Order order, Care care) {
  if constexpr (sizeof(T) == sizeof(float))
    if (care == Care::wide) return wide_kernel(order);
  switch (order) {
    case Order::sequential: return kernel_of<T>(kernels.sequential, care);
    case Order::blocked: return kernel_of<T>(kernels.blocked, care);
    case Order::pairwise: return kernel_of<T>(kernels.pairwise, care);
    case Order::kahan: return kernel_of<T>(kernels.kahan, care);
    case Order::fused: return care == Care::native ? *kernels.fused_native : kernels.fused;
    case Order::exact: break;
  }
  throw std::logic_error("an exact sum is no sum of rounded terms");
}

}  // namespace precipice
