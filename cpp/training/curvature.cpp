#include "training/curvature.hpp"

#include "spectrum/bordered_spectrum.hpp"

namespace precipice {
namespace {

void matvec(NativeSpace<double>& space, std::vector<double>& out,
            const NativeSpace<double>::Matrix& matrix, std::vector<double>& in) {
  out.resize(matrix.rows);
  for (Rows rows = space.first_rows(matrix); !space.done(matrix, rows);
       rows = space.next_rows(matrix, rows))
    space.matvec({out.data(), out.size()}, matrix, rows, {in.data(), in.size()});
}

}  // namespace

MinimalistCurvature::MinimalistCurvature(const CurvatureSpec& spec, const ProblemSpec& problem,
                                         const MinimalistSpec& model, const RecordPlan& plan)
    : space_(parse_format("float64"), never_stops_),
      left_(space_.matrix(spec.left.empty() ? 0 : spec.spectrum.sigma.size(), problem.samples,
                          spec.left)),
      X_(problem.diagonal
             ? space_.diagonal_matrix(spec.X.size(), spec.X)
             : space_.matrix(spec.X.empty() ? 0 : problem.rows, problem.features, spec.X)),
      hessian_(spec.spectrum, problem.loss, problem.samples, model.factors),
      spectral_(spec.left.empty()),
      recompute_(!spec.X.empty()),
      top_(static_cast<std::size_t>(plan.top)),
      flat_(problem.features - spec.spectrum.sigma.size()) {}

double MinimalistCurvature::sharpness() {
  return largest_eigenvalue(hessian_.at(c_, v_));
}

void MinimalistCurvature::record_eigenvalues(Records::Eigenvalues& series) {
  const BorderedSpectrum spectrum(hessian_.at(c_, v_));
  // The flat directions' zeros have their places in the descending order.
  std::size_t taken = 0, zeros = 0;
  for (std::size_t i = 0; i < top_; ++i) {
    const double next = taken < spectrum.size() ? spectrum.largest(taken) : -1;
    const bool zero = zeros < flat_ && next < 0;
    series.value.push_back(zero ? 0 : next);
    ++(zero ? zeros : taken);
  }
  const double smallest = spectrum.largest(spectrum.size() - 1);
  series.value.push_back(flat_ > 0 && smallest > 0 ? 0 : smallest);
  series.residual.insert(series.residual.end(), top_ + 1, spectrum.residual());
  series.products.push_back(0);
}

void MinimalistCurvature::recompute_preactivations() {
  matvec(space_, f_, X_, u_);
}

void MinimalistCurvature::project() {
  if (spectral_)
    c_ = f_;
  else
    matvec(space_, c_, left_, f_);
}

}  // namespace precipice
