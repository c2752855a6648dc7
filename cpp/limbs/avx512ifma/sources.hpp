// What is summed: products of a row of data with a vector, or the elements of a vector.
#pragma once

#include "limbs/avx512ifma/sum.hpp"

namespace precipice::limbs::avx512ifma {

// Element k of a vector, in every lane.
PRECIPICE_INLINE const Word* element(const Word* vector, int K, std::size_t k) {
  return vector + k / lanes * static_cast<std::size_t>(lanes * (1 + K)) + k % lanes;
}

// What `prepare` makes of a vector: for each element the grid of its bit 0 and the limbs of its
// half, laid out like the vector. A zero gets the grid of the greatest element, so that its
// products seem to have a usual size.
template <int K, bool has_odd>
struct ShortData {
  static constexpr std::size_t between_carries = terms_between_carries;
  static constexpr Packing packing = has_odd ? Packing::packed53 : Packing::packed52;

  const Word* x;
  std::size_t stride;
  const Word *u, *prepared;
  Exponent top;
  const SumRounding& rounding;

  struct Factors {
    Product<K> product;
    Lanes grid;
    Mask minus;
  };
  PRECIPICE_INLINE Factors multiply(std::size_t k) const {
    constexpr int bits = significand_bits(packing);
    const Lanes word = load(x + k * stride);
    const OneLane u_k{element(u, K, k)}, half{element(prepared, K, k)};
    const Lanes h = low_limb(has_odd ? _mm512_srli_epi64(word, 1) : word);
    const Mask odd = has_odd ? any_bit(word, all(1)) : Mask(0);
    const Mask minus = any_bit(word, all(Exponent(1) << bits));
    const Lanes depth = _mm512_srli_epi64(word, bits + 1);
    // h 2^(top - depth - 52) times the limbs; the upper limbs are one limb up.
    return {multiply_short<K, has_odd>(h, odd, u_k, half),
            subtract(add(broadcast(half.words), all(top)), depth),
            static_cast<Mask>(minus ^ u_k.minus())};
  }
  PRECIPICE_INLINE Term<K> hasty(std::size_t k) const {
    const Factors f = multiply(k);
    return rounded_term(f.product, f.grid, f.minus, limb_bits - 1 - rounding.slack, rounding);
  }
  PRECIPICE_RARE Number<K> careful(std::size_t k) const {
    const Factors f = multiply(k);
    return rounded_product(f.product, f.grid, f.minus, rounding);
  }
};

template <int K>
struct StoredData {
  static constexpr std::size_t between_carries = products_between_carries;

  const Word* x;
  std::size_t stride;
  const Word* u;
  const SumRounding& rounding;

  PRECIPICE_INLINE Lanes grid(Group x_k, OneLane u_k) const {
    return add(x_k.exponent(),
               all(exponent_of(*u_k.words) + limb_bits * K - 2 * Exponent(rounding.span)));
  }
  PRECIPICE_INLINE Term<K> hasty(std::size_t k) const {
    const Group x_k{x + k * stride};
    const OneLane u_k{element(u, K, k)};
    return rounded_term(multiply_stored<K>(x_k, u_k), grid(x_k, u_k),
                        static_cast<Mask>(x_k.minus() ^ u_k.minus()),
                        limb_bits - 1 - 2 * rounding.slack, rounding);
  }
  PRECIPICE_RARE Number<K> careful(std::size_t k) const {
    const Group x_k{x + k * stride};
    const OneLane u_k{element(u, K, k)};
    return rounded_product(multiply_stored<K>(x_k, u_k), grid(x_k, u_k),
                           static_cast<Mask>(x_k.minus() ^ u_k.minus()), rounding);
  }
};

// Elements that are summed as they are.
template <int K>
struct Elements {
  static constexpr std::size_t between_carries = terms_between_carries;

  const Word* a;
  const SumRounding& rounding;

  PRECIPICE_INLINE Term<K> hasty(std::size_t k) const {
    const OneLane a_k{element(a, K, k)};
    Term<K> term;
#pragma GCC unroll 32
    for (int i = 0; i < K; ++i) term.limb[i] = a_k.limb(i);
    term.grid = all(exponent_of(*a_k.words) - rounding.span);
    term.minus = a_k.minus();
    term.doubtful = 0;
    return term;
  }
  PRECIPICE_RARE Number<K> careful(std::size_t k) const {
    return read<K>(OneLane{element(a, K, k)});
  }
};

}  // namespace precipice::limbs::avx512ifma
