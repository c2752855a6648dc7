#include "linalg/exact_limb_sums.hpp"

#include <algorithm>
#include <bit>

#include "limbs/convert.hpp"
#include "limbs/pack.hpp"

namespace precipice {

using limbs::DataMatrix;
using limbs::Extremes;
using limbs::Packing;

ExactLimbSums::ExactLimbSums(const limbs::Kernels& kernels, const limbs::Precision& precision,
                             const Format& format, const StopFlag& stop)
    : kernels_(kernels),
      precision_(precision),
      stop_(stop),
      lanes_(static_cast<std::size_t>(precision.lanes)),
      group_words_(limbs::words_of_group(precision)),
      exact_sum_(format, 2 * format.precision),
      x_(format.precision),
      u_k_(format.precision),
      sum_(format.precision) {}

// A window for that many bits of the sums: besides them, the bits of the error bound
// (limbs/fixed_point.hpp), and what leaves one sum in a thousand undecided where terms are as
// scattered as in normal data.
int ExactLimbSums::limbs_for(int bits) const {
  constexpr int guard = 16;
  const int needed = bits + guard + static_cast<int>(std::bit_width(terms_));
  return std::max((needed + 51) / 52, 2);
}

void ExactLimbSums::set_vector(const Word* u, std::size_t terms, const Extremes& of_entries) {
  u_ = u;
  terms_ = terms;
  of_entries_ = of_entries;
  of_u_ = limbs::extremes_of(precision_, u, terms);
  wide_ready_ = false;
  const bool numbers = of_entries.numbers() && of_u_.numbers();
  const bool only_zeros = of_entries.least > of_entries.top || of_u_.least > of_u_.top;
  const int window = limbs_for(precision_.bits);
  fits_ = kernels_.fix != nullptr && numbers && !only_zeros && window <= limbs::most_window;
  if (fits_) fix(narrow_, window);
}

void ExactLimbSums::fix(Window& window, int limbs) {
  const std::size_t size =
      limbs::groups_of(precision_, terms_) * lanes_ * static_cast<std::size_t>(1 + limbs);
  if (window.size < size) {
    window.words = limbs::AlignedWords(size);
    window.size = size;
  }
  kernels_.fix(precision_, window.vector, window.words.data(), limbs, u_, terms_, of_u_.top);
}

// A part of the outputs at a time, so that the stop flag is seen in time: a multiply-add takes less
// than 20 + L^2 ns.
void ExactLimbSums::sums(Word* out, const DataMatrix& x, std::size_t outputs) {
  const double limbs = fits_ ? narrow_.vector.limbs : 1000;
  const double seconds = 1e-9 * (20 + limbs * limbs) * static_cast<double>(terms_ * lanes_);
  const std::size_t at_once = (1 + static_cast<std::size_t>(0.05 / seconds)) * lanes_;
  for (std::size_t i = 0; i < outputs && !stopped(); i += at_once) {
    DataMatrix part = x;
    part.data += i / lanes_ * x.group_stride;
    Word* const to = out + i / lanes_ * group_words_;
    const std::size_t now = std::min(at_once, outputs - i);
    if (fits_)
      by_kernels(to, part, now);
    else
      for (std::size_t l = 0; l < now; ++l) by_mpfr(to, part, l);
  }
}

void ExactLimbSums::by_kernels(Word* out, const DataMatrix& x, std::size_t outputs) {
  const std::size_t groups = limbs::groups_of(precision_, outputs);
  if (undecided_.size() < groups) undecided_.resize(groups);
  kernels_.exact_sums(precision_, out, undecided_.data(), x, of_entries_, groups, narrow_.vector);
  if (outputs % lanes_ != 0)  // lanes beyond the last output
    undecided_[groups - 1] &= (Word(1) << outputs % lanes_) - 1;
  if (std::any_of(undecided_.begin(), undecided_.begin() + static_cast<std::ptrdiff_t>(groups),
                  [](Word lanes) { return lanes != 0; }))
    widely(out, x, groups);
}

// The groups that are undecided, again.
void ExactLimbSums::widely(Word* out, const DataMatrix& x, std::size_t groups) {
  const int window = std::min(limbs_for(2 * precision_.bits), limbs::most_window);
  const bool wider = window > narrow_.vector.limbs;
  for (std::size_t g = 0; g < groups; ++g) {
    Word lanes = undecided_[g];
    if (lanes == 0) continue;
    DataMatrix group = x;
    group.data += g * x.group_stride;
    if (wider) {
      if (!wide_ready_) fix(wide_, window);
      wide_ready_ = true;
      Word still = 0;
      kernels_.exact_sums(precision_, out + g * group_words_, &still, group, of_entries_, 1,
                          wide_.vector);
      lanes &= still;
    }
    for (std::size_t l = 0; l < lanes_ && !stopped(); ++l)
      if ((lanes >> l & 1) != 0) by_mpfr(out + g * group_words_, group, l);
  }
}

void ExactLimbSums::by_mpfr(Word* out, const DataMatrix& x, std::size_t output) {
  exact_sum_.clear();
  for (std::size_t k = 0; k < terms_; ++k) {
    limbs::load(precision_, x_, x, output, k);
    limbs::load(precision_, u_k_, limbs::lane_of(precision_, u_, k));
    exact_sum_.add(x_, u_k_);
  }
  exact_sum_.round(sum_);
  limbs::store(precision_, limbs::lane_of(precision_, out, output), sum_);
}

void ExactLimbSums::dot(Word* lane, const Word* a, const Word* b, std::size_t n) {
  const std::size_t spare = group_words_;  // the sum, in every lane
  if (tile_terms_ < n) {
    tile_ = limbs::AlignedWords(spare + n * group_words_);
    tile_terms_ = n;
  }
  Word* const tile = tile_.data() + spare;
  for (std::size_t k = 0; k < n; ++k) {
    const Word* const number = limbs::lane_of(precision_, a, k);
    for (std::size_t w = 0; w < group_words_; w += lanes_)
      std::fill_n(tile + k * group_words_ + w, lanes_, number[w]);
  }
  set_vector(b, n, limbs::extremes_of(precision_, a, n));
  sums(tile_.data(), {Packing::stored, tile, 0, group_words_, 0}, 1);
  for (std::size_t w = 0; w < group_words_; w += lanes_) lane[w] = tile_.data()[w];
}

}  // namespace precipice
