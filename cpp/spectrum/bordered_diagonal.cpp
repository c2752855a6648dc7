#include "spectrum/bordered_diagonal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "spectrum/symmetric_small.hpp"

namespace precipice {
namespace {

using Vector = std::vector<double>;

// H in the basis where its corner is diagonal: [diag(delta) b q^T; q b^T diag(gamma)].
struct Secular {
  Vector delta, b;
  Vector gamma, q;
};

// sum w_i^2 / (lambda - pole_i) and minus its derivative.
struct Sum {
  double value = 0, decrease = 0;
};
Sum poles(const Vector& pole, const Vector& weight, double lambda) {
  Sum sum;
  for (std::size_t i = 0; i < pole.size(); ++i) {
    if (weight[i] == 0) continue;  // deflated: the pole is an eigenvalue of its own
    const double ratio = weight[i] / (lambda - pole[i]);
    sum.value += ratio * weight[i];
    sum.decrease += ratio * ratio;
  }
  return sum;
}

// 1/psi - phi with phi over (delta, b) and psi over (gamma, q): zero where phi*psi = 1, at an
// eigenvalue. Beyond all poles it increases and is concave: phi is convex, and 1/psi is a parallel
// sum of the linear functions (lambda - gamma_j)/q_j^2.
struct Characteristic {
  double value, slope;
};
Characteristic characteristic(const Secular& h, double lambda) {
  const Sum phi = poles(h.delta, h.b, lambda), psi = poles(h.gamma, h.q, lambda);
  return {1 / psi.value - phi.value, psi.decrease / (psi.value * psi.value) + phi.decrease};
}

// The larger eigenvalue of [[a, b], [b, c]].
double larger_of_two(double a, double b, double c) {
  return (a + c) / 2 + std::hypot((a - c) / 2, b);
}

double largest(const Vector& x) {
  return x.empty() ? 0 : *std::max_element(x.begin(), x.end());
}

double largest_magnitude(const Vector& x) {
  double magnitude = 0;
  for (const double a : x) magnitude = std::max(magnitude, std::fabs(a));
  return magnitude;
}

double norm(const Vector& x) {
  double squares = 0;
  for (const double a : x) squares += a * a;
  return std::sqrt(squares);
}

bool all_finite(const BorderedDiagonal& h) {
  const auto finite = [](const Vector& x) {
    return std::all_of(x.begin(), x.end(), [](double a) { return std::isfinite(a); });
  };
  return finite(h.diagonal) && finite(h.border) && finite(h.direction) && finite(h.corner);
}

// The matrix divided by its scale, so that squares neither overflow nor vanish, with its corner
// diagonalised.
Secular secular(const BorderedDiagonal& h, double scale, double direction) {
  const auto divided = [](Vector x, double by) {
    for (double& a : x) a /= by;
    return x;
  };
  const std::size_t n = h.direction.size();
  SmallSpectrum corner = spectrum(divided(h.corner, scale), n);
  Vector q(n, 0.0);
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t k = 0; k < n; ++k)
      q[j] += corner.vectors[k * n + j] * (h.direction[k] / direction);
  return {divided(h.diagonal, scale), divided(h.border, scale / direction),
          std::move(corner.values), std::move(q)};
}

// The root beyond all poles, or the largest pole if the border leaves that untouched.
double largest_root(const Secular& h) {
  const double pole = std::max({largest(h.delta), largest(h.gamma), 0.0});
  const double border = norm(h.b) * norm(h.q);
  // Two by two compressions bound the root from below, one with the border's norm from above.
  double low = pole;
  for (std::size_t i = 0; i < h.delta.size(); ++i)
    for (std::size_t j = 0; j < h.gamma.size(); ++j)
      low = std::max(low, larger_of_two(h.delta[i], h.b[i] * h.q[j], h.gamma[j]));
  double high = std::max(low, larger_of_two(largest(h.delta), border, largest(h.gamma)));
  // Newton from the left never passes the root of a concave function; rounding may, and a pole
  // may hold it up, so that every step is kept inside a shrinking bracket.
  double lambda = low > pole ? low : std::nextafter(pole, high);
  for (int step = 0; step < 128 && pole < lambda && lambda < high; ++step) {
    const Characteristic g = characteristic(h, lambda);
    if (!std::isfinite(g.value)) break;  // nothing is coupled to the border
    (g.value > 0 ? high : low) = lambda;
    double next = lambda - g.value / g.slope;
    if (!(next > low && next < high)) next = low + (high - low) / 2;
    const bool settled =
        std::fabs(next - lambda) <= std::numeric_limits<double>::epsilon() * lambda;
    lambda = next;
    if (settled || !(low < lambda && lambda < high)) break;
  }
  return std::max(lambda, pole);
}

}  // namespace

double largest_eigenvalue(const BorderedDiagonal& h) {
  if (!all_finite(h)) return std::numeric_limits<double>::quiet_NaN();
  const double direction = largest_magnitude(h.direction);
  const double border = largest_magnitude(h.border) * direction;
  const double scale =
      std::max({largest_magnitude(h.diagonal), largest_magnitude(h.corner), border});
  if (!std::isfinite(scale)) return std::numeric_limits<double>::quiet_NaN();
  if (border == 0) {  // the blocks are apart
    const double corner = largest(spectrum(h.corner, h.direction.size()).values);
    return std::max({largest(h.diagonal), corner, 0.0});
  }
  return scale * largest_root(secular(h, scale, direction));
}

}  // namespace precipice
