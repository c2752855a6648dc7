// The kernels of one number of limbs, as functions over arrays.
#pragma once

#include "limbs/avx512ifma/divide.hpp"
#include "limbs/avx512ifma/rows.hpp"
#include "limbs/avx512ifma/sources.hpp"

namespace precipice::limbs::avx512ifma {

template <int K>
struct KernelsOf {
  // Infinities and NaN among the operands, or results outside the range, are MPFR's.
  PRECIPICE_INLINE static bool beyond(const Number<K>& result, Lanes a, Lanes b,
                                      const Rounding& rounding) {
    const Mask special = static_cast<Mask>(less(all(greatest_exponent), greater(a, b)));
    const Mask outside = static_cast<Mask>(less(result.exponent, all(rounding.emin)) |
                                           less(all(rounding.emax), result.exponent));
    return (special | (outside & ~is_number_zero(result))) != 0;
  }

  static void multiply(const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b,
                       std::size_t groups) {
    const Rounding rounding(p);
    for (std::size_t g = 0; g < groups; ++g, out += words_of_group(p)) {
      const Group x{a.data + g * a.step}, y{b.data + g * b.step};
      const Number<K> product = avx512ifma::multiply<K>(x, y, rounding);
      if (beyond(product, x.exponent(), y.exponent(), rounding)) [[unlikely]]
        rescue.call(rescue.context, Operation::multiply, out, x.words, y.words, 0);
      else
        write(out, product);
    }
  }

  template <Operation operation>
  static void add(const Precision& p, const Rescue& rescue, Word* out, Operand a, Operand b,
                  std::size_t groups) {
    const Rounding rounding(p);
    for (std::size_t g = 0; g < groups; ++g, out += words_of_group(p)) {
      const Group x{a.data + g * a.step}, y{b.data + g * b.step};
      Number<K> y_signed = read<K>(y);
      if (operation == Operation::subtract) y_signed.minus = static_cast<Mask>(~y_signed.minus);
      const Number<K> sum = avx512ifma::add<K>(read<K>(x), y_signed, rounding);
      if (beyond(sum, x.exponent(), y.exponent(), rounding)) [[unlikely]]
        rescue.call(rescue.context, operation, out, x.words, y.words, 0);
      else
        write(out, sum);
    }
  }

  static void divide(const Precision& p, const Rescue& rescue, Word* out, Operand a, Word n,
                     std::size_t groups) {
    const Rounding rounding(p);
    const bool not_ours = n == 0 || n > greatest_divisor;
    const Divisor divisor(not_ours ? 1 : n);
    for (std::size_t g = 0; g < groups; ++g, out += words_of_group(p)) {
      const Group x{a.data + g * a.step};
      const Number<K> quotient = avx512ifma::divide<K>(read<K>(x), divisor, rounding);
      if (not_ours || beyond(quotient, x.exponent(), x.exponent(), rounding)) [[unlikely]]
        rescue.call(rescue.context, Operation::divide, out, x.words, nullptr, n);
      else
        write(out, quotient);
    }
  }

  static void sums(const Precision& p, Word* out, const DataMatrix& X, std::size_t groups,
                   const Word* u, const Word* prepared, std::size_t terms) {
    const SumRounding rounding(p);
    for (std::size_t g = 0; g < groups; ++g, out += words_of_group(p)) {
      const Word* const x = X.data + g * X.group_stride;
      const std::size_t stride = X.term_stride;
      switch (X.packing) {
        case Packing::packed52:
          write(out, summed<K>(ShortData<K, false>{x, stride, u, prepared, X.top, rounding}, terms,
                               rounding));
          break;
        case Packing::packed53:
          write(out, summed<K>(ShortData<K, true>{x, stride, u, prepared, X.top, rounding}, terms,
                               rounding));
          break;
        case Packing::stored:
          write(out, summed<K>(StoredData<K>{x, stride, u, rounding}, terms, rounding));
      }
    }
  }

  static void prepare(const Precision& p, Word* prepared, const Word* u, std::size_t n) {
    const Rounding rounding(p);
    const std::size_t groups = groups_of(p, n), words = words_of_group(p);
    Lanes greatest = all(-greatest_exponent);
    for (std::size_t g = 0; g < groups; ++g)
      greatest = greater(greatest, Group{u + g * words}.exponent());
    const Lanes usual = all(_mm512_reduce_max_epi64(greatest));
    for (std::size_t g = 0; g < groups; ++g) {
      const Group x{u + g * words};
      Word* const half = prepared + g * words;
      const Lanes exponent = select(is_zero(x.limb(K - 1)), usual, x.exponent());
      store(half, subtract(exponent, all(rounding.span)));
      for (int i = 0; i < K; ++i) {
        const Lanes above = i + 1 < K ? x.limb(i + 1) : zero();
        store(half + lanes * (1 + i),
              low_limb(either(_mm512_srli_epi64(x.limb(i), 1), _mm512_slli_epi64(above, 51))));
      }
    }
  }

  static void sum(const Precision& p, Word* out, const Word* a, std::size_t n) {
    const SumRounding rounding(p);
    write(out, summed<K>(Elements<K>{a, rounding}, n, rounding));
  }

  static constexpr KernelRow row = {
      &multiply, &add<Operation::add>, &add<Operation::subtract>, &divide, &sums, &prepare, &sum};
};

}  // namespace precipice::limbs::avx512ifma
