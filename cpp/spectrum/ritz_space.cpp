#include "spectrum/ritz_space.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace precipice {

bool RitzSpace::orthogonalise(Vector& v, double least) const {
  if (!(normalise(v) > 0)) return false;
  // Twice is enough (Parlett, section 6.9): what is left is orthogonal to rounding.
  for (int pass = 0; pass < 2; ++pass) {
    for (const Vector& q : basis_) add_scaled(v, -dot(q, v), q);
    if (pass == 0 && !(norm(v) > least)) return false;
  }
  return normalise(v) > 0;
}

void RitzSpace::add(Vector v, Vector image) {
  basis_.push_back(std::move(v));
  images_.push_back(std::move(image));
  Vector row(size());
  for (std::size_t j = 0; j < size(); ++j) row[j] = dot(basis_[j], images_.back());
  compressed_.push_back(std::move(row));
}

void RitzSpace::solve() {
  const std::size_t n = size();
  Vector matrix(n * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) matrix[i * n + j] = matrix[j * n + i] = compressed_[i][j];
  spectrum_ = spectrum(std::move(matrix), n);
  order_.resize(n);
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [this](std::size_t a, std::size_t b) {
    return spectrum_.values[a] > spectrum_.values[b];
  });
}

double RitzSpace::largest_magnitude() const {
  return std::max(std::fabs(value(0)), std::fabs(value(size() - 1)));
}

Vector RitzSpace::combined(const std::vector<Vector>& vectors, std::size_t pair) const {
  Vector out(vectors[0].size(), 0.0);
  for (std::size_t i = 0; i < size(); ++i)
    add_scaled(out, spectrum_.vectors[i * size() + order_[pair]], vectors[i]);
  return out;
}

Vector RitzSpace::residual(std::size_t pair) const {
  Vector r = combined(images_, pair);
  add_scaled(r, -value(pair), vector(pair));
  return r;
}

void RitzSpace::compress(const std::vector<std::size_t>& pairs) {
  std::vector<Vector> basis, images, compressed;
  for (const std::size_t pair : pairs) {
    basis.push_back(vector(pair));
    images.push_back(combined(images_, pair));
    Vector row(basis.size(), 0.0);  // the compression is diagonal in its own eigenvectors
    row.back() = value(pair);
    compressed.push_back(std::move(row));
  }
  basis_ = std::move(basis);
  images_ = std::move(images);
  compressed_ = std::move(compressed);
}

}  // namespace precipice
