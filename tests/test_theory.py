"""Predictions, against the papers' numbers and against minimisers that are built and measured."""

from __future__ import annotations

import math

import numpy as np
import pytest

from precipice import theory
from precipice.decomposition import Decomposition, decompose
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES, curvature_factor
from precipice.problems import fig6, opposing_signals


def data_in_the_column_space(seed: int = 0) -> tuple[np.ndarray, np.ndarray, Decomposition]:
    """Return random data of rank 3 whose targets can be fitted."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(5, 3)) @ rng.normal(size=(3, 6))
    y = X @ rng.normal(size=6)
    return X, y, decompose(X, y)


def gauss_newton_sharpness(X: np.ndarray, u: np.ndarray, v: np.ndarray, factor: float) -> float:
    """Return c_L λ_max(JᵀJ), which is the Hessian's sharpness where the residual is zero."""
    columns = [X * np.prod(v)] + [
        (X @ u * np.prod(np.delete(v, j)))[:, None] for j in range(v.size)
    ]
    return factor * float(np.linalg.norm(np.hstack(columns), 2) ** 2)


def minimiser(dec: Decomposition, v: np.ndarray) -> np.ndarray:
    """Return the u in the row space with which v fits the targets."""
    return np.asarray(dec.right @ (dec.d / dec.sigma) / np.prod(v))


def test_difficulty_is_the_squared_norm_of_the_linear_solution() -> None:
    X, y, dec = data_in_the_column_space()
    solution = np.linalg.lstsq(X, y, rcond=None)[0]
    assert theory.difficulty(dec) == pytest.approx(solution @ solution, rel=1e-12)


def test_difficulty_floors_small_singular_values() -> None:
    dec = decompose(np.diag([1.0, 1e-6]), np.array([1.0, 1.0]))
    assert theory.difficulty(dec) == pytest.approx(1 + 1e9)


@pytest.mark.parametrize("name", list(LOSSES))
def test_predicted_sharpness_of_the_papers_synthetic_data(name: str) -> None:
    # The printed decimals of both problems give these for half_mean (to the digits shown).
    for problem, half_mean in ((fig6(), 73.658), (opposing_signals(), 27.854)):
        dec = decompose(problem.X, problem.y)
        factor = curvature_factor(name, problem.samples)
        scale = factor / curvature_factor("half_mean", problem.samples)
        assert theory.predicted_sharpness(dec, 2, factor) == pytest.approx(
            scale * half_mean, abs=scale * 6e-4
        )


def test_bounds_hold_the_sharpness_of_opposing_signals() -> None:
    problem = opposing_signals()
    dec = decompose(problem.X, problem.y)
    bounds = theory.balanced_minimiser_bounds(dec, 2, curvature_factor("half_mean", 2))
    assert bounds.lower <= 28.93 + 5e-3
    assert bounds.upper >= 28.93 - 5e-3


@pytest.mark.parametrize("imbalance", [-30.0, -1.0, 0.0, 0.3, 50.0])
@pytest.mark.parametrize("seed", range(5))
def test_theorem_4_3_bounds_the_measured_sharpness(imbalance: float, seed: int) -> None:
    X, _, dec = data_in_the_column_space(seed)
    v2 = theory.minimiser_v_squared(dec, imbalance)
    v = np.array([math.sqrt(v2)])
    u = minimiser(dec, v)
    assert theory.layer_imbalance(dec, u, v) == pytest.approx(imbalance, abs=1e-9)
    sharpness = gauss_newton_sharpness(X, u, v, 0.2)
    bounds = theory.minimiser_bounds(dec, imbalance, 0.2)
    assert bounds.lower * (1 - 1e-12) <= sharpness <= bounds.upper * (1 + 1e-12)


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(5))
def test_theorem_4_6_bounds_the_measured_sharpness(depth: int, seed: int) -> None:
    X, _, dec = data_in_the_column_space(seed)
    v = np.full(depth - 1, theory.difficulty(dec) ** (1 / (2 * depth)))
    u = minimiser(dec, v)
    np.testing.assert_allclose(theory.layer_imbalance(dec, u, v), 0, atol=1e-12)
    sharpness = gauss_newton_sharpness(X, u, v, 0.2)
    bounds = theory.balanced_minimiser_bounds(dec, depth, 0.2)
    assert bounds.lower * (1 - 1e-12) <= sharpness <= bounds.upper * (1 + 1e-12)
    predicted = theory.predicted_sharpness(dec, depth, 0.2)
    assert bounds.upper == pytest.approx(predicted + theory.gap_term(dec, depth, 0.2), rel=1e-14)


def test_both_theorems_agree_when_layers_balance() -> None:
    _, _, dec = data_in_the_column_space()
    general = theory.balanced_minimiser_bounds(dec, 2, 0.5)
    two_layer = theory.minimiser_bounds(dec, 0.0, 0.5)
    assert two_layer == pytest.approx(general, rel=1e-13)


def test_bounds_are_vectorised_over_the_imbalance() -> None:
    _, _, dec = data_in_the_column_space()
    imbalances = np.array([[-3.0, 0.0], [2.0, 40.0]])
    bounds = theory.minimiser_bounds(dec, imbalances, 0.5)
    for index in np.ndindex(2, 2):
        single = theory.minimiser_bounds(dec, float(imbalances[index]), 0.5)
        assert (bounds.lower[index], bounds.upper[index]) == single


def test_a_large_imbalance_does_not_cancel() -> None:
    _, _, dec = data_in_the_column_space()
    # v² (v² + C) = Q, so v² is nearly Q/C; the textbook formula gives 0 here.
    v2 = theory.minimiser_v_squared(dec, 1e12)
    assert v2 == pytest.approx(theory.difficulty(dec) / 1e12, rel=1e-12)


def test_the_upper_bound_is_smallest_at_the_imbalance_threshold() -> None:
    _, _, dec = data_in_the_column_space()
    threshold = theory.imbalance_threshold(dec)
    around = threshold + np.array([-1e-2, 0.0, 1e-2]) * abs(threshold)
    upper = theory.minimiser_bounds(dec, around, 1.0).upper
    assert upper[1] < min(upper[0], upper[2])


def test_targets_outside_the_column_space_predict_nothing_to_learn() -> None:
    dec = decompose(np.array([[1.0], [0.0]]), np.array([0.0, 2.0]))
    assert theory.difficulty(dec) == 0
    assert theory.predicted_sharpness(dec, 3, 0.5) == 0
    assert theory.balanced_minimiser_bounds(dec, 3, 0.5) == (0, 0)
    assert theory.minimiser_bounds(dec, 0.0, 0.5) == (0, 0)
    assert theory.minimiser_bounds(dec, 2.0, 0.5) == (0, 0)
    assert math.isnan(theory.imbalance_threshold(dec))


def test_vanishing_data_predicts_no_sharpness() -> None:
    dec = decompose(np.zeros((2, 3)), np.ones(2))
    assert theory.predicted_sharpness(dec, 2, 1.0) == 0
    assert theory.layer_imbalance(dec, np.ones(3), [2.0]) == -4


@pytest.mark.parametrize("depth", [1, 0, 2.5, None])
@pytest.mark.parametrize(
    "formula", [theory.predicted_sharpness, theory.gap_term, theory.balanced_minimiser_bounds]
)
def test_depth_is_checked(formula: object, depth: object) -> None:
    _, _, dec = data_in_the_column_space()
    with pytest.raises(InvalidArgument, match=r"^depth = .*: must be an integer of at least 2$"):
        formula(dec, depth, 1.0)  # type: ignore[operator]
