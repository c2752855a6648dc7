#include "engine/instantiate.hpp"
#include "linalg/native_space.hpp"

namespace precipice {

std::unique_ptr<Simulation> simulate_float32(const RunSpec& spec) {
  return simulate_in<NativeSpace<float>>(spec);
}

}  // namespace precipice
