// Sums of products of float64 numbers without any rounding, then one: a fixed-point number that
// holds every such product (Kulisch's long accumulator), in digits of 32 bits that are summed in
// 64, so that carries wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace precipice {

class ExactAccumulator {
 public:
  // For a new sum.
  void clear();
  void add_product(double x, double y);

  // Either reading takes the digits apart: one for each sum.
  // The sum to nearest, ties to even; an exact zero is -0 if every product was, infinities and NaN
  // are those of the products.
  double nearest();
  // To odd: the sum itself where it is a number of float64, else of its two neighbours the one with
  // an odd last bit, never an infinity. Rounded once more, to 51 bits or fewer in whatever
  // direction, that gives what rounding the sum itself gives (Boldo and Melquiond 2008).
  double to_odd();

 private:
  using Digit = std::int64_t;
  static constexpr int digit_bits = 32;
  static constexpr int least_bit = -2 * 1074;  // of a product of subnormals
  static constexpr std::size_t digits = (2 * (1074 + 1024) + 64) / digit_bits + 2;

  // The magnitude's 64 leading bits, the last one set if any below is, times 2^exponent.
  struct Leading {
    std::uint64_t bits;
    int exponent;
    bool minus;
  };
  Leading leading();
  double rounded(bool odd);

  std::array<Digit, digits> digit_{};
  std::uint32_t waiting_ = 0;  // products since carries were propagated
  double special_ = 0;         // a sum of infinities and NaN, or 0
  bool all_minus_zero_ = true;
  void propagate();
};

}  // namespace precipice
