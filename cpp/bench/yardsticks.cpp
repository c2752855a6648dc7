#include "bench/yardsticks.hpp"

#include <cstring>

namespace precipice {
namespace {

// The empty statement takes and gives x: the compiler can neither join two additions nor drop one.
inline std::uint64_t opaque(std::uint64_t x) {
  __asm__ volatile("" : "+r"(x));
  return x;
}

template <int n>
inline std::uint64_t chain(std::uint64_t x, std::uint64_t one) {
  if constexpr (n == 0)
    return x;
  else
    return chain<n - 1>(opaque(x + one), one);
}

}  // namespace

std::uint64_t dependent_additions(std::uint64_t n) {
  std::uint64_t x = opaque(0);
  const std::uint64_t one = opaque(1);
  for (std::uint64_t i = 0; i < n; i += 64) x = chain<64>(x, one);
  return x;
}

bool ReadBuffer::read(std::size_t times) const {
  bool found = false;
  for (std::size_t i = 0; i < times; ++i) {
    const char* volatile begin = bytes_.data();  // each time anew
    found = found || std::memchr(begin, 1, bytes_.size()) != nullptr;
  }
  return !found;
}

}  // namespace precipice
