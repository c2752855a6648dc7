#include "models/two_layer_reduced_hessian.hpp"

#include "spectrum/vectors.hpp"

namespace precipice {

void TwoLayerReducedHessian::move() {
  a1_ = at_.a();
  a_length_ = normalise(a1_);
  g1_ = at_.g();
  g_length_ = normalise(g1_);
}

double TwoLayerReducedHessian::along_a(const double* v) const {
  double sum = 0;
  for (std::size_t q = 0; q < a1_.size(); ++q) sum += a1_[q] * v[q];
  return sum;
}

void TwoLayerReducedHessian::multiply(std::vector<double>& out, const std::vector<double>& in) {
  const std::size_t m = at_.width(), d = at_.columns();
  const double *const p = in.data(), *const beta = p + d, *const alpha = beta + m;
  alpha_.assign(alpha, alpha + m);
  at_.times_W_transposed(b_, alpha_);
  double along_g = 0;
  for (std::size_t k = 0; k < d; ++k) {
    b_[k] = at_.c() * (b_[k] + a_length_ * p[k]);
    along_g += g1_[k] * p[k];
  }
  const double sum_of_dF = at_.times_XtX(h_, b_, at_.biased() ? in.back() : 0);
  at_.times_W(t_, h_);
  const double alpha_along = along_a(alpha), beta_along = along_a(beta);
  out.resize(size());
  for (std::size_t k = 0; k < d; ++k)
    out[k] = factor_ * (a_length_ * h_[k] + g_length_ * alpha_along * g1_[k]);
  for (std::size_t q = 0; q < m; ++q) {
    const double across = beta[q] - beta_along * a1_[q];
    out[d + q] = factor_ * g_length_ * (alpha[q] - alpha_along * a1_[q]);
    out[d + m + q] = factor_ * (t_[q] + g_length_ * (along_g * a1_[q] + across));
  }
  if (at_.biased()) out.back() = curvature_factor_ * sum_of_dF;
}

std::vector<double> TwoLayerReducedHessian::direction(
    const std::vector<double>& coordinates) const {
  const std::size_t m = at_.width(), d = at_.columns();
  const double* const beta = coordinates.data() + d;
  const double beta_along = along_a(beta);
  const std::size_t features = d - (at_.biased() ? 1 : 0);
  std::vector<double> full(m * (d + 1));
  for (std::size_t q = 0; q < m; ++q) {
    const double across = beta[q] - beta_along * a1_[q];
    for (std::size_t k = 0; k < d; ++k) {
      const std::size_t place = k < features ? q * features + k : m * features + m + q;
      full[place] = a1_[q] * coordinates[k] + across * g1_[k];
    }
    full[m * features + q] = beta[m + q];
  }
  if (at_.biased()) full.push_back(coordinates.back());
  return full;
}

}  // namespace precipice
