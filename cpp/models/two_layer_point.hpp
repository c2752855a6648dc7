// Where the curvature of a two-layer linear network is measured, in float64: the data, the
// parameters, and what both say, F = c X W^T a, D = F - y and g = X^T D.
//
// Biases: X has a column of ones more and W one of b1, so that both have d + 1 columns; F = c X W^T
// a + b2.
#pragma once

#include <cstddef>
#include <vector>

#include "linalg/native_space.hpp"

namespace precipice {

class TwoLayerPoint {
 public:
  // X (rows, features) by rows, or diagonal; y (rows); c of the network.
  TwoLayerPoint(std::size_t rows, std::size_t features, bool diagonal, const std::vector<double>& X,
                const std::vector<double>& y, std::size_t width, double c, bool biased = false);
  TwoLayerPoint(const TwoLayerPoint&) = delete;
  TwoLayerPoint& operator=(const TwoLayerPoint&) = delete;

  // Moves to the parameters W (m, d) by rows, a (m), b1 (m) and b2 (1), these empty without biases.
  void move_to(const std::vector<double>& W, const std::vector<double>& a,
               const std::vector<double>& b1 = {}, const std::vector<double>& b2 = {});

  std::size_t rows() const { return y_.size(); }
  std::size_t columns() const { return g_.size(); }  // of X and W
  std::size_t width() const { return a_.size(); }
  bool biased() const { return biased_; }
  double c() const { return c_; }
  const std::vector<double>& W() const { return W_values_; }  // without b1
  const std::vector<double>& a() const { return a_; }
  double b2() const { return b2_; }
  const std::vector<double>& F() const { return F_; }
  const std::vector<double>& D() const { return D_; }
  const std::vector<double>& g() const { return g_; }

  // Products of X (Nd multiply-adds) and W (md) with vectors; `out` takes their size.
  void times_X(std::vector<double>& out, const std::vector<double>& in) const;
  void times_X_transposed(std::vector<double>& out, const std::vector<double>& in) const;
  // out = X^T (X in + shift), which reads X once; returns the sum of X in + shift.
  double times_XtX(std::vector<double>& out, const std::vector<double>& in, double shift = 0) const;
  void times_W(std::vector<double>& out, const std::vector<double>& in) const;
  void times_W_transposed(std::vector<double>& out, const std::vector<double>& in) const;

 private:
  using Space = NativeSpace<double>;

  StopFlag never_stops_{false};
  mutable Space space_;
  Space::Matrix X_;
  Space::Weights W_;
  double c_, b2_ = 0;
  bool biased_;
  std::vector<double> y_, W_values_, a_, b_, F_, D_, g_;
  mutable std::vector<double> product_;
};

}  // namespace precipice
