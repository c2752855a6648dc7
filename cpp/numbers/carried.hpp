// Numbers of a narrow format held in float32 or float64, the carrier: an operation of the carrier,
// then a rounding to the format. Nothing here branches on a number, so that lanes of a vector all
// do the same.
//
// Why rounding twice is harmless. Let P be the carrier's precision, 2^(Q-1) its smallest number; p,
// emin, emax the format's; x the exact result of + - * / or sqrt of members, r = RN_P(x), and mu
// any point where the format's rounding turns (half way between neighbours). Rounding is monotone,
// so RN_p(r) can differ from RN_p(x) only where r = mu though x is not: where 0 < |x - mu| is less
// than half a unit of the carrier at mu.
//   +, -  Members are multiples of the format's quantum, so results below its normal numbers are
//         exact. Let |a| >= |b|. If x has more than P bits, b's first bit lies P - p >= p + 2
//         places or more below a's: |b| is (1 - 2^-p)/4 of a unit of a's last place at most, and mu
//         a quarter of it from a at least. The 2^(-p-2) units between x and mu are more than half a
//         unit of the carrier.
//   *     x has 2p <= P bits, so it is exact unless its last bit lies below 2^(Q-1). Near a mu,
//         which is 2^(emin-2) at least, the last bit of x is 2^(emin-1-2p) at least; just below a
//         power of two it would be half that for a product of significands above 2^2p - 2^p, but
//         (2^p - 1)^2 is less. So x is exact if emin - 2p >= Q, which `has_products` says. Where
//         that fails (tfloat32 in float32), products of numbers not known to be large enough are
//         taken in float64.
//   /     |x - mu| >= |mu| 2^-(p+q+1), where mu has q + 1 <= p + 1 bits: a nonzero remainder is an
//         integer. Half a unit of the carrier is |mu| 2^-P at most while it is normal, and below
//         that 2^(Q-2), which is less than 2^(emin-2-p) <= |mu| 2^-(p+q+1).
//   sqrt  the remainder of the squares, likewise: P >= 2p + 2.
// It is not harmless for a*b + c rounded once: `fused` goes through a sum rounded to odd.
//
// Included by units that are compiled for one instruction set: no standard container may come in.
#pragma once

#include <cstdint>

#include "machine/host_device.hpp"

namespace precipice {

template <class T>
struct CarrierOf;
template <>
struct CarrierOf<float> {
  using Bits = std::uint32_t;
  static constexpr int precision = 24;
};
template <>
struct CarrierOf<double> {
  using Bits = std::uint64_t;
  static constexpr int precision = 53;
};

// The constants of a format in a carrier (carried_format.hpp makes them).
template <class T>
struct CarriedFormat {
  using Bits = typename CarrierOf<T>::Bits;
  bool native;            // the carrier itself: nothing is rounded
  int dropped;            // bits at the end of the carrier's significand that the format has not
  Bits below_half, kept;  // just less than half a unit of the last place kept; all bits but those
  T least_normal;         // below it, members are the multiples of one quantum;
  T grid;                 // the carrier's numbers from here to 2 grid are such multiples
  Bits raise;      // added to the exponent of x: that of 1.5 * 2^(P-1) units of x's last place
  T least_raised;  // the same of the quantum
  T largest;       // the largest number; what lies beyond it; what infinity becomes
  T beyond, infinite;

  bool cuts_subnormals;  // those of the carrier, cut to p bits, are the format's
  bool overflows;        // where the carrier does
  bool has_products;     // exact where that matters (above)
  bool raises_products;  // the exponent of no product of members is raised beyond the carrier's
  double exact_sums;     // sums of multiples of last places of numbers so large need no quantum

  // Whether cutting bits is all there is to a rounding.
  PRECIPICE_HOST_DEVICE bool by_bits() const {
    return cuts_subnormals && overflows && has_products;
  }
};

// A format in its carrier and, for products, in float64.
template <class T>
struct Carried {
  CarriedFormat<T> own;
  CarriedFormat<double> wide;
};

// Lanes: Number, Vector, Bits (an unsigned integer a lane), broadcast, bits, number, and
//   if_less(a, b, yes, no)   larger(a, b), of numbers
//   with_sign(y, x)          y, which is positive or of x's sign, with the sign of x
//   add_bit(a, b, i)         a, plus 1 where bit i of b is set
template <class L>
class CarriedRounding {
 public:
  using Number = typename L::Number;
  using Vector = typename L::Vector;
  using Bits = typename L::Bits;
  using Word = typename CarrierOf<Number>::Bits;

  PRECIPICE_HOST_DEVICE explicit CarriedRounding(const CarriedFormat<Number>& format)
      : format_(format), grid_(L::broadcast(format.grid)) {}

  // To p bits: adds half a unit of the last place kept, a little less where that is even already,
  // and cuts. A carry into the exponent is the next power of two, or infinity. For numbers that are
  // normal in the carrier, or if the format's quantum is a unit of the bits that are kept. NaN
  // stays NaN: its first bit is kept.
  PRECIPICE_HOST_DEVICE Vector to_precision(const Vector& x) const {
    const Bits bits = L::bits(x);
    return L::number((L::add_bit(bits, bits, format_.dropped) + format_.below_half) & format_.kept);
  }

  // To p bits, or to the quantum below the normal numbers; the exponent must not be too large to
  // be raised, and nothing overflows. 1.5 * 2^(P-1) units of the last place, added, leave no room
  // for less than a unit, and an even number of units leaves ties as they are.
  PRECIPICE_HOST_DEVICE Vector gradual(const Vector& x) const {
    const Bits exponent = L::bits(x) & exponent_bits;
    const Vector units =
        L::larger(L::number(exponent + format_.raise), L::broadcast(format_.least_raised));
    return L::with_sign((x + units) - units, x);
  }

  // Any result of the carrier. Without subnormal numbers the quantum is the smallest number: half
  // of it or less becomes 0, which is even.
  PRECIPICE_HOST_DEVICE Vector full(const Vector& x) const {
    const Vector size = L::number(L::bits(x) & ~sign_bit);
    Vector y = L::if_less(size, L::broadcast(format_.least_normal), (size + grid_) - grid_,
                          to_precision(size));
    y = L::if_less(L::broadcast(format_.largest), y, L::broadcast(format_.beyond), y);
    y = L::if_less(L::broadcast(most), size, L::broadcast(format_.infinite), y);
    return L::with_sign(y, x);
  }

 private:
  static constexpr Word sign_bit = Word(1) << (8 * sizeof(Word) - 1);
  static constexpr Word fraction_bits = (Word(1) << (CarrierOf<Number>::precision - 1)) - 1;
  static constexpr Word exponent_bits = ~sign_bit & ~fraction_bits;
  static constexpr Number most =
      __builtin_bit_cast(Number, exponent_bits - 1);  // the largest finite number of the carrier

  CarriedFormat<Number> format_;
  Vector grid_;
};

// a + b rounded to odd: of the two neighbours of an inexact sum, the one with an odd last bit. It
// is never a point where a rounding to fewer bits turns, and lies on the side of it that a + b does
// (Boldo and Melquiond 2008). b's error by Knuth's TwoSum.
template <class L>
typename L::Vector sum_to_odd(const typename L::Vector& a, const typename L::Vector& b) {
  using V = typename L::Vector;
  using Word = typename CarrierOf<typename L::Number>::Bits;
  const V sum = a + b, of_b = sum - a;
  const V error = (a - (sum - of_b)) + (b - of_b);
  constexpr int sign = 8 * sizeof(Word) - 1;
  const auto bits = L::bits(sum), error_bits = L::bits(error);
  // One step away from zero, or towards it: + 1 or - 1 as an integer.
  const auto step = ((bits ^ error_bits) >> sign) * Word(-2) + 1;
  const auto if_even = (bits & 1) - 1;
  const V zero = L::broadcast(0), size = L::number(error_bits & ~(Word(1) << sign));
  return L::number(bits + (L::bits(L::if_less(zero, size, L::number(step), zero)) & if_even));
}

}  // namespace precipice
