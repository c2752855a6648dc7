// The two-layer network's text, written down by WritingSpace, against the written order made here
// from its formulas by plain loops.
#include <cstddef>
#include <string>
#include <vector>

#include "check.hpp"
#include "models/two_layer_linear.hpp"
#include "writing_space.hpp"

namespace precipice::test {
namespace {

using Text = std::string;
using Lines = std::vector<Text>;
using Space = WritingSpace;
using Model = TwoLayerLinear<Space>;

Text at(const Text& name, std::size_t i) {
  return name + "[" + std::to_string(i) + "]";
}
Text at(const Text& name, std::size_t i, std::size_t k) {
  return name + "[" + std::to_string(i) + "," + std::to_string(k) + "]";
}
Text rounded(const Text& a, const Text& operation, const Text& b) {
  return "(" + a + " " + operation + " " + b + ")";
}
Text product(const Text& a, const Text& b) {
  return rounded(a, "*", b);
}
Text total(const Lines& terms) {
  Text result = terms.at(0);
  for (std::size_t i = 1; i < terms.size(); ++i) result = rounded(result, "+", terms[i]);
  return result;
}
template <class Term>
Text sum(std::size_t n, Term term) {
  Lines terms;
  for (std::size_t i = 0; i < n; ++i) terms.push_back(term(i));
  return total(terms);
}

struct Shape {
  std::size_t samples, features, width;
  Contraction contraction;
  bool diagonal;  // X; samples = features
  bool biased;
};

// Residuals, loss (half_sum), and the gradient, in the order in which the text defines them.
Lines written(const Shape& shape) {
  const auto [N, d, m, contraction, diagonal, biased] = shape;
  Lines lines;
  const auto define = [&](const Text& name, const Text& value) {
    lines.push_back(name + " = " + value);
  };
  // Row i of X, or column k, times a vector: one term where X is diagonal.
  const auto row_times = [&](std::size_t i, const auto& u) {
    if (diagonal) return product(at("X", i), u(i));
    return sum(d, [&](auto k) { return product(at("X", i, k), u(k)); });
  };
  const auto column_times = [&](std::size_t k, const auto& v) {
    if (diagonal) return product(at("X", k), v(k));
    return sum(N, [&](auto i) { return product(at("X", i, k), v(i)); });
  };
  const auto residual = [&](std::size_t i) {
    Text prediction = product(at("F", i), "c");
    if (biased) prediction = rounded(prediction, "+", at("b2", 0));
    define(at("z", i), rounded(prediction, "-", at("y", i)));
  };
  // b1 is a last column of W, on data whose last column is all ones: 1*b is written b.
  const auto with_last = [&](const Text& sum, const Text& term) {
    return biased ? rounded(sum, "+", term) : sum;
  };
  const auto sum_of_residuals = [&] {
    if (biased) define("s", sum(N, [](auto i) { return product("1", at("z", i)); }));
  };
  const auto loss = [&] {
    define("L", rounded(sum(N, [](auto i) { return product(at("z", i), at("z", i)); }), "/", "2"));
  };
  if (contraction == Contraction::collapsed) {
    for (std::size_t k = 0; k < d; ++k)
      define(at("b", k), sum(m, [&](auto q) { return product(at("W", q, k), at("a", q)); }));
    if (biased) define("beta", sum(m, [](auto q) { return product(at("a", q), at("b1", q)); }));
    for (std::size_t i = 0; i < N; ++i)
      define(at("F", i), with_last(row_times(i, [](auto k) { return at("b", k); }), "beta"));
    for (std::size_t i = 0; i < N; ++i) residual(i);
    for (std::size_t k = 0; k < d; ++k)
      define(at("g", k), column_times(k, [](auto i) { return at("z", i); }));
    loss();
    sum_of_residuals();
    for (std::size_t q = 0; q < m; ++q) {
      const Text t = sum(d, [&](auto k) { return product(at("W", q, k), at("g", k)); });
      define(at("t", q), product("kappa", with_last(t, product(at("b1", q), "s"))));
    }
    for (std::size_t q = 0; q < m; ++q) define(at("ka", q), product("kappa", at("a", q)));
    if (!biased) return lines;
    for (std::size_t q = 0; q < m; ++q) define(at("db1", q), product(at("ka", q), "s"));
    define(at("db2", 0), product("kappa_L", "s"));
    return lines;
  }
  for (std::size_t q = 0; q < m; ++q)
    for (std::size_t i = 0; i < N; ++i)
      define(at("H", q, i),
             with_last(row_times(i, [&](auto k) { return at("W", q, k); }), at("b1", q)));
  for (std::size_t i = 0; i < N; ++i)
    define(at("F", i), sum(m, [&](auto q) { return product(at("H", q, i), at("a", q)); }));
  for (std::size_t i = 0; i < N; ++i) residual(i);
  loss();
  sum_of_residuals();
  for (std::size_t i = 0; i < N; ++i) define(at("e", i), product("kappa", at("z", i)));
  for (std::size_t q = 0; q < m; ++q)
    define(at("t", q), sum(N, [&](auto i) { return product(at("H", q, i), at("e", i)); }));
  for (std::size_t q = 0; q < m; ++q)
    for (std::size_t k = 0; k < d; ++k)
      define(at("dW", q, k),
             column_times(k, [&](auto i) { return product(at("a", q), at("e", i)); }));
  if (!biased) return lines;
  for (std::size_t q = 0; q < m; ++q)
    define(at("db1", q),
           sum(N, [&](auto i) { return product("1", product(at("a", q), at("e", i))); }));
  define(at("db2", 0), product("kappa_L", "s"));
  return lines;
}

Lines carried_out(const Shape& shape) {
  const auto [N, d, m, contraction, diagonal, biased] = shape;
  const bool layerwise = contraction == Contraction::layerwise;
  Space space(2);
  const Model::Data data{diagonal ? space.diagonal_matrix("X", N) : space.matrix("X", N, d),
                         space.input("y", N),
                         Loss::half_sum,
                         {{"2"}, {"N"}, {"2N"}}};
  const Model::Factors factors{space.input("c"), space.input("kappa"), space.input("kappa_L")};
  const Model::Parameters theta{space.weights("W", m, d, true), space.input("a", m),
                                space.input("b1", biased ? m : 0),
                                space.input("b2", biased ? 1 : 0)};
  Model::Work work{space.array("F", N),
                   space.array("z", N),
                   space.array("t", m),
                   space.scalar("L"),
                   space.array("b", d),
                   space.array("g", d),
                   space.array("ka", m),
                   space.array("row", d),
                   space.weights("H", m, N, false),
                   space.weights("dW", m, d, false),
                   space.array("e", N),
                   space.array("", N),
                   space.array("", N),
                   space.array("db1", m),
                   space.array("db2", 1),
                   space.scalar("beta"),
                   space.scalar("s")};
  for (std::size_t i = 0; i < N; ++i) {
    work.share.data[i].name.clear();  // intermediates
    work.ones.data[i].name = work.ones.data[i].value = "1";
  }
  Model::evaluate(space, data, factors, theta, work, contraction);
  Model::gradient(space, data, factors, theta, work, contraction);

  Lines program;
  const auto append = [&](Space::Array a) {
    for (const Text& line : Space::definitions(a)) program.push_back(line);
  };
  const auto append_scalar = [&](Space::Scalar s) { program.push_back(Space::definition(s)); };
  const auto append_biases = [&] {
    if (!biased) return;
    append(work.db1);
    append(work.db2);
  };
  if (layerwise) {
    for (std::size_t q = 0; q < m; ++q) append(Space::row_of(work.H, q));
    append(work.F);
    append(work.z);
    append_scalar(work.L);
    if (biased) append_scalar(work.s);
    append(work.e);
    append(work.t);
    for (std::size_t q = 0; q < m; ++q) append(Space::row_of(work.dW, q));
    append_biases();
    return program;
  }
  append(work.b);
  if (biased) append_scalar(work.beta);
  append(work.F);
  append(work.z);
  append(work.g);
  append_scalar(work.L);
  if (biased) append_scalar(work.s);
  append(work.t);
  append(work.ka);
  append_biases();
  for (std::size_t q = 0; q < m; ++q) {
    const Space::Array row = Model::gradient_of_row(space, work, q, contraction);
    for (std::size_t k = 0; k < d; ++k)
      CHECK(row.data[k].value == product(at("ka", q), at("g", k)), row.data[k].value);
  }
  return program;
}

// The next parameters and dL/da, of gradient descent in one pass.
Lines written_descent(std::size_t d, std::size_t m) {
  Lines lines;
  for (std::size_t q = 0; q < m; ++q)
    for (std::size_t k = 0; k < d; ++k)
      lines.push_back(
          at("V", q, k) + " = " +
          rounded(at("W", q, k), "-", product("eta", product(at("ka", q), at("g", k)))));
  for (std::size_t q = 0; q < m; ++q)
    lines.push_back(at("t", q) + " = " + product("kappa", sum(d, [&](auto k) {
                                                   return product(at("W", q, k), at("g", k));
                                                 })));
  for (std::size_t q = 0; q < m; ++q)
    lines.push_back(at("a'", q) + " = " + rounded(at("a", q), "-", product("eta", at("t", q))));
  return lines;
}

Lines descent_carried_out(std::size_t d, std::size_t m) {
  Space space(2);
  const Model::Factors factors{space.input("c"), space.input("kappa"), space.input("kappa_L")};
  const Model::Parameters theta{space.weights("W", m, d, true), space.input("a", m), {}, {}};
  const Model::Parameters next{space.weights("V", m, d, false), space.array("a'", m), {}, {}};
  Model::Work work{};
  work.t = space.array("t", m);
  work.ka = space.array("ka", m);
  work.g = space.input("g", d);
  Model::descend(space, factors, theta, next, work, space.input("eta"));
  Lines program;
  for (std::size_t q = 0; q < m; ++q)
    for (const Text& line : Space::definitions(Space::row_of(next.W, q))) program.push_back(line);
  for (const auto& array : {work.t, next.a})
    for (const Text& line : Space::definitions(array)) program.push_back(line);
  return program;
}

void compare(const Lines& actual, const Lines& expected) {
  CHECK(actual.size() == expected.size(), actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size() && i < actual.size(); ++i)
    CHECK(actual[i] == expected[i], "model:   " + actual[i], "written: " + expected[i]);
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice::test;
  using precipice::Contraction;
  for (const Contraction contraction : {Contraction::collapsed, Contraction::layerwise})
    for (const std::size_t width : {1, 2, 3})
      for (const std::size_t samples : {2, 3}) {
        for (const std::size_t features : {2, 3}) {
          for (const bool biased : {false, true}) {
            const Shape shape{samples, features, width, contraction, false, biased};
            compare(carried_out(shape), written(shape));
          }
          if (contraction == Contraction::collapsed)
            compare(descent_carried_out(features, width), written_descent(features, width));
        }
        const Shape diagonal{samples, samples, width, contraction, true, false};
        compare(carried_out(diagonal), written(diagonal));
      }
  return precipice::test::verdict("written two-layer program");
}
