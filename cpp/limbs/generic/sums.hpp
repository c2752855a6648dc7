// Sums of products with the data matrix, and of numbers.
#pragma once

#include "limbs/data_matrix.hpp"
#include "limbs/generic/accumulate.hpp"
#include "limbs/generic/multiply.hpp"

namespace precipice::limbs::generic {

// Zeros get the exponent of the greatest number, so that their products are in reach of a shift
// like those of their neighbours; their significands make them zeros.
template <int K>
void prepare(const Precision&, Word* prepared, const Word* u, std::size_t n) {
  Exponent greatest = zero_exponent;
  for (std::size_t k = 0; k < n; ++k) {
    const Exponent exponent = exponent_of(u[k * (1 + K)]);
    if (exponent > greatest) greatest = exponent;
  }
  for (std::size_t k = 0; k < n; ++k) {
    Number<K> a = load<K>(u + k * (1 + K));
    if (a.exponent == zero_exponent) a.exponent = greatest;
    store(prepared + k * (1 + K), a);
  }
}

// An entry of X times an element of u.
template <int K, Packing packing>
[[gnu::always_inline]] inline Term<K> product(const DataMatrix& X, const Word* entry,
                                              const Word* element, std::size_t place) {
  const Number<K> b = load<K>(element);
  if constexpr (packing == Packing::stored) {
    const Number<K> a = load<K>(entry);
    return rounded_product<K>(a.exponent + b.exponent, a.minus ^ b.minus,
                              multiply_limbs(a.significand, b.significand), place);
  } else {
    constexpr int bits = significand_bits(packing);
    const Word word = *entry;
    const auto depth = static_cast<Exponent>(word >> (bits + 1));
    return rounded_product<K>(X.top - depth + b.exponent, (word >> bits & 1) ^ b.minus,
                              multiply_limbs(b.significand, word << (64 - bits)), place);
  }
}

template <Packing packing>
bool entry_is_minus(const Word* entry) {
  if constexpr (packing == Packing::stored)
    return minus_of(*entry);
  else
    return (*entry >> significand_bits(packing) & 1) != 0;
}
template <Packing packing>
bool entry_is_zero(const Word* entry) {
  if constexpr (packing == Packing::stored)
    return is_zero_head(*entry);
  else
    return *entry << (64 - significand_bits(packing)) == 0;
}

// The sign of a sum that is zero: minus where every term is -0. Of other sums of zeros, and of
// numbers that cancel, the sum is +0.
template <int K, Packing packing>
bool all_minus_zero(const DataMatrix& X, const Word* entry, const Word* u, std::size_t terms) {
  for (std::size_t k = 0; k < terms; ++k, entry += X.term_stride, u += 1 + K) {
    const bool minus = entry_is_minus<packing>(entry) != minus_of(u[0]);
    const bool zero = entry_is_zero<packing>(entry) || u[K] == 0;
    if (!minus || !zero) return false;
  }
  return terms > 0;
}

// One output: the sum over k of `entry` k terms further on, times u_k.
template <int K, Packing packing>
void sum_of_products(const Precision& p, Word* out, const DataMatrix& X, const Word* entry,
                     const Word* u, std::size_t terms) {
  const std::size_t place = place_of_product(p);
  Accumulator<K> sum(p);
  for (std::size_t k = 0; k < terms; ++k)
    sum.add(product<K, packing>(X, entry + k * X.term_stride, u + k * (1 + K), place));
  if (!is_zero(sum.value))
    store(out, number_of(sum));
  else
    store_zero<K>(out, all_minus_zero<K, packing>(X, entry, u, terms));
}

// Output by output: two of them in turn, so that neither waits for the other, are no faster (8.2
// against 8.3 ns a term at 53 bits, 15.4 against 15.3 at 256), for the instructions are what takes
// the time.
template <int K, Packing packing>
void sums_of_packing(const Precision& p, Word* out, const DataMatrix& X, std::size_t groups,
                     const Word* u, std::size_t terms) {
  for (std::size_t l = 0; l < groups; ++l)
    sum_of_products<K, packing>(p, out + l * (1 + K), X, X.data + l * X.group_stride, u, terms);
}

template <int K>
void sums(const Precision& p, Word* out, const DataMatrix& X, std::size_t groups, const Word*,
          const Word* prepared, std::size_t terms) {
  switch (X.packing) {
    case Packing::packed52:
      return sums_of_packing<K, Packing::packed52>(p, out, X, groups, prepared, terms);
    case Packing::packed53:
      return sums_of_packing<K, Packing::packed53>(p, out, X, groups, prepared, terms);
    case Packing::stored:
      return sums_of_packing<K, Packing::stored>(p, out, X, groups, prepared, terms);
  }
}

// a_0 + a_1 + ... + a_(n-1)
template <int K>
void sum(const Precision& p, Word* out, const Word* a, std::size_t n) {
  Accumulator<K> total(p);
  bool all_minus = n > 0, all_zero = true;
  for (std::size_t i = 0; i < n; ++i) {
    const Word* const words = a + i * (1 + K);
    all_minus = all_minus && minus_of(words[0]);
    all_zero = all_zero && is_zero_head(words[0]);
    const Number<K> number = load<K>(words);
    total.add({number.exponent, number.minus, guarded(number.significand)});
  }
  if (!is_zero(total.value))
    store(out, number_of(total));
  else
    store_zero<K>(out, all_zero && all_minus);
}

}  // namespace precipice::limbs::generic
