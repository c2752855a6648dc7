// The two-layer network's text, written down by WritingSpace, against the written order made here
// from its formulas by plain loops.
#include <cstddef>
#include <string>
#include <vector>

#include "check.hpp"
#include "models/two_layer_linear.hpp"
#include "training/gradient_descent.hpp"
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
};

// Residuals, loss (half_sum), and the gradient, in the order in which the text defines them.
Lines written(const Shape& shape) {
  const auto [N, d, m, contraction] = shape;
  Lines lines;
  const auto define = [&](const Text& name, const Text& value) {
    lines.push_back(name + " = " + value);
  };
  const auto residual = [&](std::size_t i) {
    define(at("z", i), rounded(product(at("F", i), "c"), "-", at("y", i)));
  };
  const auto loss = [&] {
    define("L", rounded(sum(N, [](auto i) { return product(at("z", i), at("z", i)); }), "/", "2"));
  };
  if (contraction == Contraction::collapsed) {
    for (std::size_t k = 0; k < d; ++k)
      define(at("b", k), sum(m, [&](auto q) { return product(at("W", q, k), at("a", q)); }));
    for (std::size_t i = 0; i < N; ++i)
      define(at("F", i), sum(d, [&](auto k) { return product(at("X", i, k), at("b", k)); }));
    for (std::size_t i = 0; i < N; ++i) residual(i);
    for (std::size_t k = 0; k < d; ++k)
      define(at("g", k), sum(N, [&](auto i) { return product(at("X", i, k), at("z", i)); }));
    loss();
    for (std::size_t q = 0; q < m; ++q)
      define(at("t", q),
             product("kappa", sum(d, [&](auto k) { return product(at("W", q, k), at("g", k)); })));
    for (std::size_t q = 0; q < m; ++q) define(at("ka", q), product("kappa", at("a", q)));
    return lines;
  }
  for (std::size_t q = 0; q < m; ++q)
    for (std::size_t i = 0; i < N; ++i)
      define(at("H", q, i), sum(d, [&](auto k) { return product(at("X", i, k), at("W", q, k)); }));
  for (std::size_t i = 0; i < N; ++i)
    define(at("F", i), sum(m, [&](auto q) { return product(at("H", q, i), at("a", q)); }));
  for (std::size_t i = 0; i < N; ++i) residual(i);
  loss();
  for (std::size_t i = 0; i < N; ++i) define(at("e", i), product("kappa", at("z", i)));
  for (std::size_t q = 0; q < m; ++q)
    define(at("t", q), sum(N, [&](auto i) { return product(at("H", q, i), at("e", i)); }));
  for (std::size_t q = 0; q < m; ++q)
    for (std::size_t k = 0; k < d; ++k)
      define(at("dW", q, k), sum(N, [&](auto i) {
               return product(at("X", i, k), product(at("a", q), at("e", i)));
             }));
  return lines;
}

Lines carried_out(const Shape& shape) {
  const auto [N, d, m, contraction] = shape;
  const bool layerwise = contraction == Contraction::layerwise;
  Space space(2);
  const Model::Data data{
      space.matrix("X", N, d), space.input("y", N), Loss::half_sum, {{"2"}, {"N"}, {"2N"}}};
  const Model::Factors factors{space.input("c"), space.input("kappa")};
  const Model::Parameters theta{space.weights("W", m, d, true), space.input("a", m)};
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
                   space.array("", N)};
  for (std::size_t i = 0; i < N; ++i) work.share.data[i].name.clear();  // intermediates
  Model::evaluate(space, data, factors, theta, work, contraction);
  Model::gradient(space, data, factors, theta, work, contraction);

  Lines program;
  const auto append = [&](Space::Array a) {
    for (const Text& line : Space::definitions(a)) program.push_back(line);
  };
  if (layerwise) {
    for (std::size_t q = 0; q < m; ++q) append(Space::row_of(work.H, q));
    append(work.F);
    append(work.z);
    program.push_back(Space::definition(work.L));
    append(work.e);
    append(work.t);
    for (std::size_t q = 0; q < m; ++q) append(Space::row_of(work.dW, q));
    return program;
  }
  append(work.b);
  append(work.F);
  append(work.z);
  append(work.g);
  program.push_back(Space::definition(work.L));
  append(work.t);
  append(work.ka);
  for (std::size_t q = 0; q < m; ++q) {
    const Space::Array row = Model::gradient_of_row(space, work, q, contraction);
    for (std::size_t k = 0; k < d; ++k)
      CHECK(row.data[k].value == product(at("ka", q), at("g", k)), row.data[k].value);
  }
  return program;
}

}  // namespace
}  // namespace precipice::test

int main() {
  using precipice::Contraction;
  using precipice::test::Shape;
  for (const Contraction contraction : {Contraction::collapsed, Contraction::layerwise})
    for (const std::size_t samples : {2, 3})
      for (const std::size_t features : {2, 3})
        for (const std::size_t width : {1, 2, 3}) {
          const Shape shape{samples, features, width, contraction};
          const auto expected = precipice::test::written(shape);
          const auto actual = precipice::test::carried_out(shape);
          CHECK(actual.size() == expected.size(), actual.size(), expected.size());
          for (std::size_t i = 0; i < expected.size() && i < actual.size(); ++i)
            CHECK(actual[i] == expected[i], "model:   " + actual[i], "written: " + expected[i]);
        }
  return precipice::test::verdict("written two-layer program");
}
