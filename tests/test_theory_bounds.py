"""Bounds on sharpness, against dense Hessians and against means over many starts."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest

from precipice import theory
from precipice.decomposition import Decomposition, decompose
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES, curvature_factor
from precipice.sharpness import minimalist_sharpness

ALPHA, BETA = 0.4, 0.7
STARTS = 4000


def random_data(seed: int, samples: int = 4, features: int = 6) -> tuple[np.ndarray, Decomposition]:
    """Return random data with targets that can be fitted."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(samples, features)) * np.arange(1, features + 1)
    return X, decompose(X, X @ rng.normal(size=features))


def random_starts(seed: int, count: int, features: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return normal u and v."""
    rng = np.random.default_rng(seed)
    return ALPHA * rng.standard_normal((count, features)), BETA * rng.standard_normal((count, 1))


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Return a mean and five of its standard errors."""
    return float(values.mean()), float(5 * values.std() / math.sqrt(values.size))


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0])
def test_lemma_b_3_bounds_the_sharpness_of_any_parameters(name: str, scale: float) -> None:
    factor = curvature_factor(name, 4)
    for seed in range(5):
        X, dec = random_data(seed)
        u, v = (scale * array for array in random_starts(seed, 20))
        bounds = theory.sharpness_bounds(dec, u, v, factor)
        assert np.shape(bounds.lower) == np.shape(bounds.upper) == (20,)
        for t in range(20):
            measured = minimalist_sharpness(dec, X @ u[t], v[t], factor)
            assert bounds.lower[t] <= measured * (1 + 1e-12)
            assert measured <= bounds.upper[t] * (1 + 1e-12)
            single = theory.sharpness_bounds(dec, u[t], v[t], factor)
            assert single == pytest.approx((bounds.lower[t], bounds.upper[t]), rel=1e-12)


def test_lemma_b_3_as_printed() -> None:
    _, dec = random_data(3)
    u, v = random_starts(3, 1)
    o, v1, s, d = u[0] @ dec.right, float(v[0, 0]), dec.sigma, dec.d
    under = v1**2 * s[0] ** 2 + s[0] ** 2 * o[0] ** 2
    lower = under + 2 * s[0] ** 4 * o[0] ** 2 * v1**2 / under
    lower -= 2 * s[0] ** 3 * d[0] * o[0] * v1 / under
    upper = s[0] ** 2 * v1**2 + np.sum(s**2 * o**2)
    upper += np.sqrt(np.sum((s * (s * o * v1 - d)) ** 2))
    bounds = theory.sharpness_bounds(dec, u[0], v[0], 0.25)
    assert bounds == pytest.approx((lower / 4, upper / 4), rel=1e-12)


def test_lemma_b_3_is_sharp_for_one_direction() -> None:
    # One datum at a minimum: the Hessian is a single outer product, and both bounds are its norm.
    dec = decompose(np.array([[2.0]]), np.array([3.0]))
    bounds = theory.sharpness_bounds(dec, [1.5], [1.0], 1.0)
    assert bounds == pytest.approx((13.0, 13.0))


def test_lemma_b_3_where_its_quotient_is_undefined() -> None:
    X, dec = random_data(0)
    origin = theory.sharpness_bounds(dec, np.zeros(6), [0.0], 1.0)
    assert origin.lower == 0
    assert origin.upper == pytest.approx(np.linalg.norm(dec.sigma * dec.d))
    assert origin.upper == pytest.approx(minimalist_sharpness(dec, X @ np.zeros(6), np.zeros(1), 1))
    nothing = decompose(np.zeros((2, 3)), np.ones(2))
    assert theory.sharpness_bounds(nothing, np.ones(3), [1.0], 1.0) == (0, 0)
    moments = theory.sharpness_bounds(nothing, np.ones((2, 3)), [[1.0], [2.0]], 1.0)
    np.testing.assert_array_equal(moments.upper, [0, 0])


@pytest.mark.parametrize("seed", range(3))
def test_theorem_5_6_contains_the_mean_over_normal_starts(seed: int) -> None:
    X, dec = random_data(seed)
    u, v = random_starts(seed, STARTS)
    measured = [minimalist_sharpness(dec, X @ a, b, 0.25) for a, b in zip(u, v, strict=True)]
    mean, error = mean_and_error(np.array(measured))
    bounds = theory.initial_sharpness_bounds(dec, ALPHA, BETA, 0.25)
    assert bounds.lower - error <= mean <= bounds.upper + error
    # The lemma's bounds of each start have the theorem's bounds outside of their means.
    lemma = theory.sharpness_bounds(dec, u, v, 0.25)
    lowest, highest = mean_and_error(lemma.lower), mean_and_error(lemma.upper)
    assert bounds.lower <= sum(lowest)
    assert bounds.upper >= highest[0] - highest[1]


@pytest.mark.parametrize("seed", range(3))
def test_theorem_5_7_contains_the_mean_at_the_minimisers_of_the_flow(seed: int) -> None:
    X, dec = random_data(seed)
    u, v = random_starts(seed, STARTS)
    imbalance = theory.layer_imbalance(dec, u, v)
    ends = np.sqrt(theory.minimiser_v_squared(dec, imbalance))
    reached = dec.left @ dec.d  # X u* v* = y; the sharpness depends on u* through X u* alone
    measured = [minimalist_sharpness(dec, reached / end, np.array([end]), 0.25) for end in ends]
    mean, error = mean_and_error(np.array(measured))
    bounds = theory.converged_sharpness_bounds(dec, ALPHA, BETA, 0.25)
    assert bounds.lower - error <= mean <= bounds.upper + error
    first, second = mean_and_error(imbalance), mean_and_error(imbalance**2)
    expected = dec.rank * ALPHA**2 - BETA**2
    assert abs(first[0] - expected) <= first[1]
    variance = 2 * dec.rank * ALPHA**4 + 2 * BETA**4
    assert abs(second[0] - expected**2 - variance) <= second[1]


def test_theorems_5_6_and_5_7_as_printed() -> None:
    _, dec = random_data(1)
    s2, d2, r, q = dec.sigma**2, dec.d**2, dec.rank, theory.difficulty(dec)
    a2, b2 = ALPHA**2, BETA**2
    lower = s2[0] / 4 * (a2 + b2)
    root = np.sqrt(np.sum(s2 * (a2 * b2 * s2 + d2)))
    upper = (np.sum(a2 * s2) + b2 * s2[0] + root) / 4
    assert theory.initial_sharpness_bounds(dec, ALPHA, BETA, 0.25) == pytest.approx((lower, upper))
    mean = r * a2 - b2
    small, large = d2[0] / q, d2.sum() / q
    lower = (s2[0] + small) * math.sqrt(mean**2 + 4 * q) + (small - s2[0]) * mean
    wide = math.sqrt(mean**2 + 2 * r * a2**2 + 2 * b2**2 + 4 * q)
    upper = (s2[0] + large) * wide + (large - s2[0]) * mean
    bounds = theory.converged_sharpness_bounds(dec, ALPHA, BETA, 0.25)
    assert bounds == pytest.approx((lower / 8, upper / 8))


@pytest.mark.parametrize("name", list(LOSSES))
def test_every_bound_follows_the_losses_curvature(name: str) -> None:
    _, dec = random_data(2)
    factor = curvature_factor(name, 4)
    for formula in (theory.initial_sharpness_bounds, theory.converged_sharpness_bounds):
        assert formula(dec, ALPHA, BETA, factor) == pytest.approx(
            tuple(factor * bound for bound in formula(dec, ALPHA, BETA, 1.0)), rel=1e-14
        )


def test_a_start_without_spread_converges_to_the_balanced_minimiser() -> None:
    _, dec = random_data(4)
    balanced = theory.balanced_minimiser_bounds(dec, 2, 0.5)
    assert theory.converged_sharpness_bounds(dec, 0, "0", 0.5) == pytest.approx(balanced)
    start = theory.initial_sharpness_bounds(dec, 0, 0, 0.5)
    assert start == pytest.approx((0, 0.5 * np.linalg.norm(dec.sigma * dec.d)))


def test_a_wide_first_layer_does_not_cancel() -> None:
    # As printed, √(C² + 4Q) - C has no digit left in float64.
    _, dec = random_data(4)
    bounds = theory.converged_sharpness_bounds(dec, 1e5, 1e-5, 1.0)
    with mpmath.workdps(60):
        mean = dec.rank * mpmath.mpf(1e5) ** 2 - mpmath.mpf(1e-5) ** 2
        q, first = mpmath.mpf(theory.difficulty(dec)), mpmath.mpf(dec.sigma[0]) ** 2
        ratios = [dec.d[0] ** 2 / q, (dec.d @ dec.d) / q]
        spreads = [0, 2 * dec.rank * mpmath.mpf(1e5) ** 4 + 2 * mpmath.mpf(1e-5) ** 4]
        printed = [
            (first + ratio) * mpmath.sqrt(mean**2 + spread + 4 * q) + (ratio - first) * mean
            for ratio, spread in zip(ratios, spreads, strict=True)
        ]
        expected = tuple(float(bound / 2) for bound in printed)
    assert bounds == pytest.approx(expected, rel=1e-13)


def test_layer_norms_are_the_roots_with_this_difference_and_product() -> None:
    for c, q in itertools.product((-1e8, -2.0, 0.0, 0.5, 1e8), (1e-8, 0.3, 4.0, 1e6)):
        v2, u2 = theory.layer_norms(c, q)
        assert v2 * u2 == pytest.approx(q, rel=1e-14)
        assert u2 - v2 == pytest.approx(c, rel=1e-12, abs=1e-12 * math.sqrt(q))
    assert theory.layer_norms(0.0, 0.0) == (0, 0)
    assert theory.layer_norms(np.zeros((2, 3)), 1.0).v_squared.shape == (2, 3)


def test_targets_outside_the_column_space_add_nothing() -> None:
    dec = decompose(np.array([[1.0], [0.0]]), np.array([0.0, 2.0]))
    bounds = theory.converged_sharpness_bounds(dec, 0.5, 0.5, 1.0)
    # E C = 0 and Q = 0: only the spread of C is left above.
    assert bounds == pytest.approx((0, math.sqrt(4 * 0.5**4) / 2))
    assert theory.initial_sharpness_bounds(dec, 0.5, 0.5, 1.0) == pytest.approx((0.5, 0.75))


@pytest.mark.parametrize(
    "formula", [theory.initial_sharpness_bounds, theory.converged_sharpness_bounds]
)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 1, 1.0), r"^alpha = -1: must be at least 0$"),
        ((1, -0.5, 1.0), r"^beta = -0.5: must be at least 0$"),
        ((math.nan, 1, 1.0), r"^alpha = nan: "),
        ((1, math.inf, 1.0), r"^beta = inf: "),
        ((1, 1, 1.0, 3), r"^depth = 3: must be 2: the theorem is of the two-layer model$"),
        ((1, 1, 1.0, 1), r"^depth = 1: must be an integer of at least 2$"),
    ],
)
def test_other_starts_and_depths_are_refused(
    formula: object, arguments: tuple[object, ...], message: str
) -> None:
    _, dec = random_data(0)
    with pytest.raises(InvalidArgument, match=message):
        formula(dec, *arguments)  # type: ignore[operator]
