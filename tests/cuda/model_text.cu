// The model and optimiser text, compiled for a device: one thread carries out a whole step.
//
// This Space is the smallest that the text can be written against; it shows that the text names no
// host function, allocates nothing and needs no other operation than linalg/space.hpp lists.
#include <cstddef>

#include "models/minimalist.hpp"
#include "models/two_layer_linear.hpp"

namespace precipice {

template <class T>
class OneThread {
 public:
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
  struct Matrix {
    const T* data;
    std::size_t rows, columns;
  };

  struct Weights {
    T* data;
    std::size_t rows, columns;
    PRECIPICE_HOST_DEVICE operator Matrix() const { return {data, rows, columns}; }
  };

#define HD PRECIPICE_HOST_DEVICE
  HD static void copy(T& out, T a) { out = a; }
  HD static void multiply(T& out, T a, T b) { out = a * b; }
  HD static void add(T& out, T a, T b) { out = a + b; }
  HD static void subtract(T& out, T a, T b) { out = a - b; }
  HD static void multiply_by_integer(T& out, T a, Integer n) { out = a * n.value; }
  HD static T temporary(T) { return T(); }
  HD static void divide_by_integer(T& out, T a, Integer n) { out = a / n.value; }

  template <class Program, class... In>
  HD void map(Array out, In... in) {
    for (std::size_t i = 0; i < out.size; ++i) Program::apply(*this, out.data[i], at(in, i)...);
  }
  template <class Program, class... In>
  HD void map(Scalar out, In... in) {
    Program::apply(*this, *out.data, at(in, 0)...);
  }
  template <class Program, class... In>
  HD void map_rows(Rows rows, Array out, In... in) {
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      Program::apply(*this, out.data[i], at(in, i)...);
  }
  HD Change descend(Array next, Array current, Scalar eta, Array g) {
    Change change;
    for (std::size_t i = 0; i < next.size; ++i) {
      const T updated = current.data[i] - *eta.data * g.data[i];
      change.moved = change.moved || !(updated - current.data[i] == T(0));
      change.returned = change.returned && updated - next.data[i] == T(0);
      next.data[i] = updated;
    }
    return change;
  }
  static constexpr bool fuses_descent = true;
  HD Change descend_outer(const Weights& next, const Weights& current, Scalar eta, Array a, Array g,
                          Array t) {
    Change change;
    for (std::size_t q = 0; q < current.rows; ++q) {
      T sum = T(-0.0);
      for (std::size_t k = 0; k < current.columns; ++k) {
        T& after = next.data[q * current.columns + k];
        const T now = current.data[q * current.columns + k];
        const T updated = now - *eta.data * (a.data[q] * g.data[k]);
        change.moved = change.moved || !(updated - now == T(0));
        change.returned = change.returned && updated - after == T(0);
        after = updated;
        sum = sum + now * g.data[k];
      }
      t.data[q] = sum;
    }
    return change;
  }
  HD void matvec(Array f, const Matrix& x, Rows rows, Array u) {
    for (std::size_t i = rows.begin; i < rows.end; ++i) {
      T sum = x.data[i * x.columns] * u.data[0];
      for (std::size_t k = 1; k < x.columns; ++k) sum = sum + x.data[i * x.columns + k] * u.data[k];
      f.data[i] = sum;
    }
  }
  HD void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
    for (std::size_t i = rows.begin; i < rows.end; ++i)
      for (std::size_t k = 0; k < x.columns; ++k) {
        const T term = x.data[i * x.columns + k] * z.data[i];
        g.data[k] = i == 0 ? term : g.data[k] + term;
      }
  }
  HD void matvec(Array t, const Weights& w, Array g) { matvec(t, w, {0, w.rows}, g); }
  HD void matvec_transposed(Array b, const Weights& w, Array a) {
    matvec_transposed(b, w, {0, w.rows}, a);
  }
  HD void dot(Scalar s, Array a, Array b) {
    T sum = a.data[0] * b.data[0];
    for (std::size_t i = 1; i < a.size; ++i) sum = sum + a.data[i] * b.data[i];
    *s.data = sum;
  }
  HD void product(Scalar s, Array v, std::size_t skip) {
    std::size_t j = skip == 0 ? 1 : 0;
    T result = v.data[j];
    while (++j < v.size)
      if (j != skip) result = result * v.data[j];
    *s.data = result;
  }
  HD Rows first_rows(const Matrix& x) const { return {0, x.rows}; }
  HD Rows next_rows(const Matrix& x, Rows rows) const { return {rows.end, x.rows}; }
  HD bool done(const Matrix& x, Rows rows) const { return rows.begin >= x.rows; }
  HD bool stopped() const { return false; }
  HD static Scalar element_of(Array a, std::size_t j) { return {a.data + j}; }
  HD static Array row_of(const Weights& w, std::size_t q) {
    return {w.data + q * w.columns, w.columns};
  }

 private:
  HD static T at(Array a, std::size_t i) { return a.data[i]; }
  HD static T at(Scalar s, std::size_t) { return *s.data; }
  HD static Integer at(Integer n, std::size_t) { return n; }
#undef HD
};

template <class T>
__global__ void train(typename Minimalist<OneThread<T>>::Data data,
                      typename Minimalist<OneThread<T>>::Parameters theta,
                      typename Minimalist<OneThread<T>>::Parameters next,
                      typename Minimalist<OneThread<T>>::Work work,
                      typename OneThread<T>::Scalar eta, long steps) {
  using Model = Minimalist<OneThread<T>>;
  OneThread<T> space;
  for (long t = 0; t < steps; ++t) {
    Model::gradient(space, data, theta, work);
    Model::loss(space, data, work);
    Change change = space.descend(next.u, theta.u, eta, work.g);
    change &= space.descend(next.v, theta.v, eta, work.h);
    if (!change.moved) return;
    const auto old = theta;
    theta = next;
    next = old;
  }
}

template __global__ void train<float>(Minimalist<OneThread<float>>::Data,
                                      Minimalist<OneThread<float>>::Parameters,
                                      Minimalist<OneThread<float>>::Parameters,
                                      Minimalist<OneThread<float>>::Work, OneThread<float>::Scalar,
                                      long);
template __global__ void train<double>(Minimalist<OneThread<double>>::Data,
                                       Minimalist<OneThread<double>>::Parameters,
                                       Minimalist<OneThread<double>>::Parameters,
                                       Minimalist<OneThread<double>>::Work,
                                       OneThread<double>::Scalar, long);

template <class T>
__global__ void train_two_layer(typename TwoLayerLinear<OneThread<T>>::Data data,
                                typename TwoLayerLinear<OneThread<T>>::Factors factors,
                                typename TwoLayerLinear<OneThread<T>>::Parameters theta,
                                typename TwoLayerLinear<OneThread<T>>::Parameters next,
                                typename TwoLayerLinear<OneThread<T>>::Work work,
                                Contraction contraction, typename OneThread<T>::Scalar eta) {
  using Model = TwoLayerLinear<OneThread<T>>;
  OneThread<T> space;
  Model::evaluate(space, data, factors, theta, work, contraction);
  if (contraction == Contraction::collapsed && !theta.biased()) {
    Model::descend(space, factors, theta, next, work, eta);
    return;
  }
  Model::gradient(space, data, factors, theta, work, contraction);
  for (std::size_t q = 0; q < theta.a.size; ++q)
    space.descend(space.row_of(next.W, q), space.row_of(theta.W, q), eta,
                  Model::gradient_of_row(space, work, q, contraction));
  space.descend(next.a, theta.a, eta, work.t);
  if (!theta.biased()) return;
  space.descend(next.b1, theta.b1, eta, work.db1);
  space.descend(next.b2, theta.b2, eta, work.db2);
}

template __global__ void train_two_layer<float>(TwoLayerLinear<OneThread<float>>::Data,
                                                TwoLayerLinear<OneThread<float>>::Factors,
                                                TwoLayerLinear<OneThread<float>>::Parameters,
                                                TwoLayerLinear<OneThread<float>>::Parameters,
                                                TwoLayerLinear<OneThread<float>>::Work, Contraction,
                                                OneThread<float>::Scalar);
template __global__ void train_two_layer<double>(TwoLayerLinear<OneThread<double>>::Data,
                                                 TwoLayerLinear<OneThread<double>>::Factors,
                                                 TwoLayerLinear<OneThread<double>>::Parameters,
                                                 TwoLayerLinear<OneThread<double>>::Parameters,
                                                 TwoLayerLinear<OneThread<double>>::Work,
                                                 Contraction, OneThread<double>::Scalar);

}  // namespace precipice
