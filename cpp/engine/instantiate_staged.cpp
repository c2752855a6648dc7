#include "engine/instantiate.hpp"
#include "linalg/staged_space.hpp"

namespace precipice {

std::unique_ptr<Simulation> simulate_staged(const RunSpec& spec) {
  return simulate_in<StagedSpace>(spec);
}

}  // namespace precipice
