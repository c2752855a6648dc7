// Sums of products of limb numbers, each rounded once (order `exact`), and who carries them out:
// the kernels in a window that suits the precision; what that leaves undecided, by a window twice
// as wide, since sums cancel when a run converges; what remains, MPFR.
#pragma once

#include <cstddef>
#include <vector>

#include "limbs/aligned_words.hpp"
#include "limbs/kernels.hpp"
#include "linalg/space.hpp"
#include "numbers/exact_sum.hpp"
#include "numbers/format.hpp"
#include "numbers/mpfr_number.hpp"

namespace precipice {

class ExactLimbSums {
 public:
  using Word = limbs::Word;

  ExactLimbSums(const limbs::Kernels& kernels, const limbs::Precision& precision,
                const Format& format, const StopFlag& stop);

  // The vector of the sums to come, and the exponents among all entries that they will be given.
  void set_vector(const Word* u, std::size_t terms, const limbs::Extremes& of_entries);
  // out_l = sum_k x[l,k] u_k; unfinished if stopped.
  void sums(Word* out, const limbs::DataMatrix& x, std::size_t outputs);
  // One sum of two vectors of n numbers, into a lane.
  void dot(Word* lane, const Word* a, const Word* b, std::size_t n);

 private:
  struct Window {
    limbs::FixedVector vector{};
    limbs::AlignedWords words;
    std::size_t size = 0;  // of words
  };

  int limbs_for(int bits) const;
  void fix(Window& window, int limbs);
  void by_kernels(Word* out, const limbs::DataMatrix& x, std::size_t outputs);
  void widely(Word* out, const limbs::DataMatrix& x, std::size_t groups);
  void by_mpfr(Word* out, const limbs::DataMatrix& x, std::size_t output);
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  const limbs::Kernels& kernels_;
  const limbs::Precision& precision_;
  const StopFlag& stop_;
  std::size_t lanes_, group_words_;

  const Word* u_ = nullptr;
  std::size_t terms_ = 0;
  limbs::Extremes of_entries_, of_u_;
  bool fits_ = false;  // a window
  bool wide_ready_ = false;
  Window narrow_, wide_;
  std::vector<Word> undecided_;  // a bit a lane, a word a group
  limbs::AlignedWords tile_;     // a vector in every lane
  std::size_t tile_terms_ = 0;

  ExactSum exact_sum_;
  MpfrNumber x_, u_k_, sum_;
};

}  // namespace precipice
