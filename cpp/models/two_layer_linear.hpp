// The two-layer linear network (Wang, Li and Li 2022, C.1), f(x) = c a^T W x with c = 1/sqrt(m),
// or 1: W (m, d) and a (m), trained on X (N, d) and y (N).
//
// c and kappa, the factor of c and of the loss on a gradient, are given, each rounded as the
// written order has it: c = 1 / RN(sqrt(m)), kappa = (1 / N)*c for half_mean, (2 / N)*c for mean, c
// for half_sum, 2*c for sum. Where the network is not scaled c is 1, and multiplying by it changes
// nothing.
//
// Program of one evaluation, each operation rounded once, to the format of what it is written to;
// `collapsed` multiplies W and a first and costs 3md + 2Nd:
//
// clang-format off
//   b_k = sum_q a_q W[q,k]     F_i = c * sum_k X[i,k] b_k     z_i = F_i - y_i
//   g_k = sum_i X[i,k] z_i     t_q = kappa * sum_k W[q,k] g_k
//   dL/dW[q,k] = (kappa*a_q)*g_k                              dL/da_q = t_q
//
// and `layerwise` goes through the hidden layer as a framework does, 2mdN:
//
//   H[q,i] = sum_k X[i,k] W[q,k]     F_i = c * sum_q a_q H[q,i]     z_i = F_i - y_i
//   e_i = kappa*z_i                                           dL/da_q = sum_i H[q,i] e_i
//                                                             dL/dW[q,k] = sum_i X[i,k] (a_q*e_i)
// clang-format on
//
// In spectral coordinates X = diag(sigma), y = d and W is (m, r), its rows' parts along the right
// singular vectors; the sums over k in F and H, and those over i in g and dL/dW, have one term:
// sigma_i*b_i, sigma_i*W[q,i], sigma_i*z_i and sigma_i*(a_q*e_i).
//
// With biases, b1 (m) of the hidden layer and b2 (1) of the output, f(x) = c a^T (W x + b1) + b2.
// b1 is the last column of W on data whose last column is all ones: it adds a last term to the sums
// over k, from which 1*b is left out as it is b. b2 is added after c. kappa_L is kappa without c:
// 1 / N for half_mean, 2 / N for mean, 1 for half_sum, 2 for sum. What changes in `collapsed`,
//
// clang-format off
//   beta = sum_q a_q b1_q                F_i = c * ((sum_k X[i,k] b_k) + beta)
//   z_i = (F_i + b2) - y_i               s = sum_i z_i
//   t_q = kappa * ((sum_k W[q,k] g_k) + b1_q*s)
//   dL/db1_q = (kappa*a_q)*s             dL/db2 = kappa_L*s
//
// and in `layerwise`:
//
//   H[q,i] = (sum_k X[i,k] W[q,k]) + b1_q
//   z_i = (F_i + b2) - y_i               s = sum_i z_i
//   dL/db1_q = sum_i a_q*e_i             dL/db2 = kappa_L*s
// clang-format on
#pragma once

#include <cstddef>

#include "linalg/space.hpp"
#include "models/element_programs.hpp"
#include "models/training_data.hpp"

namespace precipice {

enum class Contraction { collapsed, layerwise };

template <class Space>
struct TwoLayerLinear {
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;
  using Weights = typename Space::Weights;
  using Data = TrainingData<Space>;

  struct Factors {
    Scalar c, kappa, kappa_L;
  };
  struct Parameters {
    Weights W;
    Array a;
    Array b1, b2;  // empty where the network has no biases
    PRECIPICE_HOST_DEVICE bool biased() const { return b2.size > 0; }
  };
  struct Work {
    Array F, z;  // predictions and residuals (N)
    Array t;     // dL/da (m)
    Scalar L;
    Array b, g, ka;  // collapsed: W^T a and X^T z (d), kappa*a (m),
    Array row;       // and dL/dW[q, .] (d)
    Weights H, dW;   // layerwise: activations (m, N), dL/dW (m, d),
    Array e, share;  // kappa*z and a_q*e (N)
    // With biases: ones (N), dL/db1 (m) and dL/db2 (1).
    Array ones, db1, db2;
    Scalar beta, s;
  };

  // Residuals and loss, and what the gradient needs of X.
  PRECIPICE_HOST_DEVICE static void evaluate(Space& space, const Data& data, const Factors& factors,
                                             const Parameters& theta, const Work& w,
                                             Contraction contraction) {
    if (contraction == Contraction::collapsed) {
      collapsed(space, data, factors, theta, w);
    } else {
      layerwise(space, data, factors, theta, w);
      space.template map<Multiply>(w.e, factors.kappa, w.z);
    }
    if (theta.biased()) space.dot(w.s, w.ones, w.z);
    loss_of_residuals(space, data, w.z, w.L);
  }

  // Residuals and loss alone.
  PRECIPICE_HOST_DEVICE static void residuals(Space& space, const Data& data,
                                              const Factors& factors, const Parameters& theta,
                                              const Work& w, Contraction contraction) {
    if (contraction == Contraction::collapsed) {
      contract(space, theta, w);
      for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
           rows = space.next_rows(data.X, rows))
        residuals_of(rows, space, data, factors, theta, w);
    } else {
      layerwise(space, data, factors, theta, w);
    }
    loss_of_residuals(space, data, w.z, w.L);
  }

  // dL/da, and what the rows of dL/dW need.
  PRECIPICE_HOST_DEVICE static void gradient(Space& space, const Data& data, const Factors& factors,
                                             const Parameters& theta, const Work& w,
                                             Contraction contraction) {
    if (contraction == Contraction::collapsed) {
      space.template map<Multiply>(w.ka, factors.kappa, theta.a);
      space.matvec(w.t, theta.W, w.g);
      if (theta.biased()) {
        space.template map<AddProduct>(w.t, w.t, theta.b1, w.s);
        space.template map<Multiply>(w.db1, w.ka, w.s);
        space.template map<Multiply>(w.db2, factors.kappa_L, w.s);
      }
      space.template map<Multiply>(w.t, factors.kappa, w.t);
      return;
    }
    space.matvec(w.t, w.H, w.e);
    if (theta.biased()) space.template map<Multiply>(w.db2, factors.kappa_L, w.s);
    for (std::size_t q = 0; q < theta.a.size; ++q) {
      space.template map<Multiply>(w.share, space.element_of(theta.a, q), w.e);
      for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
           rows = space.next_rows(data.X, rows))
        space.matvec_transposed(space.row_of(w.dW, q), data.X, rows, w.share);
      if (theta.biased()) space.dot(space.element_of(w.db1, q), w.ones, w.share);
    }
  }

  // Gradient descent, of the collapsed contraction: dL/da and the next parameters in one pass over
  // W. In place of gradient() and a step of every block; finished even if stopped.
  PRECIPICE_HOST_DEVICE static Change descend(Space& space, const Factors& factors,
                                              const Parameters& theta, const Parameters& next,
                                              const Work& w, Scalar eta) {
    const Rows all{0, theta.a.size};
    space.template map_rows<Multiply>(all, w.ka, factors.kappa, theta.a);
    Change change = space.descend_outer(next.W, theta.W, eta, w.ka, w.g, w.t);
    space.template map_rows<Multiply>(all, w.t, factors.kappa, w.t);
    change &= space.descend(next.a, theta.a, eta, w.t);
    return change;
  }

  // dL/dW[q, .]; finished even if stopped.
  PRECIPICE_HOST_DEVICE static Array gradient_of_row(Space& space, const Work& w, std::size_t q,
                                                     Contraction contraction) {
    if (contraction == Contraction::layerwise) return space.row_of(w.dW, q);
    space.template map_rows<Multiply>({0, w.row.size}, w.row, space.element_of(w.ka, q), w.g);
    return w.row;
  }

 private:
  // The network as one linear function: b, beta.
  PRECIPICE_HOST_DEVICE static void contract(Space& space, const Parameters& theta, const Work& w) {
    space.matvec_transposed(w.b, theta.W, theta.a);
    if (theta.biased()) space.dot(w.beta, theta.a, theta.b1);
  }
  PRECIPICE_HOST_DEVICE static void residuals_of(Rows rows, Space& space, const Data& data,
                                                 const Factors& factors, const Parameters& theta,
                                                 const Work& w) {
    space.matvec(w.F, data.X, rows, w.b);
    if (!theta.biased())
      return space.template map_rows<Residual>(rows, w.z, w.F, factors.c, data.y);
    const Scalar b2 = space.element_of(theta.b2, 0);
    space.template map_rows<Add>(rows, w.F, w.F, w.beta);
    space.template map_rows<ShiftedResidual>(rows, w.z, w.F, factors.c, b2, data.y);
  }

  PRECIPICE_HOST_DEVICE static void collapsed(Space& space, const Data& data,
                                              const Factors& factors, const Parameters& theta,
                                              const Work& w) {
    contract(space, theta, w);
    for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
         rows = space.next_rows(data.X, rows)) {
      residuals_of(rows, space, data, factors, theta, w);
      space.matvec_transposed(w.g, data.X, rows, w.z);
    }
  }

  PRECIPICE_HOST_DEVICE static void layerwise(Space& space, const Data& data,
                                              const Factors& factors, const Parameters& theta,
                                              const Work& w) {
    for (std::size_t q = 0; q < theta.a.size; ++q) {
      const Array h = space.row_of(w.H, q);
      for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
           rows = space.next_rows(data.X, rows))
        space.matvec(h, data.X, rows, space.row_of(theta.W, q));
      if (theta.biased()) space.template map<Add>(h, h, space.element_of(theta.b1, q));
    }
    space.matvec_transposed(w.F, w.H, theta.a);
    if (theta.biased())
      space.template map<ShiftedResidual>(w.z, w.F, factors.c, space.element_of(theta.b2, 0),
                                          data.y);
    else
      space.template map<Residual>(w.z, w.F, factors.c, data.y);
  }
};

}  // namespace precipice
