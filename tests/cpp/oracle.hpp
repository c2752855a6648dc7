// The oracle of an arithmetic of one format: elements, and sums in its order.
#pragma once

#include <cstddef>

#include "numbers/arithmetic.hpp"
#include "slow_numbers.hpp"
#include "slow_sums.hpp"

namespace precipice::test {

class Oracle : public SlowArithmetic {
 public:
  explicit Oracle(const Arithmetic& arithmetic)
      : SlowArithmetic(arithmetic[Stage::parameters]),
        sum_(format(), format(), arithmetic.order, [](std::uint64_t) { return 0u; }) {}

  Slow dot(const Values& a, const Values& b) const { return sum_(a, b, true); }
  // f_i = sum_k x[i,k] u[k] and g_k = sum_i x[i,k] z[i], x by rows.
  Values matvec(const Values& x, const Values& u) const {
    Values f;
    for (std::size_t i = 0; i < x.size() / u.size(); ++i) {
      const auto row = x.begin() + static_cast<std::ptrdiff_t>(i * u.size());
      f.push_back(dot(Values(row, row + static_cast<std::ptrdiff_t>(u.size())), u));
    }
    return f;
  }
  Values matvec_transposed(const Values& x, const Values& z) const {
    const std::size_t columns = x.size() / z.size();
    Values g;
    for (std::size_t k = 0; k < columns; ++k) {
      Values column;
      for (std::size_t i = 0; i < z.size(); ++i) column.push_back(x[i * columns + k]);
      g.push_back(sum_(column, z, false));
    }
    return g;
  }

 private:
  SlowSum sum_;
};

}  // namespace precipice::test
