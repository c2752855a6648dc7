// Sharpness of a run of the two-layer linear network, in float64: Lanczos along the run, each
// measurement started from the last one's eigenvector.
#pragma once

#include <vector>

#include "models/two_layer_hessian.hpp"
#include "spectrum/lanczos.hpp"
#include "training/problem_spec.hpp"
#include "training/record.hpp"

namespace precipice {

// The surface that is measured on: X and y as rounded to the working format.
struct TwoLayerCurvatureSpec {
  std::vector<double> X, y;
  double scale = 1;           // c
  std::vector<double> start;  // a vector to begin with, (m d + m)
  double tolerance = 1e-10;
};

class TwoLayerCurvature {
 public:
  TwoLayerCurvature(const TwoLayerCurvatureSpec& spec, const ProblemSpec& problem,
                    const TwoLayerSpec& model)
      : hessian_(problem.rows, problem.features, problem.diagonal, spec.X, spec.y, model.width,
                 spec.scale, problem.loss, problem.samples),
        vector_(spec.start) {
    limits_.tolerance = spec.tolerance;
  }

  template <class Trainee>
  void observe(const Trainee& trainee) {
    trainee.parameter("W", W_);
    trainee.parameter("a", a_);
    hessian_.move_to(W_, a_);
  }

  void record_sharpness(Records::Sharpness& series) {
    const Eigenpair pair =
        largest_eigenpair([this](std::vector<double>& out,
                                 const std::vector<double>& in) { hessian_.multiply(out, in); },
                          vector_, limits_);
    series.value.push_back(pair.value);
    series.residual.push_back(pair.residual);
    series.products.push_back(pair.products);
    if (pair.converged) vector_ = pair.vector;
  }
  static std::vector<double> layer_imbalance() { return {}; }

  std::vector<double> state() const { return vector_; }
  void restore(const std::vector<double>& vector) { vector_ = vector; }

 private:
  TwoLayerHessian hessian_;
  LanczosLimits limits_;
  std::vector<double> vector_, W_, a_;
};

}  // namespace precipice
