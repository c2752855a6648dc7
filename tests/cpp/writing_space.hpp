// A Space that computes nothing: its numbers are names, and what it leaves behind is the program
// that it was asked to carry out, one definition a number, every rounded operation in parentheses:
//
//   z[0] = ((f[0] * P) - y[0])
//
// An operand that has a name is written by its name, an operation in place (out == a) and a
// nameless intermediate by what they stand for. So each name is defined once; a name that changes
// after it was read, or is read before it was defined, is an error that the text shows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "linalg/space.hpp"

namespace precipice::test {

class WritingSpace {
 public:
  struct Entry {
    std::string name;   // empty: an intermediate
    std::string value;  // empty: nothing was written yet
    bool read = false;  // by its name
  };
  using Number = Entry*;
  struct Array {
    Entry* data;
    std::size_t size;
  };
  struct Scalar {
    Entry* data;
  };
  struct Integer {
    std::string name;
  };
  struct Matrix {  // dense, or diagonal: rows entries of data
    Entry* data;
    std::size_t rows, columns;
    bool diagonal;
    Entry* at(std::size_t i, std::size_t k) const { return data + i * columns + k; }
  };

  struct Weights : Matrix {};

  explicit WritingSpace(std::size_t rows_per_block) : rows_per_block_(rows_per_block) {}

  // elements
  void multiply(Entry* out, Entry* a, Entry* b) { write(out, a, "*", operand(out, b)); }
  void add(Entry* out, Entry* a, Entry* b) { write(out, a, "+", operand(out, b)); }
  void subtract(Entry* out, Entry* a, Entry* b) { write(out, a, "-", operand(out, b)); }
  void multiply_by_integer(Entry* out, Entry* a, const Integer& n) { write(out, a, "*", n.name); }
  void divide_by_integer(Entry* out, Entry* a, const Integer& n) { write(out, a, "/", n.name); }
  void copy(Entry* out, Entry* a) { define(out, operand(out, a)); }
  Entry* temporary(const Entry*) { return &entries_.emplace_back(1).front(); }

  // arrays
  template <class Program, class... In>
  void map(Array out, In... in) {
    map_rows<Program>({0, out.size}, out, in...);
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
  Change descend(Array next, Array current, Scalar eta, Array g) {
    for (std::size_t i = 0; i < next.size; ++i) {
      Entry* const move = temporary(next.data);
      multiply(move, eta.data, g.data + i);
      subtract(next.data + i, current.data + i, move);
    }
    return {true, false};
  }
  static constexpr bool fuses_descent = true;
  Change descend_outer(const Weights& next, const Weights& current, Scalar eta, Array a, Array g,
                       Array t) {
    matvec(t, current, g);
    for (std::size_t q = 0; q < current.rows; ++q)
      for (std::size_t k = 0; k < current.columns; ++k) {
        Entry* const move = temporary(next.data);
        multiply(move, a.data + q, g.data + k);
        multiply(move, eta.data, move);
        subtract(next.at(q, k), current.at(q, k), move);
      }
    return {true, false};
  }

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u) {
    if (x.diagonal) return scale(rows, f, x, u);
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      for (std::size_t k = 0; k < x.columns; ++k)
        accumulate(f.data + i, x.at(i, k), u.data + k, k == 0);
  }
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
    if (x.diagonal) return scale(rows, g, x, z);
    for (std::size_t k = 0; k < x.columns; ++k)
      for (std::size_t i = rows.begin; i < rows.end; ++i)
        accumulate(g.data + k, x.at(i, k), z.data + i, i == 0);
  }
  void matvec(Array t, const Weights& w, Array g) { matvec(t, w, {0, w.rows}, g); }
  void matvec_transposed(Array b, const Weights& w, Array a) {
    matvec_transposed(b, w, {0, w.rows}, a);
  }
  void dot(Scalar s, Array a, Array b) {
    for (std::size_t i = 0; i < a.size; ++i) accumulate(s.data, a.data + i, b.data + i, i == 0);
  }
  void product(Scalar s, Array v, std::size_t skip) {
    const std::size_t first = skip == 0 ? 1 : 0;
    if (first == v.size) return define(s.data, "(an empty product)");
    copy(s.data, v.data + first);
    for (std::size_t j = first + 1; j < v.size; ++j)
      if (j != skip) multiply(s.data, s.data, v.data + j);
  }

  // iteration
  Rows first_rows(const Matrix& x) const { return {0, std::min(rows_per_block_, x.rows)}; }
  Rows next_rows(const Matrix& x, Rows rows) const {
    return {rows.end, std::min(rows.end + rows_per_block_, x.rows)};
  }
  bool done(const Matrix& x, Rows rows) const { return rows.begin >= x.rows; }
  bool stopped() const { return false; }

  static Scalar element_of(Array a, std::size_t j) { return {a.data + j}; }
  static Array row_of(const Weights& w, std::size_t q) { return {w.at(q, 0), w.columns}; }

  // boundary; an input's value is its name, a scalar without a name is an intermediate
  Array array(const std::string& name, std::size_t n) {
    Entry* const first = allocate(n);
    for (std::size_t i = 0; i < n; ++i) first[i].name = name + "[" + std::to_string(i) + "]";
    return {first, n};
  }
  Array input(const std::string& name, std::size_t n) {
    const Array a = array(name, n);
    for (std::size_t i = 0; i < n; ++i) a.data[i].value = a.data[i].name;
    return a;
  }
  Scalar scalar(const std::string& name) {
    Entry* const entry = allocate(1);
    entry->name = name;
    return {entry};
  }
  Scalar input(const std::string& name) {
    const Scalar s = scalar(name);
    s.data->value = name;
    return s;
  }
  Matrix matrix(const std::string& name, std::size_t rows, std::size_t columns) {
    Entry* const first = allocate(rows * columns);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < columns; ++k) {
        Entry& entry = first[i * columns + k];
        entry.name = name + "[" + std::to_string(i) + "," + std::to_string(k) + "]";
        entry.value = entry.name;
      }
    return {first, rows, columns, false};
  }
  // Inputs, or numbers that are to be written.
  Weights weights(const std::string& name, std::size_t rows, std::size_t columns, bool inputs) {
    Weights w{matrix(name, rows, columns)};
    for (std::size_t i = 0; i < rows * columns && !inputs; ++i) w.data[i].value.clear();
    return w;
  }
  Matrix diagonal_matrix(const std::string& name, std::size_t rows) {
    return {input(name, rows).data, rows, rows, true};
  }

  // What was written
  static std::string definition(Scalar s) { return s.data->name + " = " + s.data->value; }
  static std::vector<std::string> definitions(Array a) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < a.size; ++i) lines.push_back(definition(element_of(a, i)));
    return lines;
  }
  std::size_t rounded_operations() const { return rounded_operations_; }

 private:
  static Entry* element(Array a, std::size_t i) { return a.data + i; }
  static Entry* element(Scalar s, std::size_t) { return s.data; }
  static const Integer& element(const Integer& n, std::size_t) { return n; }

  static std::string operand(const Entry* out, Entry* x) {
    if (x->value.empty()) return "(" + x->name + " before it was defined)";
    if (x == out || x->name.empty()) return x->value;
    x->read = true;
    return x->name;
  }
  void write(Entry* out, Entry* a, const std::string& operation, const std::string& b) {
    ++rounded_operations_;
    const std::string left = operand(out, a);
    define(out, "(" + left + " " + operation + " " + b + ")");
  }
  static void define(Entry* out, const std::string& value) {
    out->value = out->read ? "(changed after it was read) " + value : value;
  }
  void scale(Rows rows, Array out, const Matrix& diagonal, Array in) {
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      multiply(out.data + i, diagonal.data + i, in.data + i);
  }
  void accumulate(Entry* sum, Entry* a, Entry* b, bool first) {
    Entry* const term = first ? sum : temporary(sum);
    multiply(term, a, b);
    if (!first) add(sum, sum, term);
  }
  Entry* allocate(std::size_t n) { return entries_.emplace_back(n).data(); }

  std::size_t rows_per_block_;
  std::size_t rounded_operations_ = 0;
  std::deque<std::vector<Entry>> entries_;
};

}  // namespace precipice::test
