#include "linalg/staged_sums.hpp"

#include <algorithm>
#include <bit>

#include "linalg/stop_looks.hpp"

namespace precipice {
namespace {

constexpr std::uint64_t index_of_conversion = std::uint64_t(1) << 63;

}  // namespace

StagedSums::StagedSums(const Format& accumulate, Order order, long bits_of_product, Draws& draws,
                       const StopFlag& stop)
    : rounder_(accumulate),
      order_(order),
      bits_of_product_(bits_of_product),
      draws_(draws),
      stop_(stop),
      stride_(terms_between_looks(bits_of_product / 2)),
      sum_(accumulate.precision),
      term_(accumulate.precision),
      compensation_(accumulate.precision),
      corrected_(accumulate.precision),
      next_(accumulate.precision) {}

void StagedSums::sum(mpfr_ptr out, Rounder& to, std::uint64_t element, mpfr_srcptr x, mpfr_srcptr y,
                     std::size_t n, Terms terms) {
  const Sum of{element, x, y, n};
  switch (order_) {
    case Order::sequential: sequential(of); break;
    case Order::fused: fused(of); break;
    case Order::blocked: blocked(of, terms); break;
    case Order::pairwise: pairwise(of); break;
    case Order::kahan: kahan(of); break;
    case Order::exact: return exact(out, to, of);
  }
  to.convert(out, sum_, draw(of, index_of_conversion));
}

void StagedSums::sequential(const Sum& of) {
  product(sum_, of, 0);
  for (std::size_t k = 1; k < of.n && !stopped();)
    for (const std::size_t look = std::min(k + stride_, of.n); k < look; ++k)
      add_product(sum_, of, k);
}

void StagedSums::fused(const Sum& of) {
  product(sum_, of, 0);
  for (std::size_t k = 1; k < of.n && !stopped();)
    for (const std::size_t look = std::min(k + stride_, of.n); k < look; ++k)
      rounder_.fma(sum_, of.x + k, of.y + k, sum_, draw(of, of.n + k));
}

void StagedSums::blocked(const Sum& of, Terms terms) {
  const bool along = terms == Terms::along_a_row;
  const std::size_t count =
      along ? std::min(partial_sums, of.n) : (of.n + partial_sums - 1) / partial_sums;
  reserve_partials(count);
  for (std::size_t k = 0; k < of.n && !(k % stride_ == 0 && stopped()); ++k) {
    const mpfr_ptr s = partials_ + (along ? k % partial_sums : k / partial_sums);
    if (along ? k < partial_sums : k % partial_sums == 0)
      product(s, of, k);
    else
      add_product(s, of, k);
  }
  for (std::size_t w = std::bit_ceil(count) / 2; w > 0; w /= 2)
    for (std::size_t i = 0; i < w && i + w < count; ++i)
      rounder_.add(partials_ + i, partials_ + i, partials_ + i + w, draw(of, 2 * of.n + w + i));
  mpfr_set(sum_, partials_, MPFR_RNDN);
}

// The sums of the terms so far, by the ones in the binary representation of their number: the
// greatest first.
void StagedSums::pairwise(const Sum& of) {
  reserve_partials(static_cast<std::size_t>(std::bit_width(of.n)) + 1);
  std::size_t depth = 0;
  // Adds the last of them, of the terms from `right` on, to the one before.
  const auto combine = [&](std::size_t right) {
    --depth;
    rounder_.add(partials_ + depth - 1, partials_ + depth - 1, partials_ + depth,
                 draw(of, of.n + right));
  };
  for (std::size_t k = 0; k < of.n && !(k % stride_ == 0 && stopped()); ++k) {
    product(partials_ + depth++, of, k);
    for (std::size_t size = 1; ((k + 1) & size) == 0; size *= 2) combine(k + 1 - size);
  }
  for (std::size_t left = of.n & (of.n - 1); depth > 1; left &= left - 1) combine(left);
  mpfr_set(sum_, partials_, MPFR_RNDN);
}

void StagedSums::kahan(const Sum& of) {
  product(sum_, of, 0);
  mpfr_set_zero(compensation_, 1);
  for (std::size_t k = 1; k < of.n && !(k % stride_ == 0 && stopped()); ++k) {
    const std::uint64_t index = of.n + 4 * k;
    product(term_, of, k);
    rounder_.subtract(corrected_, term_, compensation_, draw(of, index));
    rounder_.add(next_, sum_, corrected_, draw(of, index + 1));
    rounder_.subtract(compensation_, next_, sum_, draw(of, index + 2));
    rounder_.subtract(compensation_, compensation_, corrected_, draw(of, index + 3));
    mpfr_swap(sum_, next_);
  }
}

// mpfr_sum rounds the exact sum correctly, and has MPFR's rules for zeros, infinities and NaN.
void StagedSums::exact(mpfr_ptr out, Rounder& to, const Sum& of) {
  reserve_products(of.n);
  for (std::size_t k = 0; k < of.n && !(k % stride_ == 0 && stopped()); ++k)
    mpfr_mul(products_[k], of.x + k, of.y + k, MPFR_RNDN);
  if (stopped()) return;
  to.round(
      out, [&](mpfr_ptr s, mpfr_rnd_t mode) { return mpfr_sum(s, products_.data(), of.n, mode); },
      draw(of, of.n));
}

void StagedSums::reserve_partials(std::size_t n) {
  if (n <= partials_size_) return;
  partials_ = memory_.zeros(n, mpfr_get_prec(static_cast<mpfr_srcptr>(sum_)));
  partials_size_ = n;
}

void StagedSums::reserve_products(std::size_t n) {
  if (n <= products_.size()) return;
  const mpfr_ptr more = memory_.zeros(n - products_.size(), bits_of_product_);
  for (std::size_t i = products_.size(), first = i; i < n; ++i)
    products_.push_back(more + i - first);
}

}  // namespace precipice
