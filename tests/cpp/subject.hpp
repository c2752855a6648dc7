// A Space under test beside its oracle: numbers go in as text, and come out of its memory.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <string>
#include <vector>

#include "check.hpp"
#include "draws.hpp"
#include "limbs/convert.hpp"
#include "linalg/exponents.hpp"
#include "linalg/limb_space.hpp"
#include "linalg/space.hpp"
#include "linalg/staged_space.hpp"
#include "numbers/double_double.hpp"
#include "numbers/exact.hpp"
#include "numbers/mpfr_number.hpp"
#include "numbers/native.hpp"
#include "oracle.hpp"
#include "slow_numbers.hpp"

namespace precipice::test {

inline Slow element(const Format& format, const __mpfr_struct& x) {
  Slow out(format.precision);
  mpfr_set(out.get(), &x, MPFR_RNDN);
  return out;
}
template <class T>
Slow element(const Format& format, const T& x) {
  Slow out(format.precision);
  const auto range = ExponentRange::widest();
  to_mpfr(out.get(), x);
  return out;
}

inline Slow element(const Format&, const double_double& x) {
  Slow out(bits_of_double_double);
  const auto range = ExponentRange::widest();
  to_mpfr(out.get(), x);
  return out;
}

inline Slow element(const Format& format, const LimbSpace::Place& place) {
  Slow out(format.precision);
  limbs::load(*place.precision, out.get(), place.lane);
  return out;
}

inline Slow element(const Format& format, const StagedSpace::Place& place) {
  return element(format, *place.number);
}

inline ExactVector texts(const Values& values) {
  std::vector<std::string> result;
  for (const Slow& x : values) result.push_back(x.text());
  return result;
}

// A number as it is read back from a Space.
inline const Slow& as_read(const Oracle&, const Slow& x) {
  return x;
}

// What a Space is held against, and where the numbers come from.
template <class Space>
struct OracleOf {
  using Slow = Oracle;
  using Numbers = Draws;
};

template <class Space>
struct Subject {
  using Array = typename Space::Array;
  using Scalar = typename Space::Scalar;

  Subject(const Arithmetic& arithmetic, unsigned long seed)
      : format(arithmetic[Stage::parameters]),
        range(exponent_range<Space>(arithmetic)),
        space(arithmetic, stop),
        oracle(arithmetic),
        draws(format, seed) {}

  Array array(const Values& values) {
    const Array a = space.array(values.size());
    assign(a, values);
    return a;
  }
  void assign(Array a, const Values& values) {
    const ExactVector text = texts(values);
    for (std::size_t i = 0; i < values.size(); ++i) space.assign(a, i, text, i);
  }
  Scalar scalar(const Slow& value) {
    const Scalar s = space.scalar();
    space.assign(s, texts({value}), 0);
    return s;
  }
  Slow read(Array a, std::size_t i) const {
    if constexpr (requires { a[0]; })
      return element(format, a[static_cast<std::uint32_t>(i)]);
    else
      return element(format, a.data[i]);
  }

  void expect(const char* what, Array actual, const Values& expected) const {
    CHECK(actual.size == expected.size(), format.name, what);
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(identical(read(actual, i), as_read(oracle, expected[i])), format.name, what, i,
            read(actual, i), expected[i]);
  }
  void expect(const char* what, Scalar actual, const Slow& expected) const {
    expect(what, Array{actual.data, 1}, Values{expected});
  }

  Format format;
  ExponentRange range;  // as the engine does, for as long as the Space is used
  StopFlag stop{false};
  Space space;
  typename OracleOf<Space>::Slow oracle;
  typename OracleOf<Space>::Numbers draws;
};

}  // namespace precipice::test
