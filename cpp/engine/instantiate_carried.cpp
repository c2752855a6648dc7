// Formats that float32 or float64 carries; engine/carrier.hpp has asked whether it does.
#include "engine/instantiate.hpp"
#include "linalg/carried_space.hpp"

namespace precipice {

std::unique_ptr<Simulation> simulate_carried32(const RunSpec& spec) {
  return simulate_in<CarriedSpace<float>>(spec);
}

std::unique_ptr<Simulation> simulate_carried64(const RunSpec& spec) {
  return simulate_in<CarriedSpace<double>>(spec);
}

}  // namespace precipice
