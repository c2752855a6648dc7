// Gram matrices of the two-layer linear network (Wang, Li and Li 2022, section 3.2 and C.1) as
// operators on R^N, in float64. With F = c X W^T a (samples are the rows of X), D = F - y, c_L the
// loss's curvature factor and eta the step size, all are of the form X (data I + weights W^T W)
// X^T:
//
//              data                          weights
//   M_W        c_L c^2 |a|^2                                c_L dF/dW (dF/dW)^T
//   M_A                                      c_L c^2        c_L dF/da (dF/da)^T
//   M          c_L c^2 |a|^2                 c_L c^2        c_L dF/dtheta (dF/dtheta)^T (eq. 8)
//   M*         c_L c^2 (|a|^2 - eta c_L D.F) c_L c^2        D(t+1) = (I - eta M*(t)) D(t) (eq. 12)
//   Gamma      -c_L c^2 m / d                c_L c^2        M_A less what a symmetric start has
//                                                           (eq. 10)
//
// For the mean loss and c = 1/sqrt(m) these are the paper's. A product costs 2Nd + 2md.
//
// Biases (models/two_layer_point.hpp): X, W and all of the above have the column of b1; M_A, M and
// M* gain c_L 1 1^T, b2 being of the output layer, and M* has D.(F - b2) for D.F.
#pragma once

#include <cstddef>
#include <vector>

#include "models/two_layer_point.hpp"

namespace precipice {

struct GramFactors {
  double data = 0, weights = 0;
  double ones = 0;  // of 1 1^T
};

class TwoLayerGram {
 public:
  // c_L; d, the features of the data (in spectral coordinates W has fewer columns).
  TwoLayerGram(const TwoLayerPoint& point, double curvature_factor, std::size_t features)
      : at_(point),
        curvature_factor_(curvature_factor),
        factor_(curvature_factor * point.c() * point.c()),
        features_(static_cast<double>(features)) {}

  GramFactors M_W() const { return {factor_ * norm2_of_a(), 0}; }
  GramFactors M_A() const { return {0, factor_, bias()}; }
  GramFactors M() const { return {factor_ * norm2_of_a(), factor_, bias()}; }
  GramFactors M_star(double step_size) const;
  GramFactors Gamma() const {
    return {-factor_ * static_cast<double>(at_.width()) / features_, factor_};
  }
  GramFactors of_data() const { return {1, 0}; }  // X X^T itself

  // D.(F - b2), which drives |a|^2: D.F without biases.
  double residual_dot_scaled_output() const;

  // out = (X (data I + weights W^T W) X^T + ones 1 1^T) in; both (N).
  void multiply(std::vector<double>& out, const std::vector<double>& in,
                const GramFactors& factors);

 private:
  double norm2_of_a() const;
  double bias() const { return at_.biased() ? curvature_factor_ : 0; }

  const TwoLayerPoint& at_;
  double curvature_factor_, factor_, features_;
  std::vector<double> g_, t_, b_;
};

}  // namespace precipice
