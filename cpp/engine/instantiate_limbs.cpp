#include "engine/instantiate.hpp"
#include "limbs/limb_kernels.hpp"
#include "linalg/limb_space.hpp"

namespace precipice {
namespace {

// With the kernels of this CPU; dispatch has asked whether they have the format.
class LimbSpaceHere : public LimbSpace {
 public:
  LimbSpaceHere(const Format& format, const StopFlag& stop)
      : LimbSpace(*limb_kernels(cpu_path(), format), format, stop) {}
};

}  // namespace

std::unique_ptr<Simulation> simulate_limbs(const RunSpec& spec) {
  return simulate_in<LimbSpaceHere>(spec);
}

}  // namespace precipice
