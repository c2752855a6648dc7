#include "linalg/limb_space.hpp"

#include "limbs/convert.hpp"
#include "numbers/rounding.hpp"

namespace precipice {

using limbs::DataMatrix;
using limbs::Extremes;
using limbs::Packing;

LimbSpace::LimbSpace(const limbs::Kernels& kernels, const Arithmetic& arithmetic,
                     const StopFlag& stop)
    : kernels_(kernels),
      format_(arithmetic[Stage::parameters]),
      precision_(kernels.precision(static_cast<int>(format_.precision),
                                   least_full_exponent(format_), greatest_full_exponent(format_))),
      lanes_(static_cast<std::size_t>(precision_.lanes)),
      group_words_(limbs::words_of_group(precision_)),
      rescue_{rescue, this},
      stop_(stop),
      temporary_(block_size / lanes_ * group_words_),
      spare_(group_words_),
      uniforms_(most_uniforms * group_words_),
      a_(format_.precision),
      b_(format_.precision),
      mpfr_(format_, stop) {
  if (arithmetic.order == Order::exact)
    exact_ = std::make_unique<ExactLimbSums>(kernels, precision_, format_, stop);
}

// Elements

void LimbSpace::divide_by_integer(Groups out, Groups a, const Integer& n) {
  if (n.divisor != 0)
    return kernels_.divide(precision_, rescue_, out.data, a, n.divisor, out.count);
  for (std::size_t g = 0; g < out.count; ++g)
    for (std::size_t l = 0; l < lanes_; ++l) {
      limbs::load(precision_, a_, a.data + g * a.step + l);
      const int ternary = mpfr_div(a_, a_, n.rounded, MPFR_RNDN);
      settle(a_, ternary, MPFR_RNDN, format_);
      limbs::store(precision_, out.data + g * group_words_ + l, a_);
    }
}

void LimbSpace::copy(Groups out, Groups a) {
  for (std::size_t g = 0; g < out.count; ++g)
    std::copy_n(a.data + g * a.step, group_words_, out.data + g * group_words_);
}

// A group that the kernels do not do. The operands of a lane are read before its result is written,
// which may lie in their place.
void LimbSpace::rescue(void* context, limbs::Operation operation, Word* out, const Word* a,
                       const Word* b, Word n) {
  auto& space = *static_cast<LimbSpace*>(context);
  const limbs::Precision& p = space.precision_;
  const mpfr_ptr x = space.a_, y = space.b_;
  for (std::size_t l = 0; l < space.lanes_; ++l) {
    limbs::load(p, x, a + l);
    if (operation != limbs::Operation::divide) limbs::load(p, y, b + l);
    int ternary = 0;
    switch (operation) {
      case limbs::Operation::multiply: ternary = mpfr_mul(x, x, y, MPFR_RNDN); break;
      case limbs::Operation::add: ternary = mpfr_add(x, x, y, MPFR_RNDN); break;
      case limbs::Operation::subtract: ternary = mpfr_sub(x, x, y, MPFR_RNDN); break;
      case limbs::Operation::divide: ternary = mpfr_div_ui(x, x, n, MPFR_RNDN); break;
    }
    settle(x, ternary, MPFR_RNDN, space.format_);
    limbs::store(p, out + l, x);
  }
}

// Arrays

LimbSpace::Block LimbSpace::block_from(std::size_t begin, std::size_t end, std::size_t size) const {
  const std::size_t group = begin / lanes_, next = (group + 1) * lanes_;
  const std::size_t last = end == size ? limbs::groups_of(precision_, end) : end / lanes_;
  if (begin % lanes_ != 0 || last == group) return {begin, std::min(next, end), group, 1, false};
  const std::size_t groups = std::min(last - group, block_size / lanes_);
  return {begin, std::min((group + groups) * lanes_, end), group, groups, true};
}

LimbSpace::Groups LimbSpace::operand(Scalar s) {
  Word* const uniform = uniforms_.data() + uniforms_used_++ * group_words_;
  broadcast(uniform, s.data.lane);
  return {uniform, 0, 1};
}

Change LimbSpace::descend(Array next, Array current, Scalar eta, Array g) {
  uniforms_used_ = 0;
  const Groups step_size = operand(eta);
  Change change;
  for (std::size_t i = 0; i < next.size;) {
    const Block block = block_from(i, next.size, next.size);
    Groups result = temporary(groups(next, block));
    multiply(result, step_size, groups(g, block));
    subtract(result, groups(current, block), result);
    for (; i < block.end && (!change.moved || change.returned); ++i) {
      const Word* const lane = limbs::lane_of(precision_, result.data, i - block.begin);
      if (!change.moved) change.moved = !limbs::same(precision_, lane, current.data[i].lane);
      if (change.returned) change.returned = limbs::same(precision_, lane, next.data[i].lane);
    }
    copy(groups(next, block), result);
    i = block.end;
  }
  return change;
}

Change LimbSpace::replace(Array next, Array current, Array value) {
  Change change;
  for (std::size_t i = 0; i < next.size; ++i) {
    change.moved =
        change.moved || !limbs::same(precision_, value.data[i].lane, current.data[i].lane);
    change.returned =
        change.returned && limbs::same(precision_, value.data[i].lane, next.data[i].lane);
    copy_lane(next.data[i].lane, value.data[i].lane);
  }
  return change;
}

// Sums

LimbSpace::Factor LimbSpace::factor(const Extremes& of_matrix, Array u) {
  if (exact_) {
    exact_->set_vector(u.data.lane, u.size, of_matrix);
    return {u.data.lane, u.size, true};
  }
  const Extremes of_u = limbs::extremes_of(precision_, u.data.lane, u.size);
  const bool in_range = limbs::sums_stay_in_range(precision_, of_matrix, of_u, u.size);
  if (in_range)
    kernels_.prepare(precision_, vector_.data(), u.data.lane, u.size);
  else
    load_for_mpfr(u);
  return {u.data.lane, u.size, in_range};
}

// A part of the outputs at a time, so that the stop flag is seen in time: a multiply-add takes less
// than 20 + K^2 ns with the slowest kernels.
void LimbSpace::sums(Word* out, const DataMatrix& x, std::size_t outputs, const Factor& u) {
  if (exact_) return exact_->sums(out, x, outputs);
  if (!u.in_range) return sums_by_mpfr(out, x, outputs, u);
  const double limbs = precision_.limbs;
  const double group_seconds = 1e-9 * (20 + limbs * limbs) * static_cast<double>(u.terms * lanes_);
  const std::size_t at_once = 1 + static_cast<std::size_t>(0.05 / group_seconds);
  const std::size_t groups = limbs::groups_of(precision_, outputs);
  for (std::size_t g = 0; g < groups && !stopped(); g += at_once) {
    DataMatrix part = x;
    part.data += g * x.group_stride;
    kernels_.sums(precision_, out + g * group_words_, part, std::min(at_once, groups - g), u.data,
                  vector_.data(), u.terms);
  }
}

void LimbSpace::sums_by_mpfr(Word* out, const DataMatrix& x, std::size_t outputs, const Factor& u) {
  for (std::size_t i = 0; i < outputs && !stopped(); ++i) {
    for (std::size_t k = 0; k < u.terms; ++k)
      limbs::load(precision_, mpfr_first_.data[k].number, x, i, k);
    mpfr_.dot(mpfr_sum_, {mpfr_first_.data, u.terms}, {mpfr_second_.data, u.terms});
    limbs::store(precision_, limbs::lane_of(precision_, out, i), mpfr_sum_.data);
  }
}

void LimbSpace::matvec(Array f, const Matrix& x, Rows, Array u) {
  if (x.diagonal) return multiply(all(f), all(x.entries), all(u));
  sums(f.data.lane, x.dense->by_rows, x.rows, factor(x.dense->extremes, u));
}

void LimbSpace::matvec_transposed(Array g, const Matrix& x, Rows, Array z) {
  if (x.diagonal) return multiply(all(g), all(x.entries), all(z));
  sums(g.data.lane, x.dense->by_columns, x.columns, factor(x.dense->extremes, z));
}

void LimbSpace::matvec(Array t, const Weights& w, Array g) {
  const Factor vector = factor(extremes_of(w), g);
  if (lanes_ == 1)
    return sums(t.data.lane, {Packing::stored, w.data, w.stride, group_words_, 0}, w.rows, vector);
  const DataMatrix tile{Packing::stored, tile_.data(), 0, group_words_, 0};
  for (std::size_t q = 0; q < w.rows && !stopped(); q += lanes_) {
    transpose(w, q);
    sums(t.data[q].lane, tile, std::min(lanes_, w.rows - q), vector);
  }
}

void LimbSpace::matvec_transposed(Array b, const Weights& w, Array a) {
  const DataMatrix columns{Packing::stored, w.data, group_words_, w.stride, 0};
  sums(b.data.lane, columns, w.columns, factor(extremes_of(w), a));
}

Extremes LimbSpace::extremes_of(const Weights& w) const {
  Extremes extremes;
  for (std::size_t q = 0; q < w.rows; ++q)
    extremes.include(limbs::extremes_of(precision_, row_of(w, q).data.lane, w.columns));
  return extremes;
}

// Rows from q on as lanes, columns as terms; lanes beyond the last row repeat it.
void LimbSpace::transpose(const Weights& w, std::size_t q) {
  for (std::size_t l = 0; l < lanes_; ++l) {
    const Array row = row_of(w, std::min(q + l, w.rows - 1));
    for (std::size_t k = 0; k < w.columns; ++k)
      copy_lane(tile_.data() + k * group_words_ + l, row.data[k].lane);
  }
}

void LimbSpace::dot(Scalar s, Array a, Array b) {
  if (exact_) return exact_->dot(s.data.lane, a.data.lane, b.data.lane, a.size);
  const Extremes of_a = limbs::extremes_of(precision_, a.data.lane, a.size);
  const Extremes of_b = limbs::extremes_of(precision_, b.data.lane, b.size);
  if (!limbs::sums_stay_in_range(precision_, of_a, of_b, a.size)) return dot_by_mpfr(s, a, b);
  multiply({vector_.data(), group_words_, limbs::groups_of(precision_, a.size)}, all(a), all(b));
  kernels_.sum(precision_, spare_.data(), vector_.data(), a.size);
  copy_lane(s.data.lane, spare_.data());
}

void LimbSpace::dot_by_mpfr(Scalar s, Array a, Array b) {
  load_for_mpfr(b);
  for (std::size_t i = 0; i < a.size; ++i)
    limbs::load(precision_, mpfr_first_.data[i].number, a.data[i].lane);
  mpfr_.dot(mpfr_sum_, {mpfr_first_.data, a.size}, {mpfr_second_.data, a.size});
  limbs::store(precision_, s.data.lane, mpfr_sum_.data);
}

void LimbSpace::product(Scalar s, Array v, std::size_t skip) {
  const std::size_t first = skip == 0 ? 1 : 0;
  uniforms_used_ = 0;
  const Groups result = operand(element_of(v, first));
  for (std::size_t j = first + 1; j < v.size && !stopped(); ++j) {
    uniforms_used_ = 1;  // after the result
    if (j != skip) multiply(result, result, operand(element_of(v, j)));
  }
  copy_lane(s.data.lane, result.data);
}

void LimbSpace::load_for_mpfr(Array u) {
  if (mpfr_second_.size < u.size) {
    mpfr_first_ = mpfr_.array(u.size);
    mpfr_second_ = mpfr_.array(u.size);
    mpfr_sum_ = mpfr_.scalar();
  }
  for (std::size_t i = 0; i < u.size; ++i)
    limbs::load(precision_, mpfr_second_.data[i].number, u.data[i].lane);
}

// Boundary

LimbSpace::Array LimbSpace::array(std::size_t n, Stage) {
  const std::size_t groups = limbs::groups_of(precision_, n);
  reserve_vector(groups);
  return {{&precision_, allocate(groups)}, n};
}

LimbSpace::Integer LimbSpace::integer(long n) {
  const mpfr_ptr rounded = integers_.emplace_back(format_.precision);
  round_to_format(rounded, std::vector<std::string>{std::to_string(n)}, 0, format_);
  const bool divides = mpfr_sgn(rounded) > 0 && mpfr_cmp_ui_2exp(rounded, 1, 52) < 0;
  Word* const group = allocate(1);
  limbs::store(precision_, group, rounded);
  broadcast(group, group);
  return {group, rounded, divides ? mpfr_get_ui(rounded, MPFR_RNDN) : 0};
}

LimbSpace::Matrix LimbSpace::matrix(std::size_t rows, std::size_t columns,
                                    const ExactVector& values) {
  matrices_.push_back(limbs::pack(precision_, format_, rows, columns, values));
  return {&matrices_.back(), {}, rows, columns, false};
}

LimbSpace::Matrix LimbSpace::diagonal_matrix(std::size_t rows, const ExactVector& values) {
  const Array entries = array(rows);
  for (std::size_t i = 0; i < rows; ++i) assign(entries, i, values, i);
  return {nullptr, entries, rows, rows, true};
}

LimbSpace::Matrix LimbSpace::rows_like(const Matrix& x, std::size_t n) {
  matrices_.push_back(limbs::place_for_rows(precision_, *x.dense, n, x.columns));
  return {&matrices_.back(), {}, n, x.columns, false};
}

void LimbSpace::gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
  to.rows = n;
  limbs::gather(precision_, *to.dense, *x.dense, rows, n, x.columns);
}

void LimbSpace::gather(Array to, Array from, const std::size_t* indices, std::size_t n) const {
  for (std::size_t i = 0; i < n; ++i) copy_lane(to.data[i].lane, from.data[indices[i]].lane);
}

LimbSpace::Weights LimbSpace::weights(std::size_t rows, std::size_t columns, Stage) {
  const std::size_t groups = limbs::groups_of(precision_, columns);
  reserve_vector(groups);
  if (columns > tile_terms_) {
    tile_ = limbs::AlignedWords(columns * group_words_);
    tile_terms_ = columns;
  }
  return {allocate(rows * groups), rows, columns, groups * group_words_, &precision_};
}

void LimbSpace::assign(Scalar s, const ExactVector& values, std::size_t j) {
  round_to_format(a_, values, j, format_);
  limbs::store(precision_, s.data.lane, a_);
}

std::string LimbSpace::exact(Array a, std::size_t i) {
  limbs::load(precision_, a_, a.data[i].lane);
  return exact_text(a_);
}

DoubleLog2 LimbSpace::measure(Scalar s) {
  limbs::load(precision_, a_, s.data.lane);
  return precipice::measure(a_);
}

double LimbSpace::to_double(Array a, std::size_t i) {
  return limbs::to_double(*a.data.precision, a.data[i].lane);
}

bool LimbSpace::is_finite(Array a) {
  return limbs::extremes_of(*a.data.precision, a.data.lane, a.size).numbers();
}

// Memory

void LimbSpace::reserve_vector(std::size_t groups) {
  if (groups <= vector_groups_) return;
  vector_ = limbs::AlignedWords(groups * group_words_);
  vector_groups_ = groups;
}

void LimbSpace::copy_lane(Word* to, const Word* from) const {
  for (std::size_t w = 0; w < group_words_; w += lanes_) to[w] = from[w];
}

void LimbSpace::copy_lanes(Array out, const Block& block, Groups from) const {
  for (std::size_t i = block.begin; i < block.end; ++i)
    copy_lane(out.data[i].lane, from.data + i % lanes_);
}

void LimbSpace::broadcast(Word* group, const Word* lane) const {
  for (std::size_t w = 0; w < group_words_; w += lanes_) std::fill_n(group + w, lanes_, lane[w]);
}

// Zeros, in the lanes beyond an array's numbers too.
LimbSpace::Word* LimbSpace::allocate(std::size_t groups) {
  Word* const words = memory_.emplace_back(groups * group_words_).data();
  std::fill_n(words, groups * group_words_, 0);
  for (std::size_t g = 0; g < groups; ++g)
    std::fill_n(words + g * group_words_, lanes_, limbs::head(limbs::zero_exponent, false));
  return words;
}

}  // namespace precipice
