// What times are compared with: a cycle of the clock, and the way of a byte from memory. Whoever
// calls these reads the clock of the thread before and after.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace precipice {

// n additions, each of which waits for the one before: n cycles on any CPU of today. A multiple of
// 64 is done.
std::uint64_t dependent_additions(std::uint64_t n);

// A buffer, and every byte of it read from first to last by the C library's memchr, which uses the
// widest registers that there are.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t bytes) : bytes_(bytes) {}
  // Whether nothing was found: true.
  bool read(std::size_t times) const;

 private:
  std::vector<char> bytes_;
};

}  // namespace precipice
