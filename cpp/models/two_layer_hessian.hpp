// The Hessian of the two-layer linear network's loss as an operator, in float64. With F = c X W^T
// a, z = F - y, g = X^T z and c_L the loss's curvature factor, a direction (V, alpha) gives
//
//   dF = c X (V^T a + W^T alpha)
//   H (V, alpha) = c_L c (a (X^T dF)^T + alpha g^T,  W X^T dF + V g)
//
// and the Gauss-Newton part, whose largest eigenvalue is that of c_L J J^T (Wang eq. 8), is the
// same without the two terms in g. A product costs 4md + 2Nd multiply-adds.
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/native_space.hpp"
#include "models/loss.hpp"

namespace precipice {

class TwoLayerHessian {
 public:
  // X (rows, features) by rows, or diagonal; y (rows); c of the network, N of the loss.
  TwoLayerHessian(std::size_t rows, std::size_t features, bool diagonal,
                  const std::vector<double>& X, const std::vector<double>& y, std::size_t width,
                  double c, Loss loss, std::size_t samples);

  std::size_t size() const { return width_ * features_ + width_; }

  // Moves to the parameters W (m, d) by rows and a (m).
  void move_to(const std::vector<double>& W, const std::vector<double>& a);

  // out = H in, or without the terms in g; a direction is V by rows, then alpha.
  void multiply(std::vector<double>& out, const std::vector<double>& in, bool gauss_newton = false);

 private:
  using Space = NativeSpace<double>;
  using Array = Space::Array;
  void times_X(Array out, Array in);
  void times_X_transposed(Array out, Array in);

  std::size_t rows_, features_, width_;
  double c_, factor_;  // c_L c
  StopFlag never_stops_{false};
  Space space_;
  Space::Matrix X_;
  Space::Weights W_, V_;
  Array y_, a_, alpha_, b_, db_, F_, g_, dg_, t_, dt_;
};

}  // namespace precipice
