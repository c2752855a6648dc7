// Sharpness, eigenvalues and Wang's quantities of a run of the two-layer linear network, in
// float64: Lanczos along the run, each measurement started from the last one's vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "models/two_layer_hessian.hpp"
#include "models/two_layer_point.hpp"
#include "models/two_layer_reduced_hessian.hpp"
#include "spectrum/lanczos.hpp"
#include "training/problem_spec.hpp"
#include "training/record.hpp"
#include "training/two_layer_quantities.hpp"

namespace precipice {

// The surface that is measured on: X and y as rounded to the forward format.
struct TwoLayerCurvatureSpec {
  std::vector<double> X, y;
  double scale = 1;  // c
  double sharpness_tolerance = 1e-10, eigenvalue_tolerance = 1e-8;
  std::size_t features = 0;        // d of the data
  std::vector<double> W_at_start;  // by rows, if quantities are recorded
};

class TwoLayerCurvature {
 public:
  TwoLayerCurvature(const TwoLayerCurvatureSpec& spec, const ProblemSpec& problem,
                    const TwoLayerSpec& model, const RecordPlan& plan);

  template <class Trainee>
  void observe(const Trainee& trainee) {
    trainee.parameter("W", W_);
    trainee.parameter("a", a_);
    trainee.parameter("b1", b1_);
    trainee.parameter("b2", b2_);
    point_.move_to(W_, a_, b1_, b2_);
    reduced_.move();
  }

  void record_sharpness(Records::Sharpness& series);
  void record_eigenvalues(Records::Eigenvalues& series);
  double sharpness() {
    return measure({1, false}, sharpness_start_, sharpness_tolerance_).largest[0].value;
  }
  // Of the curvature, by one product: the Rayleigh quotient of the last measurement's vector.
  template <class Trainee>
  double estimate(const Trainee& trainee) {
    observe(trainee);
    return rayleigh_quotient();
  }
  void record_quantities(Records::Quantities& series, std::int64_t step, double step_size) {
    quantities_->record(series, step, step_size);
  }
  // Completes the row just recorded, if there is one, with the parameters of the next step.
  template <class Trainee>
  void record_change(Records::Quantities& series, const Trainee& trainee) {
    if (!quantities_ || !quantities_->awaits_change()) return;
    observe(trainee);
    quantities_->record_change(series);
  }
  static std::vector<double> layer_imbalance() { return {}; }

  // What the next measurements start from.
  std::vector<double> state() const;
  void restore(const std::vector<double>& numbers);

 private:
  double rayleigh_quotient();
  void multiply(Vector& out, const Vector& in) {
    reduces_ ? reduced_.multiply(out, in) : hessian_.multiply(out, in);
  }
  Eigenpairs measure(const WantedPairs& wanted, std::vector<Vector>& start, double tolerance);

  TwoLayerPoint point_;
  TwoLayerHessian hessian_;
  TwoLayerReducedHessian reduced_;
  bool reduces_;
  double sharpness_tolerance_, eigenvalue_tolerance_;
  WantedPairs wanted_;
  std::optional<TwoLayerQuantities> quantities_;
  std::vector<Vector> sharpness_start_, eigenvalues_start_;
  Vector W_, a_, b1_, b2_;
};

}  // namespace precipice
