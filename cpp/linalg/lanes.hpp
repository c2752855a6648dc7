// Several numbers in one register, portable: 128-bit vectors for float32 and float64 (every x86-64
// and aarch64 machine has them), a single number for the other native types. Lane-wise operations
// round exactly as scalar ones do. `either` is nonzero (or NaN) in a lane where a or b is.
#pragma once

#include <cstddef>
#include <cstring>

namespace precipice {

template <class T>
struct Lanes {
  using Vector = T;
  static constexpr std::size_t count = 1;
  static Vector broadcast(T x) { return x; }
  static Vector load(const T* p) { return *p; }
  static void store(T* p, Vector x) { *p = x; }
  static void transpose(Vector (&)[1]) {}
  static Vector either(Vector a, Vector b) { return a == T(0) ? b : a; }
  static bool any_nonzero(Vector x) { return !(x == T(0)); }
};

template <>
struct Lanes<double> {
  typedef double Vector __attribute__((vector_size(16)));
  typedef long long Index __attribute__((vector_size(16)));
  static constexpr std::size_t count = 2;

  static Vector broadcast(double x) { return Vector{x, x}; }
  static Vector load(const double* p) {
    Vector x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static void store(double* p, Vector x) { std::memcpy(p, &x, sizeof x); }
  static void transpose(Vector (&x)[2]) {
    const Vector first = {x[0][0], x[1][0]}, second = {x[0][1], x[1][1]};
    x[0] = first;
    x[1] = second;
  }
  static Vector either(Vector a, Vector b) { return (Vector)((Index)a | (Index)b); }
  static bool any_nonzero(Vector x) { return !(x[0] == 0) || !(x[1] == 0); }
};

template <>
struct Lanes<float> {
  typedef float Vector __attribute__((vector_size(16)));
  typedef int Index __attribute__((vector_size(16)));
  static constexpr std::size_t count = 4;

  static Vector broadcast(float x) { return Vector{x, x, x, x}; }
  static Vector load(const float* p) {
    Vector x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static void store(float* p, Vector x) { std::memcpy(p, &x, sizeof x); }
  static void transpose(Vector (&x)[4]) {
    // Pairs, then pairs of pairs: the shuffles that compilers know as unpack and move.
    const Vector a = {x[0][0], x[1][0], x[0][1], x[1][1]}, b = {x[0][2], x[1][2], x[0][3], x[1][3]};
    const Vector c = {x[2][0], x[3][0], x[2][1], x[3][1]}, d = {x[2][2], x[3][2], x[2][3], x[3][3]};
    x[0] = Vector{a[0], a[1], c[0], c[1]};
    x[1] = Vector{a[2], a[3], c[2], c[3]};
    x[2] = Vector{b[0], b[1], d[0], d[1]};
    x[3] = Vector{b[2], b[3], d[2], d[3]};
  }
  static Vector either(Vector a, Vector b) { return (Vector)((Index)a | (Index)b); }
  static bool any_nonzero(Vector x) {
    return !(x[0] == 0) || !(x[1] == 0) || !(x[2] == 0) || !(x[3] == 0);
  }
};

}  // namespace precipice
