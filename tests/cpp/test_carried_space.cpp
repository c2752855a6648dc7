// The laws of the Space of formats that float32 or float64 carries, in every order of rounded
// terms, by the kernels of the CPU path given. PRECIPICE_SOAK=n repeats all of it n times with
// other numbers.
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

#include "carried_formats.hpp"
#include "laws_of_a_space.hpp"
#include "linalg/carried_space.hpp"
#include "machine/cpu_path.hpp"

namespace precipice::test {
namespace {

constexpr Order orders[] = {Order::sequential, Order::fused, Order::blocked, Order::pairwise,
                            Order::kahan};

Arithmetic in_order(Format format, Order order) {
  static const char* const names[] = {"sequential", "fused", "blocked", "pairwise", "kahan"};
  format.name += std::string(", ") + names[static_cast<int>(order)];
  Arithmetic arithmetic(format);
  arithmetic.order = order;
  return arithmetic;
}

// More than one panel, remainders of every width, terms that make several blocks and levels.
template <class T>
void laws_of_long_shapes(const Arithmetic& arithmetic, unsigned long seed) {
  constexpr std::size_t shapes[][2] = {{66, 3}, {3, 85}, {34, 130}, {97, 35}, {9, 200}};
  std::size_t i = seed;
  for (const auto& [n, d] : shapes) {
    Subject<CarriedSpace<T>> on(arithmetic, seed + n);
    laws_of_negative_zeros(on, n, d);
    for (int k = 0; k < 3; ++k) laws_of_a_shape(on, n, d, kind_of(++i));
    laws_of_a_shape(on, n, d, Kind::mixed);
    laws_of_gathering(on, n, d, kind_of(i));
    laws_of_dot(on, d, kind_of(i));
    laws_of_a_diagonal(on, n, kind_of(i));
  }
}

template <class T>
void all_orders(const Format& format, unsigned long seed) {
  CHECK(carried<T>(format).has_value(), format.name);
  const Shapes shapes = {{1, 2, 17}, {1, 2, 3, 15, 16, 17}, {65}};
  for (const Order order : orders) {
    if (order == Order::fused && !carries_fused<T>(format)) continue;
    const Arithmetic arithmetic = in_order(format, order);
    if (order == Order::sequential) laws<CarriedSpace<T>>(arithmetic, seed, shapes);
    laws_of_shapes<CarriedSpace<T>>(arithmetic, seed, shapes);
    laws_of_long_shapes<T>(arithmetic, seed++);
  }
}

void laws_of_all_formats(unsigned long seed) {
  for (const auto& formats : {tiny_formats(), short_formats()})
    for (const Format& format : formats) all_orders<float>(format, seed);
  for (const auto& formats : {long_formats(), std::vector{float16(), tfloat32(), e4m3fn()}})
    for (const Format& format : formats) all_orders<double>(format, seed);
  all_orders<float>(parse_format("float32"), seed);
  all_orders<double>(parse_format("float64"), seed);
}

}  // namespace
}  // namespace precipice::test

// test_carried_space PATH; 77 where this machine has no such path.
int main(int, char** arguments) {
  using namespace precipice;
  const std::string path = arguments[1];
  bool available = false;
  for (const CpuPath here : available_cpu_paths()) available |= name(here) == path;
  if (!available) return 77;
  setenv("PRECIPICE_CPU", path.c_str(), 1);
  for (unsigned long seed = 0; seed < test::soak(); ++seed) test::laws_of_all_formats(1000 * seed);
  return test::verdict("carried space, " + path);
}
