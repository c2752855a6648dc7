#include "bench/plain_mpfr.hpp"

namespace precipice {

PlainMpfrArray::PlainMpfrArray(std::size_t n, long precision)
    : size_(n), numbers_(std::make_unique<mpfr_t[]>(n)) {
  for (std::size_t i = 0; i < n; ++i) {
    mpfr_init2(numbers_[i], precision);
    mpfr_set_zero(numbers_[i], 1);
  }
}

PlainMpfrArray::PlainMpfrArray(const ExactVector& values, const Format& format)
    : PlainMpfrArray(size(values), format.precision) {
  for (std::size_t i = 0; i < size_; ++i) round_to_format(numbers_[i], values, i, format);
}

PlainMpfrArray::~PlainMpfrArray() {
  for (std::size_t i = 0; i < size_; ++i) mpfr_clear(numbers_[i]);
}

PlainMpfr::PlainMpfr(const Format& format, const BenchmarkData& data)
    : samples_(size(data.y)),
      features_(size(data.u)),
      x_(data.X, format),
      y_(data.y, format),
      u_(data.u, format),
      v_(data.v, format),
      eta_(data.step_size, format),
      f_(samples_, format.precision),
      z_(samples_, format.precision),
      g_(features_, format.precision),
      loss_(1, format.precision),
      s_(1, format.precision),
      term_(1, format.precision) {}

void PlainMpfr::advance(std::int64_t steps, Outer preactivations_outer, Outer gradient_outer) {
  for (std::int64_t step = 0; step < steps; ++step) {
    preactivations(preactivations_outer);
    residuals();
    evaluate_loss();
    gradient(gradient_outer);
    scale_gradient();
    descend();
    update_v();
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

void PlainMpfr::residuals() {
  for (std::size_t i = 0; i < samples_; ++i) {
    mpfr_mul(z_[i], f_[i], v_[0], MPFR_RNDN);
    mpfr_sub(z_[i], z_[i], y_[i], MPFR_RNDN);
  }
}

// L = ||z||^2 / 2N
void PlainMpfr::evaluate_loss() {
  mpfr_ptr term = term_[0], loss = loss_[0];
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

// g = ((X^T z) v) / N, and s = (sum_i z_i f_i) / N
void PlainMpfr::scale_gradient() {
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
  }
}

void PlainMpfr::descend() {
  mpfr_ptr term = term_[0];
  for (std::size_t k = 0; k < features_; ++k) {
    mpfr_mul(term, eta_[0], g_[k], MPFR_RNDN);
    mpfr_sub(u_[k], u_[k], term, MPFR_RNDN);
  }
}

void PlainMpfr::update_v() {
  mpfr_ptr term = term_[0];
  mpfr_mul(term, eta_[0], s_[0], MPFR_RNDN);
  mpfr_sub(v_[0], v_[0], term, MPFR_RNDN);
}

std::vector<std::string> PlainMpfr::texts(PlainMpfrArray& a, std::size_t n) {
  std::vector<std::string> text(n);
  for (std::size_t i = 0; i < n; ++i) text[i] = exact_text(a[i]);
  return text;
}

double PlainMpfr::loss() {
  return mpfr_get_d(loss_[0], MPFR_RNDN);
}

}  // namespace precipice
