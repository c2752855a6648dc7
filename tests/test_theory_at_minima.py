"""Yoo's Theorems 4.3 and 4.6 at minima of 50 random data sets, exact and reached by training."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import precipice as pc
from oracles.sharpness import sharpness as measured_sharpness
from precipice import theory
from precipice.decomposition import Decomposition, decompose
from precipice.losses import LOSSES, curvature_factor

DATA_SETS = 50
LOSS_NAMES = list(LOSSES)


@functools.cache
def data(seed: int) -> tuple[np.ndarray, np.ndarray, Decomposition, str]:
    """Return X and y of random sizes, singular values 0.5 to 3, and a loss.

    Of every other data set y has a part outside col(X).
    """
    rng = np.random.default_rng((seed, 43))
    samples, features = rng.integers(2, 9, size=2)
    rank = int(rng.integers(1, min(samples, features) + 1))
    left, right = (
        np.linalg.qr(rng.normal(size=(size, size)))[0][:, :rank] for size in (samples, features)
    )
    X = left * rng.uniform(0.5, 3, rank) @ right.T
    y = rng.normal(size=samples)
    if seed % 2:
        y = left @ (left.T @ y)
    return X, y, decompose(X, y), LOSS_NAMES[seed % len(LOSS_NAMES)]


def minimum(dec: Decomposition, v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the u that solves the least squares with these scalars, and anything outside W."""
    inside = dec.right @ (dec.d / (dec.sigma * np.prod(v)))
    noise = rng.normal(size=inside.size)
    return inside + noise - dec.right @ (dec.right.T @ noise)


def holds(bounds: theory.Bounds, sharpness: float, slack: float) -> bool:
    return bool(bounds.lower * (1 - slack) <= sharpness <= bounds.upper * (1 + slack))


@pytest.mark.parametrize("seed", range(DATA_SETS))
def test_theorem_4_3_at_exact_minima(seed: int) -> None:
    X, y, dec, loss = data(seed)
    rng = np.random.default_rng((seed, 1))
    factor = curvature_factor(loss, len(y))
    for size in np.exp(rng.normal(size=6)):
        v = np.array([size * rng.choice([-1, 1])])
        u = minimum(dec, v, rng)
        bounds = theory.minimiser_bounds(dec, theory.layer_imbalance(dec, u, v), factor)
        assert theory.minimiser_v_squared(dec, theory.layer_imbalance(dec, u, v)) == pytest.approx(
            v[0] ** 2, rel=1e-9
        )
        assert holds(bounds, measured_sharpness(X, y, u, v, loss), 1e-10)


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("seed", range(DATA_SETS))
def test_theorem_4_6_at_exact_minima(seed: int, depth: int) -> None:
    X, y, dec, loss = data(seed)
    rng = np.random.default_rng((seed, depth))
    size = theory.difficulty(dec) ** (1 / (2 * depth))
    v = size * rng.choice([-1.0, 1.0], depth - 1)
    u = minimum(dec, v, rng)
    np.testing.assert_allclose(theory.layer_imbalance(dec, u, v), 0, atol=1e-11 * size**2)
    bounds = theory.balanced_minimiser_bounds(dec, depth, curvature_factor(loss, len(y)))
    assert holds(bounds, measured_sharpness(X, y, u, v, loss), 1e-10)


def trained(seed: int, depth: int, init: pc.init.Initialiser, part: float) -> pc.Run:
    """Return a run that converged, with a step size of `part` of 2/Ŝ.

    On targets within col(X): the loss then goes to zero, and not to a number with rounding of its
    own. What y has outside moves nothing.
    """
    X, y, dec, loss = data(seed)
    y = dec.left @ dec.d
    predicted = theory.predicted_sharpness(dec, depth, curvature_factor(loss, len(y)))
    run = pc.simulate(
        pc.problems.from_arrays(X, y), pc.Minimalist(depth), pc.GD(part * 2 / predicted),
        steps=300_000, init=init, loss=loss, tol=1e-22, record=pc.Record(),
    )  # fmt: skip
    assert run.outcome.value == "converged", run.outcome
    return run


def parameters(run: pc.Run) -> tuple[np.ndarray, np.ndarray]:
    return tuple(values.astype(float) for values in run.parameters().values())  # type: ignore[return-value]


@pytest.mark.parametrize("seed", range(DATA_SETS))
def test_theorem_4_3_at_trained_minima(seed: int) -> None:
    X, y, dec, loss = data(seed)
    u, v = parameters(trained(seed, 2, pc.init.normal(0.5, 0.8, seed), 0.05))
    bounds = theory.minimiser_bounds(
        dec, theory.layer_imbalance(dec, u, v), curvature_factor(loss, len(y))
    )
    assert holds(bounds, measured_sharpness(X, y, u, v, loss), 1e-8)


def balanced_towards(dec: Decomposition, depth: int, seed: int) -> pc.init.Initialiser:
    """Return a balanced start on the minimum's side: from the other, descent ends in a saddle."""
    rng = np.random.default_rng((seed, 46))
    o = dec.d / np.linalg.norm(dec.d) + 0.5 * rng.uniform(-1, 1, dec.rank) / np.sqrt(dec.rank)
    u = 0.7 * dec.right @ (o / np.linalg.norm(o))
    return pc.init.explicit({"u": u, "v": np.full(depth - 1, 0.7)})


@pytest.mark.parametrize("seed", range(DATA_SETS))
def test_theorem_4_6_at_trained_minima(seed: int) -> None:
    X, y, dec, loss = data(seed)
    depth = 3 + seed % 2
    u, v = parameters(trained(seed, depth, balanced_towards(dec, depth, seed), 0.003))
    # Descent leaves balance by O(η): the slack is a few times what that does to the layers.
    slack = 1e-8 + 4 * np.abs(theory.layer_imbalance(dec, u, v)).max() / np.min(v**2)
    assert slack < 0.02
    bounds = theory.balanced_minimiser_bounds(dec, depth, curvature_factor(loss, len(y)))
    assert holds(bounds, measured_sharpness(X, y, u, v, loss), slack)
