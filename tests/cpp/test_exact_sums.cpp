// Sums of products rounded once, against exact sums. PRECIPICE_SOAK=n takes every precision that
// the limb kernels serve instead of a list, n times with other numbers.
#include <algorithm>
#include <cstddef>
#include <iostream>

#include "exact_limb_laws.hpp"
#include "exact_native_laws.hpp"
#include "laws_of_a_space.hpp"
#include "machine/cpu_path.hpp"

namespace precipice::test {
namespace {

constexpr long mpfr_emax = (1L << 30) - 1;

void laws_of(const char* path, const limbs::Kernels& kernels, unsigned long rounds) {
  const bool every = std::getenv("PRECIPICE_SOAK") != nullptr;
  long sums = 0;
  for (unsigned long round = 0; round < rounds; ++round)
    for (int bits = 2; kernels.precision(bits, -mpfr_emax, mpfr_emax).limbs > 0; ++bits)
      if (every || is_listed(bits)) sums += exact_limb_laws(path, kernels, bits, round);
  std::cout << path << ": " << sums << " exact sums" << std::endl;
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice;
  const unsigned long rounds = test::soak();
  for (unsigned long seed = 0; seed < rounds; ++seed) {
    test::exact_native_laws<float>(seed);
    test::exact_native_laws<double>(seed);
  }
  test::laws_of("generic", limbs::generic_kernels, rounds);
#ifdef PRECIPICE_AVX512IFMA
  const auto here = available_cpu_paths();
  if (std::find(here.begin(), here.end(), CpuPath::avx512ifma) != here.end())
    test::laws_of("avx512ifma", limbs::avx512ifma_kernels, rounds);
  else
    std::cout << "avx512ifma: not tested, this CPU has no such instructions\n";
#endif
  return test::verdict("exact sums");
}
