// How one operation on numbers of a format is carried out by a lane, on CPU or GPU:
//
//   Number               the type that holds them
//   draws                whether a rounding may need a draw
//   multiply(a, b, draw) add  subtract  divide
//                        the exact result, rounded once; draw() gives the 32 bits of a stochastic
//                        rounding and is called by that alone
//
// Plain data that the host makes of a Format (lane_formats.hpp). Compiled without contraction of
// a*b + c and without flushing of subnormal numbers, so that both give the same bits.
#pragma once

#include <cstdint>

#include "machine/host_device.hpp"
#include "numbers/carried.hpp"
#include "numbers/carried_one.hpp"
#include "numbers/soft_rounding.hpp"

namespace precipice {

enum class DeviceNumbers : std::uint32_t { float32, float64, carried32, carried64, soft };

// The compiler's types.
template <class T>
struct NativeNumbers {
  using Number = T;
  static constexpr bool draws = false;

  template <class Draw>
  PRECIPICE_HOST_DEVICE T multiply(T a, T b, const Draw&) const {
    return a * b;
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE T add(T a, T b, const Draw&) const {
    return a + b;
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE T subtract(T a, T b, const Draw&) const {
    return a - b;
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE T divide(T a, T b, const Draw&) const {
    return a / b;
  }
};

struct OfLanes {};  // the unit of what carried.hpp's templates become here

// A format in float32 or float64, to nearest (numbers/carried.hpp says why).
template <class T>
class CarriedNumbers {
 public:
  using Number = T;
  static constexpr bool draws = false;

  explicit CarriedNumbers(const Carried<T>& format)
      : own_(format.own),
        wide_(format.wide),
        by_bits_(format.own.by_bits()),
        has_products_(format.own.has_products) {}

  template <class Draw>
  PRECIPICE_HOST_DEVICE T multiply(T a, T b, const Draw&) const {
    if constexpr (sizeof(T) < sizeof(double))
      if (!has_products_)
        return static_cast<T>(wide_.full(static_cast<double>(a) * static_cast<double>(b)));
    return rounded(a * b);
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE T add(T a, T b, const Draw&) const {
    return rounded(a + b);
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE T subtract(T a, T b, const Draw&) const {
    return rounded(a - b);
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE T divide(T a, T b, const Draw&) const {
    return rounded(a / b);
  }

 private:
  PRECIPICE_HOST_DEVICE T rounded(T x) const {
    return by_bits_ ? own_.to_precision(x) : own_.full(x);
  }

  CarriedRounding<CarriedOne<T, OfLanes>> own_;
  CarriedRounding<CarriedOne<double, OfLanes>> wide_;
  bool by_bits_, has_products_;
};

// A format of up to 25 bits in float64, in any rounding. Operands have 25 bits at most; they need
// not be members.
class SoftNumbers {
 public:
  using Number = double;
  static constexpr bool draws = true;

  explicit SoftNumbers(const SoftRounding& rounding) : rounding_(rounding) {}

  template <class Draw>
  PRECIPICE_HOST_DEVICE double multiply(double a, double b, const Draw& draw) const {
    return product(a, b, drawn(draw));
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE double add(double a, double b, const Draw& draw) const {
    return sum(a, b, drawn(draw));
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE double subtract(double a, double b, const Draw& draw) const {
    return sum(a, SoftRounding::number(SoftRounding::bits(b) ^ SoftRounding::sign_bit),
               drawn(draw));
  }
  template <class Draw>
  PRECIPICE_HOST_DEVICE double divide(double a, double b, const Draw& draw) const {
    return quotient(a, b, drawn(draw));
  }

 private:
  static constexpr int spare = 10;

  template <class Draw>
  PRECIPICE_HOST_DEVICE std::uint32_t drawn(const Draw& draw) const {
    return rounding_.stochastic() ? draw() : 0;
  }

  // The product of two significands is exact.
  PRECIPICE_HOST_DEVICE PRECIPICE_OUT_OF_LINE double product(double a, double b,
                                                             std::uint32_t draw) const {
    if (SoftRounding::special(a) || SoftRounding::special(b)) return rounding_.exactly(a * b);
    const SoftOperand x = SoftRounding::leading_parts(a), y = SoftRounding::leading_parts(b);
    return rounding_.rounded(differ_in_sign(a, b), x.significand * y.significand, x.unit + y.unit,
                             draw);
  }

  // The smaller is moved to the unit of the larger, which has ten bits to spare.
  PRECIPICE_HOST_DEVICE PRECIPICE_OUT_OF_LINE double sum(double a, double b,
                                                         std::uint32_t draw) const {
    if (SoftRounding::biased_exponent(a) == 2047 || SoftRounding::biased_exponent(b) == 2047)
      return rounding_.exactly(a + b);
    const bool swapped = size(a) < size(b);
    const double large = swapped ? b : a, small = swapped ? a : b;
    const SoftOperand x = SoftRounding::parts(large), y = SoftRounding::parts(small);
    const int apart = x.unit - y.unit;
    const std::uint64_t first = x.significand << spare, all = y.significand << spare;
    std::uint64_t second = apart > 63 ? 0 : all >> apart;
    if (apart > 63 ? all != 0 : second << apart != all) second |= 1;
    const std::uint64_t s = differ_in_sign(a, b) ? first - second : first + second;
    if (s == 0) return differ_in_sign(a, b) ? rounding_.cancelled() : a;
    return rounding_.rounded(minus(large), s, x.unit - spare, draw);
  }
  // 63 or 64 bits of the quotient of two significands, and whether there are more.
  PRECIPICE_HOST_DEVICE PRECIPICE_OUT_OF_LINE double quotient(double a, double b,
                                                              std::uint32_t draw) const {
    if (SoftRounding::special(a) || SoftRounding::special(b)) return rounding_.exactly(a / b);
    const SoftOperand x = SoftRounding::leading_parts(a), y = SoftRounding::leading_parts(b);
    const std::uint64_t dividend = x.significand << 39;
    const std::uint64_t first = dividend / y.significand;
    const std::uint64_t rest = (dividend - first * y.significand) << 24;
    const std::uint64_t second = rest / y.significand;
    const std::uint64_t all = first << 24 | second;
    const std::uint64_t more = second * y.significand != rest ? 1 : 0;
    return rounding_.rounded(differ_in_sign(a, b), all | more, x.unit - y.unit - 63, draw);
  }

  PRECIPICE_HOST_DEVICE static std::uint64_t size(double x) {
    return SoftRounding::bits(x) & ~SoftRounding::sign_bit;
  }
  PRECIPICE_HOST_DEVICE static bool minus(double x) {
    return (SoftRounding::bits(x) & SoftRounding::sign_bit) != 0;
  }
  PRECIPICE_HOST_DEVICE static bool differ_in_sign(double a, double b) {
    return minus(a) != minus(b);
  }

  SoftRounding rounding_;
};

}  // namespace precipice
