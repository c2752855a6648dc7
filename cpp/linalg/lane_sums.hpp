// Sums of products by lanes, sequential and blocked, with the operations and draws that
// staged_sums.hpp writes down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "linalg/team.hpp"
#include "numbers/draws.hpp"

namespace precipice {

template <class Numbers>
using DrawsOf = std::conditional_t<Numbers::draws, ElementDraws, NoDraws>;

// sum_k x(k)*y(k) over n > 0 terms.
template <class Numbers, class X, class Y>
class LaneSum {
 public:
  using T = typename Numbers::Number;

  PRECIPICE_HOST_DEVICE LaneSum(const Numbers& numbers, const DrawsOf<Numbers>& draws,
                                std::uint32_t n, X x, Y y)
      : numbers_(numbers), draws_(draws), n_(n), x_(x), y_(y) {}

  PRECIPICE_HOST_DEVICE T sequential() const { return part(0, n_, 1); }

  // Of the terms begin, begin + step, ... below end.
  PRECIPICE_HOST_DEVICE T part(std::size_t begin, std::size_t end, std::size_t step) const {
    DrawsOf<Numbers> of_products = draws_, of_sums = draws_;
    const auto term = [&](std::size_t k) {
      return numbers_.multiply(x_(k), y_(k), of_products.at(k));
    };
    T sum = term(begin);
    PRECIPICE_UNROLL(at_once)
    for (std::size_t k = begin + step; k < end; k += step)
      sum = numbers_.add(sum, term(k), of_sums.at(n_ + k));
    return sum;
  }
  // Two partial sums; the place is w + t of s_t + s_{t+w}.
  PRECIPICE_HOST_DEVICE T combine(T a, T b, std::uint32_t place) const {
    DrawsOf<Numbers> draws = draws_;
    return numbers_.add(a, b, draws.at(2 * std::uint64_t(n_) + place));
  }

  // Blocked as down the rows of a matrix: partial sums of 32 terms each, combined by halving. They
  // are taken in the order in which one that is combined needs few others: by their bits reversed.
  // Sums of one, two, four ... of them wait for their other half as the digits of a binary counter
  // do.
  PRECIPICE_HOST_DEVICE T down_the_rows() const {
    const std::uint32_t partials = (n_ + block - 1) / block;
    T waiting[most_levels];
    for (std::uint32_t t = 0;;) {
      const std::uint32_t begin = t * block;
      T sum = part(begin, n_ - begin < block ? n_ : begin + block, 1);
      std::uint32_t bit = first_half(partials);
      for (int level = 0; bit != 0; bit /= 2, ++level) {
        if ((t & bit) != 0) {
          t ^= bit;
          sum = combine(waiting[level], sum, bit + t);
        } else if (t + bit < partials) {
          waiting[level] = sum;
          break;
        }
      }
      if (bit == 0) return sum;
      t ^= bit;
    }
  }

 private:
  static constexpr std::uint32_t block = 32;  // terms of a partial sum
  static constexpr int most_levels = 27;      // of 2^32 terms
  // Terms at once; of operations that are calls, one.
  static constexpr int at_once = Numbers::draws ? 1 : 8;

  const Numbers& numbers_;
  DrawsOf<Numbers> draws_;
  std::uint32_t n_;
  X x_;
  Y y_;
};

}  // namespace precipice
