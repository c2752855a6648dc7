// The minimalist model as the loop sees it: data, parameters and work arrays in one Space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "linalg/space.hpp"
#include "models/minimalist.hpp"
#include "numbers/exact.hpp"
#include "training/gradient_descent.hpp"
#include "training/simulation.hpp"

namespace precipice {

struct MinimalistSpec {
  // Primal coordinates: X is (N, d) and rows = N. Spectral coordinates: X is diag(sigma), y and u
  // are d and o, and rows = features = r.
  bool diagonal = false;
  std::size_t samples = 0;                          // N, of the loss's normalisation
  std::size_t rows = 0, features = 0, factors = 0;  // of X; D-1
  ExactVector X, y, u, v, step_size;
  Loss loss = Loss::half_mean;
};

template <class Space>
class MinimalistTrainee {
 public:
  using Model = Minimalist<Space>;
  using Parameters = typename Model::Parameters;

  MinimalistTrainee(const Format& format, const MinimalistSpec& spec)
      : space_(format, stop_),
        data_{matrix(spec),
              vector(spec.y),
              spec.loss,
              {space_.integer(2), integer(spec.samples), integer(2 * spec.samples)}},
        current_{vector(spec.u), vector(spec.v)},
        other_{space_.array(spec.features), space_.array(spec.factors)},
        work_{space_.array(spec.rows),
              space_.array(spec.rows),
              space_.array(spec.features),
              space_.array(spec.factors),
              space_.scalar(),
              space_.scalar(),
              space_.scalar(),
              space_.scalar()},
        optimizer_{space_.scalar()},
        step_size_(space_.array(1)),
        loss_factor_(loss_factor(spec.loss, spec.samples)) {
    space_.assign(step_size_, 0, spec.step_size, 0);
    space_.assign(optimizer_.eta, spec.step_size, 0);
  }

  StopFlag& stop_flag() { return stop_; }

  // Loss and gradient at the current parameters; false if stopped before they were finished.
  bool evaluate() {
    Model::gradient(space_, data_, current_, work_);
    Model::loss(space_, data_, work_);
    return !space_.stopped();
  }
  // Computes the next parameters from the gradient; accept() makes them the current ones.
  Change update() {
    Change change = optimizer_.step(space_, other_.u, current_.u, work_.g);
    return change &= optimizer_.step(space_, other_.v, current_.v, work_.h);
  }
  void accept() { std::swap(current_, other_); }

  // Where X is dense, a non-finite u_k makes every pre-activation non-finite (0*Inf is NaN, and no
  // sum recovers), so a finite f_0 vouches for all of u without looking at it.
  bool parameters_finite() const {
    if (!space_.is_finite(current_.v)) return false;
    const bool vouched = !data_.X.diagonal && space_.is_finite({work_.f.data, 1});
    return vouched || space_.is_finite(current_.u);
  }

  double measured_loss() const { return measured_loss_of(work_.z); }
  double loss_of_labels() const { return measured_loss_of(data_.y); }
  DoubleLog2 loss() { return space_.measure(work_.L); }
  double step_size() const { return Space::to_double(step_size_, 0); }

  void preactivations(std::vector<double>& f) const { to_doubles(work_.f, f); }
  void parameters(std::vector<double>& u, std::vector<double>& v) const {
    to_doubles(current_.u, u);
    to_doubles(current_.v, v);
  }
  void factors(std::vector<double>& v) const { to_doubles(current_.v, v); }
  std::vector<NamedValues> exact_parameters() { return exact(current_); }
  std::vector<NamedValues> exact_previous_parameters() { return exact(other_); }
  void restore(const std::vector<NamedValues>& current, const std::vector<NamedValues>& previous) {
    assign(current_, current);
    assign(other_, previous);
  }

 private:
  typename Space::Matrix matrix(const MinimalistSpec& spec) {
    return spec.diagonal ? space_.diagonal_matrix(spec.rows, spec.X)
                         : space_.matrix(spec.rows, spec.features, spec.X);
  }
  typename Space::Array vector(const ExactVector& values) {
    const auto a = space_.array(size(values));
    for (std::size_t i = 0; i < a.size; ++i) space_.assign(a, i, values, i);
    return a;
  }
  typename Space::Integer integer(std::size_t n) { return space_.integer(static_cast<long>(n)); }
  double measured_loss_of(typename Space::Array z) const {
    double squares = 0;
    for (std::size_t i = 0; i < z.size; ++i) {
      const double x = Space::to_double(z, i);
      squares += x * x;
    }
    return loss_factor_ * squares;
  }
  static void to_doubles(typename Space::Array a, std::vector<double>& out) {
    out.resize(a.size);
    for (std::size_t i = 0; i < a.size; ++i) out[i] = Space::to_double(a, i);
  }
  std::vector<NamedValues> exact(const Parameters& theta) {
    return {{"u", texts(theta.u)}, {"v", texts(theta.v)}};
  }
  void assign(const Parameters& theta, const std::vector<NamedValues>& blocks) {
    for (const NamedValues& block : blocks) {
      const auto a = block.name == "u" ? theta.u : theta.v;
      if (block.text.size() != a.size)
        throw std::invalid_argument("state = " + block.name + " of " +
                                    std::to_string(block.text.size()) + " numbers: must be " +
                                    std::to_string(a.size));
      const ExactVector values(block.text);
      for (std::size_t i = 0; i < a.size; ++i) space_.assign(a, i, values, i);
    }
  }
  std::vector<std::string> texts(typename Space::Array a) {
    std::vector<std::string> text(a.size);
    for (std::size_t i = 0; i < a.size; ++i) text[i] = space_.exact(a, i);
    return text;
  }

  StopFlag stop_{false};
  Space space_;
  typename Model::Data data_;
  Parameters current_, other_;  // theta_t, and theta_{t-1} that theta_{t+1} will replace
  typename Model::Work work_;
  GradientDescent<Space> optimizer_;
  typename Space::Array step_size_;
  double loss_factor_;  // kappa
};

}  // namespace precipice
