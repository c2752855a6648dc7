// The Space of float32 or float64 in exact order: sums are rounded once. All else is the native
// Space's, with row-major data.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "linalg/exact_native_sums.hpp"
#include "linalg/native_space.hpp"

namespace precipice {

template <class T>
class ExactNativeSpace : public NativeSpace<T> {
  using Native = NativeSpace<T>;

 public:
  using typename Native::Array;
  using typename Native::Scalar;
  using typename Native::Weights;
  struct Matrix : NativeMatrix<T> {
    Magnitudes magnitudes;
  };
  // The descent would sum in sequential order.
  static constexpr bool fuses_descent = false;

  ExactNativeSpace(const Arithmetic& arithmetic, const StopFlag& stop)
      : Native(arithmetic, stop, nullptr),
        sums_(exact_kernels(cpu_path()), is_float64 ? SumRounding::nearest : SumRounding::odd,
              std::numeric_limits<T>::digits, stop) {}

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u) {
    if (x.diagonal) return Native::scale(rows, f, x, u);
    rounded(f, [&](double* to) { sums_.matvec(to, all(x), x.magnitudes, u.data); });
  }
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
    if (x.diagonal) return Native::scale(rows, g, x, z);
    rounded(g, [&](double* to) { sums_.matvec_transposed(to, all(x), x.magnitudes, z.data); });
  }
  void matvec(Array t, const Weights& w, Array g) {
    const RowMajor<T> all = w.part(0, w.rows);
    rounded(t, [&](double* to) { sums_.matvec(to, all, Magnitudes::of(all), g.data); });
  }
  void matvec_transposed(Array b, const Weights& w, Array a) {
    const RowMajor<T> all = w.part(0, w.rows);
    rounded(b, [&](double* to) { sums_.matvec_transposed(to, all, Magnitudes::of(all), a.data); });
  }
  void dot(Scalar s, Array a, Array b) {
    const RowMajor<T> row{a.data, 1, a.size, a.size};
    rounded({s.data, 1}, [&](double* to) { sums_.matvec(to, row, Magnitudes::of(row), b.data); });
  }

  // iteration: all rows in one block
  Rows first_rows(const Matrix& x) const { return {0, x.rows}; }
  Rows next_rows(const Matrix& x, Rows) const { return {x.rows, x.rows}; }
  bool done(const Matrix& x, Rows rows) const { return rows.begin >= x.rows || Native::stopped(); }

  // boundary
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values) {
    Matrix x{Native::matrix(rows, columns, values), {}};
    x.magnitudes = Magnitudes::of(all(x));
    return x;
  }
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values) {
    return {Native::diagonal_matrix(rows, values), {}};
  }
  // Those of all rows, whichever are put there.
  Matrix rows_like(const Matrix& x, std::size_t n) {
    return {Native::rows_like(x, n), x.magnitudes};
  }
  static void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
    precipice::gather(static_cast<NativeMatrix<T>&>(to), x, rows, n);
  }
  using Native::gather;

 private:
  static constexpr bool is_float64 = sizeof(T) == sizeof(double);

  static RowMajor<T> all(const Matrix& x) { return {x.data, x.rows, x.columns, x.stride}; }

  // Of float64 numbers to the type's own. Sums that were not finished, because of a stop, are what
  // was there.
  template <class Sums>
  void rounded(Array out, const Sums& sums) {
    if constexpr (is_float64) {
      sums(out.data);
    } else {
      wide_.resize(std::max(wide_.size(), out.size));
      sums(wide_.data());
      for (std::size_t i = 0; i < out.size; ++i) out.data[i] = static_cast<T>(wide_[i]);
    }
  }

  ExactNativeSums<T> sums_;
  std::vector<double> wide_;
};

}  // namespace precipice
