// Single operations on numbers of a format, for the tests that ask every carrier of numbers.
#include <pybind11/stl.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/bind.hpp"
#include "engine/carrier.hpp"
#include "limbs/limb_kernels.hpp"
#include "linalg/carried_space.hpp"
#include "linalg/exponents.hpp"
#include "linalg/limb_space.hpp"
#include "linalg/mpfr_space.hpp"
#include "linalg/native_space.hpp"
#include "linalg/staged_space.hpp"
#include "models/element_programs.hpp"
#include "numbers/carried_format.hpp"
#include "numbers/rounding.hpp"

namespace precipice {
namespace {

namespace py = pybind11;
using Texts = std::vector<std::string>;

[[noreturn]] void refuse(const std::string& argument, const std::string& value,
                         const std::string& rule) {
  throw std::invalid_argument(argument + " = " + value + ": " + rule);
}

// The number of a text, of which nothing may be lost.
void read(mpfr_ptr out, const std::string& text) {
  char* end = nullptr;
  const int ternary = mpfr_strtofr(out, text.c_str(), &end, 0, MPFR_RNDN);
  if (text.empty() || *end != 0) refuse("number", text, "must be a hexadecimal float");
  if (ternary != 0) refuse("number", text, "must have fewer bits");
}

// By the Rounder of the staged arithmetic; operands may be of any format.
Texts by_rounder(const std::string& operation, const Format& format, const Texts& a, const Texts& b,
                 const Texts& c, const std::vector<std::uint32_t>& draws) {
  const ExponentRange range = ExponentRange::widest();
  const long bits = 4 * format.precision + 256;
  MpfrNumber x(bits), y(bits), z(bits), out(format.precision);
  Rounder rounder(format);
  const auto draw_of = [&](std::size_t i) { return [&draws, i] { return draws.at(i); }; };
  Texts results;
  for (std::size_t i = 0; i < a.size(); ++i) {
    read(x, a[i]);
    if (i < b.size()) read(y, b[i]);
    if (i < c.size()) read(z, c[i]);
    const auto draw = draw_of(i);
    if (operation == "add") rounder.add(out, x, y, draw);
    if (operation == "subtract") rounder.subtract(out, x, y, draw);
    if (operation == "multiply") rounder.multiply(out, x, y, draw);
    if (operation == "divide") rounder.divide(out, x, y, draw);
    if (operation == "sqrt") rounder.sqrt(out, x, draw);
    if (operation == "fma") rounder.fma(out, x, y, z, draw);
    if (operation == "convert") rounder.convert(out, x, draw);
    results.push_back(exact_text(out));
  }
  return results;
}

// In float32 or float64; operands are members of the format.
template <class T>
Texts by_carrier(const std::string& operation, const Format& format, const Texts& a,
                 const Texts& b) {
  const ExponentRange range = ExponentRange::widest();
  const auto constants = carried<T>(format);
  if (!constants) refuse("carrier", format.name, "cannot hold this format");
  const auto kind = operation == "add"        ? Operation::add
                    : operation == "subtract" ? Operation::subtract
                    : operation == "multiply" ? Operation::multiply
                    : operation == "divide"   ? Operation::divide
                                              : Operation::square_root;
  MpfrNumber number(CarrierOf<T>::precision);
  const auto value = [&](const std::string& text) {
    read(number, text);
    return static_cast<T>(mpfr_get_d(number, MPFR_RNDN));
  };
  Texts results;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const T result =
        operate_carried<T>(kind, *constants, value(a[i]), i < b.size() ? value(b[i]) : T(0));
    mpfr_set_d(number, static_cast<double>(result), MPFR_RNDN);
    results.push_back(exact_text(number));
  }
  return results;
}

struct Subtract {  // a - b
  template <class Space, class Out, class A, class B>
  static void apply(Space& space, Out&& out, A a, B b) {
    space.subtract(out, a, b);
  }
};

// + - * as a Space's element programs have them; `onto` names the operand that the result replaces.
template <class Space>
Texts by_space(const Arithmetic& arithmetic, const std::string& operation, const Texts& a,
               const Texts& b, const std::string& onto) {
  const ExponentRange range = exponent_range<Space>(arithmetic);
  const StopFlag never_stops{false};
  Space space(arithmetic, never_stops);
  const std::size_t n = a.size();
  const auto x = space.array(n), y = space.array(n), apart = space.array(n);
  const ExactVector of_x = a, of_y = b;
  for (std::size_t i = 0; i < n; ++i) {
    space.assign(x, i, of_x, i);
    space.assign(y, i, of_y, i);
  }
  const auto out = onto == "a" ? x : onto == "b" ? y : apart;
  if (operation == "add") space.template map<Add>(out, x, y);
  if (operation == "subtract") space.template map<Subtract>(out, x, y);
  if (operation == "multiply") space.template map<Multiply>(out, x, y);
  Texts results;
  for (std::size_t i = 0; i < n; ++i) results.push_back(space.exact(out, i));
  return results;
}

class LimbSpaceHere : public LimbSpace {
 public:
  LimbSpaceHere(const Arithmetic& arithmetic, const StopFlag& stop)
      : LimbSpace(*limb_kernels(cpu_path(), arithmetic[Stage::parameters]), arithmetic, stop) {}
};

Texts by_space_here(const Format& format, const std::string& operation, const Texts& a,
                    const Texts& b, const std::string& onto) {
  const Arithmetic arithmetic = format;
  switch (carrier_of(cpu_path(), arithmetic)) {
    case Carrier::float32: return by_space<NativeSpace<float>>(arithmetic, operation, a, b, onto);
    case Carrier::float64: return by_space<NativeSpace<double>>(arithmetic, operation, a, b, onto);
    case Carrier::float80:
      if constexpr (has_float80)
        return by_space<NativeSpace<long double>>(arithmetic, operation, a, b, onto);
      break;
    case Carrier::float128:
      if constexpr (has_float128)
        return by_space<NativeSpace<float128>>(arithmetic, operation, a, b, onto);
      break;
    case Carrier::carried32:
      return by_space<CarriedSpace<float>>(arithmetic, operation, a, b, onto);
    case Carrier::carried64:
      return by_space<CarriedSpace<double>>(arithmetic, operation, a, b, onto);
    case Carrier::limbs: return by_space<LimbSpaceHere>(arithmetic, operation, a, b, onto);
    case Carrier::mpfr: return by_space<MpfrSpace>(arithmetic, operation, a, b, onto);
    case Carrier::staged: return by_space<StagedSpace>(arithmetic, operation, a, b, onto);
    default: break;
  }
  refuse("carrier", format.name, "has no Space here");
}

Texts operate(const std::string& operation, const Format& format, const Texts& a, const Texts& b,
              const Texts& c, const std::vector<std::uint32_t>& draws, const std::string& carrier,
              const std::string& onto) {
  const bool unary = operation == "sqrt" || operation == "convert", ternary = operation == "fma";
  if (!unary && b.size() != a.size()) refuse("b", std::to_string(b.size()), "must be like a");
  if (ternary && c.size() != a.size()) refuse("c", std::to_string(c.size()), "must be like a");
  const bool stochastic = format.rounding == Rounding::stochastic;
  if (stochastic && draws.size() != a.size())
    refuse("draws", std::to_string(draws.size()), "must be like a");
  if (carrier == "staged") return by_rounder(operation, format, a, b, c, draws);
  if (carrier == "carried32") return by_carrier<float>(operation, format, a, b);
  if (carrier == "carried64") return by_carrier<double>(operation, format, a, b);
  if (carrier == "space") return by_space_here(format, operation, a, b, onto);
  refuse("carrier", carrier, "must be staged, carried32, carried64 or space");
}

}  // namespace

void bind_operate(py::module_& m) {
  m.def("operate", &operate, py::arg("operation"), py::arg("format"), py::arg("a"),
        py::arg("b") = Texts(), py::kw_only(), py::arg("c") = Texts(),
        py::arg("draws") = std::vector<std::uint32_t>(), py::arg("carrier") = "staged",
        py::arg("onto") = "",
        "add, subtract, multiply, divide, sqrt, fma or convert, rounded once to the format. staged "
        "takes operands of any format, the others members of this one; space has + - * alone, "
        "onto: the result replaces a or b.");
  m.def(
      "carries",
      [](const Format& format, const std::string& carrier) {
        return carrier == "carried32" ? carried<float>(format).has_value()
                                      : carried<double>(format).has_value();
      },
      py::arg("format"), py::arg("carrier"), "Whether carried32 or carried64 holds the format.");
}

}  // namespace precipice
