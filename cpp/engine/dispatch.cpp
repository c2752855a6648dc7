// The only switch on the type of numbers.
#include <stdexcept>

#include "engine/carrier.hpp"
#include "engine/checks.hpp"
#include "engine/instantiate.hpp"

namespace precipice {

std::unique_ptr<Simulation> make_simulation(const RunSpec& spec) {
  check_shapes(spec);
  check_floating_point_state();
  const CpuPath path = cpu_path();
  switch (carrier_of(path, spec.arithmetic)) {
    case Carrier::float32: return simulate_float32(spec);
    case Carrier::float64: return simulate_float64(spec);
    case Carrier::float80: return simulate_float80(spec);
    case Carrier::float128: return simulate_float128(spec);
    case Carrier::exact32: return simulate_exact32(spec);
    case Carrier::exact64: return simulate_exact64(spec);
    case Carrier::exact_carried32: return simulate_exact_carried32(spec);
    case Carrier::exact_carried64: return simulate_exact_carried64(spec);
    case Carrier::limbs: return simulate_limbs(spec);
    case Carrier::mpfr: return simulate_mpfr(spec);
    case Carrier::carried32: return simulate_carried32(spec);
    case Carrier::carried64: return simulate_carried64(spec);
    case Carrier::staged: return simulate_staged(spec);
    case Carrier::double_double: return simulate_double_double(spec);
    case Carrier::none: break;
  }
  throw std::invalid_argument("precision = " + spec.arithmetic[Stage::parameters].name + ": " +
                              carried_out_by(path, spec.arithmetic).sentence);
}

}  // namespace precipice
