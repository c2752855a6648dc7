// The entries of a data matrix as the kernels read them, in each packing.
#pragma once

#include <mpfr.h>

#include <cstddef>
#include <vector>

#include "limb_subject.hpp"
#include "limbs/data_matrix.hpp"
#include "limbs/pack.hpp"

namespace precipice::test {

using limbs::Packing;

inline const char* name(Packing packing) {
  switch (packing) {
    case Packing::packed52: return "packed52";
    case Packing::packed53: return "packed53";
    case Packing::stored: return "stored";
  }
  return "";
}

// How much entries may differ, and the packings that hold such.
struct Width {
  int bits;
  Exponent depth;  // between their exponents
  std::vector<Packing> packings;
};
inline std::vector<Width> widths(int p) {
  const int short_bits = p < 52 ? p : 52, long_bits = p < 53 ? p : 53;
  return {{short_bits, 1023, {Packing::packed52, Packing::packed53, Packing::stored}},
          {short_bits, 2047, {Packing::packed52, Packing::stored}},
          {long_bits, 1023, {Packing::packed53, Packing::stored}},
          {p, 6000, {Packing::stored}}};
}

// Outputs by terms, in one packing; between terms and between groups of outputs may be words that
// nothing may read.
class Entries {
 public:
  Entries(LimbSubject& on, Packing packing, std::size_t groups, std::size_t terms, Exponent top)
      : p_(on.p) {
    const std::size_t lanes = on.lanes();
    const std::size_t words = packing == Packing::stored ? limbs::words_of_group(p_) : lanes;
    const std::size_t term_stride = words + lanes * on.draws.below(3);
    const std::size_t group_stride = terms * term_stride + lanes * on.draws.below(3);
    memory_ = limbs::AlignedWords(groups * group_stride);
    for (std::size_t w = 0; w < groups * group_stride; ++w) memory_.data()[w] = ~Word(w);
    matrix_ = {packing, memory_.data(), group_stride, term_stride, top};
  }
  const limbs::DataMatrix& matrix() const { return matrix_; }

  void put(std::size_t output, std::size_t term, const Slow& x, Exponent depth_of_zero) {
    const auto lanes = static_cast<std::size_t>(p_.lanes);
    Word* const entry = memory_.data() + output / lanes * matrix_.group_stride +
                        term * matrix_.term_stride + output % lanes;
    if (matrix_.packing == Packing::stored)
      limbs::store(p_, entry, x.get());
    else
      *entry = packed(x, depth_of_zero);
  }

 private:
  Word packed(const Slow& x, Exponent depth_of_zero) const {
    const bool minus = mpfr_signbit(x.get()) != 0;
    if (mpfr_zero_p(x.get())) return limbs::packed(matrix_.packing, 0, minus, depth_of_zero);
    Slow integer = x;
    mpfr_set_exp(integer.get(), limbs::significand_bits(matrix_.packing));
    mpfr_setsign(integer.get(), integer.get(), 0, MPFR_RNDN);
    return limbs::packed(matrix_.packing, mpfr_get_ui(integer.get(), MPFR_RNDN), minus,
                         matrix_.top - mpfr_get_exp(x.get()));
  }

  Precision p_;
  limbs::AlignedWords memory_;
  limbs::DataMatrix matrix_;
};

}  // namespace precipice::test
