// The two-layer network's Hessian on the few directions that it does not annihilate, in float64.
// Every image is of the form (a p^T + beta g^T, alpha) with p (d), beta and alpha (m) - see
// models/two_layer_hessian.hpp - so that all eigenvectors of other eigenvalues than 0 are, and d +
// 2m coordinates take the place of md + m. In an orthonormal frame, with a = |a| a1 and g = |g| g1,
// the direction (a1 p^T + beta g1^T, alpha), beta orthogonal to a1, has the image
//
//   h = c X^T X (|a| p + W^T alpha)
//   p' = c_L c (|a| h + |g| (a1.alpha) g1)
//   beta' = c_L c |g| (alpha - a1 (a1.alpha))
//   alpha' = c_L c (W h + |g| (a1 (g1.p) + beta))
//
// Its spectrum is the Hessian's, but for the multiplicity of 0. A product costs 2md + 2Nd. With
// biases (models/two_layer_point.hpp) there are d + 1 columns, and a last coordinate along b2.
#pragma once

#include <cstddef>
#include <vector>

#include "models/two_layer_point.hpp"

namespace precipice {

class TwoLayerReducedHessian {
 public:
  TwoLayerReducedHessian(const TwoLayerPoint& point, double curvature_factor)
      : at_(point), curvature_factor_(curvature_factor), factor_(curvature_factor * point.c()) {}

  // Whether the Hessian has 0 for an eigenvalue at least as often as this operator, wherever the
  // point is. Where it may not, the network is tiny.
  bool applies() const { return at_.width() * (at_.columns() + 1) > 2 * size(); }
  std::size_t size() const { return at_.columns() + 2 * at_.width() + (at_.biased() ? 1 : 0); }

  // Takes the frame of where the point is now.
  void move();

  // out = H in; coordinates are p, beta, alpha. The part of beta along a is ignored.
  void multiply(std::vector<double>& out, const std::vector<double>& in);

  // The direction with these coordinates, as TwoLayerHessian has it.
  std::vector<double> direction(const std::vector<double>& coordinates) const;

 private:
  double along_a(const double* v) const;

  const TwoLayerPoint& at_;
  double curvature_factor_, factor_;  // c_L, c_L c
  double a_length_ = 0, g_length_ = 0;
  std::vector<double> a1_, g1_, alpha_, b_, h_, t_;
};

}  // namespace precipice
