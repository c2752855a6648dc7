// The laws of the Space of lanes, on one lane, in both orders, close together and at a stride; and
// the bits of the Spaces of a CPU. PRECIPICE_SOAK=n repeats all of it n times with other numbers.
#include <cstddef>
#include <string>

#include "host_lanes.hpp"
#include "laws_of_a_space.hpp"
#include "laws_of_stages.hpp"
#include "linalg/carried_space.hpp"
#include "linalg/native_space.hpp"
#include "numbers/lane_numbers.hpp"

namespace precipice::test {
namespace {

Arithmetic in_order(const char* name, Order order) {
  Format format = parse_format(name);
  format.name += order == Order::blocked ? ", blocked" : ", sequential";
  Arithmetic arithmetic(format);
  arithmetic.order = order;
  return arithmetic;
}

// Partial sums of every number: rows down to 33 blocks, columns to more than 32 terms.
template <class Space>
void laws_of_long_shapes(const Arithmetic& arithmetic, unsigned long seed) {
  constexpr std::size_t shapes[][2] = {{33, 31},  {64, 32},  {65, 33},  {97, 64}, {129, 65},
                                       {161, 95}, {225, 96}, {289, 97}, {513, 5}, {1057, 2}};
  std::size_t i = seed;
  for (const auto& [n, d] : shapes) {
    Subject<Space> on(arithmetic, seed + n);
    laws_of_negative_zeros(on, n, d);
    laws_of_a_shape(on, n, d, kind_of(++i));
    laws_of_a_shape(on, n, d, Kind::mixed);
    laws_of_outer_descent(on, 5, d, kind_of(i));
    laws_of_dot(on, d, kind_of(i));
  }
}

template <class Space>
void every_law(const Arithmetic& arithmetic, unsigned long seed) {
  laws<Space>(arithmetic, seed, few_shapes());
  laws_of_shapes<Space>(arithmetic, seed, few_shapes());
  laws_of_long_shapes<Space>(arithmetic, seed);
}

// The same calls and runs as of a Space of the CPU.
template <class Space, class Other>
void laws_of_agreement(const Arithmetic& arithmetic, unsigned long seed) {
  for (int k = 0; k < kinds; ++k) {
    law_of_calls<Space, Other>(arithmetic, seed, 70, 40, kind_of(seed + static_cast<unsigned>(k)));
    law_of_training<Space, Other>(arithmetic, seed + static_cast<unsigned>(k), 70, 13);
    law_of_training<Space, Other>(arithmetic, seed + static_cast<unsigned>(k), 3, 50);
  }
}

template <class T>
void all_orders(const char* name, unsigned long seed) {
  using Numbers = NativeNumbers<T>;
  using Lanes = HostLanes<Numbers, NativeSpace<T>>;
  using Strided = HostLanes<Numbers, NativeSpace<T>, 3>;
  for (const Order order : {Order::sequential, Order::blocked}) {
    const Arithmetic arithmetic = in_order(name, order);
    every_law<Lanes>(arithmetic, seed);
    every_law<Strided>(arithmetic, seed + 1);
    laws_of_agreement<Lanes, CarriedSpace<T>>(arithmetic, seed);
  }
}

}  // namespace
}  // namespace precipice::test

int main() {
  for (unsigned long seed = 0; seed < precipice::test::soak(); ++seed) {
    precipice::test::all_orders<float>("float32", 1000 * seed);
    precipice::test::all_orders<double>("float64", 1000 * seed);
  }
  return precipice::test::verdict("lane space");
}
