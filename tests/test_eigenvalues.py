"""Recorded eigenvalues of both models' Hessians, against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice.decomposition import decompose
from precipice.losses import LOSSES, curvature_factor
from precipice.sharpness import minimalist_hessian, two_layer_hessian


def data(samples, features, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, features)) + shift
    return X, np.where(np.arange(samples) % 2, 1.0, -1.0)


def assert_the_ends_of(spectrum, values, smallest, residual, tolerance):
    """The largest and the smallest of a dense spectrum, within the residual that is told."""
    expected = np.sort(spectrum)[::-1]
    scale = np.abs(expected).max()
    found = np.append(values, smallest)
    wanted = np.append(expected[: values.size], expected[-1])
    rounding = 4 * expected.size * np.finfo(np.float64).eps * scale
    assert np.all(np.abs(found - wanted) <= np.maximum(residual, tolerance * scale) + rounding)
    for value, bound in zip(found, residual, strict=True):
        assert np.abs(expected - value).min() <= bound + rounding


def random_minimalist(rng):
    """Return data and a start that are hard in some way: ranks, sizes, zeros, repeated values."""
    samples, features, depth = rng.integers(1, 9), rng.integers(1, 9), rng.integers(2, 6)
    X, y = data(samples, features, rng.integers(1 << 30))
    kind = rng.integers(5)
    if kind == 1:
        X = np.outer(X[:, 0], rng.standard_normal(features))  # rank 1
    if kind == 2:
        X = np.linalg.qr(rng.standard_normal((max(X.shape), max(X.shape))))[0][:samples, :features]
    if kind == 3:
        X *= 10.0 ** -np.arange(features)
    u, v = rng.standard_normal(features), rng.standard_normal(depth - 1)
    if kind == 4:
        v[rng.integers(depth - 1)] = 0.0
    if rng.random() < 0.1:
        u[:] = 0.0
    return X, y, u, v


@pytest.mark.parametrize("seed", range(20))
def test_the_minimalist_s_are_those_of_the_dense_matrix(seed):
    """Inertia finds each eigenvalue, as often as it is one; X's null directions have zeros."""
    rng = np.random.default_rng(seed)
    for _ in range(10):
        X, y, u, v = random_minimalist(rng)
        loss = list(LOSSES)[rng.integers(4)]
        top = int(rng.integers(1, u.size + v.size + 1))
        run = pc.simulate(
            pc.problems.from_arrays(X, y),
            pc.Minimalist(v.size + 1),
            pc.GD("0.01"),
            steps=0,
            init=pc.init.explicit({"u": u, "v": v}),
            loss=loss,
            record=pc.Record(sharpness=1, eigenvalues=1, top=top),
        )
        decomposition = decompose(X, y)
        factor = curvature_factor(loss, y.size)
        hessian = minimalist_hessian(decomposition, X @ u, v, factor)
        flat = np.zeros(u.size - decomposition.rank)
        spectrum = np.append(np.linalg.eigvalsh(hessian), flat)
        e = run.eigenvalues
        assert e.largest.shape == (1, top)
        assert_the_ends_of(spectrum, e.largest[0], e.smallest[0], e.residual[0], 0.0)
        scale = np.abs(spectrum).max()
        assert np.all(e.residual[0] <= 1e-13 * scale + 1e-300)
        assert e.largest[0, 0] == pytest.approx(run.sharpness.value[0], abs=1e-13 * scale)


@pytest.mark.parametrize("coordinates", ["primal", "spectral"])
@pytest.mark.parametrize("engine", ["core", "reference"])
def test_the_minimalist_s_along_a_run(engine, coordinates):
    X, y = data(6, 9)
    run = pc.simulate(
        pc.problems.from_arrays(X, y), pc.Minimalist(4), pc.GD("0.05"), steps=30, engine=engine,
        init=pc.init.pytorch(2), coordinates=coordinates, precision="mpfr100",
        record=pc.Record(parameters=1, eigenvalues=7, top=8),
    )  # fmt: skip
    e = run.eigenvalues
    np.testing.assert_array_equal(e.step, [0, 7, 14, 21, 28, 30])
    decomposition = decompose(X, y)
    for row, t in enumerate(e.step):
        u, v = (run.trajectory[name][t].astype(np.float64) for name in "uv")
        f = X @ u if coordinates == "primal" else decomposition.left @ (decomposition.sigma * u)
        spectrum = np.linalg.eigvalsh(minimalist_hessian(decomposition, f, v, 1 / 6))
        if coordinates == "primal":  # nine numbers u, six that X sees
            spectrum = np.append(spectrum, np.zeros(3))
        assert_the_ends_of(spectrum, e.largest[row], e.smallest[row], e.residual[row], 1e-13)


# Up to 24 parameters dense, more by products with the Hessian, wide networks on its range.
NETWORKS = [
    (9, 4, 3, 3),
    (9, 5, 8, 5),
    (40, 30, 12, 4),
    (25, 3, 40, 3),
    (7, 30, 1, 2),
    (12, 1, 9, 3),
]


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize(("samples", "features", "width", "top"), NETWORKS)
def test_the_two_layer_network_s(samples, features, width, top, engine):
    X, y = data(samples, features, shift=0.5)
    run = pc.simulate(
        pc.problems.from_arrays(X, y), pc.TwoLayerLinear(width), pc.GD("0.05"), steps=12,
        init=pc.init.pytorch(1), loss="mean", engine=engine,
        record=pc.Record(parameters=1, sharpness=1, eigenvalues=3, top=top),
    )  # fmt: skip
    e = run.eigenvalues
    for row, t in enumerate(e.step):
        W, a = (run.trajectory[name][t].astype(np.float64) for name in ("W", "a"))
        W = W.reshape(width, features)
        H = two_layer_hessian(X, y, W, a, 1 / np.sqrt(width), 2 / samples)
        spectrum = np.linalg.eigvalsh(H)
        assert_the_ends_of(spectrum, e.largest[row], e.smallest[row], e.residual[row], 2e-8)
        assert np.all(e.residual[row] <= 1e-8 * np.abs(spectrum).max())
        difference = abs(e.largest[row, 0] - run.sharpness.value[t])
        assert difference <= e.residual[row, 0] + 1e-12 * spectrum[-1]


def test_all_eigenvalues_of_a_small_network():
    X, y = data(9, 4)
    run = pc.simulate(
        pc.problems.from_arrays(X, y), pc.TwoLayerLinear(3), pc.GD("0.05"), steps=0,
        init=pc.init.pytorch(1), record=pc.Record(eigenvalues=1, parameters=1, top=15),
    )  # fmt: skip
    W, a = (run.trajectory[name][0].astype(np.float64) for name in ("W", "a"))
    H = two_layer_hessian(X, y, W.reshape(3, 4), a, 1 / np.sqrt(3), 1 / 9)
    np.testing.assert_allclose(run.eigenvalues.largest[0], np.linalg.eigvalsh(H)[::-1], atol=1e-14)
    assert run.eigenvalues.smallest[0] == run.eigenvalues.largest[0, -1]


def images(samples, features):
    """Return data like pixels: positive, with a mean that leads and a spectrum that decays."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((samples, features)) * np.linspace(1, 0.02, features) ** 2
    return np.clip(0.5 + 0.2 * X, 0, 1), np.where(np.arange(samples) % 2, 1.0, -1.0)


@pytest.mark.parametrize(
    ("init", "share"), [(pc.init.pytorch(1), 0.2), (pc.init.symmetric_gaussian(1), 1.5)]
)
def test_progressive_sharpening_takes_twelve_products_at_most(init, share):
    """The promise: measurements started from the last one's vectors, counted."""
    problem = pc.problems.from_arrays(*images(120, 90))
    model, keywords = pc.TwoLayerLinear(40), {"init": init, "loss": "mean"}
    record = pc.Record(sharpness=1, eigenvalues=1, quantities=1)
    start = pc.simulate(problem, model, pc.GD("1e-3"), steps=0, record=record, **keywords)
    lr = share / start.sharpness.value[0]
    run = pc.simulate(problem, model, pc.GD(lr), steps=150, record=record, **keywords)
    assert run.sharpness.value.max() < 2 / run.lr  # before the edge of stability
    assert run.sharpness.value[-1] > run.sharpness.value[0]
    assert run.sharpness.products[1:].max() <= 12
    assert np.all(run.sharpness.residual <= 1e-10 * run.sharpness.value)


def test_products_are_counted_as_they_are_made():
    """By hand: a block of two, and one for each direction that is added."""
    calls = 0
    A = np.diag(np.arange(40.0))

    def product(v):
        nonlocal calls
        calls += 1
        return A @ v

    found = pc.eigenpairs(product, 40, largest=2, smallest=True)
    assert found.products == calls
