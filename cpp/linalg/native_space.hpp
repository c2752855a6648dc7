// The Space of a native type (float32 to float128, or pairs of float64), sequential order.
//
// Dense data is skewed (skewed_layout.hpp) where this CPU has kernels for it; small data, and all
// data on other CPUs, is row-major (native_products.hpp), and so are trainable matrices
// (weights_products.hpp).
#pragma once

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "linalg/lanes.hpp"
#include "linalg/native_kernels.hpp"
#include "linalg/native_matrix.hpp"
#include "linalg/native_products.hpp"
#include "linalg/space.hpp"
#include "linalg/weights_products.hpp"
#include "machine/cpu_path.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/double_double.hpp"
#include "numbers/exact.hpp"
#include "numbers/format.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/native.hpp"

// Each operation is to be rounded once, to its own type.
#ifdef __FAST_MATH__
#error "value-changing optimisations (-ffast-math, -Ofast) break the rounding contract"
#endif
static_assert(FLT_EVAL_METHOD == 0, "float and double expressions must not be held wider");

namespace precipice {

template <class T>
class NativeSpace {
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
    T reciprocal;  // exact if the value is a power of two, else 0; 0 for pairs, which divide
  };
  using Matrix = NativeMatrix<T>;
  struct Weights {  // row-major
    T* data;
    std::size_t rows, columns, stride;
    RowMajor<T> part(std::size_t begin, std::size_t end) const {
      return {data + begin * stride, end - begin, columns, stride};
    }
  };
  // Of types with vectors, which read W in milliseconds.
  static constexpr bool fuses_descent = sizeof(T) <= sizeof(double);

  NativeSpace(const Arithmetic& arithmetic, const StopFlag& stop)
      : NativeSpace(arithmetic, stop, native_kernels<T>(cpu_path())) {}

  // elements; V is T or a vector of lanes
  template <class V>
  static void multiply(V& out, const V& a, const V& b) {
    out = a * b;
  }
  template <class V>
  static void add(V& out, const V& a, const V& b) {
    out = a + b;
  }
  template <class V>
  static void subtract(V& out, const V& a, const V& b) {
    out = a - b;
  }
  template <class V>
  static void multiply_by_integer(V& out, const V& a, const Integer& n) {
    out = a * n.value;
  }
  // Where 1/n is a number, a*(1/n) and a/n round the same real number. Division takes a fifth of a
  // float64 step at (2, 100) otherwise.
  template <class V>
  static void divide_by_integer(V& out, const V& a, const Integer& n) {
    if (n.reciprocal != T(0))
      out = a * n.reciprocal;
    else
      out = a / n.value;
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
    const T step_size = *eta.data;
    Vector moved = Vector(), away = Vector();
    Change change;
    std::size_t i = 0;
    for (; i + L::count <= next.size; i += L::count) {
      const Vector old = L::load(current.data + i);
      const Vector updated = old - L::broadcast(step_size) * L::load(g.data + i);
      // Only equal finite numbers differ by zero: underflow is gradual and Inf - Inf is NaN.
      moved = L::either(moved, updated - old);
      away = L::either(away, updated - L::load(next.data + i));
      L::store(next.data + i, updated);
    }
    change.moved = L::any_nonzero(moved);
    change.returned = !L::any_nonzero(away);
    for (; i < next.size; ++i) {
      const T updated = current.data[i] - step_size * g.data[i];
      change.moved = change.moved || !(updated - current.data[i] == T(0));
      change.returned = change.returned && updated - next.data[i] == T(0);
      next.data[i] = updated;
    }
    return change;
  }
  Change descend_outer(const Weights& next, const Weights& current, Scalar eta, Array a, Array g,
                       Array t) {
    Change change;
    kernels_for(current).descend_outer(
        {next.data, current.part(0, current.rows), *eta.data, a.data, g.data, t.data}, change.moved,
        change.returned);
    return change;
  }

  Change replace(Array next, Array current, Array value) {
    Change change;
    for (std::size_t i = 0; i < next.size; ++i) {
      const T x = value.data[i];
      change.moved = change.moved || !(x - current.data[i] == T(0));
      change.returned = change.returned && x - next.data[i] == T(0);
      next.data[i] = x;
    }
    return change;
  }
  static void copy(Array to, Array from) { std::copy_n(from.data, from.size, to.data); }

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u) {
    if (x.diagonal) return scale(rows, f, x, u);
    T results[most_rows_per_block];
    if (x.skewed)
      kernels_->matvec[groups(rows) - 1](results, x.row(rows.begin), x.columns, u.data);
    else
      row_major_matvec(results, rows, x, u);
    std::copy(results, results + (rows.end - rows.begin), f.data + rows.begin);
  }
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
    if (x.diagonal) return scale(rows, g, x, z);
    if (x.skewed) return skewed_matvec_transposed(g, x, rows, z);
    native::row_major_matvec_transposed<L>(g.data, x.row(rows.begin), x.stride,
                                           rows.end - rows.begin, x.columns, z.data + rows.begin,
                                           rows.begin == 0);
  }
  void matvec(Array t, const Weights& w, Array g) {
    for (std::size_t q = 0, end; q < w.rows && !stopped(); q = end) {
      end = end_of_part(w, q);
      kernels_for(w).matvec(t.data + q, w.part(q, end), g.data);
    }
  }
  void matvec_transposed(Array b, const Weights& w, Array a) {
    for (std::size_t q = 0, end; q < w.rows && !stopped(); q = end) {
      end = end_of_part(w, q);
      kernels_for(w).matvec_transposed(b.data, w.part(q, end), a.data + q, q == 0);
    }
  }
  void dot(Scalar s, Array a, Array b) {
    T sum = a.data[0] * b.data[0];
    for (std::size_t i = 1; i < a.size; ++i) sum = sum + a.data[i] * b.data[i];
    *s.data = sum;
  }
  void product(Scalar s, Array v, std::size_t skip) {
    std::size_t j = skip == 0 ? 1 : 0;
    T result = v.data[j];
    while (++j < v.size)
      if (j != skip) result = result * v.data[j];
    *s.data = result;
  }

  // iteration
  Rows first_rows(const Matrix& x) const {
    return {0, x.diagonal ? x.rows : std::min(rows_per_block(x), x.rows)};
  }
  Rows next_rows(const Matrix& x, Rows rows) const {
    return {rows.end, std::min(rows.end + rows_per_block(x), x.rows)};
  }
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
    const T value = static_cast<T>(n);
    const bool power_of_two = n > 0 && (n & (n - 1)) == 0;
    return {value, power_of_two && !of_pairs ? T(1) / value : T(0)};
  }
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values) {
    const Matrix x = place(rows, columns);
    for (std::size_t i = 0; i < x.written_rows(); ++i)
      for (std::size_t k = 0; k < columns; ++k)
        x.entries(i)[k] = rounded(values, std::min(i, rows - 1) * columns + k);
    return x;
  }
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values) {
    T* const data = allocate(rows);
    for (std::size_t i = 0; i < rows; ++i) data[i] = rounded(values, i);
    return {data, rows, rows, 0, true, false, 1};
  }
  Matrix rows_like(const Matrix& x, std::size_t n) { return place(n, x.columns); }
  static void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
    precipice::gather(to, x, rows, n);
  }
  static void gather(Array to, Array from, const std::size_t* indices, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) to.data[i] = from.data[indices[i]];
  }
  Weights weights(std::size_t rows, std::size_t columns, Stage = {}) {
    const std::size_t stride = padded(columns);
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
  DoubleLog2 measure(Scalar s) {
    if constexpr (sizeof(T) <= sizeof(double)) {
      const double value = *s.data;
      return {value, std::log2(std::fabs(value))};
    }
    const auto range = ExponentRange::widest();
    to_mpfr(text_, *s.data);
    return precipice::measure(text_);
  }
  static double to_double(Array a, std::size_t i) { return static_cast<double>(a.data[i]); }
  static bool is_finite(Array a) {
    return std::all_of(a.data, a.data + a.size, [](T x) { return precipice::is_finite(x); });
  }

 protected:
  // Without kernels data is row-major.
  NativeSpace(const Arithmetic& arithmetic, const StopFlag& stop, const NativeKernels<T>* kernels)
      : format_(arithmetic[Stage::parameters]), stop_(stop), kernels_(kernels) {}

  // A product with a diagonal matrix: sums of one term.
  static void scale(Rows rows, Array out, const Matrix& diagonal, Array in) {
    for (std::size_t i = rows.begin; i < rows.end; ++i) out.data[i] = diagonal.data[i] * in.data[i];
  }

 private:
  using L = Lanes<T>;
  using Vector = typename L::Vector;
  // Four independent sums hide the latency of an addition; eight float64 rows of a CIFAR image
  // (192 KiB, skewed in AVX-512 768 KiB) stay in the second-level cache between the two products.
  std::size_t rows_per_block(const Matrix& x) const {
    return groups_per_block * (x.skewed ? kernels_->lanes : L::count);
  }
  std::size_t groups(Rows rows) const {
    return (rows.end - rows.begin + kernels_->lanes - 1) / kernels_->lanes;
  }
  static constexpr std::size_t most_rows_per_block = groups_per_block * 64 / sizeof(T);

  // Rows of weights between two looks at the stop flag; none is left to fewer rows than lanes.
  static std::size_t end_of_part(const Weights& w, std::size_t begin) {
    constexpr std::size_t rows = 16 * L::count;
    return w.rows - begin < 2 * rows ? w.rows : begin + rows;
  }
  // The widest lanes that the rows fill.
  const WeightsKernels<T>& kernels_for(const Weights& w) const {
    static constexpr WeightsKernels<T> vectors = native::weights_kernels_over<L>();
    static constexpr WeightsKernels<T> single = native::weights_kernels_over<SingleLane<T>>();
    if (kernels_ && w.rows >= kernels_->weights->lanes) return *kernels_->weights;
    return w.rows >= L::count ? vectors : single;
  }

  static Vector lanes(Array a, std::size_t i) { return L::load(a.data + i); }
  static Vector lanes(Scalar s, std::size_t) { return L::broadcast(*s.data); }
  static const Integer& lanes(const Integer& n, std::size_t) { return n; }
  static T element(Array a, std::size_t i) { return a.data[i]; }
  static T element(Scalar s, std::size_t) { return *s.data; }
  static const Integer& element(const Integer& n, std::size_t) { return n; }

  // For a dense matrix, in the layout that suits it.
  Matrix place(std::size_t rows, std::size_t columns) {
    const SkewedLayout skewed{rows, columns, kernels_ ? kernels_->lanes : 1};
    if (kernels_ && skewed.pays()) {
      T* const data = allocate(skewed.size());
      std::fill_n(data, skewed.size(), T(-0.0));
      return {data, rows, columns, skewed.steps(), false, true, kernels_->lanes};
    }
    const std::size_t stride = padded(columns);
    T* const data = allocate((rows + L::count - 1) / L::count * L::count * stride);
    return {data, rows, columns, stride, false, false, L::count};
  }

  static void row_major_matvec(T* results, Rows rows, const Matrix& x, Array u) {
    const T* const first = x.row(rows.begin);
    switch ((rows.end - rows.begin + L::count - 1) / L::count) {
      case 1: native::row_major_matvec<L, 1>(results, first, x.stride, x.columns, u.data); break;
      case 2: native::row_major_matvec<L, 2>(results, first, x.stride, x.columns, u.data); break;
      case 3: native::row_major_matvec<L, 3>(results, first, x.stride, x.columns, u.data); break;
      default: native::row_major_matvec<L, 4>(results, first, x.stride, x.columns, u.data);
    }
  }
  // Rows that fill up the last group of lanes take a factor of 1.
  void skewed_matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) const {
    if (rows.begin == 0) std::fill_n(g.data, x.columns, T(-0.0));
    T factors[most_rows_per_block];
    std::fill(std::copy(z.data + rows.begin, z.data + rows.end, factors), std::end(factors), T(1));
    kernels_->add_matvec_transposed[groups(rows) - 1](g.data, x.row(rows.begin), x.columns,
                                                      factors);
  }

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

  // An odd number of cache lines apart: equal columns of neighbouring rows must not fall into one
  // cache set (3072 float64 are exactly six pages).
  static std::size_t padded(std::size_t columns) {
    const std::size_t line = std::max<std::size_t>(64 / sizeof(T), 1);
    if (columns < 8 * line) return columns;
    return ((columns + line - 1) / line | 1) * line;
  }
  T* allocate(std::size_t n) {
    memory_.emplace_back(static_cast<T*>(::operator new(n * sizeof(T), alignment)));
    std::fill_n(memory_.back().get(), n, T(0));
    return memory_.back().get();
  }
  T rounded(const ExactVector& values, std::size_t i) {
    if (const auto* doubles = std::get_if<std::vector<double>>(&values))
      return static_cast<T>((*doubles)[i]);
    if constexpr (of_pairs) return nearest_double_double(values, i);
    const ExponentRange range(format_);
    round_to_format(text_, values, i, format_);
    T x;
    from_mpfr(x, text_);
    return x;
  }

  static constexpr bool of_pairs = std::is_same_v<T, double_double>;
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(T* p) const { ::operator delete(p, alignment); }
  };
  Format format_;
  const StopFlag& stop_;
  const NativeKernels<T>* kernels_;  // null: the baseline's
  std::vector<std::unique_ptr<T, Free>> memory_;
  MpfrNumber text_{of_pairs ? bits_of_double_double : format_.precision};  // for conversions
};

}  // namespace precipice
