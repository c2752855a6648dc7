// The Space of one format that float32 or float64 carries (numbers/carried.hpp), and of these two
// themselves in other orders of summation than the sequential; every order but `exact`
// (exact_carried_space.hpp).
//
// The caller asks carried<T>(format) before, and carries_fused<T>(format) for the fused order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "linalg/carried_care.hpp"
#include "linalg/carried_kernels.hpp"
#include "linalg/carried_matrix.hpp"
#include "linalg/space.hpp"
#include "machine/cpu_path.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/carried_format.hpp"
#include "numbers/carried_lanes.hpp"
#include "numbers/exact.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/native.hpp"

namespace precipice {

// Lanes of code for any machine.
struct Baseline {};

template <class T>
class CarriedSpace {
 public:
  using Number = T;
  struct Array {
    T* data;
    std::size_t size;
  };
  struct Scalar {
    T* data;
  };
  struct Integer {
    T value;
  };
  using Matrix = CarriedMatrix<T>;
  struct Weights {  // row-major
    T* data;
    std::size_t rows, columns, stride;
  };
  static constexpr bool fuses_descent = false;
  static constexpr bool checks_exponents = true;

  CarriedSpace(const Arithmetic& arithmetic, const StopFlag& stop)
      : format_(arithmetic[Stage::parameters]),
        order_(arithmetic.order),
        carried_(carried<T>(format_).value()),
        one_(carried_.own),
        many_(carried_.own),
        wide_(carried_.wide),
        stop_(stop),
        kernels_(carried_kernels<T>(cpu_path())) {}

  // elements; V is T or a vector of lanes
  template <class V>
  void multiply(V& out, const V& a, const V& b) const {
    if (carried_.own.has_products)
      out = rounded(a * b);
    else
      multiply_wide(out, a, b);
  }
  template <class V>
  void add(V& out, const V& a, const V& b) const {
    out = rounded(a + b);
  }
  template <class V>
  void subtract(V& out, const V& a, const V& b) const {
    out = rounded(a - b);
  }
  template <class V>
  void multiply_by_integer(V& out, const V& a, const Integer& n) const {
    multiply(out, a, V() + n.value);
  }
  template <class V>
  void divide_by_integer(V& out, const V& a, const Integer& n) const {
    out = rounded(a / n.value);
  }
  template <class V>
  static void copy(V& out, const V& a) {
    out = a;
  }
  template <class V>
  static V temporary(const V&) {
    return V();
  }

  // arrays
  template <class Program, class... In>
  void map(Array out, In... in) {
    map_range<Program>(0, out.size, out, in...);
  }
  template <class Program, class... In>
  void map(Scalar out, In... in) {
    Program::apply(*this, *out.data, element(in, 0)...);
  }
  template <class Program, class... In>
  void map_rows(Rows rows, Array out, In... in) {
    map_range<Program>(rows.begin, rows.end, out, in...);
  }
  template <class Program, class... In>
  void map_outer(const Weights& w, Array a, Array g, In... in) {
    for (std::size_t q = 0; q < w.rows; ++q)
      map<Program>(row_of(w, q), row_of(w, q), element_of(a, q), g, in...);
  }

  Change descend(Array next, Array current, Scalar eta, Array g) {
    Change change;
    const Vector step_size = L::broadcast(*eta.data);
    Vector moved = Vector(), away = Vector();
    std::size_t i = 0;
    for (; i + L::count <= next.size; i += L::count) {
      const Vector old = L::load(current.data + i);
      const Vector updated = descended(old, step_size, L::load(g.data + i));
      moved = either(moved, updated - old);
      away = either(away, updated - L::load(next.data + i));
      L::store(next.data + i, updated);
    }
    for (std::size_t j = 0; j < L::count; ++j) {
      change.moved = change.moved || !(moved[j] == 0);
      change.returned = change.returned && away[j] == 0;
    }
    for (; i < next.size; ++i)
      assign(next, i, descended(current.data[i], *eta.data, g.data[i]), current, change);
    return change;
  }
  Change replace(Array next, Array current, Array value) {
    Change change;
    for (std::size_t i = 0; i < next.size; ++i) assign(next, i, value.data[i], current, change);
    return change;
  }
  static void copy(Array to, Array from) { std::copy_n(from.data, from.size, to.data); }

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u) {
    if (x.diagonal) return scale(rows, f, x, u);
    product_with(x, x.along_rows, f, x.rows, u, x.columns, Partials::strided);
  }
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
    if (x.diagonal) return scale(rows, g, x, z);
    product_with(x, x.down_rows, g, x.columns, z, x.rows, Partials::consecutive);
  }
  void matvec(Array t, const Weights& w, Array g) {
    const SumKernel<T> sum = kernel_of(kernels_, order_, care_for(carried_.own));
    const std::size_t width = kernels_.together;
    tile_.resize(width * w.columns);
    for (std::size_t q = 0; q < w.rows && !stopped(); q += width) {
      const std::size_t rows = std::min(width, w.rows - q);
      for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t k = 0; k < w.columns; ++k)
          tile_[k * width + r] = w.data[(q + r) * w.stride + k];
      sum(carried_, {t.data + q, tile_.data(), width, rows, g.data, w.columns, Partials::strided,
                     work(Partials::strided, w.columns)});
    }
  }
  void matvec_transposed(Array b, const Weights& w, Array a) {
    const SumKernel<T> sum = kernel_of(kernels_, order_, care_for(carried_.own));
    const std::size_t width = kernels_.together;
    for (std::size_t k = 0; k < w.columns && !stopped(); k += width)
      sum(carried_, {b.data + k, w.data + k, w.stride, std::min(width, w.columns - k), a.data,
                     w.rows, Partials::consecutive, work(Partials::consecutive, w.rows)});
  }
  void dot(Scalar s, Array a, Array b) {
    kernel_of(kernels_, order_, care_for(carried_.own))(
        carried_,
        {s.data, a.data, 1, 1, b.data, a.size, Partials::strided, work(Partials::strided, a.size)});
  }
  void product(Scalar s, Array v, std::size_t skip) {
    std::size_t j = skip == 0 ? 1 : 0;
    T result = v.data[j];
    while (++j < v.size)
      if (j != skip) multiply(result, T(result), v.data[j]);
    *s.data = result;
  }

  // iteration: all rows in one block, within which the stop flag is looked at
  Rows first_rows(const Matrix& x) const { return {0, x.rows}; }
  Rows next_rows(const Matrix& x, Rows) const { return {x.rows, x.rows}; }
  bool done(const Matrix& x, Rows rows) const { return rows.begin >= x.rows || stopped(); }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  static Scalar element_of(Array a, std::size_t j) { return {a.data + j}; }
  static Array row_of(const Weights& w, std::size_t q) {
    return {w.data + q * w.stride, w.columns};
  }

  // boundary
  Array array(std::size_t n, Stage = {}) { return {allocate(n), n}; }
  Scalar scalar(Stage = {}) { return {allocate(1)}; }
  Integer integer(long n) const {
    if (carried_.own.native) return {static_cast<T>(n)};
    return {nearest(static_cast<double>(n))};
  }
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values) {
    Matrix x = place(rows, columns);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < columns; ++k) x.set(i, k, rounded(values, i * columns + k));
    x.range = extremes(x.along_rows.data, Panels<T>::size(kernels_.together, rows, columns));
    return x;
  }
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values) {
    T* const data = allocate(rows);
    for (std::size_t i = 0; i < rows; ++i) data[i] = rounded(values, i);
    return {{data, 1}, {nullptr, 1}, rows, rows, true, extremes(data, rows)};
  }
  Matrix rows_like(const Matrix& x, std::size_t n) { return place(n, x.columns); }
  static void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
    precipice::gather(to, x, rows, n);
  }
  static void gather(Array to, Array from, const std::size_t* indices, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) to.data[i] = from.data[indices[i]];
  }
  Weights weights(std::size_t rows, std::size_t columns, Stage = {}) {
    const std::size_t stride = (columns + L::count - 1) / L::count * L::count;
    return {allocate(rows * stride), rows, columns, stride};
  }
  void assign(Array a, std::size_t i, const ExactVector& values, std::size_t j) {
    a.data[i] = rounded(values, j);
  }
  void assign(Scalar s, const ExactVector& values, std::size_t j) { *s.data = rounded(values, j); }
  std::string exact(Array a, std::size_t i) {
    const auto range = ExponentRange::widest();
    to_mpfr(text_, a.data[i]);
    return exact_text(text_);
  }
  static DoubleLog2 measure(Scalar s) {
    const double value = *s.data;
    return {value, std::log2(std::fabs(value))};
  }
  static double to_double(Array a, std::size_t i) { return static_cast<double>(a.data[i]); }
  static bool is_finite(Array a) {
    return std::all_of(a.data, a.data + a.size, [](T x) { return precipice::is_finite(x); });
  }

 protected:
  // A float64 number, rounded to the format.
  T nearest(double x) const { return static_cast<T>(wide_.full(x)); }

 private:
  using One = CarriedOne<T, Baseline>;
  using L = CarriedMany<T, 16, Baseline>;
  using Vector = typename L::Vector;

  // A result of the carrier, rounded to the format.
  T rounded(T x) const { return rounded(one_, x); }
  Vector rounded(const Vector& x) const { return rounded(many_, x); }
  template <class Lanes, class V>
  V rounded(const CarriedRounding<Lanes>& rounding, const V& x) const {
    if (carried_.own.native) return x;
    return carried_.own.by_bits() ? rounding.to_precision(x) : rounding.full(x);
  }

  void multiply_wide(T& out, T a, T b) const {
    out = nearest(static_cast<double>(a) * static_cast<double>(b));
  }
  // Where no product is small, its bits are all in the carrier.
  void multiply_wide(Vector& out, const Vector& a, const Vector& b) const {
    const Vector product = a * b;
    bool small = false;
    for (std::size_t j = 0; j < L::count; ++j)
      small |= std::fabs(product[j]) < carried_.own.least_normal;
    if (!small) {
      out = rounded(product);
      return;
    }
    for (std::size_t j = 0; j < L::count; ++j) {
      T x;
      multiply_wide(x, a[j], b[j]);
      out[j] = x;
    }
  }

  template <class V>
  V descended(const V& x, const V& eta, const V& g) const {
    V step;
    multiply(step, eta, g);
    return rounded(x - step);
  }
  // Only equal finite numbers differ by zero: underflow is gradual and Inf - Inf is NaN.
  static void assign(Array next, std::size_t i, T x, Array current, Change& change) {
    change.moved = change.moved || !(x - current.data[i] == T(0));
    change.returned = change.returned && x - next.data[i] == T(0);
    next.data[i] = x;
  }
  // Nonzero or NaN in a lane where a or b is.
  static Vector either(const Vector& a, const Vector& b) {
    return L::number(L::bits(a) | L::bits(b));
  }

  static Vector lanes(Array a, std::size_t i) { return L::load(a.data + i); }
  static Vector lanes(Scalar s, std::size_t) { return L::broadcast(*s.data); }
  static const Integer& lanes(const Integer& n, std::size_t) { return n; }
  static T element(Array a, std::size_t i) { return a.data[i]; }
  static T element(Scalar s, std::size_t) { return *s.data; }
  static const Integer& element(const Integer& n, std::size_t) { return n; }
  template <class Program, class... In>
  void map_range(std::size_t begin, std::size_t end, Array out, In... in) {
    std::size_t i = begin;
    for (; i + L::count <= end; i += L::count) {
      Vector result = L::load(out.data + i);
      Program::apply(*this, result, lanes(in, i)...);
      L::store(out.data + i, result);
    }
    for (; i < end; ++i) Program::apply(*this, out.data[i], element(in, i)...);
  }

  // A product with a diagonal matrix: sums of one term.
  void scale(Rows rows, Array out, const Matrix& diagonal, Array in) const {
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      multiply(out.data[i], diagonal.along_rows.data[i], in.data[i]);
  }
  void product_with(const Matrix& x, const Panels<T>& panels, Array out, std::size_t outputs,
                    Array y, std::size_t terms, Partials partials) {
    const Care care = care_for(carried_.own, order_, terms, x.range,
                               carried_.own.native ? Extremes<T>{} : extremes(y.data, terms));
    const SumKernel<T> sum = kernel_of(kernels_, order_, care);
    const std::size_t width = panels.width;
    for (std::size_t i = 0; i < outputs && !stopped(); i += width)
      sum(carried_, {out.data + i, panels.panel(i, terms), width, std::min(width, outputs - i),
                     y.data, terms, partials, work(partials, terms)});
  }
  T* work(Partials partials, std::size_t terms) {
    if (order_ != Order::blocked) return nullptr;
    const std::size_t size = number_of_partials(partials, terms) * kernels_.together;
    if (work_.size() < size) work_.resize(size);
    return work_.data();
  }

  Matrix place(std::size_t rows, std::size_t columns) {
    const std::size_t width = kernels_.together;
    return {{allocate(Panels<T>::size(width, rows, columns)), width},
            {allocate(Panels<T>::size(width, columns, rows)), width},
            rows,
            columns,
            false,
            {}};
  }
  // Room for whole vectors of any kernel beyond the end.
  T* allocate(std::size_t n) {
    const std::size_t size = n + 64 / sizeof(T);
    memory_.emplace_back(static_cast<T*>(::operator new(size * sizeof(T), alignment)));
    std::fill_n(memory_.back().get(), size, T(0));
    return memory_.back().get();
  }
  // Text is read at the format's precision, with no end to the exponents above: what lies beyond
  // is then beyond float64, or beyond the format's largest number.
  T rounded(const ExactVector& values, std::size_t i) {
    if (const auto* doubles = std::get_if<std::vector<double>>(&values))
      return carried_.own.native ? static_cast<T>((*doubles)[i]) : nearest((*doubles)[i]);
    const bool native = carried_.own.native;
    const ExponentRange range(format_.emin, native ? format_.emax : mpfr_get_emax_max());
    round_to_format(text_, values, i, format_);
    if (!native) return nearest(mpfr_get_d(text_, MPFR_RNDZ));
    T x;
    from_mpfr(x, text_);
    return x;
  }

  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(T* p) const { ::operator delete(p, alignment); }
  };
  Format format_;
  Order order_;
  Carried<T> carried_;
  CarriedRounding<One> one_;
  CarriedRounding<L> many_;
  CarriedRounding<CarriedOne<double, Baseline>> wide_;
  const StopFlag& stop_;
  const CarriedKernels<T>& kernels_;
  std::vector<std::unique_ptr<T, Free>> memory_;
  std::vector<T> tile_, work_;          // rows of weights, transposed; partial sums
  MpfrNumber text_{format_.precision};  // for conversions
};

}  // namespace precipice
