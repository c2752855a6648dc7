#include "numbers/carried_format.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "numbers/carried_lanes.hpp"

namespace precipice {
namespace {

struct Here {};

// The carrier's precision and exponents, in MPFR's convention.
template <class T>
struct Range {
  using Limits = std::numeric_limits<T>;
  static constexpr long precision = Limits::digits, emax = Limits::max_exponent;
  static constexpr long normal = Limits::min_exponent;  // of the smallest normal number
  static constexpr long emin = normal - precision + 1;
};

template <class T>
T power_of_two(long exponent) {
  return std::ldexp(T(1), static_cast<int>(exponent));
}

// The exponent of the least number that has p bits.
long normal_exponent(const Format& format) {
  return format.subnormals ? format.emin + format.precision - 1 : format.emin;
}

template <class T>
bool fits(const Format& format) {
  using R = Range<T>;
  if (format.rounding != Rounding::nearest_even || 2 * format.precision + 2 > R::precision)
    return false;
  // The format's range lies in the carrier's normal one, and its grid (below) too.
  if (normal_exponent(format) < R::normal || format.emax > R::emax) return false;
  if (format.emin + R::precision > R::emax) return false;
  // What is beyond the format is told from what is infinite only where the carrier holds it.
  if (format.overflow == Overflow::infinity) return true;
  return 2 * format.emax < R::emax && format.emax - format.emin + 1 < R::emax;
}

bool has_products(const Format& format, long carrier_emin) {
  return format.emin - 2 * format.precision >= carrier_emin;
}

template <class T>
T beyond(const Format& format, T largest) {
  switch (format.overflow) {
    case Overflow::infinity: return std::numeric_limits<T>::infinity();
    case Overflow::nan: return std::numeric_limits<T>::quiet_NaN();
    case Overflow::saturate: break;
  }
  return largest;
}

template <class T>
CarriedFormat<T> constants(const Format& format) {
  using R = Range<T>;
  using Bits = typename CarriedFormat<T>::Bits;
  CarriedFormat<T> c{};
  c.dropped = static_cast<int>(R::precision - format.precision);
  c.below_half = (Bits(1) << (c.dropped - 1)) - 1;
  c.kept = ~((Bits(1) << c.dropped) - 1);
  c.least_normal = power_of_two<T>(normal_exponent(format) - 1);
  c.grid = power_of_two<T>(format.emin - 1 + R::precision - 1);
  c.raise = ((2 * static_cast<Bits>(c.dropped) + 1) << (R::precision - 2));
  c.least_raised = T(1.5) * c.grid;
  const long top = (1L << format.precision) - 1 - format.reserved;
  c.largest = std::ldexp(static_cast<T>(top), static_cast<int>(format.emax - format.precision));
  c.beyond = beyond(format, c.largest);
  c.infinite =
      format.overflow == Overflow::infinity ? c.beyond : std::numeric_limits<T>::quiet_NaN();
  c.has_products = has_products(format, R::emin);
  c.cuts_subnormals = format.subnormals && normal_exponent(format) == R::normal;
  c.overflows = format.emax == R::emax && format.overflow == Overflow::infinity;
  c.raises_products = format.subnormals && 2 * format.emax + c.dropped + 1 < R::emax;
  c.exact_sums = std::ldexp(static_cast<double>(c.least_normal),
                            format.subnormals ? 0 : static_cast<int>(format.precision));
  return c;
}

template <class T>
constexpr Family family_of() {
  return sizeof(T) == sizeof(float) ? Family::float32 : Family::float64;
}

}  // namespace

template <class T>
std::optional<CarriedFormat<T>> carried_format(const Format& format) {
  if (native_family(format) == family_of<T>() && format.rounding == Rounding::nearest_even) {
    CarriedFormat<T> itself{};
    itself.native = itself.has_products = true;
    return itself;
  }
  if (!fits<T>(format)) return std::nullopt;
  if (!has_products(format, Range<T>::emin) &&
      (sizeof(T) == sizeof(double) || !fits<double>(format)))
    return std::nullopt;
  return constants<T>(format);
}

template <class T>
std::optional<Carried<T>> carried(const Format& format) {
  const auto own = carried_format<T>(format);
  if (!own) return std::nullopt;
  const auto wide = carried_format<double>(format);
  return Carried<T>{*own, wide ? *wide : CarriedFormat<double>{}};
}

template <class T>
bool carries_fused(const Format& format) {
  const auto own = carried_format<T>(format);
  if (!own) return false;
  if (own->native) return true;
  if (sizeof(T) == sizeof(float)) return false;
  const long last_bit = format.subnormals ? format.emin : format.emin - format.precision + 1;
  return 2 * (last_bit - 1) >= Range<T>::emin - 1 && 2 * format.emax < Range<T>::emax;
}

template <class T>
T operate_carried(Operation operation, const Carried<T>& format, T a, T b) {
  const auto round = [&](T x) {
    return format.own.native ? x : CarriedRounding<CarriedOne<T, Here>>(format.own).full(x);
  };
  switch (operation) {
    case Operation::add: return round(a + b);
    case Operation::subtract: return round(a - b);
    case Operation::divide: return round(a / b);
    case Operation::square_root: return round(std::sqrt(a));
    case Operation::multiply: break;
  }
  if (format.own.has_products) return round(a * b);
  const CarriedRounding<CarriedOne<double, Here>> wide(format.wide);
  return static_cast<T>(wide.full(static_cast<double>(a) * static_cast<double>(b)));
}

template std::optional<CarriedFormat<float>> carried_format<float>(const Format&);
template std::optional<CarriedFormat<double>> carried_format<double>(const Format&);
template std::optional<Carried<float>> carried<float>(const Format&);
template std::optional<Carried<double>> carried<double>(const Format&);
template bool carries_fused<float>(const Format&);
template bool carries_fused<double>(const Format&);
template float operate_carried<float>(Operation, const Carried<float>&, float, float);
template double operate_carried<double>(Operation, const Carried<double>&, double, double);

}  // namespace precipice
