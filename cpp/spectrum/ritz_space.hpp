// A subspace with an orthonormal basis v_1 ... v_b, the images A v_j of a symmetric operator, and
// its compression H = V^T A V: what the Rayleigh-Ritz procedure works on (Parlett, chapter 11).
#pragma once

#include <cstddef>
#include <vector>

#include "spectrum/symmetric_small.hpp"
#include "spectrum/vectors.hpp"

namespace precipice {

class RitzSpace {
 public:
  std::size_t size() const { return basis_.size(); }

  // Makes v of length 1 and orthogonal to the space; false, and v of no use, if less than the
  // fraction `least` of its length is left.
  bool orthogonalise(Vector& v, double least) const;

  // Adds a vector that orthogonalise() has accepted, and its image.
  void add(Vector v, Vector image);

  // Solves the compressed problem: from then on pair 0 is the largest, pair size() - 1 the
  // smallest.
  void solve();
  double value(std::size_t pair) const { return spectrum_.values[order_[pair]]; }
  double largest_magnitude() const;  // of a Ritz value: a lower bound on ||A||
  Vector vector(std::size_t pair) const { return combined(basis_, pair); }
  // A x - value x of the pair's Ritz vector x: the direction in which the space lacks something.
  Vector residual(std::size_t pair) const;

  // Keeps the space of some Ritz vectors only.
  void compress(const std::vector<std::size_t>& pairs);

 private:
  Vector combined(const std::vector<Vector>& vectors, std::size_t pair) const;

  std::vector<Vector> basis_, images_;
  std::vector<Vector> compressed_;  // row i: v_i . A v_j for j <= i
  SmallSpectrum spectrum_;
  std::vector<std::size_t> order_;  // columns of the spectrum, by descending value
};

}  // namespace precipice
