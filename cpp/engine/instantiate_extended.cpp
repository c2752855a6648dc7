// float80 and float128, where the compiler has them; dispatch has refused them elsewhere.
#include "engine/instantiate.hpp"
#include "linalg/native_space.hpp"

namespace precipice {

std::unique_ptr<Simulation> simulate_float80(const RunSpec& spec) {
  if constexpr (has_float80) return simulate_in<NativeSpace<long double>>(spec);
  return nullptr;
}

std::unique_ptr<Simulation> simulate_float128(const RunSpec& spec) {
  if constexpr (has_float128) return simulate_in<NativeSpace<float128>>(spec);
  return nullptr;
}

}  // namespace precipice
