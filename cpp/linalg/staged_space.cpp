#include "linalg/staged_space.hpp"

#include "linalg/stop_looks.hpp"

namespace precipice {
namespace {

// Columns of a matrix that are taken out of its rows at a time.
constexpr std::size_t columns_at_a_time = 16;

constexpr Stage every_stage[stages] = {Stage::parameters, Stage::forward, Stage::accumulate,
                                       Stage::gradient,   Stage::update,  Stage::measurement};

long greatest_precision_of(const Arithmetic& arithmetic) {
  long most = 0;
  for (const Format& format : arithmetic.formats) most = std::max(most, format.precision);
  return most;
}

std::deque<StagedSpace::StageNumbers> numbers_of(const Arithmetic& arithmetic) {
  std::deque<StagedSpace::StageNumbers> numbers;
  for (const Stage stage : every_stage) numbers.emplace_back(arithmetic, stage);
  return numbers;
}

bool same(mpfr_srcptr a, mpfr_srcptr b) {
  return mpfr_number_p(a) && mpfr_equal_p(a, b);
}

}  // namespace

StagedSpace::StagedSpace(const Arithmetic& arithmetic, const StopFlag& stop)
    : stop_(stop),
      draws_(arithmetic.seed, arithmetic.run),
      stages_(numbers_of(arithmetic)),
      sums_(arithmetic[Stage::accumulate], arithmetic.order, 2 * greatest_precision_of(arithmetic),
            draws_, stop),
      sums_measured_(arithmetic[Stage::measurement], arithmetic.order,
                     2 * greatest_precision_of(arithmetic), draws_, stop),
      stride_(terms_between_looks(greatest_precision_of(arithmetic))) {}

Change StagedSpace::descend(Array next, Array current, Scalar eta, Array g) {
  draws_.begin_call();
  StageNumbers& update = stages_[static_cast<std::size_t>(Stage::update)];
  const mpfr_ptr move = update.intermediate, x = next.data.in->intermediate;
  Change change;
  for (std::size_t i = 0; i < next.size; ++i) {
    update.rounder.multiply(move, eta.data, g.data[i], draws_.of(i, 0));
    next.data.in->rounder.subtract(x, current.data[i], move, draws_.of(i, 1));
    change.moved = change.moved || !same(x, current.data[i]);
    change.returned = change.returned && same(x, next.data[i]);
    mpfr_set(next.data[i].number, x, MPFR_RNDN);
  }
  return change;
}

Change StagedSpace::replace(Array next, Array current, Array value) {
  Change change;
  for (std::size_t i = 0; i < next.size; ++i) {
    change.moved = change.moved || !same(value.data[i], current.data[i]);
    change.returned = change.returned && same(value.data[i], next.data[i]);
    copy(next.data[i], value.data[i]);
  }
  return change;
}

void StagedSpace::copy(Array to, Array from) {
  for (std::size_t i = 0; i < from.size; ++i) copy(to.data[i], from.data[i]);
}

void StagedSpace::gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
  to.rows = n;
  for (std::size_t i = 0; i < n; ++i)
    std::copy_n(x.row(rows[i]), x.columns, const_cast<mpfr_ptr>(to.row(i)));
}

void StagedSpace::gather(Array to, Array from, const std::size_t* indices, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) copy(to.data[i], from.data[indices[i]]);
}

// A scalar of the measurement stage is summed in its own format.
void StagedSpace::sum(Place out, std::uint64_t element, mpfr_srcptr x, mpfr_srcptr y, std::size_t n,
                      Terms terms) {
  StagedSums& sums = out.in->stage == Stage::measurement ? sums_measured_ : sums_;
  sums.sum(out.number, out.in->rounder, element, x, y, n, terms);
}

void StagedSpace::scale(Rows rows, Array out, const Matrix& diagonal, Array in) {
  for (std::size_t i = rows.begin; i < rows.end; ++i)
    sum(out.data[i], i, diagonal.data + i, in.data[i], 1, Terms::along_a_row);
}

void StagedSpace::matvec(Array f, const Matrix& x, Rows rows, Array u) {
  draws_.begin_call();
  if (x.diagonal) return scale(rows, f, x, u);
  for (std::size_t i = rows.begin; i < rows.end && !stopped(); ++i)
    sum(f.data[i], i, x.row(i), u.data, x.columns, Terms::along_a_row);
}

// A few columns at a time, each brought together: its numbers lie far apart.
void StagedSpace::matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
  draws_.begin_call();
  if (x.diagonal) return scale(rows, g, x, z);
  if (x.rows > rows_of_columns_) {
    columns_ = memory_.headers(columns_at_a_time * x.rows);
    rows_of_columns_ = x.rows;
  }
  for (std::size_t first = 0; first < x.columns && !stopped(); first += columns_at_a_time) {
    const std::size_t count = std::min(columns_at_a_time, x.columns - first);
    for (std::size_t i = 0; i < x.rows; ++i)
      for (std::size_t k = 0; k < count; ++k) columns_[k * x.rows + i] = x.row(i)[first + k];
    for (std::size_t k = 0; k < count && !stopped(); ++k)
      sum(g.data[first + k], first + k, columns_ + k * x.rows, z.data, x.rows,
          Terms::down_the_rows);
  }
}

void StagedSpace::dot(Scalar s, Array a, Array b) {
  draws_.begin_call();
  sum(s.data, 0, a.data, b.data, a.size, Terms::along_a_row);
}

void StagedSpace::product(Scalar s, Array v, std::size_t skip) {
  draws_.begin_call();
  Rounder& rounder = s.data.in->rounder;
  const mpfr_ptr out = s.data.number;
  std::size_t j = skip == 0 ? 1 : 0;
  rounder.convert(out, v.data[j], draws_.of(0, j));
  while (++j < v.size && !(j % stride_ == 0 && stopped()))
    if (j != skip) rounder.multiply(out, out, v.data[j], draws_.of(0, j));
}

StagedSpace::Integer StagedSpace::integer(long n) {
  const ExactVector value = std::vector<std::string>{std::to_string(n)};
  std::array<mpfr_ptr, stages>& rounded = integers_.emplace_back();
  for (const Stage stage : every_stage) {
    const Scalar of_stage = scalar(stage);
    assign(of_stage, value, 0);
    rounded[static_cast<std::size_t>(stage)] = of_stage.data.number;
  }
  return {&rounded};
}

StagedSpace::Matrix StagedSpace::matrix(std::size_t rows, std::size_t columns,
                                        const ExactVector& values) {
  const Array entries = array(rows * columns, Stage::forward);
  for (std::size_t i = 0; i < entries.size; ++i) assign(entries, i, values, i);
  return {entries.data, rows, columns, false};
}

StagedSpace::Matrix StagedSpace::diagonal_matrix(std::size_t rows, const ExactVector& values) {
  Matrix diagonal = matrix(rows, 1, values);
  diagonal.columns = rows;
  diagonal.diagonal = true;
  return diagonal;
}

bool StagedSpace::is_finite(Array a) {
  return std::all_of(a.data.number, a.data.number + a.size,
                     [](const __mpfr_struct& x) { return mpfr_number_p(&x) != 0; });
}

StagedSpace::Place StagedSpace::allocate(std::size_t n, Stage stage) {
  StageNumbers& in = stages_[static_cast<std::size_t>(stage)];
  return {memory_.zeros(n, in.format().precision), &in};
}

}  // namespace precipice
