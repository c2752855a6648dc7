// The laws of staged arithmetic: as one format in sequential order, those of every Space; as any
// mixture, rounding and order, against the written order in slow numbers; and the bits of the
// Spaces that carry out one format only. PRECIPICE_SOAK=n repeats all of it n times with other
// numbers.
#include <cstddef>
#include <vector>

#include "laws_of_a_space.hpp"
#include "laws_of_stages.hpp"
#include "linalg/mpfr_space.hpp"
#include "linalg/native_space.hpp"
#include "linalg/staged_space.hpp"
#include "narrow_formats.hpp"

namespace precipice::test {
namespace {

constexpr Order orders[] = {Order::sequential, Order::fused, Order::blocked,
                            Order::pairwise,   Order::kahan, Order::exact};

const Shapes tiny_shapes{{1, 2, 7}, {1, 2, 3, 17}, {65}};

// One format for all; a mixture, at times with one rounding throughout.
Arithmetic uniform(Draws& draws, const std::vector<Format>& formats, Order order) {
  const Format format = with(formats[draws.below(formats.size())], roundings[draws.below(6)]);
  return {{format, format, format, format, format, format}, order, draws.below(99), 0};
}
Arithmetic mixture(Draws& draws, const std::vector<Format>& formats, Order order) {
  Arithmetic arithmetic = uniform(draws, formats, order);
  const bool one_rounding = draws.below(3) == 0;
  for (Format& format : arithmetic.formats)
    format = with(formats[draws.below(formats.size())],
                  one_rounding ? format.rounding : roundings[draws.below(6)]);
  arithmetic.run = draws.below(3);
  return arithmetic;
}

// Few terms and many, on both sides of the numbers at which partial sums change.
void laws_of_mixtures(unsigned long seed) {
  constexpr std::size_t shapes[][2] = {{1, 1},  {2, 3},   {3, 2},  {5, 7},  {8, 31},
                                       {7, 33}, {33, 10}, {9, 64}, {65, 5}, {4, 100}};
  Draws draws(parse_format("float64"), seed);
  std::vector<Format> formats = narrow_formats();
  formats.push_back(parse_format("float32"));
  for (const auto& [n, d] : shapes)
    for (const Order order : orders)
      for (const bool uniformly : {true, false}) {
        const Arithmetic arithmetic =
            uniformly ? uniform(draws, formats, order) : mixture(draws, formats, order);
        const unsigned long drawn = draws.below(1u << 30);
        const Kind kind = kind_of(drawn);
        law_of_calls<StagedSpace, SlowSpace>(arithmetic, drawn, n, d, kind);
        law_of_calls<StagedSpace, SlowSpace>(arithmetic, drawn, n, d, Kind::ordinary);
        if (n * d < 200) law_of_training<StagedSpace, SlowSpace>(arithmetic, drawn, n, d);
      }
}

// Formats too wide for the oracle's exact sums of any numbers.
void laws_of_wide_mixtures(unsigned long seed) {
  Draws draws(parse_format("float64"), seed);
  std::vector<Format> formats = {float16, parse_format("float64"), parse_format("mpfr53"),
                                 parse_format("mpfr113"), parse_format("mpfr200")};
  for (const Order order : orders)
    for (int i = 0; i < 4; ++i) {
      const Arithmetic arithmetic = mixture(draws, formats, order);
      law_of_calls<StagedSpace, SlowSpace>(arithmetic, draws.below(1u << 30), 5, 40,
                                           i % 2 == 0 ? Kind::ordinary : Kind::cancelling);
      law_of_training<StagedSpace, SlowSpace>(arithmetic, draws.below(1u << 30), 6, 9);
    }
}

// The Spaces of one format.
void laws_of_agreement(unsigned long seed) {
  for (int k = 0; k < kinds; ++k) {
    const auto kind = static_cast<Kind>(k);
    const auto agree = [&]<class Other>(const char* name, Other*) {
      const Arithmetic arithmetic(parse_format(name));
      law_of_calls<StagedSpace, Other>(arithmetic, seed, 9, 40, kind);
      law_of_training<StagedSpace, Other>(arithmetic, seed + static_cast<unsigned long>(k), 8, 13);
    };
    for (const char* name : {"mpfr2", "mpfr24", "mpfr53", "mpfr200"})
      agree(name, static_cast<MpfrSpace*>(nullptr));
    agree("float32", static_cast<NativeSpace<float>*>(nullptr));
    agree("float64", static_cast<NativeSpace<double>*>(nullptr));
  }
}

// Rows so long, at this precision, that the stop flag is looked at within them.
void law_of_a_long_row() {
  law_of_calls<StagedSpace, MpfrSpace>(parse_format("mpfr100000"), 0, 2, 400, Kind::ordinary);
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice;
  using namespace precipice::test;
  const unsigned long soak = test::soak();
  for (const char* name : {"mpfr2", "mpfr53", "mpfr200", "float32", "float64"})
    all_laws<StagedSpace>(parse_format(name), soak, tiny_shapes);
  for (const Format& format : narrow_formats()) {
    all_laws<StagedSpace>(format, soak, few_shapes());
    for (const Rounding rounding :
         {Rounding::toward_zero, Rounding::upward, Rounding::downward, Rounding::away})
      all_laws<StagedSpace>(with(format, rounding), soak, tiny_shapes);
  }
  for (unsigned long seed = 0; seed < soak; ++seed) {
    laws_of_mixtures(seed);
    laws_of_wide_mixtures(seed);
    laws_of_agreement(seed);
  }
  law_of_a_long_row();
  return verdict("staged space");
}
