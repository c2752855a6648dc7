#include "models/two_layer_hessian.hpp"

namespace precipice {

void TwoLayerHessian::multiply(std::vector<double>& out, const std::vector<double>& in,
                               bool gauss_newton) {
  const std::size_t m = at_.width(), columns = at_.columns(), d = columns - (at_.biased() ? 1 : 0);
  const std::vector<double>&a = at_.a(), &g = at_.g();
  // Where entry (q, k) of V lies: those of b1, in column d, follow alpha.
  const auto place = [m, d](std::size_t q, std::size_t k) {
    return k < d ? q * d + k : m * d + m + q;
  };
  alpha_.assign(in.data() + m * d, in.data() + m * d + m);
  at_.times_W_transposed(db_, alpha_);
  for (std::size_t q = 0; q < m; ++q)
    for (std::size_t k = 0; k < columns; ++k) db_[k] += a[q] * in[place(q, k)];
  for (double& x : db_) x *= at_.c();
  const double sum_of_dF = at_.times_XtX(dg_, db_, at_.biased() ? in.back() : 0);
  at_.times_W(t_, dg_);
  out.resize(size());
  const double second_order = gauss_newton ? 0 : factor_;
  for (std::size_t q = 0; q < m; ++q) {
    const double first = factor_ * a[q], second = second_order * alpha_[q];
    double along_g = 0;
    for (std::size_t k = 0; k < columns; ++k) {
      out[place(q, k)] = first * dg_[k] + second * g[k];
      along_g += in[place(q, k)] * g[k];
    }
    out[m * d + q] = factor_ * t_[q] + second_order * along_g;
  }
  if (at_.biased()) out.back() = curvature_factor_ * sum_of_dF;
}

}  // namespace precipice
