#include "training/curvature.hpp"

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
                                         const MinimalistSpec& model)
    : space_(parse_format("float64"), never_stops_),
      left_(space_.matrix(spec.left.empty() ? 0 : spec.spectrum.sigma.size(), problem.samples,
                          spec.left)),
      X_(problem.diagonal
             ? space_.diagonal_matrix(spec.X.size(), spec.X)
             : space_.matrix(spec.X.empty() ? 0 : problem.rows, problem.features, spec.X)),
      hessian_(spec.spectrum, problem.loss, problem.samples, model.factors),
      spectral_(spec.left.empty()),
      recompute_(!spec.X.empty()) {}

void MinimalistCurvature::record_sharpness(Records::Sharpness& series) {
  series.value.push_back(largest_eigenvalue(hessian_.at(c_, v_)));
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
