#pragma once

namespace precipice {

// The order of a sum of products (linalg/space.hpp).
enum class Order { sequential, fused, blocked, pairwise, kahan, exact };

}  // namespace precipice
