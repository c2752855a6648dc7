// The step of gradient descent along an outer product, and the product that it takes along.
#pragma once

#include <cstddef>
#include <vector>

#include "subject.hpp"

namespace precipice::test {

// W (m, d) at a step and the one before, and the step.
struct OuterStepCase {
  Values current, before, a, g;
  Slow eta;

  Values updated(const SlowArithmetic& in) const {
    Values next;
    for (std::size_t i = 0; i < current.size(); ++i)
      next.push_back(
          in.subtract(current[i], in.multiply(eta, in.multiply(a[i / g.size()], g[i % g.size()]))));
    return next;
  }
};

template <class Space>
typename Space::Weights weights_of(Subject<Space>& on, std::size_t m, const Values& w) {
  const std::size_t d = w.size() / m;
  const auto weights = on.space.weights(m, d);
  const ExactVector text = texts(w);
  for (std::size_t i = 0; i < w.size(); ++i)
    on.space.assign(on.space.row_of(weights, i / d), i % d, text, i);
  return weights;
}

template <class Space>
void expect_rows(Subject<Space>& on, const char* what, const typename Space::Weights& weights,
                 const Values& expected) {
  const auto d = static_cast<std::ptrdiff_t>(weights.columns);
  for (std::size_t q = 0; q < weights.rows; ++q) {
    const auto row = expected.begin() + static_cast<std::ptrdiff_t>(q) * d;
    on.expect(what, on.space.row_of(weights, q), Values(row, row + d));
  }
}

template <class Space>
void expect_outer_descent(Subject<Space>& on, const OuterStepCase& step) {
  const Values expected = step.updated(on.oracle);
  bool moved = false, returned = true;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    moved = moved || !repeats(expected[i], step.current[i]);
    returned = returned && repeats(expected[i], step.before[i]);
  }
  const std::size_t m = step.a.size();
  const auto next = weights_of(on, m, step.before), current = weights_of(on, m, step.current);
  const auto t = on.space.array(m);
  on.stop = true;  // an update is not left half done
  const Change change = on.space.descend_outer(next, current, on.scalar(step.eta), on.array(step.a),
                                               on.array(step.g), t);
  on.stop = false;
  expect_rows(on, "W - eta*(a*g)", next, expected);
  expect_rows(on, "W afterwards", current, step.current);
  on.expect("W g, of the old W", t, on.oracle.matvec(step.current, step.g));
  CHECK(change.moved == moved, on.format.name, m, step.g.size());
  CHECK(change.returned == returned, on.format.name, m, step.g.size());
}

// Any numbers; then a step that returns, one that changes nothing, and both but for one element,
// which differs by as little as it can, by the sign of a zero, or is not finite.
template <class Space>
void laws_of_outer_descent(Subject<Space>& on, std::size_t m, std::size_t d, Kind kind) {
  const Slow zero = on.oracle.integer(0), one = on.oracle.integer(1);
  const std::size_t odd = on.draws.below(m * d);
  OuterStepCase step{on.draws.numbers(m * d, kind), on.draws.numbers(m * d, kind),
                     on.draws.numbers(m, kind), on.draws.numbers(d, kind), on.draws.number(kind)};
  expect_outer_descent(on, step);
  step.before = step.updated(on.oracle);
  expect_outer_descent(on, step);  // returned, if finite
  step.before[odd] = on.oracle.next_above(step.before[odd]);
  expect_outer_descent(on, step);
  step.before = step.current;
  step.eta = zero;
  expect_outer_descent(on, step);  // stays, if finite
  step.eta = one;
  step.a = Values(m, zero);
  step.g = Values(d, zero);
  step.a[odd / d] = one;
  step.g[odd % d] = step.current[odd];
  expect_outer_descent(on, step);  // one element moves, if it was not 0
  step.current = step.before = Values(m * d, zero);
  mpfr_neg(step.before[odd].get(), zero.get(), MPFR_RNDN);
  expect_outer_descent(on, step);
  for (const char* special : {"inf", "nan"}) {
    mpfr_strtofr(step.before[odd].get(), special, nullptr, 0, MPFR_RNDN);
    step.current = Values(m * d, zero);
    expect_outer_descent(on, step);
    step.current = step.before;
    expect_outer_descent(on, step);
  }
}

}  // namespace precipice::test
