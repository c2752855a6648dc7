#include "spectrum/symmetric_small.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace precipice {
namespace {

// Rotates rows and columns p and q so that a[p,q] vanishes; accumulates the rotation in v.
void rotate(std::vector<double>& a, std::vector<double>& v, std::size_t n, std::size_t p,
            std::size_t q) {
  const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
  const double t = std::copysign(1, theta) / (std::fabs(theta) + std::hypot(theta, 1));
  const double c = 1 / std::hypot(t, 1), s = t * c;
  for (std::size_t k = 0; k < n; ++k) {
    const double kp = a[k * n + p], kq = a[k * n + q];
    a[k * n + p] = c * kp - s * kq;
    a[k * n + q] = s * kp + c * kq;
  }
  for (std::size_t k = 0; k < n; ++k) {
    const double pk = a[p * n + k], qk = a[q * n + k];
    a[p * n + k] = c * pk - s * qk;
    a[q * n + k] = s * pk + c * qk;
    const double vp = v[k * n + p], vq = v[k * n + q];
    v[k * n + p] = c * vp - s * vq;
    v[k * n + q] = s * vp + c * vq;
  }
  a[p * n + q] = a[q * n + p] = 0;
}

double largest_off_diagonal(const std::vector<double>& a, std::size_t n) {
  double largest = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j) largest = std::max(largest, std::fabs(a[i * n + j]));
  return largest;
}

}  // namespace

SmallSpectrum spectrum(std::vector<double> a, std::size_t n) {
  std::vector<double> v(n * n, 0.0);
  double norm = 0;
  for (std::size_t i = 0; i < n; ++i) v[i * n + i] = 1;
  for (const double x : a) norm = std::max(norm, std::fabs(x));
  // Convergence is quadratic; ten sweeps are far more than any matrix of this size takes.
  const double tolerance = norm * std::numeric_limits<double>::epsilon() / 16;
  for (int sweep = 0; sweep < 32 && largest_off_diagonal(a, n) > tolerance; ++sweep)
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q)
        if (a[p * n + q] != 0) rotate(a, v, n, p, q);
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = a[i * n + i];
  return {std::move(values), std::move(v)};
}

}  // namespace precipice
