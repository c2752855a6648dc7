// A LaneSpace of one lane with the boundary that other Spaces have, so that their laws can be put
// to it. Numbers are rounded and read by another Space of the same numbers. Arrays may lie at a
// stride, as those of interleaved runs do; what is between their elements must stay as it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "check.hpp"
#include "linalg/host_team.hpp"
#include "linalg/lane_space.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/exact.hpp"

namespace precipice::test {

inline HostTeam host_team;

template <class Numbers, class Boundary, std::uint32_t stride = 1>
class HostLanes : public LaneSpace<Numbers, HostTeam> {
 public:
  using Base = LaneSpace<Numbers, HostTeam>;
  using T = typename Base::T;
  using typename Base::Array, typename Base::Scalar, typename Base::Integer, typename Base::Matrix,
      typename Base::Weights;
  static constexpr bool checks_exponents = true;

  static inline const Numbers native{};

  HostLanes(const Arithmetic& arithmetic, const StopFlag& stop, const Numbers& numbers = native)
      : Base(host_team, numbers, arithmetic.order, 0, nullptr, arithmetic.seed, arithmetic.run),
        stop_(stop),
        boundary_(arithmetic, stop) {}
  ~HostLanes() {
    for (const std::vector<T>& memory : memory_)
      for (std::size_t i = 0; i < memory.size(); ++i)
        CHECK(i % stride == 0 || memory[i] == gap, stride, i, memory[i]);
  }

  // What changed, at once.
  Change descend(Array next, Array current, Scalar eta, Array g) {
    Base::descend(next, current, eta, g);
    return Base::take_change();
  }
  Change descend_outer(const Weights& next, const Weights& current, Scalar eta, Array a, Array g,
                       Array t) {
    Base::descend_outer(next, current, eta, a, g, t);
    return Base::take_change();
  }
  Change replace(Array next, Array current, Array value) {
    Base::replace(next, current, value);
    return Base::take_change();
  }
  bool stopped() const { return stop_.load(); }
  bool done(const Matrix& x, Rows rows) const { return Base::done(x, rows) || stopped(); }

  // boundary
  Array array(std::size_t n, Stage = {}) { return {allocate(n), small(n), stride}; }
  Scalar scalar(Stage = {}) { return {allocate(1)}; }
  Weights weights(std::size_t rows, std::size_t columns, Stage = {}) {
    return {allocate(rows * columns), small(rows), small(columns), stride};
  }
  Integer integer(long n) {
    const T value = boundary_.integer(n).value;
    const bool power_of_two = n > 0 && (n & (n - 1)) == 0;
    return {value, power_of_two ? T(1) / value : T(0)};
  }
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values) {
    std::vector<T>& x = matrices_.emplace_back(rows * columns);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = rounded(values, i);
    return {x.data(), nullptr, small(rows), small(columns), false};
  }
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values) {
    Matrix x = matrix(rows, 1, values);
    x.columns = x.rows;
    x.diagonal = true;
    return x;
  }
  Matrix rows_like(const Matrix& x, std::size_t n) {
    return {matrices_.emplace_back(n * x.columns).data(), nullptr, small(n), x.columns, false};
  }
  static void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
    to.rows = small(n);
    for (std::size_t i = 0; i < n; ++i)
      std::copy_n(x.by_rows + rows[i] * x.columns, x.columns,
                  const_cast<T*>(to.by_rows) + i * x.columns);
  }
  static void gather(Array to, Array from, const std::size_t* indices, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) to[small(i)] = from[small(indices[i])];
  }
  static void copy(Array to, Array from) {
    for (std::uint32_t i = 0; i < to.size; ++i) to[i] = from[i];
  }
  void assign(Array a, std::size_t i, const ExactVector& values, std::size_t j) {
    a[small(i)] = rounded(values, j);
  }
  void assign(Scalar s, const ExactVector& values, std::size_t j) { *s.data = rounded(values, j); }
  std::string exact(Array a, std::size_t i) { return boundary_.exact({&a[small(i)], 1}, 0); }
  DoubleLog2 measure(Scalar s) { return boundary_.measure({s.data}); }
  static double to_double(Array a, std::size_t i) { return static_cast<double>(a[small(i)]); }
  static bool is_finite(Array a) {
    for (std::uint32_t i = 0; i < a.size; ++i)
      if (!Boundary::is_finite({&a[i], 1})) return false;
    return true;
  }

 private:
  static constexpr T gap = 7;

  static std::uint32_t small(std::size_t n) { return static_cast<std::uint32_t>(n); }
  T rounded(const ExactVector& values, std::size_t i) {
    T x;
    boundary_.assign(typename Boundary::Array{&x, 1}, 0, values, i);
    return x;
  }
  T* allocate(std::size_t n) {
    std::vector<T>& memory = memory_.emplace_back(n * stride, gap);
    for (std::size_t i = 0; i < n; ++i) memory[i * stride] = 0;
    return memory.data();
  }

  const StopFlag& stop_;
  Boundary boundary_;
  std::deque<std::vector<T>> memory_, matrices_;
};

}  // namespace precipice::test
