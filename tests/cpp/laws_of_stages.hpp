// Staged arithmetic against its oracle: the same calls of both Spaces, of every primitive and of
// whole training runs, must leave the same numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "check.hpp"
#include "draws.hpp"
#include "laws_of_batches.hpp"
#include "laws_of_sums.hpp"
#include "linalg/exponents.hpp"
#include "models/element_programs.hpp"
#include "slow_space.hpp"
#include "subject.hpp"
#include "training/model_states.hpp"
#include "training/runge_kutta.hpp"
#include "training/trainee.hpp"

namespace precipice::test {

inline std::string describe(const Arithmetic& arithmetic) {
  constexpr const char* orders[] = {"sequential", "fused", "blocked", "pairwise", "kahan", "exact"};
  std::string text = orders[static_cast<int>(arithmetic.order)];
  for (const Format& format : arithmetic.formats) text += " " + format.name;
  return text;
}

// What a Space was made to compute, as exact text.
using Transcript = std::vector<std::string>;

inline std::string plain_text(std::string text) {  // one spelling of NaN and of a number
  if (text.find("nan") != std::string::npos) return "nan";
  Slow x(static_cast<long>(4 * text.size()) + 64);
  mpfr_strtofr(x.get(), text.c_str(), nullptr, 0, MPFR_RNDN);
  return x.text();
}

// Every primitive, on arrays of the stages that the models have them in.
template <class Space>
class Calls {
 public:
  Calls(const Arithmetic& arithmetic, std::size_t samples, std::size_t features,
        std::vector<Values> data)
      : range_(exponent_range<Space>(arithmetic)),
        space_(arithmetic, stop_),
        n_(samples),
        d_(features),
        data_(std::move(data)) {}

  Transcript transcript() {
    if constexpr (requires { space_.begin_step(7); }) space_.begin_step(7);
    const auto X = space_.matrix(n_, d_, texts(next()));
    const Array u = array(Stage::parameters), v = array(Stage::parameters);
    const Array y = array(Stage::forward);
    const Integer integer = space_.integer(300);
    products(u, v, X, y, integer);
    outer_products(u, y);
    updates(u, v, integer);
    diagonal();
    return written_;
  }

 private:
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;
  using Integer = typename Space::Integer;

  void products(Array u, Array v, const typename Space::Matrix& X, Array y, Integer integer) {
    const Array f = space_.array(n_, Stage::forward), z = space_.array(n_, Stage::forward);
    const Array g = space_.array(d_, Stage::gradient);
    const Scalar P = space_.scalar(Stage::forward), q = space_.scalar(Stage::gradient);
    const Scalar s = space_.scalar(Stage::gradient), L = space_.scalar(Stage::measurement);
    space_.product(P, v, skip_none);
    for (std::size_t skip = 0; skip < 2 && v.size > 1; ++skip) {
      space_.product(q, v, skip);
      write(q);
    }
    for (Rows rows = space_.first_rows(X); !space_.done(X, rows);
         rows = space_.next_rows(X, rows)) {
      space_.matvec(f, X, rows, u);
      space_.template map_rows<Residual>(rows, z, f, P, y);
      space_.matvec_transposed(g, X, rows, z);
    }
    write(P), write(f), write(z), write(g);
    space_.template map<DivideByInteger>(g, g, integer);
    space_.template map<AddTwice>(g, g, u, integer);
    space_.dot(s, z, f);
    space_.dot(L, z, z);
    space_.template map<DivideByInteger>(L, L, integer);
    write(g), write(s), write(L);
    space_.template map<ShiftedResidual>(z, f, P, space_.element_of(v, 0), y);
    write(z);
  }
  void outer_products(Array u, Array y) {
    const auto W = space_.weights(n_, d_, Stage::parameters);
    const Values w = next();
    for (std::size_t q = 0; q < n_; ++q)
      for (std::size_t k = 0; k < d_; ++k)
        space_.assign(space_.row_of(W, q), k, texts({w[q * d_ + k]}), 0);
    const Array t = space_.array(n_, Stage::gradient), b = space_.array(d_, Stage::forward);
    space_.matvec(t, W, u);
    space_.matvec_transposed(b, W, y);
    write(t), write(b);
    space_.template map_outer<OuterDescent>(W, t, b, space_.element_of(u, 0),
                                            space_.element_of(y, 0));
    for (std::size_t q = 0; q < n_; ++q) write(space_.row_of(W, q));
  }
  void updates(Array u, Array before, Integer integer) {
    const Scalar eta = space_.scalar(Stage::update);
    space_.assign(eta, texts(next()), 0);
    const Array g = array(Stage::gradient);
    write(space_.descend(before, u, eta, g));
    write(before);
    if constexpr (requires { space_.begin_step(8); }) space_.begin_step(8);
    write(space_.descend(before, u, eta, g));
    space_.template map<DivideByInteger>(eta, eta, integer);
    write(before), write(eta), write(space_.replace(u, before, before)), write(u);
  }
  void diagonal() {
    const auto X = space_.diagonal_matrix(n_, texts(next()));
    const Array o = array(Stage::parameters);
    const Array f = space_.array(n_, Stage::forward), g = space_.array(n_, Stage::gradient);
    for (Rows rows = space_.first_rows(X); !space_.done(X, rows);
         rows = space_.next_rows(X, rows)) {
      space_.matvec(f, X, rows, o);
      space_.matvec_transposed(g, X, rows, f);
    }
    write(f), write(g);
  }

  Values next() { return data_.at(used_++); }
  Array array(Stage stage) {
    const Values values = next();
    const Array a = space_.array(values.size(), stage);
    const ExactVector text = texts(values);
    for (std::size_t i = 0; i < values.size(); ++i) space_.assign(a, i, text, i);
    return a;
  }
  void write(Array a) {
    for (std::size_t i = 0; i < a.size; ++i) written_.push_back(plain_text(space_.exact(a, i)));
  }
  void write(Scalar s) { write(Array{s.data, 1}); }
  void write(const Change& change) {
    written_.push_back(change.moved ? "moved" : "stays");
    written_.push_back(change.returned ? "returned" : "goes on");
  }

  ExponentRange range_;
  StopFlag stop_{false};
  Space space_;
  std::size_t n_, d_;
  std::vector<Values> data_;
  std::size_t used_ = 0;
  Transcript written_;
};

inline void expect_same(const Transcript& actual, const Transcript& expected,
                        const Arithmetic& arithmetic, const char* what) {
  CHECK(actual.size() == expected.size() && !actual.empty(), describe(arithmetic));
  for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i)
    CHECK(actual[i] == expected[i], what, describe(arithmetic), i, actual[i], expected[i]);
}

// Data drawn in the format of the parameters, so that the others convert it.
template <class Space, class Other>
void law_of_calls(const Arithmetic& arithmetic, unsigned long seed, std::size_t n, std::size_t d,
                  Kind kind) {
  const WidestRange range;
  Draws draws(arithmetic[Stage::parameters], seed);
  std::vector<Values> data;
  for (const std::size_t size : {n * d, d, d, n, n * d, std::size_t(1), d, n, n})
    data.push_back(draws.numbers(size, kind));
  expect_same(Calls<Space>(arithmetic, n, d, data).transcript(),
              Calls<Other>(arithmetic, n, d, data).transcript(), arithmetic, "calls");
}

// A run of a few steps: the parameters and velocities of each.
template <class Model>
Transcript training(const Arithmetic& arithmetic, const ProblemSpec& problem,
                    const typename Model::Spec& spec, const OptimizerSpec& optimizer) {
  const ExponentRange range = exponent_range<typename Model::Space>(arithmetic);
  Trainee<Model> trainee(arithmetic, problem, spec, optimizer);
  Transcript written;
  for (std::int64_t step = 0; step < 4; ++step) {
    Change change;
    trainee.evaluate(step);
    trainee.differentiate(step);
    if (optimizer.flow)
      trainee.flow(*optimizer.flow->step, change);
    else
      change = trainee.update(step);
    trainee.accept();
    written.push_back(change.moved ? "moved" : "stays");
    for (const NamedValues& values : trainee.exact_state().current)
      for (const std::string& text : values.text) written.push_back(plain_text(text));
  }
  return written;
}

inline ExactVector some_doubles(Draws& draws, std::size_t n, double scale) {
  std::vector<double> values(n);
  for (double& x : values) x = scale * (static_cast<double>(draws.below(20001)) - 10000) / 10000;
  return values;
}

inline OptimizerSpec some_optimizer(Draws& draws, std::size_t samples) {
  OptimizerSpec optimizer;
  optimizer.rule = static_cast<UpdateRule>(draws.below(4));
  optimizer.momentum = some_doubles(draws, 1, 1);
  optimizer.first_step = {0, 2};
  optimizer.step_sizes = some_doubles(draws, 2, 0.5);
  if (optimizer.rule == UpdateRule::runge_kutta) optimizer.flow = {some_doubles(draws, 1, 0.5)};
  if (optimizer.rule != UpdateRule::runge_kutta && draws.below(3) == 0)
    optimizer.batch = {1 + draws.below(samples), Sampling::reshuffle, 5};
  return optimizer;
}

template <class Space, class Other>
void law_of_training(const Arithmetic& arithmetic, unsigned long seed, std::size_t n,
                     std::size_t d) {
  Draws draws(parse_format("float64"), seed);
  ProblemSpec problem;
  problem.samples = problem.rows = n;
  problem.features = d;
  problem.X = some_doubles(draws, n * d, 1);
  problem.y = some_doubles(draws, n, 1);
  problem.loss = static_cast<Loss>(draws.below(4));
  const OptimizerSpec optimizer = some_optimizer(draws, n);

  MinimalistSpec minimalist{1 + draws.below(3), some_doubles(draws, d, 1), {}};
  minimalist.v = some_doubles(draws, minimalist.factors, 2);
  expect_same(training<MinimalistState<Space>>(arithmetic, problem, minimalist, optimizer),
              training<MinimalistState<Other>>(arithmetic, problem, minimalist, optimizer),
              arithmetic, "minimalist");

  TwoLayerSpec network;
  network.width = 1 + draws.below(5);
  network.contraction = static_cast<Contraction>(draws.below(2));
  network.W = some_doubles(draws, network.width * d, 1);
  network.a = some_doubles(draws, network.width, 1);
  const bool biased = draws.below(2) == 0;
  network.b1 = some_doubles(draws, biased ? network.width : 0, 1);
  network.b2 = some_doubles(draws, biased ? 1 : 0, 1);
  network.scale = some_doubles(draws, 1, 1);
  network.kappa = some_doubles(draws, optimizer.batch ? 3 : 1, 1);
  network.kappa_L = some_doubles(draws, optimizer.batch ? 3 : 1, 1);
  expect_same(training<TwoLayerState<Space>>(arithmetic, problem, network, optimizer),
              training<TwoLayerState<Other>>(arithmetic, problem, network, optimizer), arithmetic,
              "two-layer");
}

}  // namespace precipice::test
