// The model and the optimiser, written down by WritingSpace, against the written order: the same
// program, made here from its formulas by plain loops over indices.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "check.hpp"
#include "models/minimalist.hpp"
#include "writing_space.hpp"

namespace precipice::test {
namespace {

using Text = std::string;
using Lines = std::vector<Text>;

// The written order, in its own words.
Text at(const Text& name, std::size_t i) {
  return name + "[" + std::to_string(i) + "]";
}
Text at(const Text& name, std::size_t i, std::size_t k) {
  return name + "[" + std::to_string(i) + "," + std::to_string(k) + "]";
}
Text rounded(const Text& a, const Text& operation, const Text& b) {
  return "(" + a + " " + operation + " " + b + ")";
}
// From the first term, ascending. One term: no operation.
Text chain(const Lines& terms, const Text& operation) {
  Text result = terms.at(0);
  for (std::size_t i = 1; i < terms.size(); ++i) result = rounded(result, operation, terms[i]);
  return result;
}

struct Shape {
  std::size_t samples, features, depth;
  Loss loss;
  bool spectral = false;  // X = diag(sigma), samples = features: every sum over X has one term
};

// Terms of row i of X u, and of column k of X^T z.
Lines row_terms(const Shape& shape, std::size_t i) {
  if (shape.spectral) return {rounded(at("sigma", i), "*", at("u", i))};
  Lines terms;
  for (std::size_t k = 0; k < shape.features; ++k)
    terms.push_back(rounded(at("X", i, k), "*", at("u", k)));
  return terms;
}
Lines column_terms(const Shape& shape, std::size_t k) {
  if (shape.spectral) return {rounded(at("sigma", k), "*", at("z", k))};
  Lines terms;
  for (std::size_t i = 0; i < shape.samples; ++i)
    terms.push_back(rounded(at("X", i, k), "*", at("z", i)));
  return terms;
}

Text gradient_factor(Loss loss, const Text& a) {
  switch (loss) {
    case Loss::half_mean: return rounded(a, "/", "N");
    case Loss::mean: return rounded(rounded(a, "*", "2"), "/", "N");
    case Loss::half_sum: return a;
    case Loss::sum: return rounded(a, "*", "2");
  }
  return "";
}

Text normalised(Loss loss, const Text& squares) {
  switch (loss) {
    case Loss::half_mean: return rounded(squares, "/", "2N");
    case Loss::mean: return rounded(squares, "/", "N");
    case Loss::half_sum: return rounded(squares, "/", "2");
    case Loss::sum: return squares;
  }
  return "";
}

Lines written_forward(const Shape& shape) {
  Lines lines;
  for (std::size_t i = 0; i < shape.samples; ++i)
    lines.push_back(at("f", i) + " = " + chain(row_terms(shape, i), "+"));
  Lines factors, squares;
  for (std::size_t j = 0; j + 1 < shape.depth; ++j) factors.push_back(at("v", j));
  lines.push_back("P = " + chain(factors, "*"));
  for (std::size_t i = 0; i < shape.samples; ++i) {
    lines.push_back(at("z", i) + " = " + rounded(rounded(at("f", i), "*", "P"), "-", at("y", i)));
    squares.push_back(rounded(at("z", i), "*", at("z", i)));
  }
  lines.push_back("L = " + normalised(shape.loss, chain(squares, "+")));
  return lines;
}

Lines written_gradient(const Shape& shape) {
  Lines lines, products;
  for (std::size_t k = 0; k < shape.features; ++k) {
    const Text g = rounded(chain(column_terms(shape, k), "+"), "*", "P");
    lines.push_back(at("g", k) + " = " + gradient_factor(shape.loss, g));
  }
  for (std::size_t i = 0; i < shape.samples; ++i)
    products.push_back(rounded(at("z", i), "*", at("f", i)));
  lines.push_back("s = " + chain(products, "+"));
  for (std::size_t j = 0; j + 1 < shape.depth; ++j) {
    Lines others;
    for (std::size_t q = 0; q + 1 < shape.depth; ++q)
      if (q != j) others.push_back(at("v", q));
    const Text h = others.empty() ? "s" : rounded("s", "*", chain(others, "*"));
    lines.push_back(at("h", j) + " = " + gradient_factor(shape.loss, h));
  }
  return lines;
}

Lines written_update(const Shape& shape) {
  Lines lines;
  const auto descent = [&](const Text& parameter, const Text& gradient, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k)
      lines.push_back(at("next " + parameter, k) + " = " +
                      rounded(at(parameter, k), "-", rounded("eta", "*", at(gradient, k))));
  };
  descent("u", "g", shape.features);
  descent("v", "h", shape.depth - 1);
  return lines;
}

// The program text, carried out by the Space that writes it down.
void append(Lines& lines, const Lines& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

struct Written {
  Lines program;
  std::size_t rounded_operations;
};

Written carried_out(const Shape& shape, std::size_t rows_per_block) {
  using Space = WritingSpace;
  using Model = Minimalist<Space>;
  const std::size_t factors = shape.depth - 1;
  Space space(rows_per_block);
  const Model::Data data{shape.spectral ? space.diagonal_matrix("sigma", shape.samples)
                                        : space.matrix("X", shape.samples, shape.features),
                         space.input("y", shape.samples),
                         shape.loss,
                         {{"2"}, {"N"}, {"2N"}}};
  const Model::Parameters theta{space.input("u", shape.features), space.input("v", factors)};
  const Model::Parameters next{space.array("next u", shape.features),
                               space.array("next v", factors)};
  const Model::Work work{space.array("f", shape.samples),
                         space.array("z", shape.samples),
                         space.array("g", shape.features),
                         space.array("h", factors),
                         space.scalar("P"),
                         space.scalar("s"),
                         space.scalar("L"),
                         space.scalar("")};
  const Space::Scalar eta = space.input("eta");
  Model::gradient(space, data, theta, work);
  Model::loss(space, data, work);
  space.descend(next.u, theta.u, eta, work.g);
  space.descend(next.v, theta.v, eta, work.h);

  Lines program = Space::definitions(work.f);
  program.push_back(Space::definition(work.P));
  append(program, Space::definitions(work.z));
  program.push_back(Space::definition(work.L));
  append(program, Space::definitions(work.g));
  program.push_back(Space::definition(work.s));
  append(program, Space::definitions(work.h));
  append(program, Space::definitions(next.u));
  append(program, Space::definitions(next.v));
  // Inputs that are still what they were.
  for (const Space::Array a : {data.y, theta.u, theta.v})
    for (std::size_t i = 0; i < a.size; ++i)
      CHECK(a.data[i].value == a.data[i].name, a.data[i].name, a.data[i].value);
  return {program, space.rounded_operations()};
}

// Every rounded operation has its parentheses.
std::size_t operations_in(const Lines& program) {
  std::size_t n = 0;
  for (const Text& line : program)
    n += static_cast<std::size_t>(std::count(line.begin(), line.end(), '('));
  return n;
}

void compare(const Shape& shape, std::size_t rows_per_block) {
  Lines expected = written_forward(shape);
  append(expected, written_gradient(shape));
  append(expected, written_update(shape));
  const Written written = carried_out(shape, rows_per_block);
  CHECK(written.program.size() == expected.size(), written.program.size(), expected.size());
  for (std::size_t i = 0; i < std::min(expected.size(), written.program.size()); ++i)
    CHECK(written.program[i] == expected[i], "model:   " + written.program[i],
          "written: " + expected[i]);
  // Nothing was computed that the program does not name, nor twice.
  CHECK(written.rounded_operations == operations_in(expected), written.rounded_operations,
        operations_in(expected));
}

}  // namespace
}  // namespace precipice::test

int main() {
  using precipice::Loss;
  for (const std::size_t samples : {2, 3})
    for (const std::size_t features : {2, 3})
      for (const std::size_t depth : {2, 3, 4})
        for (const Loss loss : {Loss::half_mean, Loss::mean, Loss::half_sum, Loss::sum})
          for (const std::size_t rows_per_block : {1, 2, 3}) {
            precipice::test::compare({samples, features, depth, loss}, rows_per_block);
            if (samples == features)
              precipice::test::compare({samples, features, depth, loss, true}, rows_per_block);
          }
  return precipice::test::verdict("written program");
}
