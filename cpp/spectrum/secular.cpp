#include "spectrum/secular.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "spectrum/symmetric_small.hpp"

namespace precipice {
namespace {

double largest_magnitude(const Vector& x) {
  double magnitude = 0;
  for (const double a : x) magnitude = std::max(magnitude, std::fabs(a));
  return magnitude;
}

Vector divided(Vector x, double by) {
  for (double& a : x) a /= by;
  return x;
}

}  // namespace

std::optional<Secular> secular(const BorderedDiagonal& h) {
  for (const Vector* part : {&h.diagonal, &h.border, &h.direction, &h.corner})
    if (!all_finite(*part)) return std::nullopt;
  const std::size_t n = h.direction.size();
  const double direction = largest_magnitude(h.direction);
  const double border = largest_magnitude(h.border) * direction;
  const double scale =
      std::max({largest_magnitude(h.diagonal), largest_magnitude(h.corner), border});
  if (!std::isfinite(scale)) return std::nullopt;
  if (border == 0)
    return Secular{
        h.diagonal, Vector(h.border.size(), 0.0), spectrum(h.corner, n).values, Vector(n, 0.0), 1,
        true};
  SmallSpectrum corner = spectrum(divided(h.corner, scale), n);
  Vector q(n, 0.0);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t k = 0; k < n; ++k)
      q[j] += corner.vectors[k * n + j] * (h.direction[k] / direction);
  return Secular{divided(h.diagonal, scale),
                 divided(h.border, scale / direction),
                 std::move(corner.values),
                 std::move(q),
                 scale,
                 false};
}

}  // namespace precipice
