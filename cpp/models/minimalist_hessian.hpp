// The Hessian of the minimalist model's loss in the spectral basis X = sum_i sigma_i e_i w_i^T,
// a diagonal block bordered by the D-1 scalar parameters, in float64.
//
// With P = prod v, P_j = prod_{q != j} v_q, P_jk = prod_{q != j,k} v_q (products, so that a v_j may
// be zero), c_i = sigma_i o_i = e_i.f, d_i = e_i.y, residual P c_i - d_i, F = sum c_i^2 and
// G = sum c_i (P c_i - d_i):
//
//   H[o_i, o_i] = delta_i = c_L P^2 sigma_i^2
//   H[o_i, v_j] = P_j b_i,   b_i = c_L sigma_i (2 P c_i - d_i)
//   H[v_j, v_k] = c_L (P_j P_k F + (j != k) P_jk G)
#pragma once

#include <vector>

#include "models/loss.hpp"
#include "spectrum/bordered_diagonal.hpp"

namespace precipice {

// X and y in the spectral basis, as float64: what sharpness needs of a data set.
struct SpectralData {
  std::vector<double> sigma;  // (r), descending
  std::vector<double> d;      // (r)
};

class MinimalistHessian {
 public:
  MinimalistHessian(SpectralData data, Loss loss, std::size_t samples, std::size_t factors);

  // The Hessian at c_i = e_i.f (r) and v (D-1); the reference is valid until the next call.
  const BorderedDiagonal& at(const std::vector<double>& c, const std::vector<double>& v);

  // c_L (P^2 sigma_1^2 + sum_j P_j^2 ||f||^2) at pre-activations f = X u: the largest entries of
  // the two diagonal blocks' Gauss-Newton parts, without a decomposition.
  double diagonal_estimate(const std::vector<double>& f, const std::vector<double>& v) const;

  // Layer imbalance ||P_W u||^2 - v_j^2 for each j (Yoo definition 4.2), with o_i = c_i / sigma_i.
  std::vector<double> layer_imbalance(const std::vector<double>& c,
                                      const std::vector<double>& v) const;

 private:
  SpectralData data_;
  double curvature_;
  BorderedDiagonal hessian_;
};

}  // namespace precipice
