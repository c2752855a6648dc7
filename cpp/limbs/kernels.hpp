// What a CPU path gives: the operations on stored numbers, as a table of functions. Each result is
// what MPFR's correctly rounded operations give (nearest, ties to even), bit for bit.
#pragma once

#include "limbs/data_matrix.hpp"
#include "limbs/fixed_point.hpp"
#include "limbs/stored.hpp"

namespace precipice::limbs {

// A vector, or one number that stands in every lane of a group and is read for each of them.
struct Operand {
  const Word* data;
  std::size_t step;  // words from a group to the next; 0: the same group again
};

enum class Operation { multiply, add, subtract, divide };

// Where a kernel meets what it does not do (infinities, NaN, results outside the range of
// exponents, divisors of 52 bits and more) it leaves the whole group to this. `n` is the divisor.
struct Rescue {
  void (*call)(void* context, Operation operation, Word* out, const Word* a, const Word* b, Word n);
  void* context;
};

struct Kernels {
  // p >= 2 bits, and how they are stored; limbs = 0: too many for this path.
  Precision (*precision)(int bits, Exponent emin, Exponent emax);

  // Elements, `groups` groups; `out` may be an operand.
  void (*multiply)(const Precision&, const Rescue&, Word* out, Operand a, Operand b,
                   std::size_t groups);
  void (*add)(const Precision&, const Rescue&, Word* out, Operand a, Operand b, std::size_t groups);
  void (*subtract)(const Precision&, const Rescue&, Word* out, Operand a, Operand b,
                   std::size_t groups);
  void (*divide)(const Precision&, const Rescue&, Word* out, Operand a, Word n, std::size_t groups);

  // Sums of at least one term. No product or partial sum may leave the range of exponents, nor an
  // operand be infinite or NaN: the caller has compared the operands' exponents with the range.
  //
  // out_l = sum_k X[l,k] u_k for `groups` groups of outputs, k ascending below `terms`, each
  // product and each sum rounded. `prepared` is what prepare made of u, in as many words as u has.
  void (*sums)(const Precision&, Word* out, const DataMatrix& X, std::size_t groups, const Word* u,
               const Word* prepared, std::size_t terms);
  void (*prepare)(const Precision&, Word* prepared, const Word* u, std::size_t n);
  // a_0 + a_1 + ... + a_(n-1) from the left, into every lane of `out`.
  void (*sum)(const Precision&, Word* out, const Word* a, std::size_t n);

  // Sums rounded once (fixed_point.hpp); null where a path has no kernels for them.
  //
  // u as integers in a window of 2 to most_window limbs; `to` has room for its groups of as many.
  // No number among u has an exponent above `top`, none is infinite or NaN.
  void (*fix)(const Precision&, FixedVector&, Word* to, int window, const Word* u, std::size_t n,
              Exponent top);
  // The sums of X u. `undecided` takes a word a group, a bit a lane: where it is set the window was
  // too short to tell how the sum is rounded, or it is out of range, and out holds nothing of use.
  // No product may be infinite or NaN; X has numbers other than zero, of_x their exponents.
  void (*exact_sums)(const Precision&, Word* out, Word* undecided, const DataMatrix& X,
                     const Extremes& of_x, std::size_t groups, const FixedVector& u);
};

extern const Kernels generic_kernels;
#ifdef PRECIPICE_AVX512IFMA
extern const Kernels avx512ifma_kernels;
#endif

}  // namespace precipice::limbs
