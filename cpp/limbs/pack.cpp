#include "limbs/pack.hpp"

#include <algorithm>
#include <utility>

#include "limbs/convert.hpp"
#include "numbers/mpfr_number.hpp"

namespace precipice::limbs {
namespace {

// What the entries have in common.
struct Census {
  Extremes extremes;
  int bits = 0;            // of the widest significand
  Exponent exponents = 0;  // their sum
  std::int64_t nonzero = 0;

  void include(mpfr_srcptr x) {
    if (mpfr_zero_p(x)) return;
    const bool number = mpfr_number_p(x) != 0;
    extremes.include(head(number ? mpfr_get_exp(x) : nan_exponent, false));
    if (!number) return;
    bits = std::max(bits, static_cast<int>(mpfr_min_prec(x)));
    exponents += mpfr_get_exp(x);
    ++nonzero;
  }
  Exponent top() const { return nonzero > 0 ? extremes.top : 0; }
  Exponent span() const { return nonzero > 0 ? extremes.top - extremes.least : 0; }

  Packing packing() const {
    if (!extremes.numbers()) return Packing::stored;
    for (const Packing packing : {Packing::packed52, Packing::packed53})
      if (bits <= significand_bits(packing) && span() <= greatest_depth(packing)) return packing;
    return Packing::stored;
  }
  // A product with a zero is scaled like the others, a little below: it changes nothing there.
  Exponent depth_of_zero() const {
    const Exponent mean = nonzero > 0 ? top() - exponents / nonzero : 0;
    return std::clamp<Exponent>(mean + 12, 0, 40);
  }
};

Word packed(Packing packing, Exponent top, Exponent depth_of_zero, mpfr_srcptr x) {
  const bool minus = mpfr_signbit(x) != 0;
  if (mpfr_zero_p(x)) return packed(packing, 0, minus, depth_of_zero);
  const auto* const words = static_cast<const mp_limb_t*>(mpfr_custom_get_significand(x));
  const Word leading = words[(mpfr_get_prec(x) - 1) / 64];
  return packed(packing, leading >> (64 - significand_bits(packing)), minus, top - mpfr_get_exp(x));
}

// One copy, being written.
class Copy {
 public:
  Copy(const Precision& p, const Census& census, std::size_t outputs, std::size_t terms)
      : p_(p), depth_of_zero_(census.depth_of_zero()), outputs_(outputs) {
    const Packing packing = census.packing();
    const std::size_t term_stride =
        packing == Packing::stored ? words_of_group(p) : static_cast<std::size_t>(p.lanes);
    const std::size_t group_stride = terms * term_stride;
    memory_ = AlignedWords(groups_of(p, outputs) * group_stride);
    matrix_ = {packing, memory_.data(), group_stride, term_stride, census.top()};
  }
  void put(std::size_t output, std::size_t term, mpfr_srcptr x) {
    const auto lanes = static_cast<std::size_t>(p_.lanes);
    Word* const group =
        memory_.data() + output / lanes * matrix_.group_stride + term * matrix_.term_stride;
    const std::size_t lane = output % lanes, last = output + 1 == outputs_ ? lanes - 1 : lane;
    for (std::size_t l = lane; l <= last; ++l) {
      if (matrix_.packing == Packing::stored)
        store(p_, group + l, x);
      else
        group[l] = packed(matrix_.packing, matrix_.top, depth_of_zero_, x);
    }
  }
  const DataMatrix& matrix() const { return matrix_; }
  AlignedWords take_memory() { return std::move(memory_); }

 private:
  const Precision& p_;
  Exponent depth_of_zero_;
  std::size_t outputs_;
  AlignedWords memory_;
  DataMatrix matrix_;
};

}  // namespace

PackedMatrix pack(const Precision& p, const Format& format, std::size_t rows, std::size_t columns,
                  const ExactVector& values) {
  MpfrNumber x(p.bits);
  Census census;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    round_to_format(x, values, i, format);
    census.include(x);
  }
  Copy by_rows(p, census, rows, columns), by_columns(p, census, columns, rows);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < columns; ++k) {
      round_to_format(x, values, i * columns + k, format);
      by_rows.put(i, k, x);
      by_columns.put(k, i, x);
    }
  return {by_rows.matrix(),
          by_columns.matrix(),
          census.extremes,
          {by_rows.take_memory(), by_columns.take_memory()}};
}

PackedMatrix place_for_rows(const Precision& p, const PackedMatrix& like, std::size_t rows,
                            std::size_t columns) {
  PackedMatrix place{like.by_rows, like.by_columns, like.extremes, {}};
  place.by_columns.group_stride = rows * place.by_columns.term_stride;
  place.memory[0] = AlignedWords(groups_of(p, rows) * place.by_rows.group_stride);
  place.memory[1] = AlignedWords(groups_of(p, columns) * place.by_columns.group_stride);
  place.by_rows.data = place.memory[0].data();
  place.by_columns.data = place.memory[1].data();
  return place;
}

void gather(const Precision& p, PackedMatrix& to, const PackedMatrix& from, const std::size_t* rows,
            std::size_t n, std::size_t columns) {
  const auto lanes = static_cast<std::size_t>(p.lanes);
  const std::size_t stride = from.by_rows.group_stride;  // a group's words, lane by lane
  for (std::size_t i = 0; i < groups_of(p, n) * lanes; ++i) {
    const std::size_t row = rows[std::min(i, n - 1)];  // lanes beyond the last row repeat it
    const Word* const source = from.by_rows.data + row / lanes * stride + row % lanes;
    Word* const place = to.memory[0].data() + i / lanes * stride + i % lanes;
    for (std::size_t w = 0; w < stride; w += lanes) place[w] = source[w];
  }
  const std::size_t words = from.by_columns.term_stride;  // of a term: a row's entry, lane by lane
  for (std::size_t g = 0; g < groups_of(p, columns); ++g)
    for (std::size_t i = 0; i < n; ++i)
      std::copy_n(from.by_columns.data + g * from.by_columns.group_stride + rows[i] * words, words,
                  to.memory[1].data() + g * to.by_columns.group_stride + i * words);
}

void load(const Precision& p, mpfr_ptr x, const DataMatrix& matrix, std::size_t output,
          std::size_t term) {
  const auto lanes = static_cast<std::size_t>(p.lanes);
  const Word* const entry = matrix.data + output / lanes * matrix.group_stride +
                            term * matrix.term_stride + output % lanes;
  if (matrix.packing == Packing::stored) return load(p, x, entry);
  const int bits = significand_bits(matrix.packing);
  const Word significand = *entry & ((Word(1) << bits) - 1);
  const auto depth = static_cast<Exponent>(*entry >> (bits + 1));
  const bool minus = (*entry >> bits & 1) != 0;
  mpfr_set_ui_2exp(x, significand, significand == 0 ? 0 : matrix.top - depth - bits, MPFR_RNDN);
  mpfr_setsign(x, x, minus, MPFR_RNDN);
}

}  // namespace precipice::limbs
