// Philox4x64-10, a counter-based generator of random words (Salmon, Moraes, Dror and Shaw 2011,
// "Parallel random numbers: as easy as 1, 2, 3"): a word depends on the key and its counter alone,
// so that draws are the same on any number of threads, after a resume and at every precision.
#pragma once

#include <array>
#include <cstdint>

#include "machine/words.hpp"

namespace precipice {

struct Philox {
  using Counter = std::array<std::uint64_t, 4>;
  using Key = std::array<std::uint64_t, 2>;

  // Four words.
  PRECIPICE_HOST_DEVICE static constexpr Counter block(Counter c, Key key) {
    for (int round = 0; round < 10; ++round) {
      const auto [high0, low0] = product(0xD2E7470EE14C6C93, c[0]);
      const auto [high1, low1] = product(0xCA5A826395121157, c[2]);
      c = {high1 ^ c[1] ^ key[0], low1, high0 ^ c[3] ^ key[1], low0};
      key[0] += 0x9E3779B97F4A7C15;
      key[1] += 0xBB67AE8584CAA73B;
    }
    return c;
  }

  struct Product {
    std::uint64_t high, low;
  };
  PRECIPICE_HOST_DEVICE static constexpr Product product(std::uint64_t a, std::uint64_t b) {
    return {high_product(a, b), a * b};
  }
};

// The words of one stream, one after the other: those that NumPy's Philox gives with key (seed, 0)
// and counter (0, index, stream, 0), which it raises before its first block.
class RandomWords {
 public:
  RandomWords(std::uint64_t seed, std::uint64_t index, std::uint64_t stream)
      : key_{seed, 0}, counter_{0, index, stream, 0} {}

  std::uint64_t next() {
    if (used_ == 4) {
      ++counter_[0];
      words_ = Philox::block(counter_, key_);
      used_ = 0;
    }
    return words_[used_++];
  }

  // Uniform in [0, n), without bias (Lemire 2019): the high word of word * n, unless the low word
  // lies where some results would come up once more than the others.
  std::uint64_t below(std::uint64_t n) {
    const std::uint64_t uneven = -n % n;  // 2^64 mod n
    for (;;) {
      const Philox::Product p = Philox::product(next(), n);
      if (p.low >= uneven) return p.high;
    }
  }

 private:
  Philox::Key key_;
  Philox::Counter counter_, words_{};
  unsigned used_ = 4;
};

}  // namespace precipice
