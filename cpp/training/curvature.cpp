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

MinimalistCurvature::MinimalistCurvature(const CurvatureSpec& spec, Loss loss, std::size_t samples,
                                         std::size_t features, std::size_t factors)
    : space_(parse_format("float64"), never_stops_),
      left_(space_.matrix(spec.spectrum.sigma.size(), samples, spec.left)),
      X_(space_.matrix(spec.X.empty() ? 0 : samples, features, spec.X)),
      hessian_(spec.spectrum, loss, samples, factors),
      recompute_(!spec.X.empty()) {}

double MinimalistCurvature::sharpness() {
  return largest_eigenvalue(hessian_.at(c_, v_));
}

void MinimalistCurvature::recompute_preactivations() {
  matvec(space_, f_, X_, u_);
}

void MinimalistCurvature::project() {
  matvec(space_, c_, left_, f_);
}

}  // namespace precipice
