#include "limbs/range.hpp"

#include <bit>

namespace precipice::limbs {

Extremes extremes_of(const Precision& p, const Word* array, std::size_t n) {
  Extremes extremes;
  const auto lanes = static_cast<std::size_t>(p.lanes);
  for (; n > 0; n -= n < lanes ? n : lanes, array += words_of_group(p))
    for (std::size_t lane = 0; lane < lanes && lane < n; ++lane) extremes.include(array[lane]);
  return extremes;
}

// Above: let T = top_x + top_u. Each |x_k| < 2^top_x, so a product, rounded or not, is at most 2^T.
// Rounding is monotone, so no partial sum exceeds what 2^T + 2^T + ... gives, rounded at each sum;
// that counts up exactly until it stays at 2^p 2^T, hence |s_j| <= j 2^T <= 2^(T + ceil(log2 j)),
// a number of the exponent T + ceil(log2 j) + 1.
//
// Below: let t = least_x + least_u. A product that is not zero is at least 2^(t-2), rounded or not,
// and rounded it is a multiple of q = 2^(t-1-p), the last place of numbers from there on. A sum of
// multiples of q is one, and stays one when rounded; so it is zero, or at least q, a number of the
// exponent t - p.
bool sums_stay_in_range(const Precision& p, const Extremes& x, const Extremes& u,
                        std::size_t terms) {
  if (!x.numbers() || !u.numbers()) return false;
  if (x.least > x.top || u.least > u.top) return true;  // every product is a zero
  const auto log2_terms = static_cast<Exponent>(std::bit_width(terms - 1));
  return x.top + u.top + log2_terms + 1 <= p.emax && x.least + u.least - p.bits >= p.emin;
}

}  // namespace precipice::limbs
