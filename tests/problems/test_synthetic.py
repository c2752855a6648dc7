"""The papers' small data sets."""

from __future__ import annotations

import numpy as np
import pytest

from precipice.errors import InvalidArgument
from precipice.problems import Presets, fig6, opposing_signals


def test_fig6_is_what_the_paper_prints() -> None:
    problem = fig6()
    assert problem.X.tolist() == [[1.54099607, -0.2934289], [-2.17878938, 0.56843126]]
    assert problem.y.tolist() == [-1.08452237, -1.39859545]
    assert problem.X.dtype == np.float64
    assert problem.presets == Presets("2/50", "mean", "constant:0.01", 3000)
    assert problem.sha256 == "d0eb495900a1a53a852e16eca2b54cc5edcd87984a9a173aa811450e266a453a"


def test_opposing_signals_share_one_feature_and_oppose_in_another() -> None:
    problem = opposing_signals(d=40, common_size=3, signal_size="0.5", alpha=0.25, beta=2)
    common = (problem.X[0] + problem.X[1]) / 2
    signal = (problem.X[0] - problem.X[1]) / 2
    assert problem.X.shape == (2, 40)
    assert np.linalg.norm(common) == pytest.approx(3, rel=1e-14)
    assert np.linalg.norm(signal) == pytest.approx(0.5, rel=1e-14)
    assert common @ signal == pytest.approx(0, abs=1e-14)
    # XXᵀ has the eigenvectors (1, -1)/√2 and (1, 1)/√2, the smaller eigenvalue first.
    assert abs(problem.y @ [1, -1]) / np.sqrt(2) == pytest.approx(0.25, rel=1e-12)
    assert abs(problem.y @ [1, 1]) / np.sqrt(2) == pytest.approx(2, rel=1e-12)


def test_opposing_signals_has_the_papers_defaults_and_generator() -> None:
    problem = opposing_signals()
    shared = np.random.RandomState(0).random_sample(100)
    common = (problem.X[0] + problem.X[1]) / 2
    np.testing.assert_allclose(common, 5.477 * shared / np.linalg.norm(shared), rtol=1e-12)
    assert problem.presets == Presets("0.02", "sum", "pytorch", 4000)
    assert "inferred, not printed" in problem.provenance["loss"]


def test_opposing_signals_is_the_papers_program_to_the_last_bits() -> None:
    """The bits decide the drops; `numpy.linalg.eigh` gives them up to signs and roundings."""
    problem = opposing_signals()
    _, vectors = np.linalg.eigh(problem.X @ problem.X.T)
    printed = vectors * np.sign(vectors[1]) @ [0.3, 1.414]
    np.testing.assert_allclose(problem.y, printed, rtol=1e-14)
    assert problem.y[0].hex() == "0x1.934fa2f9f256dp-1"
    assert problem.y[1].hex() == "0x1.36446368f57dbp+0"
    assert problem.sha256 == "a4af976651b36035b021acc794739bfc3ede0b3a63c6adee4e30db01546d08f9"


def test_opposing_signals_orders_the_eigenvectors_by_eigenvalue() -> None:
    problem = opposing_signals(d=10, common_size=0.5, signal_size=3, alpha=1, beta=0)
    assert abs(problem.y @ [1, 1]) / np.sqrt(2) == pytest.approx(1, rel=1e-14)


def test_opposing_signals_leaves_the_global_generator_alone() -> None:
    np.random.seed(7)
    expected = np.random.RandomState(7).random_sample(3)
    opposing_signals()
    np.testing.assert_array_equal(np.random.random_sample(3), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"d": 1}, r"^d = 1: must be an integer of at least 2$"),
        ({"d": 2.0}, r"^d = 2.0: must be an integer of at least 2$"),
        ({"d": 10**11}, r"^d = 100000000000: must be an integer from 2 to 10000000$"),
        ({"d": 10**20 - 1}, r"^d = 99999999999999999999: must be an integer from 2 to 10000000$"),
        ({"alpha": "x"}, r"^alpha = x: must be a finite real number"),
        ({"common_size": float("nan")}, r"^common_size = nan: must be finite$"),
        ({"alpha": 0, "beta": 0}, r"^y = 2 zeros: must not be identically zero"),
        ({"beta": "1e400"}, r"^beta = 1e400: must be within float64's range$"),
    ],
)
def test_broken_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        opposing_signals(**settings)  # type: ignore[arg-type]
