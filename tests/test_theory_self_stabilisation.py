"""Damian's α, β, x_t and y_t against finite differences of the loss, and along a run."""

from __future__ import annotations

import functools

import gmpy2
import mpmath
import numpy as np
import pytest

import precipice as pc
from precipice import theory
from precipice.decomposition import decompose
from precipice.errors import InvalidArgument

DIGITS = 80
STEP = mpmath.mpf(10) ** -20  # differences are then good to 40 digits and rounded at 80


def mp_loss(X, y, factor, parameters):
    """L = (c_L/2) Σ (x_i·u v_1 … v_{D-1} - y_i)² in mpmath."""
    features = len(X[0])
    product = mpmath.fprod(parameters[features:])
    total = mpmath.mpf(0)
    for row, target in zip(X, y, strict=True):
        total += (mpmath.fdot(row, parameters[:features]) * product - target) ** 2
    return factor * total / 2


def shifted(parameters, *shifts):
    out = list(parameters)
    for index, amount in shifts:
        out[index] += amount
    return out


def mp_hessian(loss, at):
    """Second differences of the loss: a polynomial, so their error is of order STEP²."""
    n, h = len(at), STEP
    H = mpmath.matrix(n, n)
    for i in range(n):
        for j in range(i + 1):
            corners = [
                a * b * loss(shifted(at, (i, a * h), (j, b * h))) for a in (1, -1) for b in (1, -1)
            ]
            H[i, j] = H[j, i] = mpmath.fsum(corners) / (4 * h * h)
    return H


def finite_differences(X, y, u, v, factor):
    """Return S, w, ∇S, α and β from differences of the loss alone, in all d + D - 1 parameters."""
    with mpmath.workdps(DIGITS):
        data = [[mpmath.mpf(float(x)) for x in row] for row in X], [mpmath.mpf(float(t)) for t in y]
        at = [mpmath.mpf(float(x)) for x in (*u, *v)]

        def loss(parameters):
            return mp_loss(*data, mpmath.mpf(factor), parameters)

        def top(parameters):
            values, vectors = mpmath.eigsy(mp_hessian(loss, parameters))
            largest = max(range(len(at)), key=lambda i: values[i])
            return values[largest], vectors[:, largest]

        h = mpmath.mpf(10) ** -8
        value, w = top(at)
        slope, gradient = [], []
        for i in range(len(at)):
            ahead, behind = (shifted(at, (i, sign * h)) for sign in (1, -1))
            slope.append((loss(ahead) - loss(behind)) / (2 * h))
            gradient.append((top(ahead)[0] - top(behind)[0]) / (2 * h))
        along = mpmath.fdot(w, gradient)
        alpha = -mpmath.fdot(slope, gradient)
        beta = mpmath.fsum((g - along * x) ** 2 for g, x in zip(gradient, w, strict=True))
        numbers = [value, alpha, beta]
        return [float(x) for x in numbers], np.array(w, float).ravel(), np.array(gradient, float)


def in_all_parameters(dec, vector):
    """Return a vector of (o, v) as one of (u, v)."""
    return np.concatenate([dec.right @ vector[: dec.rank], vector[dec.rank :]])


@pytest.mark.parametrize(
    ("depth", "samples", "features"), [(2, 2, 2), (2, 4, 3), (3, 2, 3), (4, 2, 2)]
)
def test_the_closed_form_is_the_finite_difference(depth, samples, features):
    rng = np.random.default_rng(depth + samples)
    X, y = rng.normal(size=(samples, features)), rng.normal(size=samples)
    u, v = rng.normal(size=features), rng.normal(size=depth - 1)
    dec = decompose(X, y)
    found = theory.stabilisation_point(dec, u, v, 2 / samples)
    (value, alpha, beta), w, gradient = finite_differences(X, y, u, v, 2 / samples)
    assert found.sharpness == pytest.approx(value, rel=1e-12)
    direction = in_all_parameters(dec, found.direction)
    np.testing.assert_allclose(direction * np.sign(direction @ w), w, atol=1e-12)
    assert found.direction[np.argmax(np.abs(found.direction))] > 0
    scale = np.abs(gradient).max()
    np.testing.assert_allclose(
        in_all_parameters(dec, found.sharpness_gradient), gradient, atol=1e-10 * scale
    )
    assert found.alpha == pytest.approx(alpha, rel=1e-9)
    assert found.beta == pytest.approx(beta, rel=1e-9)


def test_depth_two_is_the_formula_for_two_layers():
    rng = np.random.default_rng(3)
    sigma, d, o = np.sort(rng.uniform(1, 3, 4))[::-1], rng.normal(size=4), rng.normal(size=4)
    v, w, factor = 0.7, rng.normal(size=5), 0.25
    found = theory.curvature_along(sigma, d, sigma * o, np.array([v]), w, factor)
    by_o = 4 * w[4] * w[:4] * sigma**2 * v + 2 * w[4] ** 2 * sigma**2 * o
    by_v = 2 * v * np.sum(sigma**2 * w[:4] ** 2) + 4 * w[4] * np.sum(w[:4] * sigma**2 * o)
    np.testing.assert_allclose(found, factor * np.append(by_o, by_v), rtol=1e-14)


def test_the_curvatures_gradient_keeps_the_arithmetic_it_is_given():
    rng = np.random.default_rng(4)
    floats = [rng.normal(size=n) for n in (3, 3, 3, 2, 5)]
    with gmpy2.context(precision=200):
        exact = [np.array([gmpy2.mpfr(float(x)) for x in values]) for values in floats]
        found = theory.curvature_along(*exact, gmpy2.mpfr(0.5))
    assert {x.precision for x in found} == {200}
    np.testing.assert_allclose(
        found.astype(float), theory.curvature_along(*floats, 0.5), rtol=1e-13
    )


def test_a_vanishing_layer_is_no_division():
    dec = decompose(np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([1.0, 2.0]))
    found = theory.stabilisation_point(dec, [0.3, -0.2], [0.0, 0.8, 0.5], 0.5)
    assert np.isfinite(found.sharpness_gradient).all()
    assert found.beta > 0


@functools.cache
def fig6_run(precision: str) -> pc.Run:
    return pc.simulate(
        pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"), precision=precision, steps=1600,
        init=pc.init.constant("0.01"), loss="half_mean",
        record=pc.Record(loss=1, sharpness=1, parameters=1),
    )  # fmt: skip


def along(run, sharpness):
    problem = pc.problems.fig6()
    assert run.trajectory is not None
    return theory.self_stabilisation(
        decompose(problem.X, problem.y), run.trajectory["u"], run.trajectory["v"],
        lr=run.lr, curvature_factor=0.5, sharpness=sharpness,
    )  # fmt: skip


def two_by_two(values):
    return values.reshape(-1, 2).sum(axis=1)


def test_a_run_moves_as_the_picture_says():
    run = fig6_run("float64")
    S = run.sharpness.value
    found = along(run, S)
    start, point, lr = found.index, found.point, run.lr
    assert start == 1335 == run.events().crossing
    assert found.x[start] == found.y[start] == 0
    assert point.sharpness == pytest.approx(S[start], rel=1e-12)
    # Progressive sharpening: y grows by η α a step, and S by as much.
    steps = np.diff(found.y)
    assert steps[start] == pytest.approx(lr * point.alpha, rel=1e-6)
    np.testing.assert_allclose(steps[start : start + 20], lr * point.alpha, rtol=0.1)
    np.testing.assert_allclose(
        S[start : start + 20] - S[start], found.y[start : start + 20], atol=0.02
    )
    # Self-stabilisation: the oscillation along w takes y down again, by η β x²/2 a step. Over two
    # steps: what ∇S has along w, which β leaves out, changes its sign with x.
    down = slice(start + 150, start + 156)
    predicted = lr * (point.alpha - point.beta / 2 * found.x[down] ** 2)
    np.testing.assert_allclose(two_by_two(steps[down]), two_by_two(predicted), rtol=0.2)
    assert two_by_two(predicted)[-1] < -4
    x = found.x[down]
    assert np.all(np.sign(x[1:]) == -np.sign(x[:-1]))
    assert np.all(np.abs(x[1:]) > np.abs(x[:-1]))


def test_the_threshold_is_found_without_a_recorded_sharpness():
    run = fig6_run("float64")
    found, computed = along(run, run.sharpness.value), along(run, None)
    assert computed.index == found.index
    np.testing.assert_array_equal(computed.x, found.x)


def test_differences_are_taken_before_rounding():
    problem = pc.problems.fig6()
    dec = decompose(problem.X, problem.y)
    with gmpy2.context(precision=300):
        tiny = gmpy2.mpfr(2) ** -150
        at = [gmpy2.mpfr(2), gmpy2.mpfr(1)]
        u = np.array([at, [at[0] + tiny, at[1] - tiny]])
        v = np.array([[gmpy2.mpfr(5)], [gmpy2.mpfr(5) + 3 * tiny]])
    found = theory.self_stabilisation(dec, u, v, lr=0.1, curvature_factor=0.5)
    assert found.index == 0
    moved = np.append(np.array([1.0, -1.0]) @ dec.right, 3.0) * 2.0**-150
    assert found.x[1] == pytest.approx(moved @ found.point.direction, rel=1e-14)
    assert found.y[1] == pytest.approx(moved @ found.point.sharpness_gradient, rel=1e-14)


def test_spectral_coordinates_are_those_of_a_diagonal_problem():
    problem = pc.problems.fig6()
    run = pc.simulate(
        problem, pc.Minimalist(), pc.GD("2/50"), precision="float64", steps=1400,
        init=pc.init.constant("0.01"), loss="half_mean", coordinates="spectral",
        record=pc.Record(loss=1, sharpness=1, parameters=1),
    )  # fmt: skip
    dec = decompose(problem.X, problem.y)
    diagonal = decompose(np.diag(dec.sigma), dec.d)
    found = theory.self_stabilisation(
        diagonal, run.trajectory["u"], run.trajectory["v"], lr=run.lr, curvature_factor=0.5,
        sharpness=run.sharpness.value,
    )  # fmt: skip
    primal = along(fig6_run("float64"), fig6_run("float64").sharpness.value)
    assert found.index == primal.index
    assert found.point.alpha == pytest.approx(primal.point.alpha, rel=1e-6)
    np.testing.assert_allclose(found.y[1300:1400], primal.y[1300:1400], atol=1e-5)


def test_a_run_that_stays_below_has_no_reference_point():
    dec = decompose(np.eye(2), np.ones(2))
    u, v = np.full((3, 2), 0.1), np.full((3, 1), 0.1)
    assert theory.self_stabilisation(dec, u, v, lr=0.1, curvature_factor=0.5) is None
    assert theory.self_stabilisation(
        dec, u, v, lr=0.1, curvature_factor=0.5, sharpness=[1, 2, 3]
    ) is None  # fmt: skip


def test_shapes_are_checked():
    dec = decompose(np.eye(2), np.ones(2))
    keywords = {"lr": 0.1, "curvature_factor": 0.5}
    with pytest.raises(InvalidArgument, match=r"^u = .*: must have shape \(T, 2\)$"):
        theory.self_stabilisation(dec, np.ones(2), np.ones(1), **keywords)
    with pytest.raises(InvalidArgument, match=r"^u = .*: must have shape \(2,\)$"):
        theory.stabilisation_point(dec, np.ones((1, 2)), np.ones((1, 1)), 0.5)
    with pytest.raises(InvalidArgument, match=r"^sharpness = .*: must have shape \(3,\)"):
        theory.self_stabilisation(
            dec, np.ones((3, 2)), np.ones((3, 1)), **keywords, sharpness=[1, 2]
        )
