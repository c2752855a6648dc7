#include "bench/plain_mpfr.hpp"

#include "numbers/exact.hpp"

namespace precipice {

PlainMpfrArray::PlainMpfrArray(std::size_t n, long precision)
    : size_(n), numbers_(std::make_unique<mpfr_t[]>(n)) {
  for (std::size_t i = 0; i < n; ++i) {
    mpfr_init2(numbers_[i], precision);
    mpfr_set_zero(numbers_[i], 1);
  }
}

PlainMpfrArray::PlainMpfrArray(const std::vector<double>& values, long precision)
    : PlainMpfrArray(values.size(), precision) {
  for (std::size_t i = 0; i < values.size(); ++i) mpfr_set_d(numbers_[i], values[i], MPFR_RNDN);
}

PlainMpfrArray::~PlainMpfrArray() {
  for (std::size_t i = 0; i < size_; ++i) mpfr_clear(numbers_[i]);
}

PlainMpfr::PlainMpfr(long precision, const std::vector<double>& X, const std::vector<double>& y,
                     const std::vector<double>& u, double v, double eta)
    : samples_(y.size()),
      features_(u.size()),
      x_(X, precision),
      y_(y, precision),
      u_(u, precision),
      v_(std::vector{v}, precision),
      eta_(std::vector{eta}, precision),
      f_(samples_, precision),
      z_(samples_, precision),
      g_(features_, precision),
      loss_(1, precision),
      s_(1, precision),
      term_(1, precision) {}

void PlainMpfr::advance(std::int64_t steps, Outer preactivations_outer, Outer gradient_outer) {
  for (std::int64_t step = 0; step < steps; ++step) {
    preactivations(preactivations_outer);
    residuals_and_loss();
    gradient(gradient_outer);
    update();
  }
}

void PlainMpfr::preactivations(Outer outer) {
  const std::size_t N = samples_, d = features_;
  mpfr_ptr term = term_[0];
  if (outer == Outer::rows) {
    for (std::size_t i = 0; i < N; ++i) {
      mpfr_mul(f_[i], x_[i * d], u_[0], MPFR_RNDN);
      for (std::size_t k = 1; k < d; ++k) {
        mpfr_mul(term, x_[i * d + k], u_[k], MPFR_RNDN);
        mpfr_add(f_[i], f_[i], term, MPFR_RNDN);
      }
    }
  } else {
    for (std::size_t i = 0; i < N; ++i) mpfr_mul(f_[i], x_[i * d], u_[0], MPFR_RNDN);
    for (std::size_t k = 1; k < d; ++k)
      for (std::size_t i = 0; i < N; ++i) {
        mpfr_mul(term, x_[i * d + k], u_[k], MPFR_RNDN);
        mpfr_add(f_[i], f_[i], term, MPFR_RNDN);
      }
  }
}

// z = f v - y and L = ||z||^2 / 2N
void PlainMpfr::residuals_and_loss() {
  mpfr_ptr term = term_[0], loss = loss_[0];
  for (std::size_t i = 0; i < samples_; ++i) {
    mpfr_mul(z_[i], f_[i], v_[0], MPFR_RNDN);
    mpfr_sub(z_[i], z_[i], y_[i], MPFR_RNDN);
  }
  mpfr_mul(loss, z_[0], z_[0], MPFR_RNDN);
  for (std::size_t i = 1; i < samples_; ++i) {
    mpfr_mul(term, z_[i], z_[i], MPFR_RNDN);
    mpfr_add(loss, loss, term, MPFR_RNDN);
  }
  mpfr_div_ui(loss, loss, 2 * samples_, MPFR_RNDN);
}

void PlainMpfr::gradient(Outer outer) {
  const std::size_t N = samples_, d = features_;
  mpfr_ptr term = term_[0];
  if (outer == Outer::rows) {
    for (std::size_t k = 0; k < d; ++k) mpfr_mul(g_[k], x_[k], z_[0], MPFR_RNDN);
    for (std::size_t i = 1; i < N; ++i)
      for (std::size_t k = 0; k < d; ++k) {
        mpfr_mul(term, x_[i * d + k], z_[i], MPFR_RNDN);
        mpfr_add(g_[k], g_[k], term, MPFR_RNDN);
      }
  } else {
    for (std::size_t k = 0; k < d; ++k) {
      mpfr_mul(g_[k], x_[k], z_[0], MPFR_RNDN);
      for (std::size_t i = 1; i < N; ++i) {
        mpfr_mul(term, x_[i * d + k], z_[i], MPFR_RNDN);
        mpfr_add(g_[k], g_[k], term, MPFR_RNDN);
      }
    }
  }
}

// u -= eta ((X^T z) v) / N and v -= eta (sum_i z_i f_i) / N, both at the old u and v
void PlainMpfr::update() {
  mpfr_ptr term = term_[0], s = s_[0];
  mpfr_mul(s, z_[0], f_[0], MPFR_RNDN);
  for (std::size_t i = 1; i < samples_; ++i) {
    mpfr_mul(term, z_[i], f_[i], MPFR_RNDN);
    mpfr_add(s, s, term, MPFR_RNDN);
  }
  mpfr_div_ui(s, s, samples_, MPFR_RNDN);
  for (std::size_t k = 0; k < features_; ++k) {
    mpfr_mul(g_[k], g_[k], v_[0], MPFR_RNDN);
    mpfr_div_ui(g_[k], g_[k], samples_, MPFR_RNDN);
    mpfr_mul(term, eta_[0], g_[k], MPFR_RNDN);
    mpfr_sub(u_[k], u_[k], term, MPFR_RNDN);
  }
  mpfr_mul(term, eta_[0], s, MPFR_RNDN);
  mpfr_sub(v_[0], v_[0], term, MPFR_RNDN);
}

std::vector<std::string> PlainMpfr::u() {
  std::vector<std::string> text(features_);
  for (std::size_t k = 0; k < features_; ++k) text[k] = exact_text(u_[k]);
  return text;
}

std::string PlainMpfr::v() {
  return exact_text(v_[0]);
}

double PlainMpfr::loss() {
  return mpfr_get_d(loss_[0], MPFR_RNDN);
}

}  // namespace precipice
