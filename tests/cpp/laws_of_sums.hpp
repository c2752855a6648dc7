// Sums and products in the written order, blocks of rows, diagonal and trainable matrices.
#pragma once

#include <cstddef>

#include "subject.hpp"

namespace precipice::test {

// W - eta*((kappa*a)*g), the update of a linear layer, and the same with kappa*a given.
struct OuterDescent {
  template <class Space, class Out, class W, class A, class G, class Eta, class Kappa>
  static void apply(Space& space, Out&& out, W w, A a, G g, Eta eta, Kappa kappa) {
    auto move = space.temporary(out);
    space.multiply(move, kappa, a);
    space.multiply(move, move, g);
    space.multiply(move, eta, move);
    space.subtract(out, w, move);
  }
};
struct OuterStep {
  template <class Space, class Out, class W, class A, class G, class Eta>
  static void apply(Space& space, Out&& out, W w, A kappa_a, G g, Eta eta) {
    auto move = space.temporary(out);
    space.multiply(move, kappa_a, g);
    space.multiply(move, eta, move);
    space.subtract(out, w, move);
  }
};

// Every row in one block, in ascending order, and no other.
template <class Space>
void laws_of_iteration(Subject<Space>& on, const typename Space::Matrix& x, std::size_t n) {
  std::size_t covered = 0;
  for (Rows rows = on.space.first_rows(x); !on.space.done(x, rows);
       rows = on.space.next_rows(x, rows)) {
    CHECK(rows.begin == covered && rows.end > rows.begin && rows.end <= n, on.format.name, n,
          rows.begin, rows.end);
    covered = rows.end;
  }
  CHECK(covered == n, on.format.name, n, covered);
  on.stop = true;
  CHECK(on.space.stopped() && on.space.done(x, on.space.first_rows(x)), on.format.name);
  on.stop = false;
}

template <class Space>
void products_by_blocks(Subject<Space>& on, const typename Space::Matrix& x,
                        typename Space::Array f, typename Space::Array u, typename Space::Array g,
                        typename Space::Array z) {
  Space& space = on.space;
  for (Rows rows = space.first_rows(x); !space.done(x, rows); rows = space.next_rows(x, rows)) {
    space.matvec(f, x, rows, u);
    space.matvec_transposed(g, x, rows, z);
  }
}

template <class Space>
void laws_of_products(Subject<Space>& on, const Values& x, const Values& u, const Values& z) {
  const auto& in = on.oracle;
  const std::size_t n = z.size(), d = u.size();
  const Values f = in.matvec(x, u), g = in.matvec_transposed(x, z);
  Space& space = on.space;
  const auto matrix = space.matrix(n, d, texts(x));
  const auto columns = on.array(u), rows = on.array(z);
  const auto f_out = on.array(z), g_out = on.array(u);
  products_by_blocks(on, matrix, f_out, columns, g_out, rows);
  on.expect("X u", f_out, f);
  on.expect("X^T z", g_out, g);
  laws_of_iteration(on, matrix, n);

  const auto weights = space.weights(n, d);
  for (std::size_t q = 0; q < n; ++q) {
    on.expect("new weights", space.row_of(weights, q), Values(d, in.integer(0)));
    for (std::size_t k = 0; k < d; ++k)
      space.assign(space.row_of(weights, q), k, texts({x[q * d + k]}), 0);
  }
  const auto t = on.array(z), b = on.array(u);
  space.matvec(t, weights, columns);
  on.expect("W g", t, f);
  space.matvec_transposed(b, weights, rows);
  on.expect("a W", b, g);
}

template <class Space>
void laws_of_a_shape(Subject<Space>& on, std::size_t n, std::size_t d, Kind kind) {
  const Values x = on.draws.numbers(n * d, kind);
  laws_of_products(on, x, on.draws.numbers(d, kind), on.draws.numbers(n, kind));
}

// Every product is -0, and so is every sum of them: a zero added on the way, of a row that is not
// there or to begin with, would make it +0.
template <class Space>
void laws_of_negative_zeros(Subject<Space>& on, std::size_t n, std::size_t d) {
  Slow zero = on.oracle.integer(0);
  mpfr_neg(zero.get(), zero.get(), MPFR_RNDN);
  const Slow one = on.oracle.integer(1);
  laws_of_products(on, Values(n * d, zero), Values(d, one), Values(n, one));
}

template <class Space>
void laws_of_map_outer(Subject<Space>& on, std::size_t m, std::size_t d, Kind kind) {
  const auto& in = on.oracle;
  const Values w = on.draws.numbers(m * d, kind);
  const Values a = on.draws.numbers(m, kind), g = on.draws.numbers(d, kind);
  const Slow eta = on.draws.number(kind), kappa = on.draws.number(kind);
  Values kappa_a, updated;
  for (std::size_t q = 0; q < m; ++q) {
    kappa_a.push_back(in.multiply(kappa, a[q]));
    for (std::size_t k = 0; k < d; ++k)
      updated.push_back(
          in.subtract(w[q * d + k], in.multiply(eta, in.multiply(in.multiply(kappa, a[q]), g[k]))));
  }
  Space& space = on.space;
  const auto first = space.weights(m, d), second = space.weights(m, d);
  const ExactVector text = texts(w);
  for (std::size_t i = 0; i < w.size(); ++i)
    for (const auto& weights : {first, second})
      space.assign(space.row_of(weights, i / d), i % d, text, i);
  on.stop = true;  // an update is not left half done
  space.template map_outer<OuterDescent>(first, on.array(a), on.array(g), on.scalar(eta),
                                         on.scalar(kappa));
  on.stop = false;
  space.template map_outer<OuterStep>(second, on.array(kappa_a), on.array(g), on.scalar(eta));
  for (std::size_t q = 0; q < m; ++q) {
    const auto row = updated.begin() + static_cast<std::ptrdiff_t>(q * d);
    const Values expected(row, row + static_cast<std::ptrdiff_t>(d));
    on.expect("W - eta*((kappa*a)*g)", space.row_of(first, q), expected);
    on.expect("W - eta*(kappa_a*g)", space.row_of(second, q), expected);
  }
  // The products see what was updated, and the rows beyond the last one stay out of them.
  const auto t = on.array(a), b = on.array(g);
  space.matvec(t, first, on.array(g));
  on.expect("W g, updated", t, in.matvec(updated, g));
  space.matvec_transposed(b, first, on.array(a));
  on.expect("a W, updated", b, in.matvec_transposed(updated, a));
}

template <class Space>
void laws_of_a_diagonal(Subject<Space>& on, std::size_t n, Kind kind) {
  const Values sigma = on.draws.numbers(n, kind);
  const Values o = on.draws.numbers(n, kind), z = on.draws.numbers(n, kind);
  Values f, g;
  for (std::size_t i = 0; i < n; ++i) {
    f.push_back(on.oracle.multiply(sigma[i], o[i]));
    g.push_back(on.oracle.multiply(sigma[i], z[i]));
  }
  const auto matrix = on.space.diagonal_matrix(n, texts(sigma));
  const auto f_out = on.array(z), g_out = on.array(o);
  products_by_blocks(on, matrix, f_out, on.array(o), g_out, on.array(z));
  on.expect("diagonal X u", f_out, f);
  on.expect("diagonal X^T z", g_out, g);
  laws_of_iteration(on, matrix, n);
}

template <class Space>
void laws_of_dot(Subject<Space>& on, std::size_t n, Kind kind) {
  const Values a = on.draws.numbers(n, kind), b = on.draws.numbers(n, kind);
  const auto x = on.array(a), y = on.array(b);
  const auto s = on.space.scalar();
  on.space.dot(s, x, y);
  on.expect("dot", s, on.oracle.dot(a, b));
  on.space.dot(s, x, x);
  on.expect("dot with itself", s, on.oracle.dot(a, a));
}

template <class Space>
void laws_of_product(Subject<Space>& on, std::size_t n, Kind kind) {
  const Values v = on.draws.numbers(n, kind);
  const auto x = on.array(v);
  const auto s = on.space.scalar();
  on.space.product(s, x, skip_none);
  on.expect("product", s, on.oracle.product(v, skip_none));
  for (std::size_t skip = 0; n > 1 && skip < n; ++skip) {
    on.space.product(s, x, skip);
    on.expect("product without one", s, on.oracle.product(v, skip));
  }
}

}  // namespace precipice::test
