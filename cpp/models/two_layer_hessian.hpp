// The Hessian of the two-layer linear network's loss as an operator, in float64. With F = c X W^T
// a, D = F - y, g = X^T D and c_L the loss's curvature factor, a direction (V, alpha) gives
//
//   dF = c X (V^T a + W^T alpha)
//   H (V, alpha) = c_L c (a (X^T dF)^T + alpha g^T,  W X^T dF + V g)
//
// and the Gauss-Newton part, whose largest eigenvalue is that of c_L J J^T (Wang eq. 8), is the
// same without the two terms in g. A product costs 4md + 2Nd multiply-adds.
//
// Biases: b1 is W's last column (models/two_layer_point.hpp), and a direction has a part beta2
// along b2, which dF gains; the product's is c_L sum_i dF_i.
#pragma once

#include <cstddef>
#include <vector>

#include "models/two_layer_point.hpp"

namespace precipice {

class TwoLayerHessian {
 public:
  // At wherever the point is; c_L.
  TwoLayerHessian(const TwoLayerPoint& point, double curvature_factor)
      : at_(point), curvature_factor_(curvature_factor), factor_(curvature_factor * point.c()) {}

  // m d + m, and m + 1 with biases.
  std::size_t size() const { return at_.width() * (at_.columns() + 1) + (at_.biased() ? 1 : 0); }

  // out = H in, or without the terms in g; a direction is V by rows, then alpha, then its parts
  // along b1 and b2.
  void multiply(std::vector<double>& out, const std::vector<double>& in, bool gauss_newton = false);

 private:
  const TwoLayerPoint& at_;
  double curvature_factor_, factor_;  // c_L, c_L c
  std::vector<double> alpha_, db_, dg_, t_;
};

}  // namespace precipice
