"""Sharpness and eigenvector in wide formats, against mpmath."""

from __future__ import annotations

import gmpy2
import mpmath
import numpy as np
import pytest

import precipice as pc
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.losses import LOSSES
from precipice.measuring import SharpnessMeter
from precipice.precision import Precision
from precipice.spectral import refined_basis


def exact_hessian(X, y, u, v, loss):
    """Return the dense Hessian from the definition, in mpmath's precision."""
    N, d = X.shape
    factor = mpmath.mpf(loss.numerator) / (N if loss.averaged else 1)
    X, y, u, v = (mpmath.matrix(np.atleast_1d(a).tolist()) for a in (X, y, u, v))
    n = len(v)
    without = lambda *j: mpmath.fprod(v[q] for q in range(n) if q not in j)  # noqa: E731
    f = X * u
    z = f * without() - y
    J = mpmath.zeros(N, d + n)
    H = mpmath.zeros(d + n)
    for i in range(N):
        for k in range(d):
            J[i, k] = without() * X[i, k]
        for j in range(n):
            J[i, d + j] = f[i] * without(j)
    H = J.T * J
    Xz, fz = X.T * z, mpmath.fdot(f, z)
    for j in range(n):
        for k in range(d):
            H[k, d + j] += Xz[k] * without(j)
            H[d + j, k] += Xz[k] * without(j)
        for q in range(n):
            if q != j:
                H[d + j, d + q] += fz * without(j, q)
    return factor * H


@pytest.mark.parametrize("shape", [(2, 2), (3, 7), (7, 3)])
@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("bits", [53, 113, 300])
def test_value_and_vector_equal_a_dense_solver(shape, depth, bits):
    rng = np.random.default_rng(shape[0] * 10 + depth)
    X, y, u = (
        rng.standard_normal(shape),
        rng.standard_normal(shape[0]),
        rng.standard_normal(shape[1]),
    )
    v = rng.standard_normal(depth - 1)
    if depth == 5:
        v[1] = 0.0
    loss = list(LOSSES.values())[depth % 4]
    format_ = Precision.parse(f"mpfr{bits}")
    meter = SharpnessMeter(refined_basis(X, y, bits + 64), loss, shape[0], format_)
    measured = meter.measure([text(x) for x in u.tolist()], [text(x) for x in v.tolist()])
    with mpmath.workprec(bits + 120):
        values, vectors = mpmath.eigsy(exact_hessian(X, y, u, v, loss))
        top = max(range(len(values)), key=lambda i: values[i])
        exact = values[top]
        difference = abs(mpmath.mpf(f"{measured.value:.150e}") - exact)
        assert difference <= abs(exact) * mpmath.mpf(2) ** -bits
        factors = [mpmath.mpf(f"{x:.150e}") for x in measured.along_factors]
        expected = [vectors[shape[1] + j, top] for j in range(depth - 1)]
        sign = mpmath.sign(mpmath.fdot(factors, expected)) or 1
        for a, b in zip(factors, expected, strict=True):
            assert abs(a - sign * b) < mpmath.mpf(2) ** -(bits - 10)
    assert measured.residual < 2.0 ** -min(bits, 900) * float(abs(measured.value)) * 2**10
    norm = sum(float(x) ** 2 for x in (*measured.along_data, *measured.along_factors))
    assert norm == pytest.approx(1, rel=1e-14)


def test_top_curvature_may_be_a_diagonal_entry():
    X, y = np.diag([3.0, 1.0]), np.array([0.0, 0.5])
    meter = SharpnessMeter(
        refined_basis(X, y, 200), LOSSES["half_sum"], 2, Precision.parse("mpfr128")
    )
    measured = meter.measure(["0x0p+0", "0x0p+0"], ["0x1p+1"])
    assert measured.value == 36
    assert [abs(float(x)) for x in measured.along_data] == [1.0, 0.0]


def test_points_that_are_not_finite_have_no_sharpness():
    X, y = np.diag([3.0, 1.0]), np.array([1.0, 0.5])
    meter = SharpnessMeter(
        refined_basis(X, y, 200), LOSSES["half_sum"], 2, Precision.parse("mpfr128")
    )
    assert gmpy2.is_nan(meter.measure(["nan", "0x0p+0"], ["0x1p+1"]).value)
    # b and p are float64's, b pᵀ is not.
    beyond = meter.measure(["0x1p+0", "0x0p+0"], ["0x1p+600", "0x1p+0"])
    assert gmpy2.is_nan(beyond.value)


def test_a_finished_run_can_be_measured_again():
    problem = pc.problems.fig6()
    run = pc.simulate(
        problem, pc.Minimalist(), pc.GD("2/50"), precision="mpfr200", steps=700,
        init=pc.init.constant("0.01"), record=pc.Record(sharpness=700), measure_precision="mpfr150",
    )  # fmt: skip
    measured = pc.measure_sharpness(problem, run.parameters(), precision="mpfr150")
    assert text(measured.value) == run.sharpness.text[-1]
    assert len(measured.along_data) == 2
    assert len(measured.along_factors) == 1


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
def test_data_wider_than_float64_keep_their_bits(shape):
    """Primal and spectral coordinates of one problem at 300 bits: one sharpness at the start."""
    rng = np.random.default_rng(4)
    X = [[gmpy2.mpq(int(a), int(b)) for a, b in rng.integers(1, 99, (shape[1], 2))]
         for _ in range(shape[0])]  # fmt: skip
    y = [gmpy2.mpq(int(a), 7) for a in rng.integers(1, 99, shape[0])]
    primal, spectral = (
        pc.simulate(
            pc.problems.from_arrays(X, y), pc.Minimalist(), pc.GD("0.001"), precision="mpfr300",
            steps=0, init=pc.init.constant("0.01"), coordinates=coordinates,
            problem_dtype="mpfr300", measure_precision="mpfr200",
        ).sharpness
        for coordinates in ("primal", "spectral")
    )  # fmt: skip
    with gmpy2.context(precision=250):
        a, b = (gmpy2.mpfr(series.text[0], 0, 0) for series in (primal, spectral))
        assert abs(a - b) <= abs(a) * gmpy2.exp2(-198)


def test_parameters_of_another_shape_are_refused():
    with pytest.raises(InvalidArgument, match="^u = "):
        pc.measure_sharpness(pc.problems.fig6(), {"u": [1.0], "v": [1.0]})
