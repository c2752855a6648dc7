#include "spectrum/bordered_diagonal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "spectrum/secular.hpp"
#include "spectrum/vectors.hpp"

namespace precipice {
namespace {

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
  const std::optional<Secular> scaled = secular(h);
  if (!scaled) return std::numeric_limits<double>::quiet_NaN();
  if (scaled->apart) return std::max({largest(scaled->delta), largest(scaled->gamma), 0.0});
  return scaled->scale * largest_root(*scaled);
}

}  // namespace precipice
