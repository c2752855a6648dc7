#include "engine/instantiate.hpp"
#include "linalg/mpfr_space.hpp"

namespace precipice {

std::unique_ptr<Simulation> simulate_mpfr(const RunSpec& spec) {
  return simulate_in<MpfrSpace>(spec);
}

}  // namespace precipice
