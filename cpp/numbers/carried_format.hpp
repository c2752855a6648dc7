// Which formats a carrier can hold, their constants there, and single operations.
#pragma once

#include <optional>

#include "numbers/carried.hpp"
#include "numbers/format.hpp"

namespace precipice {

// The format in the carrier T, if every operation + - * / of its members can be taken there (the
// carrier itself can); for T = float products may need the wide one (CarriedFormat::has_products).
// Roundings other than to nearest cannot.
template <class T>
std::optional<CarriedFormat<T>> carried_format(const Format& format);

template <class T>
std::optional<Carried<T>> carried(const Format& format);

// Whether a*b + c of members can be rounded once: of the carrier itself, or where every product of
// members is exact in float64.
template <class T>
bool carries_fused(const Format& format);

enum class Operation { add, subtract, multiply, divide, square_root };

// An operation on members of the format, rounded to it as the carrier does. b is not used by
// square_root.
template <class T>
T operate_carried(Operation operation, const Carried<T>& format, T a, T b);

}  // namespace precipice
