// float32 and float64, and formats that they carry, in exact order.
#include "engine/instantiate.hpp"
#include "linalg/exact_carried_space.hpp"
#include "linalg/exact_native_space.hpp"

namespace precipice {

std::unique_ptr<Simulation> simulate_exact32(const RunSpec& spec) {
  return simulate_in<ExactNativeSpace<float>>(spec);
}

std::unique_ptr<Simulation> simulate_exact64(const RunSpec& spec) {
  return simulate_in<ExactNativeSpace<double>>(spec);
}

std::unique_ptr<Simulation> simulate_exact_carried32(const RunSpec& spec) {
  return simulate_in<ExactCarriedSpace<float>>(spec);
}

std::unique_ptr<Simulation> simulate_exact_carried64(const RunSpec& spec) {
  return simulate_in<ExactCarriedSpace<double>>(spec);
}

}  // namespace precipice
