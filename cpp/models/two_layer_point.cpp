#include "models/two_layer_point.hpp"

#include <algorithm>

namespace precipice {
namespace {

using Array = NativeSpace<double>::Array;

// The Spaces' products read their arguments only, but say so nowhere.
Array view(const std::vector<double>& values) {
  return {const_cast<double*>(values.data()), values.size()};
}

// X with a last column of ones.
std::vector<double> with_ones(const std::vector<double>& X, std::size_t rows,
                              std::size_t features) {
  std::vector<double> wider;
  wider.reserve(rows * (features + 1));
  for (std::size_t i = 0; i < rows; ++i) {
    const double* const row = X.data() + i * features;
    wider.insert(wider.end(), row, row + features);
    wider.push_back(1);
  }
  return wider;
}

}  // namespace

TwoLayerPoint::TwoLayerPoint(std::size_t rows, std::size_t features, bool diagonal,
                             const std::vector<double>& X, const std::vector<double>& y,
                             std::size_t width, double c, bool biased)
    : space_(parse_format("float64"), never_stops_),
      X_(diagonal ? space_.diagonal_matrix(rows, X)
         : biased ? space_.matrix(rows, features + 1, with_ones(X, rows, features))
                  : space_.matrix(rows, features, X)),
      W_(space_.weights(width, X_.columns)),
      c_(c),
      biased_(biased),
      y_(y),
      a_(width),
      g_(X_.columns) {}

void TwoLayerPoint::move_to(const std::vector<double>& W, const std::vector<double>& a,
                            const std::vector<double>& b1, const std::vector<double>& b2) {
  const std::size_t features = columns() - (biased_ ? 1 : 0);
  W_values_ = W;
  a_ = a;
  if (biased_) b2_ = b2[0];
  for (std::size_t q = 0; q < width(); ++q) {
    double* const row = Space::row_of(W_, q).data;
    std::copy_n(W.data() + q * features, features, row);
    if (biased_) row[features] = b1[q];
  }
  times_W_transposed(b_, a_);
  F_.resize(rows());
  D_.resize(rows());
  for (Rows block = space_.first_rows(X_); !space_.done(X_, block);
       block = space_.next_rows(X_, block)) {
    space_.matvec(view(F_), X_, block, view(b_));
    for (std::size_t i = block.begin; i < block.end; ++i) {
      F_[i] = c_ * F_[i] + b2_;
      D_[i] = F_[i] - y_[i];
    }
    space_.matvec_transposed(view(g_), X_, block, view(D_));
  }
}

double TwoLayerPoint::times_XtX(std::vector<double>& out, const std::vector<double>& in,
                                double shift) const {
  out.resize(columns());
  product_.resize(rows());
  double sum = 0;
  for (Rows block = space_.first_rows(X_); !space_.done(X_, block);
       block = space_.next_rows(X_, block)) {
    space_.matvec(view(product_), X_, block, view(in));
    for (std::size_t i = block.begin; i < block.end; ++i) sum += product_[i] += shift;
    space_.matvec_transposed(view(out), X_, block, view(product_));
  }
  return sum;
}

void TwoLayerPoint::times_X(std::vector<double>& out, const std::vector<double>& in) const {
  out.resize(rows());
  for (Rows block = space_.first_rows(X_); !space_.done(X_, block);
       block = space_.next_rows(X_, block))
    space_.matvec(view(out), X_, block, view(in));
}

void TwoLayerPoint::times_X_transposed(std::vector<double>& out,
                                       const std::vector<double>& in) const {
  out.resize(columns());
  for (Rows block = space_.first_rows(X_); !space_.done(X_, block);
       block = space_.next_rows(X_, block))
    space_.matvec_transposed(view(out), X_, block, view(in));
}

void TwoLayerPoint::times_W(std::vector<double>& out, const std::vector<double>& in) const {
  out.resize(width());
  space_.matvec(view(out), W_, view(in));
}

void TwoLayerPoint::times_W_transposed(std::vector<double>& out,
                                       const std::vector<double>& in) const {
  out.resize(columns());
  space_.matvec_transposed(view(out), W_, view(in));
}

}  // namespace precipice
