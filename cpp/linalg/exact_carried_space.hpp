// The Space of a format that float32 or float64 carries, in exact order: sums are rounded to odd in
// float64, and from there to the format.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "linalg/carried_space.hpp"
#include "linalg/exact_native_sums.hpp"

namespace precipice {

template <class T>
class ExactCarriedSpace : public CarriedSpace<T> {
  using Carried = CarriedSpace<T>;

 public:
  using typename Carried::Array;
  using typename Carried::Matrix;
  using typename Carried::Scalar;
  using typename Carried::Weights;

  ExactCarriedSpace(const Arithmetic& arithmetic, const StopFlag& stop)
      : Carried(arithmetic, stop),
        sums_(exact_kernels(cpu_path()), SumRounding::odd,
              static_cast<int>(arithmetic[Stage::parameters].precision), stop) {}

  void matvec(Array f, const Matrix& x, Rows rows, Array u) {
    if (x.diagonal) return Carried::matvec(f, x, rows, u);
    panels(f, x.along_rows, x, u);
  }
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
    if (x.diagonal) return Carried::matvec_transposed(g, x, rows, z);
    panels(g, x.down_rows, x, z);
  }
  void matvec(Array t, const Weights& w, Array g) {
    const RowMajor<T> all{w.data, w.rows, w.columns, w.stride};
    sums_.matvec(wide(t.size), all, Magnitudes::of(all), g.data);
    put(t, 0, t.size);
  }
  void matvec_transposed(Array b, const Weights& w, Array a) {
    const RowMajor<T> all{w.data, w.rows, w.columns, w.stride};
    sums_.matvec_transposed(wide(b.size), all, Magnitudes::of(all), a.data);
    put(b, 0, b.size);
  }
  void dot(Scalar s, Array a, Array b) {
    const RowMajor<T> row{a.data, 1, a.size, a.size};
    sums_.matvec(wide(1), row, Magnitudes::of(row), b.data);
    put({s.data, 1}, 0, 1);
  }

 private:
  // A panel is a matrix whose columns are its outputs' terms.
  void panels(Array out, const Panels<T>& panels, const Matrix& x, Array y) {
    Magnitudes magnitudes{0, static_cast<double>(x.range.least)};
    magnitudes.include(static_cast<double>(x.range.largest));
    sums_.set_vector(y.data, y.size, magnitudes);
    double* const sums = wide(panels.width);
    for (std::size_t i = 0; i < out.size && !this->stopped(); i += panels.width) {
      sums_.down(sums, {panels.panel(i, y.size), y.size, panels.width, panels.width});
      put(out, i, std::min(panels.width, out.size - i));
    }
  }
  double* wide(std::size_t n) {
    if (wide_.size() < n) wide_.resize(n);
    return wide_.data();
  }
  void put(Array out, std::size_t first, std::size_t n) const {
    for (std::size_t i = 0; i < n; ++i) out.data[first + i] = this->nearest(wide_[i]);
  }

  ExactNativeSums<T> sums_;
  std::vector<double> wide_;
};

}  // namespace precipice
