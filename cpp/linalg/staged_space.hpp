// The Space of any arithmetic: a format of its own for each stage, any rounding, any order of sums,
// in MPFR numbers.
//
// An array, scalar or matrix knows its stage, and what is written to it rounds to that stage's
// format; sums round as linalg/staged_sums.hpp says. Draws of stochastic rounding are counted by
// call, element and operation (numbers/draws.hpp). Nothing is allocated within a step, but for the
// first sum of its length. The caller holds MPFR's widest ExponentRange.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "linalg/space.hpp"
#include "linalg/staged_sums.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/draws.hpp"
#include "numbers/exact.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/mpfr_vectors.hpp"
#include "numbers/rounding.hpp"

namespace precipice {

class StagedSpace {
 public:
  // A stage's format as the Space uses it.
  struct StageNumbers {
    explicit StageNumbers(const Arithmetic& arithmetic, Stage of)
        : stage(of), rounder(arithmetic[of]), intermediate(arithmetic[of].precision) {}
    const Format& format() const { return rounder.format(); }
    Stage stage;
    Rounder rounder;
    MpfrNumber intermediate;
  };
  // Where a number is, and of which stage. An array's numbers follow its first.
  struct Place {
    mpfr_ptr number;
    StageNumbers* in;
    operator mpfr_srcptr() const { return number; }
    Place operator[](std::size_t i) const { return {number + i, in}; }
  };
  struct Array {
    Place data;
    std::size_t size;
  };
  struct Scalar {
    Place data;
  };
  // n rounded, to nearest, to each stage's format.
  struct Integer {
    const std::array<mpfr_ptr, stages>* rounded;
  };
  struct Matrix {  // dense, or diagonal: rows entries of data
    mpfr_srcptr data;
    std::size_t rows, columns;
    bool diagonal;
    mpfr_srcptr row(std::size_t i) const { return data + i * columns; }
  };
  struct Weights {
    Place data;
    std::size_t rows, columns;
    operator Matrix() const { return {data, rows, columns, false}; }
  };

  StagedSpace(const Arithmetic& arithmetic, const StopFlag& stop);
  StagedSpace(const StagedSpace&) = delete;
  StagedSpace& operator=(const StagedSpace&) = delete;
  static constexpr bool checks_exponents = true;

  void begin_step(std::int64_t step) { draws_.begin_step(step); }

  // elements
  void multiply(Place out, mpfr_srcptr a, mpfr_srcptr b) {
    out.in->rounder.multiply(out.number, a, b, draw());
  }
  void add(Place out, mpfr_srcptr a, mpfr_srcptr b) {
    out.in->rounder.add(out.number, a, b, draw());
  }
  void subtract(Place out, mpfr_srcptr a, mpfr_srcptr b) {
    out.in->rounder.subtract(out.number, a, b, draw());
  }
  void multiply_by_integer(Place out, mpfr_srcptr a, Integer n) {
    multiply(out, a, of_stage(n, out));
  }
  void divide_by_integer(Place out, mpfr_srcptr a, Integer n) {
    out.in->rounder.divide(out.number, a, of_stage(n, out), draw());
  }
  static void copy(Place out, mpfr_srcptr a) { mpfr_set(out.number, a, MPFR_RNDN); }
  static Place temporary(Place like) { return {like.in->intermediate, like.in}; }

  // arrays
  template <class Program, class... In>
  void map(Array out, In... in) {
    draws_.begin_call();
    for (Rows rows{0, 0}; rows.end < out.size && !stopped();) {
      rows = {rows.end, std::min(rows.end + stride_, out.size)};
      apply<Program>(rows, 0, out, in...);
    }
  }
  template <class Program, class... In>
  void map(Scalar out, In... in) {
    draws_.begin_call();
    apply<Program>({0, 1}, 0, Array{out.data, 1}, in...);
  }
  template <class Program, class... In>
  void map_rows(Rows rows, Array out, In... in) {
    draws_.begin_call();
    apply<Program>(rows, 0, out, in...);
  }
  template <class Program, class... In>
  void map_outer(const Weights& w, Array a, Array g, In... in) {
    draws_.begin_call();
    for (std::size_t q = 0; q < w.rows; ++q)
      apply<Program>({0, w.columns}, q * w.columns, row_of(w, q), row_of(w, q), element_of(a, q), g,
                     in...);
  }
  Change descend(Array next, Array current, Scalar eta, Array g);
  static Change replace(Array next, Array current, Array value);
  static void copy(Array to, Array from);
  static constexpr bool fuses_descent = false;  // a product W g may take minutes

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u);
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z);
  void matvec(Array t, const Weights& w, Array g) { matvec(t, w, {0, w.rows}, g); }
  void matvec_transposed(Array b, const Weights& w, Array a) {
    matvec_transposed(b, w, {0, w.rows}, a);
  }
  void dot(Scalar s, Array a, Array b);
  void product(Scalar s, Array v, std::size_t skip);

  // iteration: all rows in one block, within which the stop flag is looked at
  static Rows first_rows(const Matrix& x) { return {0, x.rows}; }
  static Rows next_rows(const Matrix& x, Rows) { return {x.rows, x.rows}; }
  bool done(const Matrix& x, Rows rows) const { return rows.begin >= x.rows || stopped(); }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  static Scalar element_of(Array a, std::size_t j) { return {a.data[j]}; }
  static Array row_of(const Weights& w, std::size_t q) {
    return {w.data[q * w.columns], w.columns};
  }

  // boundary
  Array array(std::size_t n, Stage stage = {}) { return {allocate(n, stage), n}; }
  Scalar scalar(Stage stage = {}) { return {allocate(1, stage)}; }
  Weights weights(std::size_t rows, std::size_t columns, Stage stage = {}) {
    return {allocate(rows * columns, stage), rows, columns};
  }
  Integer integer(long n);
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values);
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values);
  // Headers alone: the significands are those of X.
  Matrix rows_like(const Matrix& x, std::size_t n) {
    return {memory_.headers(n * x.columns), n, x.columns, false};
  }
  static void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n);
  static void gather(Array to, Array from, const std::size_t* indices, std::size_t n);
  static void assign(Array a, std::size_t i, const ExactVector& values, std::size_t j) {
    assign(element_of(a, i), values, j);
  }
  static void assign(Scalar s, const ExactVector& values, std::size_t j) {
    round_to_format(s.data.number, values, j, s.data.in->format());
  }
  static std::string exact(Array a, std::size_t i) { return exact_text(a.data[i]); }
  static DoubleLog2 measure(Scalar s) { return precipice::measure(s.data); }
  static double to_double(Array a, std::size_t i) { return mpfr_get_d(a.data[i], MPFR_RNDN); }
  static bool is_finite(Array a);

 private:
  static mpfr_srcptr element(Array a, std::size_t i) { return a.data[i]; }
  static mpfr_srcptr element(Scalar s, std::size_t) { return s.data; }
  static Integer element(Integer n, std::size_t) { return n; }
  static mpfr_srcptr of_stage(Integer n, Place out) {
    return (*n.rounded)[static_cast<std::size_t>(out.in->stage)];
  }

  // The draw of an element program's next rounding.
  Draws::Draw draw() { return draws_.of(element_, next_index_++); }

  // The first row's element is `first` in the count of elements.
  template <class Program, class... In>
  void apply(Rows rows, std::uint64_t first, Array out, In... in) {
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
      element_ = first + i;
      next_index_ = 0;
      Program::apply(*this, out.data[i], element(in, i)...);
    }
  }

  void sum(Place out, std::uint64_t element, mpfr_srcptr x, mpfr_srcptr y, std::size_t n,
           Terms terms);
  // A product with a diagonal matrix: sums of one term.
  void scale(Rows rows, Array out, const Matrix& diagonal, Array in);
  Place allocate(std::size_t n, Stage stage);

  const StopFlag& stop_;
  Draws draws_;
  std::uint64_t element_ = 0, next_index_ = 0;  // of an element program's next rounding
  std::deque<StageNumbers> stages_;
  StagedSums sums_, sums_measured_;
  const std::size_t stride_;  // elements between two looks at the stop flag
  MpfrVectors memory_;
  std::deque<std::array<mpfr_ptr, stages>> integers_;
  mpfr_ptr columns_ = nullptr;  // headers of a few columns of a matrix, one after the other
  std::size_t rows_of_columns_ = 0;
};

}  // namespace precipice
