// The lanes that rounding to a narrow format is written over: vectors of numbers, beside one
// number. Unit is a type of the including unit's unnamed namespace, so that what these templates
// become stays there: the linker must not choose it for code that is to run on any machine.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstddef>

#include "numbers/carried.hpp"
#include "numbers/carried_one.hpp"

namespace precipice {

template <class T, int bytes, class Unit>
struct CarriedMany {
  using Number = T;
  typedef T Vector __attribute__((vector_size(bytes)));
  typedef typename CarrierOf<T>::Bits Bits __attribute__((vector_size(bytes)));
  using Wide = CarriedOne<double, Unit>;
  static constexpr std::size_t count = bytes / sizeof(T);
  static Vector broadcast(T x) { return x - Vector{}; }
  static Vector load(const T* p) {
    Vector x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
  }
  static void store(T* p, const Vector& x) { __builtin_memcpy(p, &x, sizeof x); }
  static Bits bits(const Vector& x) { return (Bits)x; }
  static Vector number(const Bits& x) { return (Vector)x; }
  static Vector if_less(const Vector& a, const Vector& b, const Vector& yes, const Vector& no) {
    return a < b ? yes : no;
  }
  static Vector larger(const Vector& a, const Vector& b) { return a < b ? b : a; }
  static Vector with_sign(const Vector& y, const Vector& x) {
    return number(bits(y) | (bits(x) & sign_bit<T>));
  }
  static Bits add_bit(const Bits& a, const Bits& b, int i) { return a + ((b >> i) & 1); }
  static Vector fma(const Vector& a, const Vector& b, const Vector& c) {
    Vector result;
    for (std::size_t i = 0; i < count; ++i) result[i] = CarriedOne<T, Unit>::fma(a[i], b[i], c[i]);
    return result;
  }
};

}  // namespace precipice
