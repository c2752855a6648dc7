// The Space of MPFR numbers of one precision, sequential order, round to nearest even.
//
// Nothing is allocated within a step. The caller holds an ExponentRange of the format.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "linalg/space.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/exact.hpp"
#include "numbers/format.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/mpfr_vectors.hpp"

namespace precipice {

class MpfrSpace {
 public:
  using Number = mpfr_ptr;
  struct Array {
    mpfr_ptr data;
    std::size_t size;
  };
  struct Scalar {
    mpfr_ptr data;
  };
  // n rounded once to the format; where that is exact, MPFR's integer routines give the same bits.
  struct Integer {
    mpfr_srcptr rounded;
    unsigned long exact;  // 0 if n is not exact in the format
  };
  struct Matrix {  // dense, or diagonal: rows entries of data
    mpfr_srcptr data;
    std::size_t rows, columns;
    bool diagonal;
    mpfr_srcptr row(std::size_t i) const { return data + i * columns; }
  };
  struct Weights {
    mpfr_ptr data;
    std::size_t rows, columns;
    operator Matrix() const { return {data, rows, columns, false}; }
  };

  MpfrSpace(const Arithmetic& arithmetic, const StopFlag& stop);

  // elements
  static void multiply(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b) {
    mpfr_mul(out, a, b, MPFR_RNDN);
  }
  static void add(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b) { mpfr_add(out, a, b, MPFR_RNDN); }
  static void subtract(mpfr_ptr out, mpfr_srcptr a, mpfr_srcptr b) {
    mpfr_sub(out, a, b, MPFR_RNDN);
  }
  static void multiply_by_integer(mpfr_ptr out, mpfr_srcptr a, const Integer& n) {
    if (n.exact != 0)
      mpfr_mul_ui(out, a, n.exact, MPFR_RNDN);
    else
      mpfr_mul(out, a, n.rounded, MPFR_RNDN);
  }
  static void divide_by_integer(mpfr_ptr out, mpfr_srcptr a, const Integer& n) {
    if (n.exact != 0)
      mpfr_div_ui(out, a, n.exact, MPFR_RNDN);
    else
      mpfr_div(out, a, n.rounded, MPFR_RNDN);
  }
  static void copy(mpfr_ptr out, mpfr_srcptr a) { mpfr_set(out, a, MPFR_RNDN); }
  mpfr_ptr temporary(mpfr_srcptr) { return intermediate_; }

  // arrays
  template <class Program, class... In>
  void map(Array out, In... in) {
    for (Rows rows{0, 0}; rows.end < out.size && !stopped();) {
      rows = {rows.end, std::min(rows.end + stride_, out.size)};
      map_rows<Program>(rows, out, in...);
    }
  }
  template <class Program, class... In>
  void map(Scalar out, In... in) {
    Program::apply(*this, out.data, element(in, 0)...);
  }
  template <class Program, class... In>
  void map_rows(Rows rows, Array out, In... in) {
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      Program::apply(*this, out.data + i, element(in, i)...);
  }
  template <class Program, class... In>
  void map_outer(const Weights& w, Array a, Array g, In... in) {
    const Rows all{0, w.columns};  // of a row's elements; map may stop half way
    for (std::size_t q = 0; q < w.rows; ++q)
      map_rows<Program>(all, row_of(w, q), row_of(w, q), element_of(a, q), g, in...);
  }
  Change descend(Array next, Array current, Scalar eta, Array g);
  Change replace(Array next, Array current, Array value);
  static void copy(Array to, Array from);
  static constexpr bool fuses_descent = false;  // a product W g may take minutes

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u);
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z);
  void matvec(Array t, const Weights& w, Array g);
  void matvec_transposed(Array b, const Weights& w, Array a);
  void dot(Scalar s, Array a, Array b);
  void product(Scalar s, Array v, std::size_t skip);

  // iteration: row by row, so that the stop flag is seen in time at any precision
  Rows first_rows(const Matrix&) const { return {0, 1}; }
  Rows next_rows(const Matrix&, Rows rows) const { return {rows.end, rows.end + 1}; }
  bool done(const Matrix& x, Rows rows) const { return rows.begin >= x.rows || stopped(); }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  static Scalar element_of(Array a, std::size_t j) { return {a.data + j}; }
  static Array row_of(const Weights& w, std::size_t q) {
    return {w.data + q * w.columns, w.columns};
  }

  // boundary
  Array array(std::size_t n, Stage = {}) { return {allocate(n), n}; }
  Scalar scalar(Stage = {}) { return {allocate(1)}; }
  Integer integer(long n);
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values);
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values);
  // Headers alone: the significands are those of X.
  Matrix rows_like(const Matrix& x, std::size_t n) {
    return {memory_.headers(n * x.columns), n, x.columns, false};
  }
  static void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n);
  static void gather(Array to, Array from, const std::size_t* indices, std::size_t n);
  Weights weights(std::size_t rows, std::size_t columns, Stage = {}) {
    return {allocate(rows * columns), rows, columns};
  }
  void assign(Array a, std::size_t i, const ExactVector& values, std::size_t j) {
    round_to_format(a.data + i, values, j, format_);
  }
  void assign(Scalar s, const ExactVector& values, std::size_t j) {
    round_to_format(s.data, values, j, format_);
  }
  std::string exact(Array a, std::size_t i) const { return exact_text(a.data + i); }
  DoubleLog2 measure(Scalar s) const { return precipice::measure(s.data); }
  static double to_double(Array a, std::size_t i) { return mpfr_get_d(a.data + i, MPFR_RNDN); }
  static bool is_finite(Array a) {
    return std::all_of(a.data, a.data + a.size,
                       [](const __mpfr_struct& x) { return mpfr_number_p(&x) != 0; });
  }

 private:
  static mpfr_srcptr element(Array a, std::size_t i) { return a.data + i; }
  static mpfr_srcptr element(Scalar s, std::size_t) { return s.data; }
  static const Integer& element(const Integer& n, std::size_t) { return n; }

  // A product with a diagonal matrix: sums of one term.
  static void scale(Rows rows, Array out, const Matrix& diagonal, Array in);

  mpfr_ptr allocate(std::size_t n) { return memory_.zeros(n, format_.precision); }

  Format format_;
  const StopFlag& stop_;
  MpfrVectors memory_;
  std::size_t stride_;  // columns between two looks at the stop flag
  MpfrNumber term_, intermediate_;
};

}  // namespace precipice
