// Vectors of float64, for measuring: sums in eight partial ones, so that they are the same on every
// machine and lie in vector registers on most.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace precipice {

using Vector = std::vector<double>;

inline double dot(const Vector& a, const Vector& b) {
  constexpr std::size_t lanes = 8;
  double sums[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= a.size(); i += lanes)
    for (std::size_t j = 0; j < lanes; ++j) sums[j] += a[i + j] * b[i + j];
  for (std::size_t j = 0; i < a.size(); ++i, ++j) sums[j] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

// Whatever the size of the entries: their squares may overflow or vanish.
inline double norm(const Vector& a) {
  double largest = 0;
  for (const double x : a) largest = std::max(largest, std::fabs(x));
  if (largest == 0 || (largest > 1e-140 && largest < 1e140) || !std::isfinite(largest))
    return std::sqrt(dot(a, a));
  Vector scaled = a;
  for (double& x : scaled) x /= largest;
  return largest * std::sqrt(dot(scaled, scaled));
}

inline void add_scaled(Vector& a, double factor, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

// Scales to length 1; the length before. A vector of length 0 is left as it is.
inline double normalise(Vector& a) {
  const double length = norm(a);
  if (length > 0)
    for (double& x : a) x /= length;
  return length;
}

inline bool all_finite(const Vector& a) {
  return std::all_of(a.begin(), a.end(), [](double x) { return std::isfinite(x); });
}

}  // namespace precipice
