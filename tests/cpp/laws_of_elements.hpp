// What a Space does element by element: programs, integers, descent.
#pragma once

#include <cstddef>
#include <utility>

#include "models/element_programs.hpp"
#include "subject.hpp"

namespace precipice::test {

struct Add {  // a+b
  template <class Space, class Out, class A, class B>
  static void apply(Space& space, Out&& out, A a, B b) {
    space.add(out, a, b);
  }
};
struct Subtract {  // a-b
  template <class Space, class Out, class A, class B>
  static void apply(Space& space, Out&& out, A a, B b) {
    space.subtract(out, a, b);
  }
};
struct MultiplyByInteger {  // a*n
  template <class Space, class Out, class A, class Integer>
  static void apply(Space& space, Out&& out, A a, Integer n) {
    space.multiply_by_integer(out, a, n);
  }
};
struct Descend {  // a - b*c
  template <class Space, class Out, class A, class B, class C>
  static void apply(Space& space, Out&& out, A a, B b, C c) {
    auto move = space.temporary(out);
    space.multiply(move, b, c);
    space.subtract(out, a, move);
  }
};

// Arrays, a Scalar among them, and the output in the place of an input.
template <class Space>
void laws_of_map(Subject<Space>& on, std::size_t n, Kind kind) {
  const auto& in = on.oracle;
  const Values a = on.draws.numbers(n, kind), b = on.draws.numbers(n, kind);
  const Slow c = on.draws.number(kind);
  Values sum, difference, product, residual, descent;
  for (std::size_t i = 0; i < n; ++i) {
    sum.push_back(in.add(a[i], b[i]));
    difference.push_back(in.subtract(a[i], b[i]));
    product.push_back(in.multiply(a[i], c));
    residual.push_back(in.subtract(in.multiply(a[i], c), b[i]));
    descent.push_back(in.subtract(a[i], in.multiply(c, b[i])));
  }
  Space& space = on.space;
  const auto x = on.array(a), y = on.array(b), out = space.array(n);
  const auto s = on.scalar(c);
  space.template map<Add>(out, x, y);
  on.expect("a + b", out, sum);
  space.template map<Subtract>(out, x, y);
  on.expect("a - b", out, difference);
  space.template map<Multiply>(out, x, s);
  on.expect("a * s", out, product);
  space.template map<Residual>(out, x, s, y);
  on.expect("a * s - b", out, residual);
  space.template map<Descend>(out, x, s, y);
  on.expect("a - s * b", out, descent);
  space.template map<Copy>(out, x);
  on.expect("copy", out, a);
  space.template map<Descend>(out, out, s, y);
  on.expect("a - s * b in place of a", out, descent);
  on.assign(out, b);
  space.template map<Descend>(out, x, s, out);
  on.expect("a - s * b in place of b", out, descent);
  const auto one = space.scalar();
  space.template map<Residual>(one, space.element_of(x, n - 1), s, space.element_of(y, n - 1));
  on.expect("a * s - b of scalars", one, residual.back());
  on.expect("a afterwards", x, a);
  on.expect("b afterwards", y, b);
}

template <class Space>
void laws_of_map_rows(Subject<Space>& on, std::size_t n, Kind kind) {
  const Values a = on.draws.numbers(n, kind), before = on.draws.numbers(n, kind);
  const Slow c = on.draws.number(kind);
  const std::size_t end = on.draws.below(n + 1), begin = on.draws.below(end + 1);
  Values expected = before;
  for (std::size_t i = begin; i < end; ++i) expected[i] = on.oracle.multiply(a[i], c);
  const auto out = on.array(before);
  on.space.template map_rows<Multiply>({begin, end}, out, on.array(a), on.scalar(c));
  on.expect("map_rows", out, expected);
}

template <class Space>
void laws_of_an_integer(Subject<Space>& on, long n) {
  const Slow rounded = on.oracle.integer(n);
  const auto integer = on.space.integer(n);
  for (const Kind kind :
       {Kind::ordinary, Kind::cancelling, Kind::tiny, Kind::huge, Kind::special}) {
    const Values a = on.draws.numbers(5, kind);
    Values product, quotient;
    for (const Slow& x : a) {
      product.push_back(on.oracle.multiply(x, rounded));
      quotient.push_back(on.oracle.divide(x, rounded));
    }
    const auto x = on.array(a), out = on.space.array(a.size());
    on.space.template map<MultiplyByInteger>(out, x, integer);
    on.expect(("a * " + std::to_string(n)).c_str(), out, product);
    on.space.template map<DivideByInteger>(out, x, integer);
    on.expect(("a / " + std::to_string(n)).c_str(), out, quotient);
    on.space.template map<DivideByInteger>(x, x, integer);
    on.expect(("a / " + std::to_string(n) + " in place").c_str(), x, quotient);
  }
}

// Small ones, as N and 2N are; powers of two and their neighbours, which no format narrower than
// 63 bits holds all of.
template <class Space>
void laws_of_integers(Subject<Space>& on) {
  for (long n = 1; n <= 70; ++n) laws_of_an_integer(on, n);
  for (int bit = 7; bit <= 62; ++bit)
    for (const long offset : {-1, 0, 1}) laws_of_an_integer(on, (1L << bit) + offset);
}

template <class Space>
void expect_descent(Subject<Space>& on, const Values& current, const Values& before,
                    const Slow& eta, const Values& g) {
  Values expected;
  bool moved = false, returned = true;
  for (std::size_t i = 0; i < current.size(); ++i) {
    expected.push_back(on.oracle.subtract(current[i], on.oracle.multiply(eta, g[i])));
    moved = moved || !repeats(expected[i], current[i]);
    returned = returned && repeats(expected[i], before[i]);
  }
  const auto next = on.array(before), x = on.array(current), gradient = on.array(g);
  const Change change = on.space.descend(next, x, on.scalar(eta), gradient);
  on.expect("descend", next, expected);
  on.expect("descend leaves current", x, current);
  CHECK(change.moved == moved, on.format.name, current.size());
  CHECK(change.returned == returned, on.format.name, current.size());
}

// Any numbers; then a step that changes nothing, one that returns, and both but for one element,
// which differs by as little as it can, by the sign of a zero, or is not finite.
template <class Space>
void laws_of_descend(Subject<Space>& on, std::size_t n, Kind kind) {
  const Values current = on.draws.numbers(n, kind), g = on.draws.numbers(n, kind);
  const Slow eta = on.draws.number(kind), zero = on.oracle.integer(0), one = on.oracle.integer(1);
  expect_descent(on, current, on.draws.numbers(n, kind), eta, g);
  Values next;
  for (std::size_t i = 0; i < n; ++i)
    next.push_back(on.oracle.subtract(current[i], on.oracle.multiply(eta, g[i])));
  expect_descent(on, current, next, eta, g);                   // returned, if finite
  expect_descent(on, current, current, zero, Values(n, one));  // stays, if finite
  const std::size_t odd = on.draws.below(n);
  Values almost = next, nudge(n, zero);
  almost[odd] = on.oracle.next_above(next[odd]);
  expect_descent(on, current, almost, eta, g);
  nudge[odd] = current[odd];
  expect_descent(on, current, current, one, nudge);
  Values zeros(n, zero), negative = zeros;
  mpfr_neg(negative[odd].get(), zero.get(), MPFR_RNDN);
  expect_descent(on, zeros, negative, one, zeros);
  expect_descent(on, negative, zeros, one, zeros);
  for (const char* special : {"inf", "nan"}) {
    Slow broken = zero;
    mpfr_strtofr(broken.get(), special, nullptr, 0, MPFR_RNDN);
    Values infinite = zeros;
    infinite[odd] = on.oracle.number(broken);
    expect_descent(on, infinite, infinite, zero, zeros);
    expect_descent(on, zeros, infinite, zero, zeros);
  }
}

}  // namespace precipice::test
