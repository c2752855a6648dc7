"""The core's closed-form sharpness against a dense symmetric eigensolver."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import precipice as pc
from oracles.sharpness import sharpness as dense_sharpness
from precipice.decomposition import decompose
from precipice.losses import LOSSES, curvature_factor
from precipice.sharpness import minimalist_sharpness

CASES = 1000


def random_case(seed):
    """Return a random problem and point; every few cases something is degenerate."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(2, 6))
    samples, features = (int(n) for n in rng.integers(1, 9, 2))
    X = rng.standard_normal((samples, features)) * 10.0 ** rng.uniform(-2, 2)
    if seed % 4 == 1:  # rank-deficient X
        rank = int(rng.integers(1, min(samples, features) + 1))
        X = X[:, :rank] @ rng.standard_normal((rank, features)) if rank < features else X
    if seed % 7 == 2:  # two equal singular values and more
        X = np.eye(samples, features)
    y = rng.standard_normal(samples)
    u = rng.standard_normal(features) * 10.0 ** rng.uniform(-2, 1)
    v = rng.standard_normal(depth - 1)
    if seed % 3 == 0:  # zero layers, sometimes several
        v[rng.integers(0, v.size, int(rng.integers(1, 3)))] = 0.0
    if seed % 11 == 0:
        u[:] = 0.0
    return X, y, u, v, sorted(LOSSES)[seed % 4]


def core_sharpness(X, y, u, v, loss):
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.Minimalist(depth=v.size + 1),
        pc.GD(0.1),
        steps=0,
        init=pc.init.explicit({"u": u, "v": v}),
        loss=loss,
        record=pc.Record(sharpness=1),
    )
    return run.sharpness.value[0]


def tolerance(X, y, u, v, loss):
    """A few hundred rounding errors of the Hessian's norm.

    The entries carry errors of N d eps relative to sums of absolute values, and an eigenvalue
    moves by no more than the norm of an error (Weyl).
    """
    f = np.abs(X) @ np.abs(u)
    P = max(1.0, np.prod(np.maximum(np.abs(v), 1.0)))
    scale = P * (np.linalg.norm(X) + np.linalg.norm(f) + np.linalg.norm(y))
    return 500 * np.finfo(float).eps * curvature_factor(loss, len(y)) * scale**2


def test_closed_form_equals_dense_solver():
    for seed in range(CASES):
        case = random_case(seed)
        expected = max(0.0, dense_sharpness(*case))
        assert abs(core_sharpness(*case) - expected) <= tolerance(*case), f"seed {seed}"


def mixed_scales(seed):
    """Return σ, d, o and v whose sizes differ by many orders, some v_j zero."""
    rng = np.random.default_rng(seed)
    r, factors = int(rng.integers(1, 6)), int(rng.integers(1, 6))
    sigma = np.sort(10.0 ** rng.uniform(-2, 2, r))[::-1]
    d, o = rng.standard_normal((2, r)) * 10.0 ** rng.uniform(-4, 2, (2, r))
    v = rng.standard_normal(factors) * 10.0 ** rng.uniform(-6, 4, factors)
    if seed % 2:
        v[rng.integers(factors)] = 0.0
    return sigma, d, o, v


def exact_eigenvalues(sigma, d, o, v):
    """Return λ_max and ‖H‖ of the half_sum Hessian with 60 digits."""
    with mpmath.workdps(60):
        r, n = len(sigma), len(v)
        sigma, d, o, v = ([mpmath.mpf(float(x)) for x in a] for a in (sigma, d, o, v))
        without = lambda *j: mpmath.fprod(x for q, x in enumerate(v) if q not in j)  # noqa: E731
        P = without()
        c = [s * x for s, x in zip(sigma, o, strict=True)]
        H = mpmath.zeros(r + n)
        G = mpmath.fsum(c_i * (P * c_i - d_i) for c_i, d_i in zip(c, d, strict=True))
        F = mpmath.fsum(c_i**2 for c_i in c)
        for i in range(r):
            H[i, i] = (P * sigma[i]) ** 2
            for j in range(n):
                H[i, r + j] = H[r + j, i] = without(j) * sigma[i] * (2 * P * c[i] - d[i])
        for j in range(n):
            for k in range(n):
                H[r + j, r + k] = without(j) * without(k) * F + (j != k) * without(j, k) * G
        values = list(mpmath.eigsy(H, eigvals_only=True))
        return float(max(*values, mpmath.mpf(0))), float(max(abs(x) for x in values))


def diagonal_sharpness(sigma, d, o, v):
    """Return the core's sharpness of X = diag(σ), y = d, u = o."""
    zeros = np.zeros((len(sigma), 1))  # a column of zeros keeps a 1 x 1 problem wide
    run = pc.simulate(
        pc.problems.from_arrays(np.hstack([np.diag(sigma), zeros]), d),
        pc.Minimalist(depth=len(v) + 1),
        pc.GD(0.1),
        steps=0,
        init=pc.init.explicit({"u": [*o, 0.0], "v": v}),
        loss="half_sum",
        coordinates="spectral",
        record=pc.Record(sharpness=1),
    )
    return run.sharpness.value[0]


@pytest.mark.parametrize("scale", [1.0, 2.0**250])
def test_secular_equation_is_accurate_to_roundings_of_the_norm(scale):
    """A few dozen roundings of ‖H‖, whatever the scales of the layers; no overflow."""
    for seed in range(80):
        sigma, d, o, v = mixed_scales(seed)
        sigma = sigma * scale
        d = d * scale
        expected, norm = exact_eigenvalues(sigma, d, o, v)
        measured = diagonal_sharpness(sigma, d, o, v)
        assert abs(measured - expected) <= 50 * np.finfo(float).eps * norm, f"seed {seed}"


def test_readable_form_equals_dense_solver():
    for seed in range(CASES):
        X, y, u, v, loss = case = random_case(seed)
        factor = curvature_factor(loss, len(y))
        readable = minimalist_sharpness(decompose(X, y), X @ u, v, factor)
        assert abs(readable - max(0.0, dense_sharpness(*case))) <= tolerance(*case), f"seed {seed}"


def test_closed_form_is_accurate_at_full_size():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 80)), rng.standard_normal(60)
    u, v = rng.standard_normal(80) / 9, np.array([0.8, -1.3])
    expected = dense_sharpness(X, y, u, v, "half_mean")
    assert core_sharpness(X, y, u, v, "half_mean") == pytest.approx(expected, rel=1e-13)


def test_top_curvature_may_be_a_diagonal_entry():
    """With y = 0 in the top direction and u = 0 there, the border vanishes at delta_1."""
    X, y = np.diag([3.0, 1.0]), np.array([0.0, 0.5])
    u, v = np.zeros(2), np.array([2.0])
    assert core_sharpness(X, y, u, v, "half_sum") == pytest.approx(36.0, rel=1e-15)


@pytest.mark.parametrize("precision", ["float32", "mpfr20", "mpfr24"])
def test_narrow_runs_are_measured_on_their_own_surface(precision):
    """X, y rounded to the working format, f = X u recomputed in float64."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((4, 6)), rng.standard_normal(4)
    start = {"u": rng.standard_normal(6), "v": rng.standard_normal(1)}
    working = pc.Precision.parse(precision)
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.Minimalist(),
        pc.GD("0.05"),
        precision=precision,
        steps=10,
        init=pc.init.explicit(start),
        record=pc.Record(sharpness=1, parameters=1),
    )
    X, y = (working.round_array(values).astype(float) for values in (X, y))
    for t, measured in enumerate(run.sharpness.value):
        u, v = (run.trajectory[name][t].astype(float) for name in ("u", "v"))
        assert measured == pytest.approx(dense_sharpness(X, y, u, v, "half_mean"), rel=1e-12)


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("engine", ["core", "reference"])
def test_layer_imbalance_is_that_of_the_recorded_parameters(engine, depth):
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((3, 6)), rng.standard_normal(3)
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.Minimalist(depth),
        pc.GD("0.05"),
        steps=10,
        init=pc.init.pytorch(seed=0),
        record=pc.Record(layer_imbalance=5, parameters=5),
        engine=engine,
    )
    assert run.layer_imbalance.step.tolist() == [0, 5, 10]
    projector = np.linalg.pinv(X) @ X
    for t, row in enumerate(np.atleast_2d(run.layer_imbalance.value.T).T):
        u, v = (run.trajectory[name][t].astype(float) for name in ("u", "v"))
        assert row == pytest.approx(np.sum((projector @ u) ** 2) - v**2, rel=1e-10, abs=1e-13)
