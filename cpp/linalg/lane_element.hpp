// What an element program sees of a LaneSpace: the operations on one element, the k-th rounding
// with the draw of index k.
#pragma once

#include <cstdint>

#include "linalg/lane_arrays.hpp"
#include "linalg/lane_sums.hpp"
#include "machine/host_device.hpp"

namespace precipice {

template <class Numbers>
class LaneElement {
 public:
  using T = typename Numbers::Number;
  using Integer = LaneInteger<T>;

  PRECIPICE_HOST_DEVICE LaneElement(const Numbers& numbers, const DrawsOf<Numbers>& draws)
      : numbers_(numbers), draws_(draws) {}

  PRECIPICE_HOST_DEVICE void multiply(T& out, T a, T b) { out = numbers_.multiply(a, b, draw()); }
  PRECIPICE_HOST_DEVICE void add(T& out, T a, T b) { out = numbers_.add(a, b, draw()); }
  PRECIPICE_HOST_DEVICE void subtract(T& out, T a, T b) { out = numbers_.subtract(a, b, draw()); }
  PRECIPICE_HOST_DEVICE void multiply_by_integer(T& out, T a, const Integer& n) {
    multiply(out, a, n.value);
  }
  // Where 1/n is a number, a*(1/n) and a/n round the same real number.
  PRECIPICE_HOST_DEVICE void divide_by_integer(T& out, T a, const Integer& n) {
    if (n.reciprocal != T(0))
      multiply(out, a, n.reciprocal);
    else
      out = numbers_.divide(a, n.value, draw());
  }
  PRECIPICE_HOST_DEVICE static void copy(T& out, T a) { out = a; }
  PRECIPICE_HOST_DEVICE static T temporary(T) { return T(); }

 private:
  PRECIPICE_HOST_DEVICE auto draw() { return draws_.at(next_++); }

  const Numbers& numbers_;
  DrawsOf<Numbers> draws_;
  std::uint64_t next_ = 0;
};

}  // namespace precipice
