// The Space of a Team (linalg/team.hpp): the lanes of a GPU, or of one thread, that carry out one
// run together, in sequential or blocked order. Its boundary is the caller's, who has the memory.
//
// Every lane has a LaneSpace of its own, and all of them make the same calls. Each call says which
// arrays it accesses, and waits where a lane could meet another's elements (linalg/hazards.hpp);
// what was written outside the Space is to be behind a barrier.
//
// Arrays of a run of several blocks are distributed over all its lanes, or replicated: every block
// has a copy and computes it for itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "linalg/hazards.hpp"
#include "linalg/lane_arrays.hpp"
#include "linalg/lane_element.hpp"
#include "linalg/lane_phases.hpp"
#include "linalg/lane_sums.hpp"
#include "linalg/space.hpp"
#include "linalg/team.hpp"
#include "numbers/lane_numbers.hpp"
#include "numbers/order.hpp"

namespace precipice {

template <class Numbers, class Team>
class LaneSpace {
 public:
  using T = typename Numbers::Number;
  using Number = T;
  using Array = LaneArray<T, Team::one_lane>;
  using Scalar = LaneScalar<T>;
  using Integer = LaneInteger<T>;
  using Matrix = LaneMatrix<T>;
  using Weights = LaneWeights<T, Team::one_lane>;
  // One pass draws in another order than two.
  static constexpr bool fuses_descent = !Numbers::draws;
  static constexpr std::uint32_t most_arrays = LanePhases<Team>::most_arrays;
  // Words of memory that all lanes of a run see, for take_change().
  static constexpr std::uint32_t change_words = LanePhases<Team>::change_words;

  // Arrays of the numbers in the set `replicated` are copied by every block of a grid. The key of
  // the draws is (seed, run).
  PRECIPICE_HOST_DEVICE LaneSpace(Team& team, const Numbers& numbers, Order order,
                                  std::uint32_t replicated, unsigned* words, std::uint64_t seed = 0,
                                  std::uint64_t run = 0)
      : phases_(team, replicated, words), numbers_(numbers), order_(order), draws_(seed, run) {}

  PRECIPICE_HOST_DEVICE void begin_step(std::int64_t step) { draws_.begin_step(step); }

  // arrays
  template <class Program, class... In>
  PRECIPICE_HOST_DEVICE void map(Array out, In... in) {
    map_rows<Program>({0, out.size}, out, in...);
  }
  template <class Program, class... In>
  PRECIPICE_HOST_DEVICE void map(Scalar out, In... in) {
    begin_call();
    Accesses next;
    Phases::written_by_first(next, out);
    (..., phases_.read_by_first(next, in, out.id));
    phases_.before(next);
    phases_.for_each(out.id, 1,
                     [&](std::uint32_t) { apply<Program>(0, *out.data, element(in, 0)...); });
  }
  template <class Program, class... In>
  PRECIPICE_HOST_DEVICE void map_rows(Rows rows, Array out, In... in) {
    begin_call();
    Accesses next{.own_writes = bit(out)};
    (..., phases_.read(next, in, out.id));
    phases_.before(next);
    phases_.for_each(out.id, static_cast<std::uint32_t>(rows.end), [&](std::uint32_t i) {
      if (i >= rows.begin) apply<Program>(i, out[i], element(in, i)...);
    });
  }
  template <class Program, class... In>
  PRECIPICE_HOST_DEVICE void map_outer(const Weights& w, Array a, Array g, In... in) {
    begin_call();
    Accesses next{.reads = bit(a), .own_writes = bit(w)};
    phases_.read(next, g, w.id);
    (..., phases_.read(next, in, w.id));
    phases_.before(next);
    phases_.for_each(w.id, w.columns, [&](std::uint32_t k) {
      for (std::uint32_t q = 0; q < w.rows; ++q)
        apply<Program>(std::uint64_t(q) * w.columns + k, w(q, k), w(q, k), a[q], g[k],
                       element(in, 0)...);
    });
  }

  // The Change is what take_change() says.
  PRECIPICE_HOST_DEVICE Change descend(Array next, Array current, Scalar eta, Array g) {
    begin_call();
    Accesses accesses{.reads = bit(eta), .own_writes = bit(next)};
    phases_.read(accesses, current, next.id);
    phases_.read(accesses, g, next.id);
    phases_.before(accesses);
    unsigned changed = 0;
    phases_.for_each(next.id, next.size, [&](std::uint32_t i) {
      auto in = at(i);
      T x;
      in.multiply(x, *eta.data, g[i]);
      in.subtract(x, current[i], x);
      changed |= replaced(next[i], current[i], x);
    });
    return note(changed);
  }
  PRECIPICE_HOST_DEVICE Change replace(Array next, Array current, Array value) {
    Accesses accesses{.own_writes = bit(next)};
    phases_.read(accesses, current, next.id);
    phases_.read(accesses, value, next.id);
    phases_.before(accesses);
    unsigned changed = 0;
    phases_.for_each(next.id, next.size, [&](std::uint32_t i) {
      changed |= replaced(next[i], current[i], T(value[i]));
    });
    return note(changed);
  }
  PRECIPICE_HOST_DEVICE Change descend_outer(const Weights& next, const Weights& current,
                                             Scalar eta, Array a, Array g, Array t) {
    if (order_ == Order::sequential) matvec(t, current, g);
    const auto update = [&](std::size_t q, std::size_t k) {
      auto in = at(0);
      T x;
      in.multiply(x, a[q], g[k]);
      in.multiply(x, *eta.data, x);
      in.subtract(x, current(q, k), x);
      return replaced(next(q, k), current(q, k), x);
    };
    unsigned changed = 0;
    if (order_ == Order::sequential) {
      phases_.before({.own_reads = bit(current),
                      .reads = bit(eta) | bit(a) | bit(g),
                      .own_writes = bit(next)});
      phases_.for_each(next.id, next.columns, [&](std::uint32_t k) {
        for (std::uint32_t q = 0; q < next.rows; ++q) changed |= update(q, k);
      });
    } else {
      phases_.before(
          {.reads = bit(current) | bit(eta) | bit(a) | bit(g), .writes = bit(next) | bit(t)});
      warps_of_sums(
          t, current.rows, current.columns,
          [&](std::size_t q, std::size_t k) {
            changed |= update(q, k);
            return current(q, k);
          },
          g);
    }
    return note(changed);
  }
  // What the updates since the last time did, the same for every lane.
  PRECIPICE_HOST_DEVICE Change take_change() {
    const unsigned changed = phases_.take();
    return {(changed & moved) != 0, (changed & away) == 0};
  }

  // sums; of all rows at once
  PRECIPICE_HOST_DEVICE void matvec(Array f, const Matrix& x, Rows, Array u) {
    if (x.diagonal) return scale(f, x, u);
    if (Team::one_lane || order_ == Order::blocked)
      return along_rows(
          f, x.rows, x.columns, sums_of(f, 0),
          [&x](std::size_t i, std::size_t k) { return x.by_rows[i * x.columns + k]; }, u);
    along_rows(
        f, x.rows, x.columns, sums_of(f, 0),
        [&x](std::size_t i, std::size_t k) { return x.by_columns[k * x.rows + i]; }, u);
  }
  PRECIPICE_HOST_DEVICE void matvec_transposed(Array g, const Matrix& x, Rows, Array z) {
    if (x.diagonal) return scale(g, x, z);
    down_rows(
        g, x.rows, x.columns, {},
        [&x](std::size_t i, std::size_t k) { return x.by_rows[i * x.columns + k]; }, z);
  }
  PRECIPICE_HOST_DEVICE void matvec(Array t, const Weights& w, Array g) {
    along_rows(
        t, w.rows, w.columns, sums_of(t, bit(w)),
        [&w](std::size_t q, std::size_t k) { return w(q, k); }, g);
  }
  PRECIPICE_HOST_DEVICE void matvec_transposed(Array b, const Weights& w, Array a) {
    Accesses next;
    phases_.read(next, w, b.id);
    down_rows(
        b, w.rows, w.columns, next, [&w](std::size_t q, std::size_t k) { return w(q, k); }, a);
  }
  PRECIPICE_HOST_DEVICE void dot(Scalar s, Array a, Array b) {
    Accesses next{.reads = bit(a)};
    Phases::written_by_first(next, s);
    along_rows(
        {s.data, 1, 1, s.id}, 1, a.size, next, [&a](std::size_t, std::size_t k) { return a[k]; },
        b);
  }
  PRECIPICE_HOST_DEVICE void product(Scalar s, Array v, std::size_t skip) {
    begin_call();
    Accesses next;
    phases_.read_by_first(next, element_of(v, 0), s.id);
    Phases::written_by_first(next, s);
    phases_.before(next);
    phases_.for_each(s.id, 1, [&](std::uint32_t) {
      DrawsOf<Numbers> draws = draws_of(0);
      std::uint32_t j = skip == 0 ? 1 : 0;
      T result = v[j];
      while (++j < v.size)
        if (j != skip) result = numbers_.multiply(result, v[j], draws.at(j));
      *s.data = result;
    });
  }

  // iteration: all rows in one block
  PRECIPICE_HOST_DEVICE static Rows first_rows(const Matrix& x) { return {0, x.rows}; }
  PRECIPICE_HOST_DEVICE static Rows next_rows(const Matrix& x, Rows) { return {x.rows, x.rows}; }
  PRECIPICE_HOST_DEVICE static bool done(const Matrix& x, Rows rows) {
    return rows.begin >= x.rows;
  }
  PRECIPICE_HOST_DEVICE static bool stopped() { return false; }

  PRECIPICE_HOST_DEVICE static Scalar element_of(Array a, std::size_t j) {
    return {&a[static_cast<std::uint32_t>(j)], a.id, a.size > 1};
  }
  PRECIPICE_HOST_DEVICE static Array row_of(const Weights& w, std::size_t q) {
    return {&w(static_cast<std::uint32_t>(q), 0), w.columns, w.stride, w.id};
  }

  // What every lane may decide on.
  PRECIPICE_HOST_DEVICE T value(Scalar s) {
    phases_.before({.reads = bit(s)});
    return *s.data;
  }
  PRECIPICE_HOST_DEVICE bool finite(Array a) {
    phases_.before({.reads = bit(a)});
    return !phases_.any(a.size, [&](std::uint32_t i) { return !(a[i] - a[i] == T(0)); });
  }

 private:
  using Phases = LanePhases<Team>;
  using Element = LaneElement<Numbers>;

  template <class A>
  PRECIPICE_HOST_DEVICE static std::uint32_t bit(const A& a) {
    return Phases::bit(a);
  }
  static constexpr unsigned moved = 1, away = 2;

  // The draws of this call.
  PRECIPICE_HOST_DEVICE void begin_call() { draws_.begin_call(); }
  PRECIPICE_HOST_DEVICE DrawsOf<Numbers> draws_of(std::uint64_t element) const {
    if constexpr (Numbers::draws)
      return {draws_, element};
    else
      return {};
  }
  PRECIPICE_HOST_DEVICE Element at(std::uint64_t element) const {
    return {numbers_, draws_of(element)};
  }
  template <class Program, class... In>
  PRECIPICE_HOST_DEVICE void apply(std::uint64_t i, T& out, In... in) const {
    Element space = at(i);
    Program::apply(space, out, in...);
  }
  PRECIPICE_HOST_DEVICE static T element(const Array& a, std::uint32_t i) { return a[i]; }
  PRECIPICE_HOST_DEVICE static T element(const Scalar& s, std::uint32_t) { return *s.data; }
  PRECIPICE_HOST_DEVICE static Integer element(const Integer& n, std::uint32_t) { return n; }

  // Only equal finite numbers differ by zero: underflow is gradual and Inf - Inf is NaN.
  PRECIPICE_HOST_DEVICE static unsigned replaced(T& next, T current, T x) {
    const unsigned changed = (x - current == T(0) ? 0 : moved) | (x - next == T(0) ? 0 : away);
    next = x;
    return changed;
  }
  PRECIPICE_HOST_DEVICE Change note(unsigned changed) {
    phases_.raise(changed);
    return {};
  }

  template <class X>
  PRECIPICE_HOST_DEVICE auto sum(std::uint64_t element, std::uint32_t n, X x,
                                 const Array& y) const {
    const auto y_k = [&y](std::size_t k) { return y[k]; };
    return LaneSum<Numbers, X, decltype(y_k)>(numbers_, draws_of(element), n, x, y_k);
  }
  // The sums of a product with a matrix: each by a lane, or by a warp, whose first lane stores it.
  PRECIPICE_HOST_DEVICE Accesses sums_of(const Array& out, std::uint32_t reads) const {
    if (order_ == Order::sequential) return {.reads = reads, .own_writes = bit(out)};
    return {.reads = reads, .writes = bit(out)};
  }
  // out_i = sum_k x(i, k) y_k; `next` says what x reads and how out is written.
  template <class X>
  PRECIPICE_HOST_DEVICE void along_rows(Array out, std::uint32_t rows, std::uint32_t terms,
                                        Accesses next, X x, Array y) {
    begin_call();
    next.reads |= bit(y);
    phases_.before(next);
    if (order_ == Order::blocked) return warps_of_sums(out, rows, terms, x, y);
    phases_.for_each(out.id, rows, [&](std::uint32_t i) {
      out[i] = sum(i, terms, [&](std::size_t k) { return x(i, k); }, y).sequential();
    });
  }
  template <class X>
  PRECIPICE_HOST_DEVICE void warps_of_sums(Array out, std::uint32_t rows, std::uint32_t terms, X x,
                                           const Array& y) {
    const std::uint32_t partials = terms < lanes_of_a_warp ? terms : lanes_of_a_warp;
    const auto sum_of = [&](std::uint32_t i) {
      return sum(i, terms, [&x, i](std::size_t k) { return x(i, k); }, y);
    };
    const auto partial = [&](std::uint32_t i, std::uint32_t r) {
      return sum_of(i).part(r, terms, lanes_of_a_warp);
    };
    const auto combine = [&](std::uint32_t i, T a, T b, std::uint32_t place) {
      return sum_of(i).combine(a, b, place);
    };
    const auto store = [&](std::uint32_t i, T s) { out[i] = s; };
    phases_.warps(out.id, rows, partials, partial, combine, store);
  }
  // out_k = sum_i x(i, k) y_i.
  template <class X>
  PRECIPICE_HOST_DEVICE void down_rows(Array out, std::uint32_t terms, std::uint32_t columns,
                                       Accesses next, X x, Array y) {
    begin_call();
    next.reads |= bit(y);
    next.own_writes |= bit(out);
    phases_.before(next);
    phases_.for_each(out.id, columns, [&](std::uint32_t k) {
      const auto column = sum(k, terms, [&](std::size_t i) { return x(i, k); }, y);
      out[k] = order_ == Order::blocked ? column.down_the_rows() : column.sequential();
    });
  }
  // A product with a diagonal matrix: sums of one term.
  PRECIPICE_HOST_DEVICE void scale(Array out, const Matrix& diagonal, Array in) {
    begin_call();
    Accesses next{.own_writes = bit(out)};
    phases_.read(next, in, out.id);
    phases_.before(next);
    phases_.for_each(out.id, diagonal.rows, [&](std::uint32_t i) {
      out[i] = numbers_.multiply(diagonal.by_rows[i], in[i], draws_of(i).at(0));
    });
  }

  Phases phases_;
  const Numbers& numbers_;
  const Order order_;
  LaneDraws draws_;
};

}  // namespace precipice
