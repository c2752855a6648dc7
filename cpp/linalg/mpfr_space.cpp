#include "linalg/mpfr_space.hpp"

#include "linalg/stop_looks.hpp"

namespace precipice {
namespace {

bool same(mpfr_srcptr a, mpfr_srcptr b) {
  return mpfr_number_p(a) && mpfr_equal_p(a, b);
}

}  // namespace

MpfrSpace::MpfrSpace(const Arithmetic& arithmetic, const StopFlag& stop)
    : format_(arithmetic[Stage::parameters]),
      stop_(stop),
      stride_(terms_between_looks(format_.precision)),
      term_(format_.precision),
      intermediate_(format_.precision) {}

Change MpfrSpace::descend(Array next, Array current, Scalar eta, Array g) {
  Change change;
  for (std::size_t i = 0; i < next.size; ++i) {
    mpfr_mul(term_, eta.data, g.data + i, MPFR_RNDN);
    mpfr_sub(term_, current.data + i, term_, MPFR_RNDN);
    change.moved = change.moved || !same(term_, current.data + i);
    change.returned = change.returned && same(term_, next.data + i);
    mpfr_set(next.data + i, term_, MPFR_RNDN);
  }
  return change;
}

Change MpfrSpace::replace(Array next, Array current, Array value) {
  Change change;
  for (std::size_t i = 0; i < next.size; ++i) {
    change.moved = change.moved || !same(value.data + i, current.data + i);
    change.returned = change.returned && same(value.data + i, next.data + i);
    mpfr_set(next.data + i, value.data + i, MPFR_RNDN);
  }
  return change;
}

void MpfrSpace::copy(Array to, Array from) {
  for (std::size_t i = 0; i < from.size; ++i) mpfr_set(to.data + i, from.data + i, MPFR_RNDN);
}

void MpfrSpace::gather(Matrix& to, const Matrix& x, const std::size_t* rows, std::size_t n) {
  to.rows = n;
  for (std::size_t i = 0; i < n; ++i)
    std::copy_n(x.row(rows[i]), x.columns, const_cast<mpfr_ptr>(to.row(i)));
}

void MpfrSpace::gather(Array to, Array from, const std::size_t* indices, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) mpfr_set(to.data + i, from.data + indices[i], MPFR_RNDN);
}

void MpfrSpace::scale(Rows rows, Array out, const Matrix& diagonal, Array in) {
  for (std::size_t i = rows.begin; i < rows.end; ++i)
    mpfr_mul(out.data + i, diagonal.data + i, in.data + i, MPFR_RNDN);
}

void MpfrSpace::matvec(Array f, const Matrix& x, Rows rows, Array u) {
  if (x.diagonal) return scale(rows, f, x, u);
  for (std::size_t i = rows.begin; i < rows.end; ++i) {
    const mpfr_srcptr row = x.row(i);
    const mpfr_ptr sum = f.data + i;
    mpfr_mul(sum, row, u.data, MPFR_RNDN);
    for (std::size_t k = 1; k < x.columns && !stopped();) {
      for (const std::size_t end = std::min(k + stride_, x.columns); k < end; ++k) {
        mpfr_mul(term_, row + k, u.data + k, MPFR_RNDN);
        mpfr_add(sum, sum, term_, MPFR_RNDN);
      }
    }
  }
}

void MpfrSpace::matvec_transposed(Array g, const Matrix& x, Rows rows, Array z) {
  if (x.diagonal) return scale(rows, g, x, z);
  for (std::size_t i = rows.begin; i < rows.end; ++i) {
    const mpfr_srcptr row = x.row(i);
    for (std::size_t k = 0; k < x.columns && !stopped();) {
      const std::size_t end = std::min(k + stride_, x.columns);
      if (i == 0)
        for (; k < end; ++k) mpfr_mul(g.data + k, row + k, z.data, MPFR_RNDN);
      for (; k < end; ++k) {
        mpfr_mul(term_, row + k, z.data + i, MPFR_RNDN);
        mpfr_add(g.data + k, g.data + k, term_, MPFR_RNDN);
      }
    }
  }
}

void MpfrSpace::matvec(Array t, const Weights& w, Array g) {
  const Matrix x = w;
  for (Rows rows = first_rows(x); !done(x, rows); rows = next_rows(x, rows)) matvec(t, x, rows, g);
}

void MpfrSpace::matvec_transposed(Array b, const Weights& w, Array a) {
  const Matrix x = w;
  for (Rows rows = first_rows(x); !done(x, rows); rows = next_rows(x, rows))
    matvec_transposed(b, x, rows, a);
}

void MpfrSpace::dot(Scalar s, Array a, Array b) {
  mpfr_mul(s.data, a.data, b.data, MPFR_RNDN);
  for (std::size_t i = 1; i < a.size && !stopped();) {
    for (const std::size_t end = std::min(i + stride_, a.size); i < end; ++i) {
      mpfr_mul(term_, a.data + i, b.data + i, MPFR_RNDN);
      mpfr_add(s.data, s.data, term_, MPFR_RNDN);
    }
  }
}

void MpfrSpace::product(Scalar s, Array v, std::size_t skip) {
  std::size_t j = skip == 0 ? 1 : 0;
  mpfr_set(s.data, v.data + j, MPFR_RNDN);
  while (++j < v.size && !(j % stride_ == 0 && stopped()))
    if (j != skip) mpfr_mul(s.data, s.data, v.data + j, MPFR_RNDN);
}

MpfrSpace::Integer MpfrSpace::integer(long n) {
  const mpfr_ptr rounded = allocate(1);
  const bool exact = mpfr_set_si(rounded, n, MPFR_RNDN) == 0;
  return {rounded, exact ? static_cast<unsigned long>(n) : 0};
}

MpfrSpace::Matrix MpfrSpace::matrix(std::size_t rows, std::size_t columns,
                                    const ExactVector& values) {
  const mpfr_ptr data = allocate(rows * columns);
  for (std::size_t i = 0; i < rows * columns; ++i) round_to_format(data + i, values, i, format_);
  return {data, rows, columns, false};
}

MpfrSpace::Matrix MpfrSpace::diagonal_matrix(std::size_t rows, const ExactVector& values) {
  Matrix diagonal = matrix(rows, 1, values);
  diagonal.columns = rows;
  diagonal.diagonal = true;
  return diagonal;
}

}  // namespace precipice
