#include "models/two_layer_hessian.hpp"

#include <algorithm>

namespace precipice {

TwoLayerHessian::TwoLayerHessian(std::size_t rows, std::size_t features, bool diagonal,
                                 const std::vector<double>& X, const std::vector<double>& y,
                                 std::size_t width, double c, Loss loss, std::size_t samples)
    : rows_(rows),
      features_(features),
      width_(width),
      c_(c),
      factor_(curvature_factor(loss, samples) * c),
      space_(parse_format("float64"), never_stops_),
      X_(diagonal ? space_.diagonal_matrix(rows, X) : space_.matrix(rows, features, X)),
      W_(space_.weights(width, features)),
      V_(space_.weights(width, features)),
      y_(space_.array(rows)),
      a_(space_.array(width)),
      alpha_(space_.array(width)),
      b_(space_.array(features)),
      db_(space_.array(features)),
      F_(space_.array(rows)),
      g_(space_.array(features)),
      dg_(space_.array(features)),
      t_(space_.array(width)),
      dt_(space_.array(width)) {
  std::copy(y.begin(), y.end(), y_.data);
}

void TwoLayerHessian::times_X(Array out, Array in) {
  for (Rows rows = space_.first_rows(X_); !space_.done(X_, rows); rows = space_.next_rows(X_, rows))
    space_.matvec(out, X_, rows, in);
}

void TwoLayerHessian::times_X_transposed(Array out, Array in) {
  for (Rows rows = space_.first_rows(X_); !space_.done(X_, rows); rows = space_.next_rows(X_, rows))
    space_.matvec_transposed(out, X_, rows, in);
}

void TwoLayerHessian::move_to(const std::vector<double>& W, const std::vector<double>& a) {
  for (std::size_t q = 0; q < width_; ++q)
    std::copy_n(W.data() + q * features_, features_, Space::row_of(W_, q).data);
  std::copy(a.begin(), a.end(), a_.data);
  space_.matvec_transposed(b_, W_, a_);
  times_X(F_, b_);
  for (std::size_t i = 0; i < rows_; ++i) F_.data[i] = c_ * F_.data[i] - y_.data[i];
  times_X_transposed(g_, F_);
}

void TwoLayerHessian::multiply(std::vector<double>& out, const std::vector<double>& in,
                               bool gauss_newton) {
  for (std::size_t q = 0; q < width_; ++q)
    std::copy_n(in.data() + q * features_, features_, Space::row_of(V_, q).data);
  std::copy_n(in.data() + width_ * features_, width_, alpha_.data);
  space_.matvec_transposed(b_, V_, a_);
  space_.matvec_transposed(db_, W_, alpha_);
  for (std::size_t k = 0; k < features_; ++k) b_.data[k] = c_ * (b_.data[k] + db_.data[k]);
  times_X(F_, b_);
  times_X_transposed(dg_, F_);
  space_.matvec(t_, W_, dg_);
  space_.matvec(dt_, V_, g_);
  out.resize(size());
  const double second_order = gauss_newton ? 0 : factor_;
  for (std::size_t q = 0; q < width_; ++q) {
    const double first = factor_ * a_.data[q], second = second_order * alpha_.data[q];
    double* const row = out.data() + q * features_;
    for (std::size_t k = 0; k < features_; ++k) row[k] = first * dg_.data[k] + second * g_.data[k];
    out[width_ * features_ + q] = factor_ * t_.data[q] + second_order * dt_.data[q];
  }
}

}  // namespace precipice
