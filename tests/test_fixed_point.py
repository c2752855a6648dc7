"""Exact matrix arithmetic against Python's integers and fractions."""

from __future__ import annotations

from fractions import Fraction

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precipice.eigen_refinement import bounded, refine
from precipice.fixed_point import DIGIT_BITS, FixedPoint


def fractions(matrix):
    """Return the entries, exactly, as a list of rows."""
    entries = [
        Fraction(int(gmpy2.mpq(x).numerator), int(gmpy2.mpq(x).denominator))
        for x in matrix.to_mpfr(5000)
    ]
    columns = matrix.digits.shape[2]
    return [entries[i : i + columns] for i in range(0, len(entries), columns)]


def as_fractions(array):
    return [[Fraction(float(x)) for x in row] for row in array]


entries = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.0**-300, -(2.0**200), 1 - 2.0**-53, 2.0**19, 2.0**20]),
    st.floats(-1e6, 1e6, allow_nan=False),
)


@st.composite
def matrices(draw, rows=None):
    n, m = rows or draw(st.integers(1, 4)), draw(st.integers(1, 4))
    values = draw(st.lists(entries, min_size=n * m, max_size=n * m))
    return np.array(values).reshape(n, m)


@settings(max_examples=150, deadline=None)
@given(a=matrices())
def test_floats_round_trip(a):
    number = FixedPoint.from_floats(a)
    assert np.abs(number.digits).max() <= 1 << (DIGIT_BITS - 1)
    assert fractions(number) == as_fractions(a)
    np.testing.assert_array_equal(number.to_floats(), a + 0.0)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_products_and_sums_are_exact(data):
    a = data.draw(matrices())
    b = data.draw(matrices(rows=a.shape[1]))
    A, B = (as_fractions(x) for x in (a, b))
    expected = [
        [sum(A[i][k] * B[k][j] for k in range(len(B))) for j in range(b.shape[1])]
        for i in range(a.shape[0])
    ]
    assert fractions(FixedPoint.from_floats(a) @ FixedPoint.from_floats(b)) == expected
    c = data.draw(st.just(a[::-1].copy()))
    difference = [
        [x - y for x, y in zip(p, q, strict=True)] for p, q in zip(A, A[::-1], strict=True)
    ]
    assert fractions(FixedPoint.from_floats(a) - FixedPoint.from_floats(c)) == difference


def test_long_inner_dimensions_stay_exact():
    """40000 products of full digits: more than float64 sums exactly in one go."""
    a = np.full((1, 40000), float(2**19 - 1) + 2.0**-20)
    (((total,),)) = fractions(FixedPoint.from_floats(a) @ FixedPoint.from_floats(a.T))
    assert total == 40000 * Fraction(a[0, 0]) ** 2


def test_rounding_is_within_its_place():
    rng = np.random.default_rng(0)
    a, b = (FixedPoint.from_floats(rng.standard_normal((6, 6))) for _ in range(2))
    exact, place = fractions(a @ b), -3
    near = fractions(a.product(b, place))
    unit = Fraction(2) ** (DIGIT_BITS * place)
    for row, other in zip(exact, near, strict=True):
        assert all(abs(x - y) <= 2 * unit for x, y in zip(row, other, strict=True))
        assert all((y / unit).denominator == 1 for y in other)


def test_exact_numbers_of_any_width():
    values = np.array([[gmpy2.mpfr("0x1.23456789abcdef0123456789p-100", 120), gmpy2.mpfr(-3)]])
    assert fractions(FixedPoint.from_exact(values)) == [
        [Fraction(int(gmpy2.mpq(x).numerator), int(gmpy2.mpq(x).denominator)) for x in values[0]]
    ]


@pytest.mark.parametrize("n", [1, 2, 7, 30])
def test_refined_eigenpairs_lie_within_their_bounds(n):
    import mpmath

    rng = np.random.default_rng(n)
    a = rng.standard_normal((n, n))
    matrix = FixedPoint.from_floats(a) @ FixedPoint.from_floats(a.T)
    vectors = FixedPoint.from_floats(np.linalg.svd(a)[0])
    for bits in (80, 120, 160):
        vectors, _ = refine(matrix, vectors, bits)
    pairs = bounded(matrix, vectors, 160)
    assert pairs.vector_error.max() < 1e-30
    with mpmath.workdps(80):
        exact = mpmath.matrix(n, n)
        for i, row in enumerate(fractions(matrix)):
            for j, x in enumerate(row):
                exact[i, j] = mpmath.mpf(x.numerator) / x.denominator
        values, basis = mpmath.eigsy(exact)
        values = list(values)
        for i, value in enumerate(pairs.values.to_mpfr(300)):
            number = mpmath.mpf(gmpy2_text(value))
            nearest = min(range(n), key=lambda j: abs(values[j] - number))
            assert abs(values[nearest] - number) <= pairs.value_error[i]
            column = [mpmath.mpf(gmpy2_text(x)) for x in vectors.to_mpfr(300)[i::n]]
            true = [basis[k, nearest] for k in range(n)]
            sign = mpmath.sign(mpmath.fdot(column, true))
            distance = mpmath.norm([x - sign * t for x, t in zip(column, true, strict=True)])
            assert distance <= pairs.vector_error[i] + mpmath.mpf(10) ** -70


def gmpy2_text(x):
    """Return a decimal with more digits than the tests look at."""
    return f"{x:.90e}"
