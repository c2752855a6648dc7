// Several numbers in one register, portable: 128-bit vectors for float32 and float64 (every x86-64
// and aarch64 machine has them), a single number for the other native types. Lane-wise operations
// round exactly as scalar ones do. `either` is nonzero (or NaN) in a lane where a or b is.
#pragma once

#include <cstddef>
#include <cstring>

// Entries of two vectors by number, the second's after the first's. Written entry by entry, a
// transpose of float32 takes GCC thrice the instructions: it loads the entries one at a time.
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
#define PRECIPICE_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else  // GCC 11
#define PRECIPICE_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, Index{__VA_ARGS__})
#endif

namespace precipice {

// What leaves the 26 leading bits of a float64 number.
inline constexpr long long high_part_mask = -(1LL << 27);

template <class T>
struct SingleLane {
  using Number = T;
  using Vector = T;
  static constexpr std::size_t count = 1;
  static Vector broadcast(T x) { return x; }
  static Vector load(const T* p) { return *p; }
  static void store(T* p, Vector x) { *p = x; }
  static void transpose(Vector (&)[1]) {}
  static Vector either(Vector a, Vector b) { return a == T(0) ? b : a; }
  static bool any_nonzero(Vector x) { return !(x == T(0)); }
};

template <class T>
struct Lanes : SingleLane<T> {};

template <>
struct Lanes<double> {
  using Number = double;
  typedef double Vector __attribute__((vector_size(16)));
  typedef long long Index __attribute__((vector_size(16)));
  static constexpr std::size_t count = 2;

  static Vector broadcast(double x) { return Vector{x, x}; }
  static Vector load(const double* p) {
    Vector x;
    std::memcpy(&x, p, sizeof x);
    return x;
  }
  static Vector high_part(Vector x) {
    return (Vector)((Index)x & Index{high_part_mask, high_part_mask});
  }
  static Vector widened(const float* p) { return Vector{p[0], p[1]}; }
  static void store(double* p, Vector x) { std::memcpy(p, &x, sizeof x); }
  static void transpose(Vector (&x)[2]) {
    const Vector first = PRECIPICE_SHUFFLE(x[0], x[1], 0, 2);
    x[1] = PRECIPICE_SHUFFLE(x[0], x[1], 1, 3);
    x[0] = first;
  }
  static Vector either(Vector a, Vector b) { return (Vector)((Index)a | (Index)b); }
  static bool any_nonzero(Vector x) { return !(x[0] == 0) || !(x[1] == 0); }
};

template <>
struct Lanes<float> {
  using Number = float;
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
    // Pairs, then pairs of pairs.
    const Vector a = PRECIPICE_SHUFFLE(x[0], x[1], 0, 4, 1, 5);
    const Vector b = PRECIPICE_SHUFFLE(x[0], x[1], 2, 6, 3, 7);
    const Vector c = PRECIPICE_SHUFFLE(x[2], x[3], 0, 4, 1, 5);
    const Vector d = PRECIPICE_SHUFFLE(x[2], x[3], 2, 6, 3, 7);
    x[0] = PRECIPICE_SHUFFLE(a, c, 0, 1, 4, 5);
    x[1] = PRECIPICE_SHUFFLE(a, c, 2, 3, 6, 7);
    x[2] = PRECIPICE_SHUFFLE(b, d, 0, 1, 4, 5);
    x[3] = PRECIPICE_SHUFFLE(b, d, 2, 3, 6, 7);
  }
  static Vector either(Vector a, Vector b) { return (Vector)((Index)a | (Index)b); }
  static bool any_nonzero(Vector x) {
    return !(x[0] == 0) || !(x[1] == 0) || !(x[2] == 0) || !(x[3] == 0);
  }
};

}  // namespace precipice

#undef PRECIPICE_SHUFFLE
