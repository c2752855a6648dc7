// The laws of sums: of products with a data matrix, and of the elements of a vector.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ostream>
#include <vector>

#include "limb_data.hpp"
#include "limb_rows.hpp"
#include "limb_subject.hpp"

namespace precipice::test {

inline long multiply_adds = 0;

// Rows of entries times a vector, drawn term by term beside their sums in MPFR.
class DrawnSums {
 public:
  DrawnSums(LimbSubject& on, const Width& width, std::size_t groups, std::size_t terms)
      : on_(on),
        width_(width),
        groups_(groups),
        terms_(terms),
        usual_(usual_exponents(on.draws)),
        mood_(on.draws.one_in(2) ? Mood::adverse : static_cast<Mood>(on.draws.below(4))),
        lonely_(on.draws.one_in(2)),
        load_(on.draws.one_in(2) ? 24 : 300),
        u_(on.p, terms),
        u_k_(on.p.bits),
        term_(on.p.bits),
        x_(width.bits) {
    for (std::size_t i = 0; i < groups * on.lanes(); ++i) rows_.emplace_back(on.p.bits, mood(i));
    for (const Packing packing : width.packings)
      entries_.emplace_back(on, packing, groups, terms, top());
    for (std::size_t k = 0; k < terms; ++k) draw(k);
  }

  // Every packing of the entries gives these sums.
  void check() const {
    const Precision& p = on_.p;
    const Groups prepared(p, terms_);
    on_.kernels.prepare(p, prepared.data(), u_.data(), terms_);
    CHECK(prepared.ends_untouched(), on_.path, p.bits, terms_);
    for (const Entries& entries : entries_) {
      const Groups out(p, rows_.size());
      on_.kernels.sums(p, out.data(), entries.matrix(), groups_, u_.data(), prepared.data(),
                       terms_);
      CHECK(out.ends_untouched(), on_.path, p.bits, terms_);
      for (std::size_t i = 0; i < rows_.size(); ++i)
        CHECK(finite(rows_[i].sum) && out.holds(i, rows_[i].sum), on_.path, p.bits,
              name(entries.matrix().packing), terms_, i, out.number(i), rows_[i].sum,
              Text{*this, entries, i});
      multiply_adds += static_cast<long>(rows_.size() * terms_);
    }
  }

 private:
  // A row, if it is short: x * u + x * u + ...
  struct Text {
    const DrawnSums& sums;
    const Entries& entries;
    std::size_t row;
  };
  friend std::ostream& operator<<(std::ostream& out, const Text& text) {
    const DrawnSums& of = text.sums;
    if (of.terms_ > 9) return out << "...";
    Slow x(std::max(of.on_.p.bits, 53));
    for (std::size_t k = 0; k < of.terms_; ++k) {
      limbs::load(of.on_.p, x.get(), text.entries.matrix(), text.row, k);
      out << (k > 0 ? " + " : "") << x << " * " << of.u_.number(k);
    }
    return out;
  }

  // What a kernel does carefully it does so for a group: an adverse row must also be met where the
  // others give no reason to.
  Mood mood(std::size_t i) {
    if (mood_ == Mood::adverse && lonely_) return i == 0 ? Mood::adverse : Mood::calm;
    return on_.draws.one_in(12) ? Mood::minus_zeros : mood_;
  }

  mpfr_exp_t top() const { return usual_.x + width_.depth / 2; }

  void draw(std::size_t k) {
    const bool unload = on_.draws.one_in(load_);
    for (Row& row : rows_) row.proceed(on_.draws, unload);
    const std::size_t chosen = lonely_ ? 0 : on_.draws.below(rows_.size());
    const bool made_for_chosen = draw_element(rows_[chosen]);
    std::optional<ProductAim> product;
    if (mood_ == Mood::adverse && !mpfr_zero_p(u_k_.get()) && on_.draws.one_in(4))
      product.emplace(u_k_.get(), width_.bits);
    u_.put(k, u_k_);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (made_for_chosen && i == chosen)
        mpfr_set(x_.get(), x_of_chosen_.get(), MPFR_RNDN);
      else if (product && rows_[i].mood == Mood::adverse && on_.draws.one_in(2))
        product->draw(on_.draws, x_.get(), usual_.x);
      else
        draw_entry(rows_[i]);
      const Exponent depth_of_zero =
          on_.draws.one_in(2) ? width_.depth / 2 : on_.draws.between(0, width_.depth);
      for (Entries& entries : entries_) entries.put(i, k, x_, depth_of_zero);
      mpfr_mul(term_.get(), x_.get(), u_k_.get(), MPFR_RNDN);
      rows_[i].add(term_.get());
    }
  }

  // The vector's next element: often a power of two, which leaves a term what its row wants it to
  // be. True where it makes a term that the row given wants of an entry of many bits, x_of_chosen_.
  bool draw_element(const Row& row) {
    LimbDraws& draws = on_.draws;
    const mpfr_exp_t exponent = usual_.u + draws.between(-3, 3);
    if (mood_ == Mood::calm || lonely_)
      draws.plain_number(u_k_.get(), on_.p.bits, exponent);
    else
      draws.number(u_k_.get(), on_.p.bits, exponent);
    if (mood_ == Mood::heavy) {
      mpfr_set_ui_2exp(u_k_.get(), 1, usual_.u, MPFR_RNDN);
      mpfr_nextbelow(u_k_.get());
      return row.course.aim != Aim::pile_up && draw_element_for(row);
    }
    if (mood_ != Mood::adverse) return false;
    const std::size_t kind = lonely_ ? draws.between(8, 15) : draws.below(16);
    if (kind < 7)
      mpfr_set_ui_2exp(u_k_.get(), 1, exponent, MPFR_RNDN);
    else if (kind == 7)
      draws.zero(u_k_.get());
    else if (kind == 8)
      mpfr_set_exp(u_k_.get(), usual_.u + far_away(draws, on_.p.bits));
    return kind > 11 && row.mood == Mood::adverse && draw_element_for(row);
  }
  bool draw_element_for(const Row& row) {
    aim(on_.draws, term_.get(), row.sum.get(), row.course, usual_.x + usual_.u);
    if (mpfr_zero_p(term_.get())) return false;
    on_.draws.number(x_of_chosen_.get(), width_.bits, usual_.x + on_.draws.between(-3, 3));
    mpfr_div(u_k_.get(), term_.get(), x_of_chosen_.get(), MPFR_RNDN);
    return true;
  }

  // The next entry of a row: with u_k_, and as near as so few bits come, the term at which it aims.
  void draw_entry(const Row& row) {
    const bool u_is_zero = mpfr_zero_p(u_k_.get()) != 0;
    if (u_is_zero) {
      on_.draws.number(x_.get(), width_.bits, usual_.x);
    } else {
      aim(on_.draws, term_.get(), row.sum.get(), row.course, usual_.x + usual_.u);
      mpfr_div(x_.get(), term_.get(), u_k_.get(), MPFR_RNDN);
      if (!mpfr_zero_p(x_.get())) nudge(x_.get(), nudge(on_.draws, row.course.aim));
    }
    if (row.mood == Mood::minus_zeros && !on_.draws.one_in(4 * terms_))
      mpfr_setsign(x_.get(), x_.get(), !mpfr_signbit(u_k_.get()), MPFR_RNDN);
    if (!mpfr_zero_p(x_.get()))
      mpfr_set_exp(x_.get(), std::clamp(mpfr_get_exp(x_.get()), top() - width_.depth, top()));
  }

  LimbSubject& on_;
  Width width_;
  std::size_t groups_, terms_;
  Usual usual_;
  Mood mood_;
  bool lonely_;       // one adverse row among calm ones
  std::size_t load_;  // terms whose carries pile up in heavy rows
  Groups u_;
  std::vector<Row> rows_;
  std::vector<Entries> entries_;
  Slow u_k_, term_, x_, x_of_chosen_{width_.bits};
};

// a_0 + a_1 + ..., in every lane.
inline void law_of_the_sum(LimbSubject& on, std::size_t terms) {
  LimbDraws& draws = on.draws;
  Row row(on.p.bits, draws.one_in(2) ? Mood::adverse : static_cast<Mood>(draws.below(5)));
  const mpfr_exp_t usual = usual_exponents(draws).x;
  const std::size_t load = draws.one_in(2) ? 24 : 300;
  Groups a(on.p, terms);
  Slow term(on.p.bits);
  for (std::size_t k = 0; k < terms; ++k) {
    row.proceed(draws, draws.one_in(load));
    aim(draws, term.get(), row.sum.get(), row.course, usual);
    if (!mpfr_zero_p(term.get())) nudge(term.get(), nudge(draws, row.course.aim));
    if (row.mood == Mood::minus_zeros && !draws.one_in(2 * terms)) mpfr_set_zero(term.get(), -1);
    a.put(k, term);
    row.add(term.get());
  }
  const Groups out(on.p, on.lanes());
  on.kernels.sum(on.p, out.data(), a.data(), terms);
  CHECK(out.ends_untouched(), on.path, on.p.bits, terms);
  for (std::size_t lane = 0; lane < on.lanes(); ++lane)
    CHECK(finite(row.sum) && out.holds(lane, row.sum), on.path, on.p.bits, "sum", terms, lane,
          out.number(lane), row.sum);
}

}  // namespace precipice::test
