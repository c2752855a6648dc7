// Machine operations on words of 64 bits that the language has no name for, on CPU and GPU.
#pragma once

#include <cstdint>

#include "machine/host_device.hpp"

namespace precipice {

// How many zeros stand before the first 1 of x > 0.
PRECIPICE_HOST_DEVICE inline int leading_zeros(std::uint64_t x) {
#ifdef __CUDA_ARCH__
  return __clzll(static_cast<long long>(x));
#else
  return __builtin_clzll(x);
#endif
}

// The high word of a product.
PRECIPICE_HOST_DEVICE constexpr std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
  __extension__ using DoubleWord = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<DoubleWord>(a) * b >> 64);
}

}  // namespace precipice
