#include "models/two_layer_gram.hpp"

#include <numeric>

#include "spectrum/vectors.hpp"

namespace precipice {

double TwoLayerGram::norm2_of_a() const {
  return dot(at_.a(), at_.a());
}

double TwoLayerGram::residual_dot_scaled_output() const {
  double sum = dot(at_.D(), at_.F());
  if (at_.biased()) sum -= at_.b2() * std::accumulate(at_.D().begin(), at_.D().end(), 0.0);
  return sum;
}

GramFactors TwoLayerGram::M_star(double step_size) const {
  const double second_order = step_size * curvature_factor_ * residual_dot_scaled_output();
  return {factor_ * (norm2_of_a() - second_order), factor_, bias()};
}

void TwoLayerGram::multiply(std::vector<double>& out, const std::vector<double>& in,
                            const GramFactors& factors) {
  at_.times_X_transposed(g_, in);
  b_.assign(g_.size(), 0.0);
  if (factors.weights != 0) {
    at_.times_W(t_, g_);
    at_.times_W_transposed(b_, t_);
  }
  for (std::size_t k = 0; k < b_.size(); ++k)
    b_[k] = factors.data * g_[k] + factors.weights * b_[k];
  at_.times_X(out, b_);
  if (factors.ones == 0) return;
  const double sum = factors.ones * std::accumulate(in.begin(), in.end(), 0.0);
  for (double& x : out) x += sum;
}

}  // namespace precipice
