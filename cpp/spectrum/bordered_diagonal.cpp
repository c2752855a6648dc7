#include "spectrum/bordered_diagonal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "spectrum/symmetric_small.hpp"

namespace precipice {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// max eigenvalue of [[a, b], [b, c]], without cancellation.
double largest_of_two(double a, double b, double c) {
  return (a + c) / 2 + std::hypot((a - c) / 2, b);
}

// phi(lambda) = sum b_i^2 / (lambda - delta_i), and -phi'(lambda).
struct Secular {
  double value, decrease;
};
Secular secular(const BorderedDiagonal& h, double lambda) {
  Secular sum{0, 0};
  for (std::size_t i = 0; i < h.diagonal.size(); ++i) {
    if (h.border[i] == 0) continue;  // deflated: delta_i is an eigenvalue of its own
    const double ratio = h.border[i] / (lambda - h.diagonal[i]);
    sum.value += ratio * h.border[i];
    sum.decrease += ratio * ratio;
  }
  return sum;
}

// lambda - max eig(A + phi(lambda) p p^T) and its derivative. Concave and increasing beyond
// delta_1: phi is convex and decreasing there, and a largest eigenvalue is convex.
struct Value {
  double value, slope;
};
Value characteristic(const BorderedDiagonal& h, double lambda) {
  const std::size_t n = h.direction.size();
  const Secular phi = secular(h, lambda);
  if (n == 1) {
    const double p2 = h.direction[0] * h.direction[0];
    return {lambda - h.corner[0] - phi.value * p2, 1 + phi.decrease * p2};
  }
  std::vector<double> reduced = h.corner;
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t k = 0; k < n; ++k)
      reduced[j * n + k] += phi.value * h.direction[j] * h.direction[k];
  const Eigenpair top = largest_eigenpair(std::move(reduced), n);
  const double overlap = dot(h.direction, top.vector);
  return {lambda - top.value, 1 + phi.decrease * overlap * overlap};
}

// A lower bound of the root: the best 2 x 2 compression of H, over the diagonal entries and two
// directions of the corner (p itself and A's top eigenvector).
double lower_bound(const BorderedDiagonal& h) {
  const std::size_t n = h.direction.size();
  const Eigenpair top = largest_eigenpair(h.corner, n);
  double bound = top.value;
  const auto compress = [&](const std::vector<double>& unit, double corner) {
    const double overlap = dot(h.direction, unit);
    for (std::size_t i = 0; i < h.diagonal.size(); ++i)
      bound = std::max(bound, largest_of_two(h.diagonal[i], h.border[i] * overlap, corner));
  };
  compress(top.vector, top.value);
  const double norm = std::sqrt(dot(h.direction, h.direction));
  if (n > 1 && norm > 0) {
    std::vector<double> unit = h.direction;
    for (double& x : unit) x /= norm;
    double corner = 0;
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t k = 0; k < n; ++k) corner += unit[j] * h.corner[j * n + k] * unit[k];
    compress(unit, corner);
  }
  return bound;
}

double upper_bound(const BorderedDiagonal& h, double corner) {
  const double border = std::sqrt(dot(h.border, h.border) * dot(h.direction, h.direction));
  return largest_of_two(h.diagonal.empty() ? 0 : h.diagonal[0], border, corner);
}

bool all_finite(const BorderedDiagonal& h) {
  const auto finite = [](const std::vector<double>& x) {
    return std::all_of(x.begin(), x.end(), [](double a) { return std::isfinite(a); });
  };
  return finite(h.diagonal) && finite(h.border) && finite(h.direction) && finite(h.corner);
}

}  // namespace

double largest_eigenvalue(const BorderedDiagonal& h) {
  if (!all_finite(h)) return std::numeric_limits<double>::quiet_NaN();
  const double pole = h.diagonal.empty() ? 0 : std::max(h.diagonal[0], 0.0);
  const double corner = largest_eigenpair(h.corner, h.direction.size()).value;
  double low = std::max(pole, lower_bound(h));
  double high = std::max(low, upper_bound(h, corner));
  // Newton from the left never passes the root of a concave function; rounding may, and the pole
  // at delta_1 may hold it up, so every step is kept inside a shrinking bracket.
  double lambda = low > pole ? low : std::nextafter(pole, high);
  for (int step = 0; step < 128 && lambda > pole && lambda < high; ++step) {
    const Value g = characteristic(h, lambda);
    if (g.value > 0)
      high = lambda;
    else
      low = lambda;
    double next = lambda - g.value / g.slope;
    if (!(next > low && next < high)) next = low + (high - low) / 2;
    const bool settled =
        std::fabs(next - lambda) <= std::numeric_limits<double>::epsilon() * lambda;
    lambda = next;
    if (settled || !(low < lambda && lambda < high)) break;
  }
  return std::max(lambda, pole);
}

}  // namespace precipice
