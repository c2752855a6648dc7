// The quantities that Wang, Li and Li (2022) follow along a run of the two-layer linear network, in
// float64. With M(t), M_A, M_W and Gamma as in models/two_layer_gram.hpp, v_1(t) the eigenvector of
// M(t)'s largest eigenvalue, R = D - v_1 (v_1.D), and eta the step size of the step from t to t+1:
//
//   R'(0) = R(0),   R'(t+1) = (I - eta M(t) (I - v_1(t) v_1(t)^T)) R'(t)          (Lemma 3.5)
//   D(t+1) - D(t) = -eta M(t) D(t) + ...,   |a(t+1)|^2 - |a(t)|^2 = -2 eta c_L D.F + ...   (eq. 3)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/two_layer_gram.hpp"
#include "models/two_layer_point.hpp"
#include "spectrum/lanczos.hpp"
#include "training/record.hpp"
#include "training/saved_vectors.hpp"

namespace precipice {

// The columns of a record, in order.
struct TwoLayerQuantity {
  enum Column : std::size_t {
    gram_sharpness,
    lambda_2,
    norm_A2,
    norm_W2,
    residual_dot_output,
    residual_norm2,
    residual_dot_v1,
    R_norm2,
    R_prime_norm2,
    gamma_norm,
    M_A_norm,
    M_W_norm,
    v1_alignment,
    v1_step_alignment,
    residual_change,
    residual_first_order,
    residual_higher_order,
    norm_A2_change,
    norm_A2_first_order,
    norm_A2_higher_order,
    W_displacement,
    count
  };
  static const std::array<const char*, count> names;
  // Those that are eigenvalues; each has a residual.
  static const std::array<Column, 5> eigenvalues;
};

class TwoLayerQuantities {
 public:
  // c_L; d, the features of the data; W at step 0 by rows; N rows of X.
  TwoLayerQuantities(const TwoLayerPoint& point, double curvature_factor, std::size_t features,
                     std::vector<double> W_at_start, double tolerance);

  // A row at the point. What follows from the next step is NaN until record_change().
  void record(Records::Quantities& series, std::int64_t step, double step_size);

  // Completes the row just recorded; the point is at the next step's parameters.
  void record_change(Records::Quantities& series);
  bool awaits_change() const { return awaits_change_; }

  void save(SavedVectors& state) const;
  void restore(SavedVectors& state);

 private:
  using Row = std::array<double, TwoLayerQuantity::count>;
  Eigenpairs measure(const GramFactors& factors, const WantedPairs& wanted,
                     std::vector<Vector>& start, double first_tolerance = 0);
  void record_spectra(Row& row, std::vector<double>& residuals);
  void orient_v1();
  void record_directions(Row& row);
  void record_vectors(Row& row);
  void record_R_prime(Row& row, std::int64_t step);

  const TwoLayerPoint& at_;
  TwoLayerGram gram_;
  double curvature_factor_;
  std::vector<double> W_at_start_;
  double tolerance_;

  Eigenpair of_data_;  // of X X^T
  std::vector<Vector> M_start_, M_A_start_, Gamma_start_;
  Vector v1_, v1_first_, v1_before_;
  Vector R_, R_prime_;  // R' of step R_prime_step_
  std::int64_t R_prime_step_ = -1;
  double step_size_ = 0;
  std::int64_t products_ = 0;

  bool awaits_change_ = false;
  Vector D_, MD_, a_;
};

}  // namespace precipice
