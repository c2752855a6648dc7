#include "engine/instantiate.hpp"
#include "linalg/native_space.hpp"

namespace precipice {

std::unique_ptr<Simulation> simulate_double_double(const RunSpec& spec) {
  return simulate_in<NativeSpace<double_double>>(spec);
}

}  // namespace precipice
