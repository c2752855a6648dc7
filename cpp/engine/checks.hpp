// What is checked before a run: whatever carries it out.
#pragma once

#include "engine/run_spec.hpp"

namespace precipice {

// Throws std::invalid_argument for shapes that do not fit together.
void check_shapes(const RunSpec& spec);

// The same for hardware that this process has set to round otherwise than to nearest.
void check_floating_point_state();

}  // namespace precipice
