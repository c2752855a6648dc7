"""The singular value decomposition in the papers' notation."""

from __future__ import annotations

import numpy as np
import pytest

from precipice.decomposition import decompose
from precipice.errors import InvalidArgument


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 3), (3, 8)])
def test_it_reconstructs_the_data(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=shape), rng.normal(size=shape[0])
    dec = decompose(X, y)
    assert dec.rank == min(shape)
    np.testing.assert_allclose((dec.left * dec.sigma) @ dec.right.T, X, atol=1e-13)
    np.testing.assert_allclose(dec.left.T @ dec.left, np.eye(dec.rank), atol=1e-14)
    np.testing.assert_allclose(dec.right.T @ dec.right, np.eye(dec.rank), atol=1e-14)
    np.testing.assert_allclose(dec.d, dec.left.T @ y, atol=1e-14)
    assert (np.diff(dec.sigma) <= 0).all()


def test_signs_are_a_convention() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(6, 4)), rng.normal(size=6)
    left = decompose(X, y).left
    largest = left[np.argmax(np.abs(left), axis=0), np.arange(4)]
    assert (largest > 0).all()


def test_directions_without_data_are_left_out() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(6, 2)) @ rng.normal(size=(2, 9))
    dec = decompose(X, rng.normal(size=6))
    assert dec.rank == 2
    assert dec.tolerance == pytest.approx(9 * 2.0**-52 * dec.sigma[0])
    assert dec.right.shape == (9, 2)


def test_what_y_has_outside_the_column_space_is_reported() -> None:
    X = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    dec = decompose(X, np.array([3.0, 4.0, 5.0]))
    np.testing.assert_allclose(dec.sigma, [2, 1])
    np.testing.assert_allclose(dec.d, [3, 4])
    assert dec.y_perp_norm2 == pytest.approx(25)


def test_y_may_lie_outside_entirely() -> None:
    dec = decompose(np.array([[1.0], [0.0]]), np.array([0.0, 2.0]))
    np.testing.assert_array_equal(dec.d, [0.0])
    assert dec.y_perp_norm2 == 4.0


def test_vanishing_data_has_rank_zero() -> None:
    dec = decompose(np.zeros((2, 3)), np.ones(2))
    assert (dec.rank, dec.left.shape, dec.right.shape) == (0, (2, 0), (3, 0))
    assert dec.y_perp_norm2 == 2.0


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros(3), np.zeros(3), r"^X = float64 array of shape \(3,\): must be a float64 array"),
        (np.zeros((2, 2), dtype=object), np.zeros(2), r"^X = object array"),
        (np.zeros((2, 2)), np.zeros(2, dtype=np.float32), r"^y = float32 array"),
        (np.zeros((2, 2)), np.zeros(3), r"^y = array of shape \(3,\): must have shape \(2,\)"),
    ],
)
def test_other_arrays_are_refused(X: np.ndarray, y: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        decompose(X, y)
