#include "models/minimalist_hessian.hpp"

#include <utility>

namespace precipice {
namespace {

double product_without(const std::vector<double>& v, std::size_t j, std::size_t k) {
  double product = 1;
  for (std::size_t q = 0; q < v.size(); ++q)
    if (q != j && q != k) product *= v[q];
  return product;
}

}  // namespace

MinimalistHessian::MinimalistHessian(SpectralData data, Loss loss, std::size_t samples,
                                     std::size_t factors)
    : data_(std::move(data)),
      curvature_(curvature_factor(loss, samples)),
      hessian_(data_.sigma.size(), factors) {}

const BorderedDiagonal& MinimalistHessian::at(const std::vector<double>& c,
                                              const std::vector<double>& v) {
  const double P = product_without(v, skip_none, skip_none);
  double F = 0, G = 0;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double sigma = data_.sigma[i], residual = P * c[i] - data_.d[i];
    hessian_.diagonal[i] = curvature_ * (P * sigma) * (P * sigma);
    hessian_.border[i] = curvature_ * sigma * (residual + P * c[i]);
    F += c[i] * c[i];
    G += c[i] * residual;
  }
  const std::size_t n = v.size();
  for (std::size_t j = 0; j < n; ++j) hessian_.direction[j] = product_without(v, j, j);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t k = 0; k < n; ++k)
      hessian_.corner[j * n + k] = curvature_ * (hessian_.direction[j] * hessian_.direction[k] * F +
                                                 (j == k ? 0 : product_without(v, j, k) * G));
  return hessian_;
}

double MinimalistHessian::diagonal_estimate(const std::vector<double>& f,
                                            const std::vector<double>& v) const {
  double F = 0, squares = 0;
  for (const double f_i : f) F += f_i * f_i;
  for (std::size_t j = 0; j < v.size(); ++j) {
    const double P_j = product_without(v, j, j);
    squares += P_j * P_j;
  }
  const double P = product_without(v, skip_none, skip_none), top = P * data_.sigma.front();
  return curvature_ * (top * top + squares * F);
}

std::vector<double> MinimalistHessian::layer_imbalance(const std::vector<double>& c,
                                                       const std::vector<double>& v) const {
  double norm2 = 0;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double o = c[i] / data_.sigma[i];
    norm2 += o * o;
  }
  std::vector<double> imbalance(v.size());
  for (std::size_t j = 0; j < v.size(); ++j) imbalance[j] = norm2 - v[j] * v[j];
  return imbalance;
}

}  // namespace precipice
