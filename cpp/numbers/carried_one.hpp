// One number, as the lanes that rounding to a narrow format is written over (carried_lanes.hpp has
// vectors). Runs on a GPU too, but for fma.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstddef>

#include "numbers/carried.hpp"

namespace precipice {

template <class T>
inline constexpr typename CarrierOf<T>::Bits sign_bit =
    typename CarrierOf<T>::Bits(1) << (8 * sizeof(T) - 1);

template <class T, class Unit>
struct CarriedOne {
  using Number = T;
  using Vector = T;
  using Bits = typename CarrierOf<T>::Bits;
  using Wide = CarriedOne<double, Unit>;
  static constexpr std::size_t count = 1;
  PRECIPICE_HOST_DEVICE static Vector broadcast(T x) { return x; }
  PRECIPICE_HOST_DEVICE static Vector load(const T* p) { return *p; }
  PRECIPICE_HOST_DEVICE static void store(T* p, Vector x) { *p = x; }
  PRECIPICE_HOST_DEVICE static Bits bits(Vector x) { return __builtin_bit_cast(Bits, x); }
  PRECIPICE_HOST_DEVICE static Vector number(Bits x) { return __builtin_bit_cast(Vector, x); }
  PRECIPICE_HOST_DEVICE static Vector if_less(Vector a, Vector b, Vector yes, Vector no) {
    return a < b ? yes : no;
  }
  PRECIPICE_HOST_DEVICE static Vector larger(Vector a, Vector b) { return a < b ? b : a; }
  PRECIPICE_HOST_DEVICE static Vector with_sign(Vector y, Vector x) {
    return number(bits(y) | (bits(x) & sign_bit<T>));
  }
  PRECIPICE_HOST_DEVICE static Bits add_bit(Bits a, Bits b, int i) { return a + ((b >> i) & 1); }
  static float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
  static double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
};

}  // namespace precipice
