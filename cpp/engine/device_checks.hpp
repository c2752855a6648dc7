// What a device carries out.
#pragma once

#include "engine/run_spec.hpp"

namespace precipice {

// Throws std::invalid_argument with a sentence for the rest.
void check_carried_out_on_device(const RunSpec& spec);

}  // namespace precipice
