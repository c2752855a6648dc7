// Sums of products of MPFR numbers in every order. All operations of a sum round to one format,
// that of the accumulate stage, and the finished sum once more to its destination's; in the exact
// order nothing but the sum rounds, to its destination's format.
//
// Rounded products t_k = x_k*y_k, k below n, and their sum s; in brackets the index that tells the
// rounding from the others of its element (numbers/draws.hpp), [k] for t_k in every order but the
// fused and the exact:
//
//   sequential  s = t_0; s = s + t_k [n+k]
//   fused       s = x_0*y_0 [0]; s = fma(x_k, y_k, s) [n+k]
//   blocked     partial sums, each sequential from its first term [n+k]; then, with w half the next
//               power of two of their number, w/2, ... 1, s_i = s_i + s_(i+w) [2n+w+i] where there
//               is an s_(i+w)
//   pairwise    P(a,b) = P(a,a+h) + P(a+h,b) [n+a+h], h the greatest power of two below b-a, and
//               P(a,a+1) = t_a
//   kahan       s = t_0, c = +0; y = t_k - c [n+4k]; s' = s + y [n+4k+1]; d = s' - s [n+4k+2];
//               c = d - y [n+4k+3]; s = s'
//   exact       the exact sum [n]
//
// and the conversion to the destination [2^63].
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linalg/space.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/draws.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/mpfr_vectors.hpp"
#include "numbers/rounding.hpp"

namespace precipice {

// Where the terms of a sum lie in their matrix, which says how blocked partial sums share them:
// along a row 32 of them take every 32nd term, down the rows each takes 32 terms.
enum class Terms { along_a_row, down_the_rows };

class StagedSums {
 public:
  // The factors of a term have at most the given bits together.
  StagedSums(const Format& accumulate, Order order, long bits_of_product, Draws& draws,
             const StopFlag& stop);

  // out = sum_k x_k*y_k over n > 0 terms, in the format of `to`; unfinished if stopped. Of
  // consecutive numbers.
  void sum(mpfr_ptr out, Rounder& to, std::uint64_t element, mpfr_srcptr x, mpfr_srcptr y,
           std::size_t n, Terms terms);

 private:
  static constexpr std::size_t partial_sums = 32;  // along a row; terms of one down the rows

  // The terms of one sum.
  struct Sum {
    std::uint64_t element;
    mpfr_srcptr x, y;
    std::size_t n;
  };

  Draws::Draw draw(const Sum& of, std::uint64_t index) { return draws_.of(of.element, index); }
  void product(mpfr_ptr out, const Sum& of, std::size_t k) {
    rounder_.multiply(out, of.x + k, of.y + k, draw(of, k));
  }
  void add_product(mpfr_ptr s, const Sum& of, std::size_t k) {
    product(term_, of, k);
    rounder_.add(s, s, term_, draw(of, of.n + k));
  }

  void sequential(const Sum& of);
  void fused(const Sum& of);
  void blocked(const Sum& of, Terms terms);
  void pairwise(const Sum& of);
  void kahan(const Sum& of);
  void exact(mpfr_ptr out, Rounder& to, const Sum& of);

  void reserve_partials(std::size_t n);
  void reserve_products(std::size_t n);
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  Rounder rounder_;
  const Order order_;
  const long bits_of_product_;
  Draws& draws_;
  const StopFlag& stop_;
  const std::size_t stride_;  // terms between two looks at the stop flag

  MpfrVectors memory_;
  MpfrNumber sum_, term_;
  MpfrNumber compensation_, corrected_, next_;  // kahan: c, y and then d, s'
  mpfr_ptr partials_ = nullptr;
  std::size_t partials_size_ = 0;
  std::vector<mpfr_ptr> products_;  // exact ones
};

}  // namespace precipice
