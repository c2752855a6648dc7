// The laws of a Space: every primitive of every Space, bit for bit, against one slow loop over
// correctly rounded operations, on numbers that find mistakes. PRECIPICE_SOAK=n repeats all of it
// n times with other numbers.
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "laws_of_elements.hpp"
#include "laws_of_sums.hpp"
#include "laws_of_the_boundary.hpp"
#include "linalg/mpfr_space.hpp"
#include "linalg/native_space.hpp"

namespace precipice::test {
namespace {

constexpr std::size_t most_rows = 17, most_columns = 40;

Kind kind_of(std::size_t i) {
  return static_cast<Kind>(i % kinds);
}

template <class Space>
void laws(const Format& format, unsigned long seed) {
  Subject<Space> on(format, seed);
  laws_of_text(on);
  laws_of_doubles(on);
  laws_of_integers(on);
  for (std::size_t n = 1; n <= most_columns; ++n)
    for (int k = 0; k < kinds; ++k) {
      const Kind kind = kind_of(static_cast<std::size_t>(k));
      laws_of_ties(on, kind);
      laws_of_reading(on, kind);
      laws_of_map(on, n, kind);
      laws_of_map_rows(on, n, kind);
      laws_of_descend(on, n, kind);
      laws_of_dot(on, n, kind);
      laws_of_a_diagonal(on, n, kind);
      if (n <= 7) laws_of_product(on, n, kind);
    }
  for (std::size_t n = 1; n <= most_rows; ++n) laws_of_is_finite(on, n);
}

// Every shape, each with another kind of numbers; and a few long enough to be padded.
template <class Space>
void laws_of_shapes(const Format& format, unsigned long seed) {
  std::size_t i = seed;
  for (std::size_t n = 1; n <= most_rows; ++n) {
    Subject<Space> on(format, seed + n);
    for (std::size_t d = 1; d <= most_columns; ++d, ++i) {
      laws_of_a_shape(on, n, d, kind_of(i));
      laws_of_map_outer(on, n, d, kind_of(i / kinds));
    }
  }
  for (const std::size_t d : {63, 64, 65, 127, 128, 129, 200}) {
    Subject<Space> on(format, seed + d);
    laws_of_a_shape(on, 9, d, kind_of(++i));
    laws_of_map_outer(on, 5, d, kind_of(i));
  }
}

// Rows so long, at this precision, that MpfrSpace looks at the stop flag within them.
void laws_of_a_long_row() {
  Subject<MpfrSpace> on(parse_format("mpfr100000"), 0);
  laws_of_a_shape(on, 2, 400, Kind::ordinary);
}

template <class Space>
void all_laws(const Format& format, unsigned long soak) {
  if (!availability(format).available) return;
  for (unsigned long seed = 0; seed < soak; ++seed) {
    laws<Space>(format, seed);
    laws_of_shapes<Space>(format, 1000 * seed);
  }
}

unsigned long soak() {
  const char* const times = std::getenv("PRECIPICE_SOAK");
  return times ? std::strtoul(times, nullptr, 10) : 1;
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice;
  using test::all_laws;
  const unsigned long soak = test::soak();
  all_laws<NativeSpace<float>>(parse_format("float32"), soak);
  all_laws<NativeSpace<double>>(parse_format("float64"), soak);
  all_laws<NativeSpace<long double>>(parse_format("float80"), soak);
  all_laws<NativeSpace<float128>>(parse_format("float128"), soak);
  for (const char* name : {"mpfr2", "mpfr11", "mpfr24", "mpfr53", "mpfr64", "mpfr113", "mpfr200"})
    all_laws<MpfrSpace>(parse_format(name), soak);
  test::laws_of_a_long_row();
  // A range narrow enough that every kind of number meets its ends.
  all_laws<MpfrSpace>({"11 bits, 2^-40 to 2^40", Family::mpfr, 11, -39, 40, false}, soak);
  return test::verdict("spaces");
}
