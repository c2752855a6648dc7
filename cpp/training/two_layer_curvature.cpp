#include "training/two_layer_curvature.hpp"

#include <algorithm>

#include "models/loss.hpp"
#include "training/saved_vectors.hpp"

namespace precipice {

TwoLayerCurvature::TwoLayerCurvature(const TwoLayerCurvatureSpec& spec, const ProblemSpec& problem,
                                     const TwoLayerSpec& model, const RecordPlan& plan)
    : point_(problem.rows, problem.features, problem.diagonal, spec.X, spec.y, model.width,
             spec.scale, size(model.b2) > 0),
      hessian_(point_, curvature_factor(problem.loss, problem.samples)),
      reduced_(point_, curvature_factor(problem.loss, problem.samples)),
      reduces_(reduced_.applies() && static_cast<std::size_t>(plan.top) <= reduced_.size()),
      sharpness_tolerance_(spec.sharpness_tolerance),
      eigenvalue_tolerance_(spec.eigenvalue_tolerance),
      wanted_{static_cast<std::size_t>(plan.top), true} {
  if (plan.quantities > 0)
    quantities_.emplace(point_, curvature_factor(problem.loss, problem.samples), spec.features,
                        spec.W_at_start, spec.eigenvalue_tolerance);
}

void TwoLayerCurvature::record_sharpness(Records::Sharpness& series) {
  const Eigenpairs found = measure({1, false}, sharpness_start_, sharpness_tolerance_);
  series.value.push_back(found.largest[0].value);
  series.residual.push_back(found.largest[0].residual);
  series.products.push_back(found.products);
}

void TwoLayerCurvature::record_eigenvalues(Records::Eigenvalues& series) {
  const Eigenpairs found = measure(wanted_, eigenvalues_start_, eigenvalue_tolerance_);
  for (const Eigenpair& pair : found.largest) {
    series.value.push_back(pair.value);
    series.residual.push_back(pair.residual);
  }
  series.value.push_back(found.smallest.value);
  series.residual.push_back(found.smallest.residual);
  series.products.push_back(found.products);
}

Eigenpairs TwoLayerCurvature::measure(const WantedPairs& wanted, std::vector<Vector>& start,
                                      double tolerance) {
  LanczosLimits limits;
  limits.tolerance = tolerance;
  Eigenpairs found =
      eigenpairs([this](Vector& out, const Vector& in) { multiply(out, in); },
                 reduces_ ? reduced_.size() : hessian_.size(), wanted, start, limits);
  if (!found.start.empty()) start = found.start;
  if (!reduces_) return found;
  // The directions that were left out have curvature 0. NaN stays.
  for (Eigenpair& pair : found.largest)
    if (pair.value < 0) pair.value = 0;
  if (found.smallest.value > 0) found.smallest.value = 0;
  return found;
}

double TwoLayerCurvature::rayleigh_quotient() {
  if (sharpness_start_.empty()) return sharpness();
  const Vector& vector = sharpness_start_.front();
  Vector product(vector.size());
  multiply(product, vector);
  double quotient = 0, length2 = 0;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    quotient += vector[i] * product[i];
    length2 += vector[i] * vector[i];
  }
  return quotient / length2;
}

std::vector<double> TwoLayerCurvature::state() const {
  SavedVectors state;
  state.put(sharpness_start_);
  state.put(eigenvalues_start_);
  if (quantities_) quantities_->save(state);
  return state.numbers();
}

void TwoLayerCurvature::restore(const std::vector<double>& numbers) {
  SavedVectors state(numbers);
  state.take(sharpness_start_);
  state.take(eigenvalues_start_);
  if (quantities_) quantities_->restore(state);
}

}  // namespace precipice
