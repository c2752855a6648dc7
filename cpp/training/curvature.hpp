// Sharpness and layer imbalance of a run of the minimalist model, in float64.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "linalg/native_space.hpp"
#include "models/minimalist_hessian.hpp"
#include "training/problem_spec.hpp"
#include "training/record.hpp"

namespace precipice {

struct CurvatureSpec {
  SpectralData spectrum;
  std::vector<double> left;  // e_i as rows, (r, N); empty in spectral coordinates, f_i = c_i
  // X as rounded to the forward format, (N, d) or diagonal (r), if f = X u is to be recomputed in
  // float64: the pre-activations of a run at p <= 24 bits carry 2^-p of error. Empty otherwise.
  std::vector<double> X;
};

class MinimalistCurvature {
 public:
  MinimalistCurvature(const CurvatureSpec& spec, const ProblemSpec& problem,
                      const MinimalistSpec& model, const RecordPlan& plan);

  // Moves to the parameters that the trainee has evaluated.
  template <class Trainee>
  void observe(const Trainee& trainee) {
    if (recompute_) {
      trainee.parameter("u", u_);
      recompute_preactivations();
    } else {
      trainee.preactivations(f_);
    }
    trainee.parameter("v", v_);
    project();
  }
  void record_sharpness(Records::Sharpness& series) { series.value.push_back(sharpness()); }
  void record_eigenvalues(Records::Eigenvalues& series);
  double sharpness();
  // Of the curvature, at little cost.
  template <class Trainee>
  double estimate(const Trainee& trainee) {
    trainee.preactivations(f_);
    trainee.parameter("v", v_);
    return hessian_.diagonal_estimate(f_, v_);
  }
  std::vector<double> layer_imbalance() const { return hessian_.layer_imbalance(c_, v_); }

  // A measurement depends on no other.
  static std::vector<double> state() { return {}; }
  static void restore(const std::vector<double>&) {}

  // The two-layer network's alone.
  static void record_quantities(Records::Quantities&, std::int64_t, double) {}
  template <class Trainee>
  static void record_change(Records::Quantities&, const Trainee&) {}

 private:
  using Space = NativeSpace<double>;
  void recompute_preactivations();
  void project();  // c_i = e_i.f

  StopFlag never_stops_{false};
  Space space_;
  Space::Matrix left_, X_;
  MinimalistHessian hessian_;
  bool spectral_, recompute_;
  std::size_t top_, flat_;  // eigenvalues recorded; directions of u that X does not see
  std::vector<double> u_, v_, f_, c_;
};

}  // namespace precipice
