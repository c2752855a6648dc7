// The limb kernels against MPFR, bit for bit, on numbers that find mistakes. PRECIPICE_SOAK=n takes
// every precision that the kernels serve instead of a list, n times with other numbers.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <set>

#include "limb_elements.hpp"
#include "limb_range.hpp"
#include "limb_sums.hpp"
#include "machine/cpu_path.hpp"

namespace precipice::test {
namespace {

constexpr Exponent mpfr_emax = (Exponent(1) << 30) - 1;

int limbs_at(const limbs::Kernels& kernels, int bits) {
  return kernels.precision(bits, -mpfr_emax, mpfr_emax).limbs;
}

int greatest_precision(const limbs::Kernels& kernels) {
  int bits = 2;
  while (limbs_at(kernels, bits + 1) > 0) ++bits;
  return bits;
}

// The fewest and the most bits of every number of limbs, and others.
std::set<int> listed_precisions(const limbs::Kernels& kernels) {
  std::set<int> list{2,   3,   4,   5,   6,   7,   8,   9,   10,   11,   12,   24,  41,  42,  43,
                     49,  50,  51,  52,  53,  54,  64,  93,  94,   95,   100,  101, 102, 103, 104,
                     105, 106, 113, 127, 128, 129, 145, 146, 147,  155,  156,  200, 250, 251, 252,
                     253, 254, 255, 256, 257, 258, 302, 303, 304,  305,  306,  307, 308, 309, 310,
                     311, 312, 313, 511, 512, 513, 514, 666, 1023, 1024, 1025, 1100};
  const int most = greatest_precision(kernels);
  for (int bits = 2; bits <= most; ++bits)
    if (limbs_at(kernels, bits) != limbs_at(kernels, bits + 1)) list.insert({bits, bits + 1});
  list.erase(list.upper_bound(most), list.end());
  return list;
}

void laws_of_every_range(LimbSubject& on) {
  constexpr Exponent ranges[][2] = {{-39, 40}, {-2, 3}, {-mpfr_emax, mpfr_emax}};
  for (const auto& [emin, emax] : ranges) {
    on.p = on.kernels.precision(on.p.bits, emin, emax);
    for (int i = 0; i < 8; ++i) laws_of_a_range(on, 1 + on.draws.below(4));
  }
}

// Sums beyond the usual range of exponents, which is not theirs to look at.
void laws_of_sums(LimbSubject& on) {
  const auto range = ExponentRange::widest();
  on.p = on.kernels.precision(on.p.bits, -limbs::greatest_exponent, limbs::greatest_exponent);
  const std::size_t groups = on.lanes() == 1 ? 8 : 1;
  for (const std::size_t terms : {1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 1000}) {
    for (const Width& width : widths(on.p.bits))
      for (std::size_t i = 0; i < 1 + 120 / terms; ++i)
        DrawnSums(on, width, groups + on.draws.below(3), terms).check();
    for (std::size_t i = 0; i < 12 + 240 / terms; ++i) law_of_the_sum(on, terms);
  }
}

void laws_of(const char* path, const limbs::Kernels& kernels) {
  const char* const times = std::getenv("PRECIPICE_SOAK");
  const int most = greatest_precision(kernels);
  CHECK(limbs_at(kernels, most + 1) == 0, path, most);
  std::set<int> precisions = listed_precisions(kernels);
  if (times != nullptr)
    for (int bits = 2; bits <= most; ++bits) precisions.insert(bits);
  const unsigned long rounds = times != nullptr ? std::strtoul(times, nullptr, 10) : 1;
  const long before = multiply_adds, elements_before = element_operations;
  for (unsigned long round = 0; round < rounds; ++round)
    for (const int bits : precisions) {
      LimbSubject on{path, kernels, kernels.precision(bits, -mpfr_emax, mpfr_emax),
                     LimbDraws(round * 10000 + static_cast<unsigned long>(bits))};
      for (int i = 0; i < 100; ++i) laws_of_elements(on, 1 + on.draws.below(4));
      laws_of_every_range(on);
      laws_of_sums(on);
    }
  std::cout << path << ": " << precisions.size() << " precisions up to " << most << " bits, "
            << multiply_adds - before << " multiply-adds, " << element_operations - elements_before
            << " operations on elements" << std::endl;
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice;
  test::laws_of("generic", limbs::generic_kernels);
#ifdef PRECIPICE_AVX512IFMA
  const auto here = available_cpu_paths();
  if (std::find(here.begin(), here.end(), CpuPath::avx512ifma) != here.end())
    test::laws_of("avx512ifma", limbs::avx512ifma_kernels);
  else
    std::cout << "avx512ifma: not tested, this CPU has no such instructions\n";
#endif
  return test::verdict("limbs");
}
