// The Space of arbitrary precision in lanes of limbs: MPFR's numbers of one precision, sequential
// or exact order, round to nearest even, MPFR's bits.
//
// A vector is a row of groups (limbs/stored.hpp). Element programs run an array at a time: what
// Program::apply sees as an element is a range of groups, and each of its operations one call of
// the kernels. The last group of a vector may have lanes beyond the last number; they hold any
// numbers, and nothing reads them.
//
// Any range of exponents, with or without subnormals and infinities: the kernels know the exponents
// between which every number of p bits is one of the format. Where they stop short, MPFR goes on:
// element by element for infinities, NaN and results near the ends of that range, and for a whole
// product of matrix and vector where its sums might leave it. Nothing is allocated within a step,
// but for the first such product. The caller holds MPFR's widest ExponentRange.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "limbs/aligned_words.hpp"
#include "limbs/kernels.hpp"
#include "limbs/pack.hpp"
#include "limbs/range.hpp"
#include "linalg/exact_limb_sums.hpp"
#include "linalg/space.hpp"
#include "linalg/staged_space.hpp"
#include "numbers/arithmetic.hpp"
#include "numbers/exact.hpp"
#include "numbers/format.hpp"
#include "numbers/mpfr_number.hpp"

namespace precipice {

class LimbSpace {
 public:
  using Word = limbs::Word;
  // Where a number is: its lane. An array's numbers follow its first.
  struct Place {
    const limbs::Precision* precision;
    Word* lane;
    Place operator[](std::size_t i) const {
      return {precision, limbs::lane_of(*precision, lane, i)};
    }
  };
  struct Array {
    Place data;
    std::size_t size;
  };
  struct Scalar {
    Place data;
  };
  // n rounded once to the format, in every lane of a group.
  struct Integer {
    Word* group;
    mpfr_srcptr rounded;
    Word divisor;  // the same; 0 if the kernels do not divide by it
  };
  struct Matrix {  // dense, or diagonal
    limbs::PackedMatrix* dense;
    Array entries;
    std::size_t rows, columns;
    bool diagonal;
  };
  struct Weights {
    Word* data;
    std::size_t rows, columns;
    std::size_t stride;  // words from a row to the next
    const limbs::Precision* precision;
  };
  // What an element program computes with: groups, or one that stands for all of them (step 0).
  struct Groups {
    Word* data;
    std::size_t step, count;
    operator limbs::Operand() const { return {data, step}; }
  };

  // The kernels must have the format's precision.
  LimbSpace(const limbs::Kernels& kernels, const Arithmetic& arithmetic, const StopFlag& stop);
  LimbSpace(const LimbSpace&) = delete;
  LimbSpace& operator=(const LimbSpace&) = delete;
  static constexpr bool checks_exponents = true;

  // elements
  void multiply(Groups out, Groups a, Groups b) {
    kernels_.multiply(precision_, rescue_, out.data, a, b, out.count);
  }
  void add(Groups out, Groups a, Groups b) {
    kernels_.add(precision_, rescue_, out.data, a, b, out.count);
  }
  void subtract(Groups out, Groups a, Groups b) {
    kernels_.subtract(precision_, rescue_, out.data, a, b, out.count);
  }
  void multiply_by_integer(Groups out, Groups a, const Integer& n) {
    multiply(out, a, {n.group, 0, 1});
  }
  void divide_by_integer(Groups out, Groups a, const Integer& n);
  void copy(Groups out, Groups a);
  Groups temporary(Groups like) { return {temporary_.data(), group_words_, like.count}; }

  // arrays
  template <class Program, class... In>
  void map(Array out, In... in) {
    for (Rows rows{0, 0}; rows.end < out.size && !stopped();) {
      rows = {rows.end, std::min(rows.end + block_size, out.size)};
      map_rows<Program>(rows, out, in...);
    }
  }
  template <class Program, class... In>
  void map(Scalar out, In... in) {
    static_assert(sizeof...(In) <= most_uniforms);
    uniforms_used_ = 0;
    Groups result = spare();
    Program::apply(*this, result, operand(in)...);
    copy_lane(out.data.lane, result.data);
  }
  template <class Program, class... In>
  void map_rows(Rows rows, Array out, In... in) {
    static_assert(sizeof...(In) <= most_uniforms);
    uniforms_used_ = 0;
    map_blocks<Program>(rows, out, operand(in)...);
  }
  template <class Program, class... In>
  void map_outer(const Weights& w, Array a, Array g, In... in) {
    const Rows all{0, w.columns};  // of a row's elements; map may stop half way
    for (std::size_t q = 0; q < w.rows; ++q)
      map_rows<Program>(all, row_of(w, q), row_of(w, q), element_of(a, q), g, in...);
  }
  Change descend(Array next, Array current, Scalar eta, Array g);
  Change replace(Array next, Array current, Array value);
  void copy(Array to, Array from) { copy(all(to), all(from)); }
  static constexpr bool fuses_descent = false;  // as in MPFR

  // sums
  void matvec(Array f, const Matrix& x, Rows rows, Array u);
  void matvec_transposed(Array g, const Matrix& x, Rows rows, Array z);
  void matvec(Array t, const Weights& w, Array g);
  void matvec_transposed(Array b, const Weights& w, Array a);
  void dot(Scalar s, Array a, Array b);
  void product(Scalar s, Array v, std::size_t skip);

  // iteration: all rows in one block, within which the stop flag is looked at
  Rows first_rows(const Matrix& x) const { return {0, x.rows}; }
  Rows next_rows(const Matrix& x, Rows) const { return {x.rows, x.rows}; }
  bool done(const Matrix& x, Rows rows) const { return rows.begin >= x.rows || stopped(); }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

  static Scalar element_of(Array a, std::size_t j) { return {a.data[j]}; }
  static Array row_of(const Weights& w, std::size_t q) {
    return {{w.precision, w.data + q * w.stride}, w.columns};
  }

  // boundary
  Array array(std::size_t n, Stage = {});
  Scalar scalar(Stage = {}) { return {{&precision_, allocate(1)}}; }
  Integer integer(long n);
  Matrix matrix(std::size_t rows, std::size_t columns, const ExactVector& values);
  Matrix diagonal_matrix(std::size_t rows, const ExactVector& values);
  Matrix rows_like(const Matrix& x, std::size_t n);
  void gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n);
  void gather(Array to, Array from, const std::size_t* indices, std::size_t n) const;
  Weights weights(std::size_t rows, std::size_t columns, Stage = {});
  void assign(Array a, std::size_t i, const ExactVector& values, std::size_t j) {
    assign(element_of(a, i), values, j);
  }
  void assign(Scalar s, const ExactVector& values, std::size_t j);
  std::string exact(Array a, std::size_t i);
  DoubleLog2 measure(Scalar s);
  static double to_double(Array a, std::size_t i);
  static bool is_finite(Array a);

 private:
  // Numbers that an element program sees at a time, so that its temporary stays in the cache and
  // the stop flag is looked at in between.
  static constexpr std::size_t block_size = 512;
  // Scalars among the inputs of a program.
  static constexpr std::size_t most_uniforms = 8;

  // Numbers [begin, end) and their groups: whole ones, or a part of one.
  struct Block {
    std::size_t begin, end, group, groups;
    bool whole;
  };
  Block block_from(std::size_t begin, std::size_t end, std::size_t size) const;

  // Inputs of a program: arrays, integers, and scalars, which are put into every lane of a group.
  static Array operand(Array a) { return a; }
  static const Integer& operand(const Integer& n) { return n; }
  Groups operand(Scalar s);

  Groups groups(Array a, const Block& block) const {
    return {a.data.lane + block.group * group_words_, group_words_, block.groups};
  }
  static Groups groups(Groups uniform, const Block&) { return uniform; }
  static const Integer& groups(const Integer& n, const Block&) { return n; }

  template <class Program, class... Operands>
  void map_blocks(Rows rows, Array out, const Operands&... operands) {
    for (std::size_t i = rows.begin; i < rows.end;) {
      const Block block = block_from(i, rows.end, out.size);
      Groups result = block.whole ? groups(out, block) : spare();
      Program::apply(*this, result, groups(operands, block)...);
      if (!block.whole) copy_lanes(out, block, result);
      i = block.end;
    }
  }

  Groups all(Array a) const {
    return {a.data.lane, group_words_, limbs::groups_of(precision_, a.size)};
  }

  // The vector of a product with a matrix, made ready for the kernels or for MPFR.
  struct Factor {
    const Word* data;
    std::size_t terms;
    bool in_range;  // in sequential order
  };
  Factor factor(const limbs::Extremes& of_matrix, Array u);
  void sums(Word* out, const limbs::DataMatrix& x, std::size_t outputs, const Factor& u);
  void sums_by_mpfr(Word* out, const limbs::DataMatrix& x, std::size_t outputs, const Factor& u);
  void dot_by_mpfr(Scalar s, Array a, Array b);
  void load_for_mpfr(Array u);
  limbs::Extremes extremes_of(const Weights& w) const;
  void transpose(const Weights& w, std::size_t q);

  static void rescue(void* context, limbs::Operation operation, Word* out, const Word* a,
                     const Word* b, Word n);
  Groups spare() const { return {spare_.data(), group_words_, 1}; }
  void copy_lane(Word* to, const Word* from) const;
  void copy_lanes(Array out, const Block& block, Groups from) const;
  void broadcast(Word* group, const Word* lane) const;
  Word* allocate(std::size_t groups);
  void reserve_vector(std::size_t groups);

  const limbs::Kernels& kernels_;
  Format format_;
  const limbs::Precision precision_;
  const std::size_t lanes_, group_words_;
  const limbs::Rescue rescue_;
  const StopFlag& stop_;

  std::vector<limbs::AlignedWords> memory_;
  std::deque<limbs::PackedMatrix> matrices_;
  std::deque<MpfrNumber> integers_;

  limbs::AlignedWords temporary_, spare_, uniforms_;  // of a block; of a group; of groups
  std::size_t uniforms_used_ = 0;
  limbs::AlignedWords vector_;  // as long as the longest array: a prepared vector, terms of a dot
  std::size_t vector_groups_ = 0;
  limbs::AlignedWords tile_;  // `lanes` rows of weights, transposed
  std::size_t tile_terms_ = 0;

  std::unique_ptr<ExactLimbSums> exact_;  // in exact order

  MpfrNumber a_, b_;
  StagedSpace mpfr_;  // carries out the sums that the kernels cannot
  StagedSpace::Array mpfr_first_{}, mpfr_second_{};
  StagedSpace::Scalar mpfr_sum_{};
};

}  // namespace precipice
