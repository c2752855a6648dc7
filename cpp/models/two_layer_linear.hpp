// The two-layer linear network (Wang, Li and Li 2022, C.1), f(x) = c a^T W x with c = 1/sqrt(m),
// or 1: W (m, d) and a (m), trained on X (N, d) and y (N).
//
// c and kappa, the factor of c and of the loss on a gradient, are given, each rounded as the
// written order has it: c = 1 / RN(sqrt(m)), kappa = (1 / N)*c for half_mean, (2 / N)*c for mean, c
// for half_sum, 2*c for sum. Where the network is not scaled c is 1, and multiplying by it changes
// nothing.
//
// Program of one evaluation, each operation rounded once to the working format; `collapsed`
// multiplies W and a first and costs 3md + 2Nd:
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
    Scalar c, kappa;
  };
  struct Parameters {
    Weights W;
    Array a;
  };
  struct Work {
    Array F, z;  // predictions and residuals (N)
    Array t;     // dL/da (m)
    Scalar L;
    Array b, g, ka;  // collapsed: W^T a and X^T z (d), kappa*a (m),
    Array row;       // and dL/dW[q, .] (d)
    Weights H, dW;   // layerwise: activations (m, N), dL/dW (m, d),
    Array e, share;  // kappa*z and a_q*e (N)
  };

  // Residuals, and what the gradient needs of X.
  PRECIPICE_HOST_DEVICE static void evaluate(Space& space, const Data& data, const Factors& factors,
                                             const Parameters& theta, const Work& w,
                                             Contraction contraction) {
    if (contraction == Contraction::collapsed)
      collapsed(space, data, factors, theta, w);
    else
      layerwise(space, data, factors, theta, w);
    loss_of_residuals(space, data, w.z, w.L);
  }

  // dL/da, and what the rows of dL/dW need.
  PRECIPICE_HOST_DEVICE static void gradient(Space& space, const Data& data, const Factors& factors,
                                             const Parameters& theta, const Work& w,
                                             Contraction contraction) {
    if (contraction == Contraction::collapsed) {
      space.template map<Multiply>(w.ka, factors.kappa, theta.a);
      space.matvec(w.t, theta.W, w.g);
      space.template map<Multiply>(w.t, factors.kappa, w.t);
      return;
    }
    space.matvec(w.t, w.H, w.e);
    for (std::size_t q = 0; q < theta.a.size; ++q) {
      space.template map<Multiply>(w.share, space.element_of(theta.a, q), w.e);
      for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
           rows = space.next_rows(data.X, rows))
        space.matvec_transposed(space.row_of(w.dW, q), data.X, rows, w.share);
    }
  }

  // dL/dW[q, .]; finished even if stopped.
  PRECIPICE_HOST_DEVICE static Array gradient_of_row(Space& space, const Work& w, std::size_t q,
                                                     Contraction contraction) {
    if (contraction == Contraction::layerwise) return space.row_of(w.dW, q);
    space.template map_rows<Multiply>({0, w.row.size}, w.row, space.element_of(w.ka, q), w.g);
    return w.row;
  }

 private:
  PRECIPICE_HOST_DEVICE static void collapsed(Space& space, const Data& data,
                                              const Factors& factors, const Parameters& theta,
                                              const Work& w) {
    space.matvec_transposed(w.b, theta.W, theta.a);
    for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
         rows = space.next_rows(data.X, rows)) {
      space.matvec(w.F, data.X, rows, w.b);
      space.template map_rows<Residual>(rows, w.z, w.F, factors.c, data.y);
      space.matvec_transposed(w.g, data.X, rows, w.z);
    }
  }

  PRECIPICE_HOST_DEVICE static void layerwise(Space& space, const Data& data,
                                              const Factors& factors, const Parameters& theta,
                                              const Work& w) {
    for (std::size_t q = 0; q < theta.a.size; ++q)
      for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
           rows = space.next_rows(data.X, rows))
        space.matvec(space.row_of(w.H, q), data.X, rows, space.row_of(theta.W, q));
    space.matvec_transposed(w.F, w.H, theta.a);
    space.template map<Residual>(w.z, w.F, factors.c, data.y);
    space.template map<Multiply>(w.e, factors.kappa, w.z);
  }
};

}  // namespace precipice
