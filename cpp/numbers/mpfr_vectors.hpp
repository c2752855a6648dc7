// Memory of vectors of MPFR numbers: each one allocation, its headers, then its significands
// (MPFR's custom interface).
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace precipice {

class MpfrVectors {
 public:
  // n zeros of that precision. The memory lives as long as this.
  mpfr_ptr zeros(std::size_t n, long precision) {
    const std::size_t significand = mpfr_custom_get_size(precision);
    std::byte* const memory = allocate(n * (sizeof(__mpfr_struct) + significand));
    auto* const numbers = reinterpret_cast<mpfr_ptr>(memory);
    std::byte* const limbs = memory + n * sizeof(__mpfr_struct);
    for (std::size_t i = 0; i < n; ++i) {
      mpfr_custom_init(limbs + i * significand, precision);
      mpfr_custom_init_set(numbers + i, MPFR_ZERO_KIND, 0, precision, limbs + i * significand);
    }
    return numbers;
  }
  // Headers alone, for numbers whose significands lie elsewhere.
  mpfr_ptr headers(std::size_t n) {
    return reinterpret_cast<mpfr_ptr>(allocate(n * sizeof(__mpfr_struct)));
  }

 private:
  std::byte* allocate(std::size_t bytes) {
    memory_.push_back(std::make_unique<std::byte[]>(bytes));
    return memory_.back().get();
  }

  std::vector<std::unique_ptr<std::byte[]>> memory_;
};

}  // namespace precipice
