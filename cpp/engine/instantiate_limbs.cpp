#include "engine/instantiate.hpp"
#include "limbs/limb_kernels.hpp"
#include "linalg/limb_space.hpp"

namespace precipice {
namespace {

// With the kernels of this CPU; dispatch has asked whether they have the format.
class LimbSpaceHere : public LimbSpace {
 public:
  LimbSpaceHere(const Arithmetic& arithmetic, const StopFlag& stop)
      : LimbSpace(*limb_kernels(cpu_path(), arithmetic[Stage::parameters]), arithmetic, stop) {}
};

}  // namespace

std::unique_ptr<Simulation> simulate_limbs(const RunSpec& spec) {
  return simulate_in<LimbSpaceHere>(spec);
}

}  // namespace precipice
