"""Sharpness of the two-layer network in wide formats, against mpmath's dense eigenvalues."""

from __future__ import annotations

import gmpy2
import mpmath
import numpy as np
import pytest

import precipice as pc
from precipice.exact import text
from precipice.losses import LOSSES
from precipice.measuring_two_layer import TwoLayerMeter
from precipice.precision import Precision
from precipice.sharpness import two_layer_sharpness

NAMES = ("W", "a", "b1", "b2")


def point(seed, shape, m, bias):
    """X, y and parameters as float64."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal(shape), rng.choice([-1.0, 1.0], shape[0])
    sizes = (m * shape[1], m, m, 1) if bias else (m * shape[1], m)
    return X, y, [rng.standard_normal(size) for size in sizes]


def exact_hessian(X, y, parameters, loss, scaled):
    """From the definition c_L (JᵀJ + Σ_i z_i ∇²F_i), in mpmath's precision, W by rows first."""
    N, d = X.shape
    W, a, *biases = ([mpmath.mpf(x) for x in values.tolist()] for values in parameters)
    m = len(a)
    c = 1 / mpmath.sqrt(m) if scaled else mpmath.mpf(1)
    b1, b2 = (biases[0], biases[1][0]) if biases else ([mpmath.mpf(0)] * m, mpmath.mpf(0))
    size = m * d + m + (m + 1 if biases else 0)
    H = mpmath.zeros(size)
    for i in range(N):
        x = [mpmath.mpf(entry) for entry in X[i].tolist()]
        hidden = [mpmath.fdot(W[q * d : (q + 1) * d], x) + b1[q] for q in range(m)]
        z = c * mpmath.fdot(a, hidden) + b2 - mpmath.mpf(y[i])
        slope = [c * a[q] * x[k] for q in range(m) for k in range(d)] + [c * h for h in hidden]
        if biases:
            slope += [c * a[q] for q in range(m)] + [mpmath.mpf(1)]
        for s in range(size):
            for t in range(size):
                H[s, t] += slope[s] * slope[t]
        for q in range(m):
            ones = [(m * d + m + q, mpmath.mpf(1))] if biases else []
            for s, entry in [*((q * d + k, x[k]) for k in range(d)), *ones]:
                H[s, m * d + q] += z * c * entry
                H[m * d + q, s] += z * c * entry
    return H * mpmath.mpf(loss.numerator) / (N if loss.averaged else 1)


def texts(parameters):
    return [[text(x) for x in values.tolist()] for values in parameters]


def exact_rows(X):
    return [[gmpy2.mpfr(x) for x in row] for row in X.tolist()]


def meter(X, y, loss, scaled, format_, bias):
    data = np.column_stack([X, np.ones(len(X))]) if bias else X
    labels = [gmpy2.mpfr(x) for x in y.tolist()]
    return TwoLayerMeter(exact_rows(data), labels, loss, len(y), scaled, Precision.parse(format_))


def in_mpmath(x):
    mantissa, exponent = x.as_mantissa_exp()
    return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("shape", "m"), [((2, 2), 1), ((3, 4), 2), ((5, 2), 3)])
@pytest.mark.parametrize("bits", [24, 53, 113, 300])
def test_the_value_equals_a_dense_solver_s(bits, shape, m, bias):
    X, y, parameters = point(bits + m, shape, m, bias)
    loss, scaled = list(LOSSES.values())[m], bits != 113
    measured = meter(X, y, loss, scaled, f"mpfr{bits}", bias).measure(*texts(parameters))
    with mpmath.workprec(bits + 80):
        exact = max(mpmath.eigsy(exact_hessian(X, y, parameters, loss, scaled), eigvals_only=True))
        # Rounded to the format, from an error far below its last bit.
        nearest = Precision.parse(f"mpfr{bits}").round(
            gmpy2.mpfr(mpmath.nstr(exact, (bits + 80) // 3), bits + 80)
        )
        assert measured.value == nearest
    assert measured.residual <= 2.0 ** (-bits / 2) * float(measured.value)


@pytest.mark.parametrize("rank", [3, 7])
def test_spectral_coordinates_measure_the_diagonal_surface(rank):
    rng = np.random.default_rng(rank)
    sigma, d = np.sort(rng.uniform(1, 2, rank))[::-1], rng.standard_normal(rank)
    parameters = [rng.standard_normal(4 * rank), rng.standard_normal(4)]
    loss, format_ = LOSSES["mean"], Precision.parse("mpfr200")
    numbers = [[gmpy2.mpfr(x) for x in values.tolist()] for values in (sigma, d)]
    diagonal = TwoLayerMeter(*numbers, loss, 9, True, format_).measure(*texts(parameters))
    dense = TwoLayerMeter(exact_rows(np.diag(sigma)), numbers[1], loss, 9, True, format_)
    assert diagonal.value == dense.measure(*texts(parameters)).value


def test_directions_outside_the_row_space_do_not_matter():
    """Rank 2 of 6 features: curvature 0 along the rest."""
    rng = np.random.default_rng(1)
    X = (rng.integers(-4, 4, (5, 2)) @ rng.integers(-4, 4, (2, 6))).astype(np.float64)
    y, W, a = rng.standard_normal(5), rng.standard_normal((4, 6)), rng.standard_normal(4)
    loss = LOSSES["half_mean"]
    measured = meter(X, y, loss, True, "mpfr300", False).measure(*texts([W.ravel(), a]))
    expected = two_layer_sharpness(X, y, W, a, 0.5, 1 / 5)
    assert float(measured.value) == pytest.approx(expected, rel=1e-13)
    assert 0 < measured.residual < 1e-45


@pytest.mark.parametrize("zero", ["W", "a", "both", "labels"])
def test_points_where_something_vanishes(zero):
    """At W = a = 0 the largest eigenvalue is μ|g|, m times."""
    X, y, (W, a) = point(3, (5, 4), 3, False)
    W, a = W * (zero not in ("W", "both")), a * (zero not in ("a", "both"))
    if zero == "labels":  # fitted exactly: no second-order term
        W, a = np.round(4 * W) / 4, np.round(4 * a) / 4
        X = np.round(4 * X) / 4
        y = X @ W.reshape(3, 4).T @ a
    loss = LOSSES["half_sum"]
    measured = meter(X, y, loss, False, "mpfr250", False).measure(*texts([W, a]))
    expected = two_layer_sharpness(X, y, W.reshape(3, 4), a, 1.0, 1.0)
    assert float(measured.value) == pytest.approx(expected, rel=1e-13)
    if zero == "both":
        with gmpy2.context(precision=400):
            g = [sum(x * label for x, label in zip(column, y.tolist(), strict=True))
                 for column in zip(*exact_rows(X), strict=True)]  # fmt: skip
            exact = gmpy2.sqrt(sum(x * x for x in g))
        assert measured.value == Precision.parse("mpfr250").round(exact)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e300])
def test_what_float64_does_not_hold_is_not_measured(bad):
    X, y, parameters = point(0, (3, 3), 2, False)
    written = texts(parameters)
    written[0][1] = text(gmpy2.mpfr(bad)) if np.isfinite(bad) else str(bad)
    measured = meter(X, y, LOSSES["sum"], True, "mpfr100", False).measure(*written)
    assert gmpy2.is_nan(measured.value)
    assert np.isnan(measured.residual)


@pytest.mark.parametrize("bias", [False, True])
def test_runs_are_measured_in_any_format(bias):
    X, y, _ = point(2, (6, 4), 5, False)
    problem, model = pc.problems.from_arrays(X, y), pc.TwoLayerLinear(5, bias=bias)
    keywords = {"precision": "mpfr128", "steps": 4, "init": pc.init.pytorch(1)}
    keywords["record"] = pc.Record(loss=1, sharpness=2, parameters=4)
    runs = {
        (engine, precision): pc.simulate(
            problem, model, pc.GD("0.1"), engine=engine, measure_precision=precision, **keywords
        )
        for engine in ("core", "reference")
        for precision in ("float64", "working", "mpfr256")
    }
    wide = runs["core", "mpfr256"].sharpness
    assert runs["reference", "mpfr256"].sharpness.text == wide.text
    for engine in ("core", "reference"):
        np.testing.assert_allclose(runs[engine, "float64"].sharpness.value, wide.value, rtol=1e-10)
    with gmpy2.context(precision=300):
        for narrow, exact in zip(runs["core", "working"].sharpness.text, wide.text, strict=True):
            difference = abs(gmpy2.mpfr(narrow, 0, 0) - gmpy2.mpfr(exact, 0, 0))
            assert difference < gmpy2.mpfr("1e-37")
    assert np.all(wide.residual < 1e-38)
    assert wide.products.size == wide.value.size
    run = runs["core", "mpfr256"]
    alone = pc.measure_sharpness(problem, run.parameters(), precision="mpfr256", model=model)
    assert text(alone.value) == wide.text[-1]


def test_a_spectral_run_is_measured_too():
    X, y, _ = point(2, (6, 9), 5, False)
    keywords = {"precision": "mpfr128", "problem_dtype": "mpfr300", "steps": 3}
    primal, spectral = (
        pc.simulate(
            pc.problems.from_arrays(X, y), pc.TwoLayerLinear(5), pc.GD("0.1"),
            coordinates=coordinates, init=pc.init.pytorch(1), measure_precision="mpfr113",
            **keywords,
        ).sharpness
        for coordinates in ("primal", "spectral")
    )  # fmt: skip
    with gmpy2.context(precision=200):
        for a, b in zip(primal.text, spectral.text, strict=True):
            assert abs(gmpy2.mpfr(a, 0, 0) - gmpy2.mpfr(b, 0, 0)) < gmpy2.mpfr("1e-32")
