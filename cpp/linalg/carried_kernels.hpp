// The sums of products of carried numbers (carried_sums.hpp) for each instruction set, as tables to
// choose from at run time.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstddef>

#include "numbers/carried.hpp"

namespace precipice {

enum class CpuPath;

// What must be done to round a result of the carrier to the format.
//   native   nothing
//   bits     its last bits cut: a format that ends where its carrier does, or no product is below
//            the normal numbers and no sum beyond the largest
//   gradual  as bits, but products may be subnormal
//   full     everything
//   wide     as full, and products are taken in float64
enum class Care { native, bits, gradual, full, wide };

// Which terms a partial sum of the blocked order has: of p sums, sum r has terms r, r + p, ...; or
// each has so many that follow one another.
enum class Partials { strided, consecutive };
inline constexpr std::size_t block_terms = 32;  // or so many strided partial sums
constexpr std::size_t number_of_partials(Partials partials, std::size_t terms) {
  if (partials == Partials::strided) return terms < block_terms ? terms : block_terms;
  return (terms + block_terms - 1) / block_terms;
}

// Vectors of outputs that are summed side by side.
inline constexpr std::size_t vectors_together = 4;

// out_i = sum_k x[k * stride + i] y[k] for i < outputs. Numbers may be read up to a multiple of 64
// bytes beyond the outputs.
template <class T>
struct SumsOfProducts {
  T* out;
  const T* x;
  std::size_t stride, outputs;
  const T* y;
  std::size_t terms;
  Partials partials;
  T* work;  // blocked: room for as many numbers a partial sum as are summed together
};

template <class T>
using SumKernel = void (*)(const Carried<T>& format, const SumsOfProducts<T>& of);

template <class T>
struct CarriedKernels {
  struct OfAnOrder {
    SumKernel<T> native, bits, gradual, full;
  };
  std::size_t together;  // outputs that are summed side by side
  OfAnOrder sequential, blocked, pairwise, kahan;
  SumKernel<T> fused;                // of narrow formats
  const SumKernel<T>* fused_native;  // in a unit of its own, which may contract
};

// Those of a path.
template <class T>
const CarriedKernels<T>& carried_kernels(CpuPath path);

// One output at a time, for the rare numbers that need it.
struct WideKernels {
  SumKernel<float> sequential, blocked, pairwise, kahan;
};
const WideKernels& wide_kernels();

namespace carried_sums {

extern const CarriedKernels<float> avx2_float32, avx512_float32;
extern const CarriedKernels<double> avx2_float64, avx512_float64;
extern const SumKernel<float> fused_avx2_float32, fused_avx512_float32;
extern const SumKernel<double> fused_avx2_float64, fused_avx512_float64;

}  // namespace carried_sums
}  // namespace precipice
