#include "spectrum/bordered_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace precipice {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// sum w_i^2 / (pole_i - lambda)
double poles(const Vector& pole, const Vector& weight, double lambda) {
  double sum = 0;
  for (std::size_t i = 0; i < pole.size(); ++i)
    if (weight[i] != 0) sum += weight[i] * (weight[i] / (pole[i] - lambda));
  return sum;
}

std::size_t smaller(const Vector& x, double lambda) {
  return static_cast<std::size_t>(
      std::count_if(x.begin(), x.end(), [lambda](double a) { return a < lambda; }));
}

}  // namespace

BorderedSpectrum::BorderedSpectrum(const BorderedDiagonal& h)
    : h_(secular(h)), size_(h.diagonal.size() + h.direction.size()) {
  if (!h_) return;
  for (const Vector* part : {&h_->delta, &h_->gamma})
    for (const double x : *part) bound_ = std::max(bound_, std::fabs(x));
  bound_ += norm(h_->b) * norm(h_->q);
}

std::size_t BorderedSpectrum::below(double lambda) const {
  const double phi = poles(h_->delta, h_->b, lambda), psi = poles(h_->gamma, h_->q, lambda);
  const std::size_t apart = smaller(h_->delta, lambda) + smaller(h_->gamma, lambda);
  if (!(phi * psi > 1)) return apart;  // also where one is infinite and the other zero
  return phi > 0 ? apart + 1 : apart - 1;
}

double BorderedSpectrum::largest(std::size_t i) const {
  if (!h_) return nan;
  double low = -bound_, high = bound_;
  while (high - low > epsilon * bound_) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (below(middle) + i < size_ ? low : high) = middle;
  }
  return h_->scale * (low + (high - low) / 2);
}

double BorderedSpectrum::residual() const {
  return h_ ? static_cast<double>(size_ + 8) * epsilon * bound_ * h_->scale : nan;
}

}  // namespace precipice
