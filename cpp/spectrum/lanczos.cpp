#include "spectrum/lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include "spectrum/ritz_space.hpp"

namespace precipice {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
// A product's rounding, relative to the operator's norm: what no residual can be seen below.
constexpr double rounding = 16 * epsilon;

// Entries between -1 and 1, the same on every machine.
Vector random_vector(std::size_t n, std::mt19937_64& generator) {
  Vector v(n);
  for (double& x : v) x = std::ldexp(static_cast<double>(generator() >> 11), -52) - 1;
  return v;
}

class Search {
 public:
  Search(const Operator& multiply, std::size_t n, const WantedPairs& wanted,
         const LanczosLimits& limits)
      : multiply_(multiply), n_(n), wanted_(wanted), limits_(limits) {
    const std::size_t pairs = wanted.largest + (wanted.smallest ? 1 : 0);
    limits_.basis = std::max(limits.basis, 3 * (pairs + guards));
  }

  Eigenpairs run(const std::vector<Vector>& start) {
    if (n_ <= limits_.basis) {
      add_everything();
    } else {
      add_block(start);
      enlarge_for_guards();
    }
    while (finite_) {
      space_.solve();
      measure();
      if (finished() || !enlarge()) break;
    }
    return finite_ ? gathered() : not_finite();
  }

 private:
  // Ritz vectors beyond those wanted, kept for the next start: they hold what may overtake.
  static constexpr std::size_t guards = 1;

  // The whole space: what comes out is exact to rounding.
  void add_everything() {
    for (std::size_t i = 0; i < n_ && finite_; ++i) {
      Vector unit(n_, 0.0);
      unit[i] = 1;
      add(std::move(unit));
    }
  }

  void add_block(const std::vector<Vector>& start) {
    const std::size_t block = wanted_.largest + guards + (wanted_.smallest ? 1 : 0);
    for (std::size_t i = 0; i < start.size() && i < block && finite_; ++i) {
      Vector v = start[i];
      if (v.size() != n_ || !all_finite(v)) continue;
      // A little of everything, lest a direction that had no part in the last block be missed.
      if (i == wanted_.largest) add_scaled(v, noise / std::sqrt(n_), random_vector(n_, generator_));
      if (space_.orthogonalise(v, 1e-8)) add(std::move(v));
    }
    while (space_.size() < block && finite_) {
      Vector v = random_vector(n_, generator_);
      if (space_.orthogonalise(v, 1e-8)) add(std::move(v));
    }
  }

  // However good the start: eigenvectors that have no part in it, and whose eigenvalues grow along
  // a run, come into the guards product by product.
  void enlarge_for_guards() {
    for (int product = 0; product < guard_products && finite_; ++product) {
      space_.solve();
      Vector direction = space_.residual(wanted_.largest);
      if (!space_.orthogonalise(direction, 1e-2)) return;
      add(std::move(direction));
    }
  }

  void add(Vector v) {
    Vector image(n_);
    multiply_(image, v);
    ++products_;
    finite_ = all_finite(image);
    if (finite_) space_.add(std::move(v), std::move(image));
  }

  // The residuals of the wanted pairs: the largest in descending order, then the smallest.
  void measure() {
    norm_ = space_.largest_magnitude();
    residuals_.clear();
    lengths_.clear();
    for (const std::size_t pair : wanted_pairs()) {
      residuals_.push_back(space_.residual(pair));
      lengths_.push_back(std::max(norm(residuals_.back()), rounding * norm_));
    }
  }
  std::vector<std::size_t> wanted_pairs() const {
    std::vector<std::size_t> pairs;
    for (std::size_t i = 0; i < wanted_.largest; ++i) pairs.push_back(i);
    if (wanted_.smallest) pairs.push_back(space_.size() - 1);
    return pairs;
  }
  bool converged(std::size_t i) const {
    const bool closer = i == 0 && limits_.first_tolerance > 0;
    const double tolerance = closer ? limits_.first_tolerance : limits_.tolerance;
    return space_.size() == n_ || lengths_[i] <= std::max(tolerance, 2 * rounding) * norm_;
  }
  bool finished() const {
    for (std::size_t i = 0; i < lengths_.size(); ++i)
      if (!converged(i)) return false;
    return true;
  }

  // Adds the direction of the longest residual; false if no product is left.
  bool enlarge() {
    if (products_ >= limits_.products) return false;
    Vector direction;
    double longest = 0;
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      if (converged(i) || !(lengths_[i] > longest)) continue;
      longest = lengths_[i];
      direction = residuals_[i];
    }
    if (space_.size() == limits_.basis) restart();
    while (!space_.orthogonalise(direction, 1e-2)) direction = random_vector(n_, generator_);
    add(std::move(direction));
    return finite_;
  }

  // Half the basis: the wanted pairs, and beyond them those that come next.
  void restart() {
    const std::size_t kept = limits_.basis / 2;
    const std::size_t below =
        wanted_.smallest ? std::max<std::size_t>(1, kept / (wanted_.largest + 1)) : 0;
    std::vector<std::size_t> pairs;
    for (std::size_t i = 0; i < kept - below; ++i) pairs.push_back(i);
    for (std::size_t i = space_.size() - below; i < space_.size(); ++i) pairs.push_back(i);
    space_.compress(pairs);
  }

  Eigenpair pair(std::size_t ritz, std::size_t i) const {
    return {space_.value(ritz), space_.vector(ritz), lengths_[i], converged(i)};
  }
  Eigenpairs gathered() const {
    Eigenpairs found;
    found.products = products_;
    for (std::size_t i = 0; i < wanted_.largest; ++i) found.largest.push_back(pair(i, i));
    for (std::size_t i = 0; i < std::min(wanted_.largest + guards, space_.size()); ++i)
      found.start.push_back(space_.vector(i));
    if (wanted_.smallest) {
      found.smallest = pair(space_.size() - 1, wanted_.largest);
      found.start.push_back(found.smallest.vector);
    }
    return found;
  }
  Eigenpairs not_finite() const {
    Eigenpairs found;
    found.products = products_;
    found.smallest = {nan, Vector(n_, nan), nan, false};
    found.largest.assign(wanted_.largest, found.smallest);
    return found;
  }

  static constexpr double noise = 0.3;
  static constexpr int guard_products = 2;

  const Operator& multiply_;
  std::size_t n_;
  WantedPairs wanted_;
  LanczosLimits limits_;
  RitzSpace space_;
  std::mt19937_64 generator_{20221101};
  bool finite_ = true;
  int products_ = 0;
  double norm_ = 0;
  std::vector<Vector> residuals_;
  Vector lengths_;
};

}  // namespace

Eigenpairs eigenpairs(const Operator& multiply, std::size_t n, const WantedPairs& wanted,
                      const std::vector<Vector>& start, const LanczosLimits& limits) {
  if (wanted.largest > n)
    throw std::invalid_argument("top = " + std::to_string(wanted.largest) +
                                ": must be at most the space's " + std::to_string(n) +
                                " dimensions");
  return Search(multiply, n, wanted, limits).run(start);
}

}  // namespace precipice
