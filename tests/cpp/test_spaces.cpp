// The laws of a Space, for native types and MPFR numbers. PRECIPICE_SOAK=n repeats all of it n
// times with other numbers.
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "laws_of_a_space.hpp"
#include "linalg/mpfr_space.hpp"
#include "linalg/native_space.hpp"
#include "machine/cpu_path.hpp"

namespace precipice::test {
namespace {

// Large enough for wide lanes: blocks of every number of groups, the last one whole or not; more
// and fewer columns than a block has rows.
template <class Space>
void laws_of_large_shapes(const Format& format, unsigned long seed) {
  constexpr std::size_t shapes[][2] = {
      {4, 128},  {5, 131},  {8, 257},  {9, 258},  {16, 512}, {17, 521},  {23, 90},  {31, 262},
      {32, 261}, {33, 259}, {47, 256}, {64, 130}, {65, 131}, {100, 37},  {100, 83}, {131, 16},
      {131, 67}, {150, 64}, {96, 90},  {128, 66}, {300, 33}, {63, 1000}, {49, 777}};
  for (const auto& [n, d] : shapes) {
    Subject<Space> on(format, seed + n);
    laws_of_negative_zeros(on, n, d);
    for (int k = 0; k < kinds; ++k) laws_of_a_shape(on, n, d, static_cast<Kind>(k));
    laws_of_outer_descent(on, n, d, kind_of(n + d));
    laws_of_gathering(on, n, d, kind_of(n + d + 1));
  }
}

// Rows so long, at this precision, that MpfrSpace looks at the stop flag within them.
void laws_of_a_long_row() {
  Subject<MpfrSpace> on(parse_format("mpfr100000"), 0);
  laws_of_a_shape(on, 2, 400, Kind::ordinary);
}

// A native type's, by every kernel this machine has.
template <class T>
void all_native_laws(const char* name, unsigned long soak) {
  const NativeKernels<T>* before = nullptr;
  for (const CpuPath path : available_cpu_paths()) {
    const NativeKernels<T>* const kernels = native_kernels<T>(path);
    if (kernels == std::exchange(before, kernels) && path != CpuPath::mpfr) continue;
    Format format = parse_format(name);
    setenv("PRECIPICE_CPU", precipice::name(path), 1);
    format.name += std::string(", ") + precipice::name(path);
    for (unsigned long seed = 0; seed < soak; ++seed) {
      laws<NativeSpace<T>>(format, seed, every_shape());
      laws_of_shapes<NativeSpace<T>>(format, 1000 * seed, every_shape());
      laws_of_large_shapes<NativeSpace<T>>(format, 1000 * seed);
    }
    unsetenv("PRECIPICE_CPU");
  }
}

}  // namespace
}  // namespace precipice::test

int main() {
  using namespace precipice;
  using test::all_laws;
  const unsigned long soak = test::soak();
  test::all_native_laws<float>("float32", soak);
  test::all_native_laws<double>("float64", soak);
  all_laws<NativeSpace<long double>>(parse_format("float80"), soak);
  all_laws<NativeSpace<float128>>(parse_format("float128"), soak);
  for (const char* name : {"mpfr2", "mpfr11", "mpfr24", "mpfr53", "mpfr64", "mpfr113", "mpfr200"})
    all_laws<MpfrSpace>(parse_format(name), soak);
  test::laws_of_a_long_row();
  // A range narrow enough that every kind of number meets its ends.
  all_laws<MpfrSpace>(Format{"11 bits, 2^-40 to 2^40", Family::mpfr, 11, -39, 40, false}, soak);
  return test::verdict("spaces");
}
