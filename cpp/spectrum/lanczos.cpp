#include "spectrum/lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "spectrum/symmetric_small.hpp"

namespace precipice {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void add_scaled(Vector& a, double factor, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

// Scales to length 1; the length before.
double normalise(Vector& a) {
  const double length = std::sqrt(dot(a, a));
  if (length > 0)
    for (double& x : a) x /= length;
  return length;
}

// An orthonormal basis of a Krylov space, and the tridiagonal matrix of the operator in it.
struct Basis {
  std::vector<Vector> vectors;
  Vector diagonal, below;

  // Twice is enough (Parlett, section 6.9): what is left is orthogonal to rounding.
  void remove_from(Vector& w) const {
    for (int pass = 0; pass < 2; ++pass)
      for (const Vector& q : vectors) add_scaled(w, -dot(q, w), q);
  }

  struct Ritz {
    double value;
    Vector coordinates;
  };
  Ritz largest() const {
    const std::size_t n = diagonal.size();
    Vector matrix(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      matrix[i * n + i] = diagonal[i];
      if (i + 1 < n) matrix[i * n + i + 1] = matrix[(i + 1) * n + i] = below[i];
    }
    const SmallSpectrum all = spectrum(matrix, n);
    const auto largest = static_cast<std::size_t>(
        std::max_element(all.values.begin(), all.values.end()) - all.values.begin());
    Ritz ritz{all.values[largest], Vector(n)};
    for (std::size_t i = 0; i < n; ++i) ritz.coordinates[i] = all.vectors[i * n + largest];
    return ritz;
  }
  Vector combined(const Vector& coordinates) const {
    Vector out(vectors[0].size(), 0.0);
    for (std::size_t i = 0; i < coordinates.size(); ++i)
      add_scaled(out, coordinates[i], vectors[i]);
    return out;
  }
};

bool finite(const Vector& a) {
  return std::all_of(a.begin(), a.end(), [](double x) { return std::isfinite(x); });
}

Eigenpair not_finite(Eigenpair pair) {
  pair.value = pair.residual = std::numeric_limits<double>::quiet_NaN();
  return pair;
}

// One Krylov space from pair.vector; true if no further one is needed.
bool expand(const Operator& multiply, const LanczosLimits& limits, Eigenpair& pair) {
  Basis basis;
  basis.vectors.push_back(pair.vector);
  Vector w(pair.vector.size());
  double scale = 0;  // the largest product seen: rounding of the operator is relative to it
  for (;;) {
    multiply(w, basis.vectors.back());
    ++pair.products;
    if (!finite(w)) {
      pair = not_finite(pair);
      return true;
    }
    scale = std::max(scale, std::sqrt(dot(w, w)));
    basis.diagonal.push_back(dot(basis.vectors.back(), w));
    basis.remove_from(w);
    const double beta = normalise(w);
    const Basis::Ritz ritz = basis.largest();
    pair.value = ritz.value;
    // ||A x - theta x|| = beta |last coordinate| in exact arithmetic.
    const double rounding = std::numeric_limits<double>::epsilon() * scale;
    pair.residual = std::max(beta * std::fabs(ritz.coordinates.back()), rounding);
    const bool invariant = beta <= 8 * rounding;
    pair.converged =
        pair.residual <= std::max(limits.tolerance * std::fabs(pair.value), 8 * rounding);
    const bool full = basis.vectors.size() == static_cast<std::size_t>(limits.basis);
    if (pair.converged || invariant || full || pair.products == limits.products) {
      pair.vector = basis.combined(ritz.coordinates);
      normalise(pair.vector);
      pair.converged = pair.converged || invariant;
      return pair.converged || pair.products == limits.products;
    }
    basis.below.push_back(beta);
    basis.vectors.push_back(w);
  }
}

}  // namespace

Eigenpair largest_eigenpair(const Operator& multiply, Vector start, const LanczosLimits& limits) {
  Eigenpair pair;
  pair.vector = std::move(start);
  const double length = normalise(pair.vector);
  if (!(length > 0) || !finite(pair.vector)) return not_finite(pair);
  while (!expand(multiply, limits, pair)) {
  }
  return pair;
}

}  // namespace precipice
