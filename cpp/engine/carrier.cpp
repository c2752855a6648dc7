#include "engine/carrier.hpp"

#include <mpfr.h>

#include <algorithm>

#include "limbs/limb_kernels.hpp"
#include "numbers/carried_format.hpp"

namespace precipice {
namespace {

Carrier native_carrier(Family family) {
  switch (family) {
    case Family::float32: return Carrier::float32;
    case Family::float64: return Carrier::float64;
    case Family::float80: return Carrier::float80;
    case Family::float128: return Carrier::float128;
    case Family::double_double: return Carrier::double_double;
    case Family::mpfr: break;
  }
  return Carrier::none;
}

// Every exponent that MPFR has: nothing overflows, nothing is subnormal.
bool has_mpfr_range(const Format& format) {
  const Format widest = parse_format("mpfr2");
  return format.emin == widest.emin && format.emax == widest.emax && !format.subnormals &&
         format.overflow == Overflow::infinity;
}

bool has_pairs(const Arithmetic& arithmetic) {
  return std::any_of(arithmetic.formats.begin(), arithmetic.formats.end(),
                     [](const Format& format) { return format.family == Family::double_double; });
}

// The narrowest of the compiler's types that carries the format's numbers; in orders other than the
// sequential float32 and float64 themselves too.
Carrier carried_in(const Format& format, Order order) {
  const bool fused = order == Order::fused;
  if (fused ? carries_fused<float>(format) : carried<float>(format).has_value())
    return Carrier::carried32;
  if (fused ? carries_fused<double>(format) : carried<double>(format).has_value())
    return Carrier::carried64;
  return Carrier::none;
}

// Sums rounded once.
Carrier exact_in(CpuPath path, const Format& format) {
  if (format.family == Family::float32) return Carrier::exact32;
  if (format.family == Family::float64) return Carrier::exact64;
  if (carried<float>(format)) return Carrier::exact_carried32;
  if (carried<double>(format)) return Carrier::exact_carried64;
  return limb_kernels(path, format) ? Carrier::limbs : Carrier::none;
}

// One format, to nearest; none where only MPFR has it.
Carrier quick_carrier(CpuPath path, const Arithmetic& arithmetic) {
  if (path == CpuPath::mpfr || !arithmetic.uniform() || !arithmetic.to_nearest())
    return Carrier::none;
  const Format& format = arithmetic[Stage::parameters];
  if (arithmetic.order == Order::exact) return exact_in(path, format);
  if (const Carrier carried = carried_in(format, arithmetic.order); carried != Carrier::none)
    return carried;
  const bool limbs = arithmetic.plain() && limb_kernels(path, format);
  return limbs ? Carrier::limbs : Carrier::none;
}

std::string carried_sentence(const char* carrier, const Format& format) {
  if (format.family != Family::mpfr) return "hardware arithmetic";
  return std::string(carrier) + " arithmetic, each result rounded to " +
         std::to_string(format.precision) + " bits";
}

}  // namespace

Carrier carrier_of(CpuPath path, const Arithmetic& arithmetic) {
  const Format& format = arithmetic[Stage::parameters];
  if (arithmetic.plain() && format.family != Family::mpfr)
    return availability(format).available ? native_carrier(format.family) : Carrier::none;
  if (has_pairs(arithmetic)) return Carrier::none;
  if (const Carrier quick = quick_carrier(path, arithmetic); quick != Carrier::none) return quick;
  return arithmetic.plain() && has_mpfr_range(format) ? Carrier::mpfr : Carrier::staged;
}

Availability carried_out_by(CpuPath path, const Arithmetic& arithmetic) {
  const Format& format = arithmetic[Stage::parameters];
  switch (carrier_of(path, arithmetic)) {
    case Carrier::none: break;
    case Carrier::exact_carried32:
    case Carrier::carried32: return {true, carried_sentence("float32", format)};
    case Carrier::exact_carried64:
    case Carrier::carried64: return {true, carried_sentence("float64", format)};
    case Carrier::limbs:
    case Carrier::mpfr: return {true, arbitrary_precision(path, format)};
    case Carrier::staged: return {true, "MPFR " + std::string(mpfr_get_version())};
    default: return availability(format);
  }
  if (!availability(format).available) return availability(format);
  return {false, "double_double rounds to nearest, in sequential order, at every stage or at none"};
}

}  // namespace precipice
