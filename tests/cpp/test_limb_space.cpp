// The laws of a Space, for limbs with the kernels named on the command line: generic or avx512ifma
// (nothing is tested where this CPU lacks it). PRECIPICE_SOAK=n repeats all of it n times with
// other numbers.
#include <algorithm>
#include <iostream>
#include <string>

#include "laws_of_a_space.hpp"
#include "laws_of_limbs.hpp"
#include "laws_of_stages.hpp"
#include "machine/cpu_path.hpp"
#include "narrow_formats.hpp"

namespace precipice::test {
namespace {

template <const limbs::Kernels& kernels>
class LimbSpaceWith : public LimbSpace {
 public:
  LimbSpaceWith(const Arithmetic& arithmetic, const StopFlag& stop)
      : LimbSpace(kernels, arithmetic, stop) {}
};

// Any numbers in the lanes that nothing may read.
void spoil(const LimbSpace::Array& a, std::size_t lanes) {
  const limbs::Precision& p = *a.data.precision;
  const char* const numbers[] = {"nan", "-inf", "0x1p+1000", "-0", "1.5"};
  Slow x(p.bits);
  for (std::size_t i = a.size; i % lanes != 0; ++i) {
    mpfr_strtofr(x.get(), numbers[i % 5], nullptr, 0, MPFR_RNDN);
    limbs::store(p, a.data[i].lane, x.get());
  }
}

// The same with whatever numbers in the lanes beyond those of an array.
template <const limbs::Kernels& kernels>
class SpoiledLimbSpace : public LimbSpaceWith<kernels> {
 public:
  using LimbSpaceWith<kernels>::LimbSpaceWith;
  LimbSpace::Array array(std::size_t n) {
    const LimbSpace::Array a = LimbSpace::array(n);
    spoil(a, static_cast<std::size_t>(a.data.precision->lanes));
    return a;
  }
  LimbSpace::Weights weights(std::size_t rows, std::size_t columns) {
    const LimbSpace::Weights w = LimbSpace::weights(rows, columns);
    for (std::size_t q = 0; q < rows; ++q)
      spoil(LimbSpace::row_of(w, q), static_cast<std::size_t>(w.precision->lanes));
    return w;
  }
};

// MPFR's bits, of every kind of numbers and of whole runs.
template <const limbs::Kernels& kernels>
void laws_of_agreement(const Format& format, Order order, unsigned long seed) {
  const Arithmetic arithmetic({format, format, format, format, format, format}, order, 0, 0);
  for (int k = 0; k < kinds; ++k) {
    law_of_calls<LimbSpaceWith<kernels>, StagedSpace>(arithmetic, seed, 9, 40,
                                                      static_cast<Kind>(k));
    law_of_training<LimbSpaceWith<kernels>, StagedSpace>(
        arithmetic, seed + static_cast<unsigned long>(k), 8, 13);
  }
}

Format arbitrary(long bits) {
  return parse_format("mpfr" + std::to_string(bits));
}

// All shapes where a format is unlike its neighbours: no limb is full, one is, more than one.
template <const limbs::Kernels& kernels>
void all_limb_laws(unsigned long soak) {
  for (const long bits : {2, 53, 113})
    all_laws<LimbSpaceWith<kernels>>(arbitrary(bits), soak, every_shape());
  // Ranges narrow enough that every kind of number meets their ends.
  all_laws<LimbSpaceWith<kernels>>(flushing, soak, every_shape());
  all_laws<LimbSpaceWith<kernels>>(thirty_bits, soak, every_shape());
  for (const Format& format : narrow_formats())
    all_laws<LimbSpaceWith<kernels>>(format, soak, few_shapes());
  for (unsigned long seed = 0; seed < soak; ++seed)
    for (const Format& format : {thirty_bits, hundred_bits, parse_format("mpfr64")})
      for (const Order order : {Order::sequential, Order::exact})
        laws_of_agreement<kernels>(format, order, seed);
  for (const long bits : {11,  24,  49,  50,  51,  52,  64,  65,  101, 102, 103, 104, 105,
                          106, 128, 129, 155, 156, 200, 256, 257, 320, 512, 640, 1024})
    all_laws<LimbSpaceWith<kernels>>(arbitrary(bits), soak, few_shapes());
  for (const long bits : {24, 53, 113, 256})
    all_laws<SpoiledLimbSpace<kernels>>(arbitrary(bits), soak, few_shapes());
  for (unsigned long seed = 0; seed < soak; ++seed)
    for (const long bits : {2, 24, 52, 53, 54, 64, 113, 128, 256, 512, 1024}) {
      Subject<LimbSpaceWith<kernels>> on(arbitrary(bits), seed);
      laws_of_packing(on);
      if (bits <= 256) laws_of_long_arrays(on);
    }
}

void laws_of_storing(unsigned long soak) {
  for (unsigned long seed = 0; seed < soak; ++seed) {
    for (const int limb_bits : {52, 64})
      for (const int bits : {2, 24, 51, 52, 53, 64, 65, 103, 104, 105, 113, 128, 1100})
        for (const int slack : {0, 1, 11, 51}) {
          Draws draws(arbitrary(bits), seed);
          const int limbs = (bits + slack + limb_bits - 1) / limb_bits;
          laws_of_conversion({bits, limbs, limb_bits, slack % 2 == 0 ? 1 : 8, slack, 0, 0}, draws);
        }
    for (const long bits : {2, 3, 11}) {
      const Format narrow{"2^-40 to 2^40", Family::mpfr, bits, -39, 40, false};
      Draws draws(narrow, seed);
      laws_of_the_range_check(narrow, draws);
      laws_of_the_least_sum(narrow);
    }
  }
}

}  // namespace
}  // namespace precipice::test

int main(int arguments, char** argument) {
  using namespace precipice;
  const std::string path = arguments == 2 ? argument[1] : "";
  const unsigned long soak = test::soak();
  if (path == "generic") {
    test::laws_of_storing(soak);
    test::all_limb_laws<limbs::generic_kernels>(soak);
  } else if (path == "avx512ifma") {
    const auto here = available_cpu_paths();
    if (std::find(here.begin(), here.end(), CpuPath::avx512ifma) == here.end()) {
      std::cout << "limb space: this CPU has no AVX-512 IFMA, nothing was tested\n";
      return 77;
    }
#ifdef PRECIPICE_AVX512IFMA
    test::all_limb_laws<limbs::avx512ifma_kernels>(soak);
#endif
  }
  return test::verdict("limb space, " + path);
}
