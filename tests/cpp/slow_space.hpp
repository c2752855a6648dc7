// The oracle of staged arithmetic as a Space: each stage's format, any rounding, any order, on slow
// numbers (slow_numbers.hpp), with every rounding's draw named by step, call, element and index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "linalg/space.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/exact.hpp"
#include "slow_numbers.hpp"
#include "slow_sums.hpp"

namespace precipice::test {

class SlowSpace {
 public:
  struct Place {
    Slow* number;
    Stage stage;
    Place operator[](std::size_t i) const { return {number + i, stage}; }
  };
  struct Array {
    Place data;
    std::size_t size;
  };
  struct Scalar {
    Place data;
  };
  using Integer = long;
  struct Matrix {
    Place data;
    std::size_t rows, columns;
    bool diagonal;
  };
  struct Weights {
    Place data;
    std::size_t rows, columns;
    operator Matrix() const { return {data, rows, columns, false}; }
  };

  SlowSpace(const Arithmetic& arithmetic, const StopFlag&) : arithmetic_(arithmetic) {}
  static constexpr bool checks_exponents = true;
  static constexpr bool fuses_descent = false;

  void begin_step(std::int64_t step) {
    step_ = static_cast<std::uint64_t>(step);
    calls_ = 0;
  }

  // elements
  void multiply(Place out, Place a, Place b) {
    *out.number = of(out).multiply(*a.number, *b.number, next());
  }
  void add(Place out, Place a, Place b) { *out.number = of(out).add(*a.number, *b.number, next()); }
  void subtract(Place out, Place a, Place b) {
    *out.number = of(out).subtract(*a.number, *b.number, next());
  }
  void multiply_by_integer(Place out, Place a, Integer n) {
    *out.number = of(out).multiply(*a.number, of(out).integer(n), next());
  }
  void divide_by_integer(Place out, Place a, Integer n) {
    *out.number = of(out).divide(*a.number, of(out).integer(n), next());
  }
  static void copy(Place out, Place a) { *out.number = *a.number; }
  Place temporary(Place like) { return allocate(1, like.stage); }

  // arrays
  template <class Program, class... In>
  void map(Array out, In... in) {
    map_rows<Program>({0, out.size}, out, in...);
  }
  template <class Program, class... In>
  void map(Scalar out, In... in) {
    map_rows<Program>({0, 1}, Array{out.data, 1}, in...);
  }
  template <class Program, class... In>
  void map_rows(Rows rows, Array out, In... in) {
    ++calls_;
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      apply<Program>(i, out.data[i], at(in, i)...);
  }
  template <class Program, class... In>
  void map_outer(const Weights& w, Array a, Array g, In... in) {
    ++calls_;
    for (std::size_t q = 0; q < w.rows; ++q)
      for (std::size_t k = 0; k < w.columns; ++k) {
        const Place x = w.data[q * w.columns + k];
        apply<Program>(q * w.columns + k, x, x, a.data[q], g.data[k], at(in, 0)...);
      }
  }
  Change descend(Array next_values, Array current, Scalar eta, Array g) {
    const SlowDraws draw = call();
    Values values;
    for (std::size_t i = 0; i < next_values.size; ++i) {
      const Slow move = of(Stage::update).multiply(*eta.data.number, g.data.number[i], draw(i, 0));
      values.push_back(of(next_values.data).subtract(current.data.number[i], move, draw(i, 1)));
    }
    return replaced(next_values, current, values);
  }
  Change replace(Array next_values, Array current, Array value) {
    return replaced(next_values, current, numbers(value));
  }
  static void copy(Array to, Array from) {
    for (std::size_t i = 0; i < to.size; ++i) copy(to.data[i], from.data[i]);
  }

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u) {
    const SlowDraws draw = call();
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
      Values row;
      for (std::size_t k = 0; k < x.columns; ++k)
        row.push_back(x.data.number[x.diagonal ? i : i * x.columns + k]);
      if (x.diagonal)
        sum(f.data[i], draw, i, {row[0]}, {u.data.number[i]}, true);
      else
        sum(f.data[i], draw, i, row, numbers(u), true);
    }
  }
  void matvec_transposed(Array g, const Matrix& x, Rows, Array z) {
    const SlowDraws draw = call();
    for (std::size_t k = 0; k < x.columns; ++k) {
      Values column;
      for (std::size_t i = 0; i < x.rows; ++i)
        column.push_back(x.data.number[x.diagonal ? k : i * x.columns + k]);
      if (x.diagonal)
        sum(g.data[k], draw, k, {column[0]}, {z.data.number[k]}, false);
      else
        sum(g.data[k], draw, k, column, numbers(z), false);
    }
  }
  void matvec(Array t, const Weights& w, Array g) { matvec(t, w, {0, w.rows}, g); }
  void matvec_transposed(Array b, const Weights& w, Array a) {
    matvec_transposed(b, w, {0, w.rows}, a);
  }
  void dot(Scalar s, Array a, Array b) { sum(s.data, call(), 0, numbers(a), numbers(b), true); }
  void product(Scalar s, Array v, std::size_t skip) {
    const SlowDraws draw = call();
    bool first = true;
    for (std::size_t j = 0; j < v.size; ++j) {
      if (j == skip) continue;
      const Slow& v_j = v.data.number[j];
      *s.data.number = first ? of(s.data).convert(v_j, draw(0, j))
                             : of(s.data).multiply(*s.data.number, v_j, draw(0, j));
      first = false;
    }
  }

  static Rows first_rows(const Matrix& x) { return {0, x.rows}; }
  static Rows next_rows(const Matrix& x, Rows) { return {x.rows, x.rows}; }
  static bool done(const Matrix& x, Rows rows) { return rows.begin >= x.rows; }
  static bool stopped() { return false; }
  static Scalar element_of(Array a, std::size_t j) { return {a.data[j]}; }
  static Array row_of(const Weights& w, std::size_t q) {
    return {w.data[q * w.columns], w.columns};
  }

  // boundary
  Array array(std::size_t n, Stage stage) { return {allocate(n, stage), n}; }
  Scalar scalar(Stage stage) { return {allocate(1, stage)}; }
  Weights weights(std::size_t rows, std::size_t columns, Stage stage) {
    return {allocate(rows * columns, stage), rows, columns};
  }
  static Integer integer(long n) { return n; }
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values) {
    const Array entries = array(rows * columns, Stage::forward);
    for (std::size_t i = 0; i < entries.size; ++i) assign(entries, i, values, i);
    return {entries.data, rows, columns, false};
  }
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values) {
    return {matrix(rows, 1, values).data, rows, rows, true};
  }
  Matrix rows_like(const Matrix& x, std::size_t n) {
    return {allocate(n * x.columns, Stage::forward), n, x.columns, false};
  }
  static void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
    to.rows = n;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < x.columns; ++k)
        copy(to.data[i * x.columns + k], x.data[rows[i] * x.columns + k]);
  }
  static void gather(Array to, Array from, const std::size_t* indices, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) copy(to.data[i], from.data[indices[i]]);
  }
  // Exact text, or float64 values.
  void assign(Array a, std::size_t i, const ExactVector& values, std::size_t j) {
    Slow exact(2000);
    if (const auto* text = std::get_if<std::vector<std::string>>(&values))
      mpfr_strtofr(exact.get(), (*text)[j].c_str(), nullptr, 0, MPFR_RNDN);
    else
      mpfr_set_d(exact.get(), std::get<0>(values)[j], MPFR_RNDN);
    a.data.number[i] = of(a.data).number(exact);
  }
  void assign(Scalar s, const ExactVector& values, std::size_t j) {
    assign(Array{s.data, 1}, 0, values, j);
  }
  static std::string exact(Array a, std::size_t i) { return a.data.number[i].text(); }
  static DoubleLog2 measure(Scalar s) { return {to_double({s.data, 1}, 0), 0}; }
  static double to_double(Array a, std::size_t i) {
    return mpfr_get_d(a.data.number[i].get(), MPFR_RNDN);
  }
  static bool is_finite(Array a) {
    return std::all_of(a.data.number, a.data.number + a.size,
                       [](const Slow& x) { return finite(x); });
  }

 private:
  SlowArithmetic of(Stage stage) const { return SlowArithmetic(arithmetic_[stage]); }
  SlowArithmetic of(Place out) const { return of(out.stage); }
  static Values numbers(Array a) { return {a.data.number, a.data.number + a.size}; }

  // Counts this call.
  SlowDraws call() { return {arithmetic_.seed, arithmetic_.run, step_, calls_++}; }
  std::uint32_t next() {
    return SlowDraws{arithmetic_.seed, arithmetic_.run, step_, calls_ - 1}(element_, index_++);
  }
  static Place at(Array a, std::size_t i) { return a.data[i]; }
  static Place at(Scalar s, std::size_t) { return s.data; }
  static Integer at(Integer n, std::size_t) { return n; }
  template <class Program, class... In>
  void apply(std::size_t element, Place out, In... in) {
    element_ = element;
    index_ = 0;
    Program::apply(*this, out, in...);
  }

  void sum(Place out, const SlowDraws& draw, std::size_t element, const Values& x, const Values& y,
           bool along_a_row) const {
    const Stage in = out.stage == Stage::measurement ? Stage::measurement : Stage::accumulate;
    const SlowSum sum_of(arithmetic_[in], arithmetic_[out.stage], arithmetic_.order,
                         [&](std::uint64_t index) { return draw(element, index); });
    *out.number = sum_of(x, y, along_a_row);
  }
  static Change replaced(Array next_values, Array current, const Values& values) {
    Change change;
    for (std::size_t i = 0; i < values.size(); ++i) {
      change.moved = change.moved || !repeats(values[i], current.data.number[i]);
      change.returned = change.returned && repeats(values[i], next_values.data.number[i]);
      next_values.data.number[i] = values[i];
    }
    return change;
  }
  Place allocate(std::size_t n, Stage stage) {
    const Values zeros(n, of(stage).integer(0));
    return {memory_.emplace_back(zeros).data(), stage};
  }

  Arithmetic arithmetic_;
  std::uint64_t step_ = 0, calls_ = 0, element_ = 0, index_ = 0;
  std::deque<Values> memory_;
};

}  // namespace precipice::test
