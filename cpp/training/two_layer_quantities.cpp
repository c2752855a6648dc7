#include "training/two_layer_quantities.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace precipice {
namespace {

// D.v_1 may be many orders of magnitude smaller than |D|: v_1 is wanted to nearly all its digits.
constexpr double v1_tolerance = 1e-13;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
using Column = TwoLayerQuantity;

Vector difference(const Vector& a, const Vector& b) {
  Vector out = a;
  add_scaled(out, -1, b);
  return out;
}

// v - v1 (v1.v)
Vector without(const Vector& v1, const Vector& v) {
  Vector out = v;
  add_scaled(out, -dot(v1, v), v1);
  return out;
}

double largest_component(const Vector& v) {
  return *std::max_element(v.begin(), v.end(),
                           [](double a, double b) { return std::fabs(a) < std::fabs(b); });
}

}  // namespace

const std::array<const char*, TwoLayerQuantity::count> TwoLayerQuantity::names = {
    "gram_sharpness",
    "lambda_2",
    "norm_A2",
    "norm_W2",
    "residual_dot_output",
    "residual_norm2",
    "residual_dot_v1",
    "R_norm2",
    "R_prime_norm2",
    "gamma_norm",
    "M_A_norm",
    "M_W_norm",
    "v1_alignment",
    "v1_step_alignment",
    "residual_change",
    "residual_first_order",
    "residual_higher_order",
    "norm_A2_change",
    "norm_A2_first_order",
    "norm_A2_higher_order",
    "W_displacement"};
const std::array<TwoLayerQuantity::Column, 5> TwoLayerQuantity::eigenvalues = {
    gram_sharpness, lambda_2, gamma_norm, M_A_norm, M_W_norm};

TwoLayerQuantities::TwoLayerQuantities(const TwoLayerPoint& point, double curvature_factor,
                                       std::size_t features, std::vector<double> W_at_start,
                                       double tolerance)
    : at_(point),
      gram_(point, curvature_factor, features),
      curvature_factor_(curvature_factor),
      W_at_start_(std::move(W_at_start)),
      tolerance_(tolerance) {
  std::vector<Vector> start;
  of_data_ = measure(gram_.of_data(), {1, false}, start).largest[0];  // X does not move
}

void TwoLayerQuantities::record(Records::Quantities& series, std::int64_t step, double step_size) {
  Row row;
  row.fill(nan);
  products_ = 0;
  step_size_ = step_size;
  record_spectra(row, series.residual);
  record_vectors(row);
  record_directions(row);
  record_R_prime(row, step);
  series.step.push_back(step);
  series.value.insert(series.value.end(), row.begin(), row.end());
  series.products.push_back(products_);
  awaits_change_ = true;
}

Eigenpairs TwoLayerQuantities::measure(const GramFactors& factors, const WantedPairs& wanted,
                                       std::vector<Vector>& start, double first_tolerance) {
  LanczosLimits limits;
  limits.tolerance = tolerance_;
  limits.first_tolerance = first_tolerance;
  Eigenpairs found =
      eigenpairs([&](Vector& out, const Vector& in) { gram_.multiply(out, in, factors); },
                 at_.rows(), wanted, start, limits);
  products_ += found.products;
  if (!found.start.empty()) start = found.start;
  return found;
}

void TwoLayerQuantities::record_spectra(Row& row, std::vector<double>& residuals) {
  const std::size_t pairs = std::min<std::size_t>(2, at_.rows());
  const Eigenpairs M = measure(gram_.M(), {pairs, false}, M_start_, v1_tolerance);
  const Eigenpairs M_A = measure(gram_.M_A(), {1, false}, M_A_start_);
  const Eigenpairs Gamma = measure(gram_.Gamma(), {1, true}, Gamma_start_);
  const Eigenpair& far = std::fabs(Gamma.smallest.value) > std::fabs(Gamma.largest[0].value)
                             ? Gamma.smallest
                             : Gamma.largest[0];
  const double M_W = gram_.M_W().data;
  row[Column::gram_sharpness] = M.largest[0].value;
  if (pairs > 1) row[Column::lambda_2] = M.largest[1].value;
  row[Column::gamma_norm] = std::fabs(far.value);
  row[Column::M_A_norm] = M_A.largest[0].value;
  row[Column::M_W_norm] = M_W * of_data_.value;
  for (const double residual : {M.largest[0].residual, pairs > 1 ? M.largest[1].residual : nan,
                                far.residual, M_A.largest[0].residual, M_W * of_data_.residual})
    residuals.push_back(residual);
  v1_ = M.largest[0].vector;
  orient_v1();
}

// The sign that turns least from the last row's; in the first row, the one that makes the largest
// component positive.
void TwoLayerQuantities::orient_v1() {
  const double side = v1_before_.empty() ? largest_component(v1_) : dot(v1_, v1_before_);
  if (side < 0)
    for (double& x : v1_) x = -x;
}

void TwoLayerQuantities::record_directions(Row& row) {
  if (!all_finite(v1_)) return;
  if (v1_first_.empty()) v1_first_ = v1_;
  row[Column::v1_alignment] = dot(v1_, v1_first_);
  if (!v1_before_.empty()) row[Column::v1_step_alignment] = dot(v1_, v1_before_);
  v1_before_ = v1_;
}

void TwoLayerQuantities::record_vectors(Row& row) {
  D_ = at_.D();
  a_ = at_.a();
  gram_.multiply(MD_, D_, gram_.M());
  ++products_;
  R_ = without(v1_, D_);
  const double D_dot_F = dot(D_, at_.F()), displacement = norm(difference(at_.W(), W_at_start_));
  row[Column::norm_A2] = dot(a_, a_);
  row[Column::norm_W2] = dot(at_.W(), at_.W());
  row[Column::residual_dot_output] = D_dot_F;
  row[Column::residual_norm2] = dot(D_, D_);
  row[Column::residual_dot_v1] = dot(D_, v1_);
  row[Column::R_norm2] = dot(R_, R_);
  row[Column::residual_first_order] = step_size_ * norm(MD_);
  row[Column::norm_A2_first_order] =
      -2 * step_size_ * curvature_factor_ * gram_.residual_dot_scaled_output();
  row[Column::W_displacement] = displacement;
}

// Known only where every step since the first has been a row.
void TwoLayerQuantities::record_R_prime(Row& row, std::int64_t step) {
  if (step == 0) R_prime_ = R_;
  if (step != R_prime_step_ + 1 || R_prime_.empty()) return;
  row[Column::R_prime_norm2] = dot(R_prime_, R_prime_);
  Vector image;
  gram_.multiply(image, without(v1_, R_prime_), gram_.M());
  ++products_;
  add_scaled(R_prime_, -step_size_, image);
  R_prime_step_ = step;
}

void TwoLayerQuantities::record_change(Records::Quantities& series) {
  awaits_change_ = false;
  if (series.step.empty()) return;
  double* const row = series.value.data() + series.value.size() - TwoLayerQuantity::count;
  Vector change = difference(at_.D(), D_);
  row[Column::residual_change] = norm(change);
  add_scaled(change, step_size_, MD_);
  row[Column::residual_higher_order] = norm(change);
  // |a'|^2 - |a|^2 without cancellation.
  Vector sum = at_.a();
  add_scaled(sum, 1, a_);
  const double grown = dot(difference(at_.a(), a_), sum);
  row[Column::norm_A2_change] = grown;
  row[Column::norm_A2_higher_order] = grown - row[Column::norm_A2_first_order];
}

void TwoLayerQuantities::save(SavedVectors& state) const {
  for (const std::vector<Vector>* start : {&M_start_, &M_A_start_, &Gamma_start_})
    state.put(*start);
  for (const Vector* vector : {&v1_first_, &v1_before_, &R_prime_}) state.put(*vector);
  state.put(Vector{static_cast<double>(R_prime_step_)});
}

void TwoLayerQuantities::restore(SavedVectors& state) {
  for (std::vector<Vector>* start : {&M_start_, &M_A_start_, &Gamma_start_}) state.take(*start);
  for (Vector* vector : {&v1_first_, &v1_before_, &R_prime_}) state.take(*vector);
  Vector step;
  state.take(step);
  R_prime_step_ = step.empty() ? -1 : static_cast<std::int64_t>(step[0]);
}

}  // namespace precipice
