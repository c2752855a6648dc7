// The minimalist model (Yoo, Song and Yun 2025, eq. 1): a deep linear network with one neuron a
// layer, f(x) = (x.u) v_1 ... v_{D-1}, depth D >= 2, trained on X (N, d) and y (N).
//
// Program of one evaluation, each operation rounded once, to the format of what it is written to:
//
// clang-format off
//   f_i = sum_k X[i,k] u[k]      P = v_1 ... v_{D-1}      z_i = f_i*P - y_i
//   L   = (sum_i z_i*z_i) / 2N                              half_mean; the others: loss.hpp
//   g_k = ((sum_i X[i,k] z_i) * P) / N                      dL/du_k
//   s   = sum_i z_i*f_i
//   h_j = (s * prod_{q != j} v_q) / N                       dL/dv_j; no product for D = 2
// clang-format on
#pragma once

#include <cstddef>

#include "linalg/space.hpp"
#include "models/element_programs.hpp"
#include "models/training_data.hpp"

namespace precipice {

template <class Space>
struct Minimalist {
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;
  using Data = TrainingData<Space>;
  struct Parameters {
    Array u, v;
  };
  struct Work {
    Array f, z;  // pre-activations X u and residuals, (N)
    Array g, h;  // gradient with respect to u (d) and v (D-1)
    Scalar P, s, L, q;
  };

  PRECIPICE_HOST_DEVICE static void gradient(Space& space, const Data& data,
                                             const Parameters& theta, const Work& w) {
    space.product(w.P, theta.v, skip_none);
    for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
         rows = space.next_rows(data.X, rows)) {
      space.matvec(w.f, data.X, rows, theta.u);
      space.template map_rows<Residual>(rows, w.z, w.f, w.P, data.y);
      space.matvec_transposed(w.g, data.X, rows, w.z);
    }
    space.template map<Multiply>(w.g, w.g, w.P);
    apply_gradient_factor(space, data.loss, data.integers, w.g);

    space.dot(w.s, w.z, w.f);
    for (std::size_t j = 0; j < theta.v.size && !space.stopped(); ++j) {
      const Scalar h_j = space.element_of(w.h, j);
      if (theta.v.size == 1) {
        space.template map<Copy>(h_j, w.s);
      } else {
        space.product(w.q, theta.v, j);
        space.template map<Multiply>(h_j, w.s, w.q);
      }
    }
    apply_gradient_factor(space, data.loss, data.integers, w.h);
  }

  // f and z alone.
  PRECIPICE_HOST_DEVICE static void residuals(Space& space, const Data& data,
                                              const Parameters& theta, const Work& w) {
    space.product(w.P, theta.v, skip_none);
    for (Rows rows = space.first_rows(data.X); !space.done(data.X, rows);
         rows = space.next_rows(data.X, rows)) {
      space.matvec(w.f, data.X, rows, theta.u);
      space.template map_rows<Residual>(rows, w.z, w.f, w.P, data.y);
    }
  }

  PRECIPICE_HOST_DEVICE static void loss(Space& space, const Data& data, const Work& w) {
    loss_of_residuals(space, data, w.z, w.L);
  }
};

}  // namespace precipice
