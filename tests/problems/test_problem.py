"""Problem: validation and the hash of exact values."""

from __future__ import annotations

import hashlib
import json
import struct
from fractions import Fraction

import gmpy2
import numpy as np
import pytest

from precipice.errors import InvalidArgument
from precipice.problems import Presets, Problem, fig6, from_arrays


def test_shape_and_dictionary() -> None:
    problem = from_arrays([[1, 2, 3], [4, 5, 6]], [1, -1], name="six")
    assert (problem.samples, problem.features) == (2, 3)
    described = json.loads(json.dumps(problem.to_dict()))
    assert described == {
        "name": "six",
        "samples": 2,
        "features": 3,
        "provenance": {"source": "arrays given by the caller"},
        "presets": {"lr": None, "loss": None, "init": None, "steps": None},
        "sha256": problem.sha256,
    }


def test_the_hash_is_of_the_values_however_they_were_written() -> None:
    written = (
        np.array([[0.5, -2.0], [0.1, 3.0]]),
        [["0.5", -2], [0.1, 3]],
        np.array([[gmpy2.mpq(1, 2), -2.0], [gmpy2.mpfr(0.1), Fraction(3)]], dtype=object),
        np.asfortranarray([[0.5, -2.0], [0.1, 3.0]]),
    )
    assert len({from_arrays(X, [1.0, 2.0]).sha256 for X in written}) == 1


def test_the_hash_can_be_recomputed_from_its_description() -> None:
    problem = from_arrays([[0.5, -2.0]], ["0.1"])
    expected = hashlib.sha256(
        b"X float64 1 2\n" + struct.pack("<2d", 0.5, -2.0) + b"y exact 1\n1/10\n"
    )
    assert problem.sha256 == expected.hexdigest()


def test_the_hash_sees_every_change() -> None:
    base = from_arrays([[0.5, -2.0]], [1.0])
    others = [
        from_arrays([[0.5, np.nextafter(-2.0, 0)]], [1.0]),
        from_arrays([[0.5], [-2.0]], [1.0, 1.0]),
        from_arrays([[0.5, -2.0]], [2.0]),
        from_arrays([["0.1", -2.0]], [1.0]),
        from_arrays([[0.1, -2.0]], [1.0]),
        from_arrays([[0.0, -2.0]], [1.0]),
        from_arrays([[-0.0, -2.0]], [1.0]),
    ]
    assert len({problem.sha256 for problem in [base, *others]}) == 1 + len(others)


def test_a_problem_keeps_its_own_read_only_copy() -> None:
    X = np.array([[1.0, 2.0]])
    problem = from_arrays(X, [1.0])
    X[0, 0] = 9
    assert problem.X[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.X[0, 0] = 9


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([1.0, 2.0], [1.0], r"^X = array of shape \(2,\): must be an array of shape \(samples, fe"),
        ([[1.0, 2.0]], [[1.0]], r"^y = array of shape \(1, 1\): must be an array of shape \(samp"),
        (np.zeros((0, 3)), [1.0], r"^X = array of shape \(0, 3\): must not be empty$"),
        (np.zeros((2, 0)), [1.0, 1.0], r"^X = array of shape \(2, 0\): must not be empty$"),
        ([[1.0]], [], r"^y = array of shape \(0,\): must not be empty$"),
        ([[1.0], [2.0]], [1.0, 2.0, 3.0], r"^y = array of shape \(3,\): must have shape \(2,\)"),
        ([[1.0, float("inf")]], [1.0], r"^X\[0, 1\] = inf: must be finite$"),
        ([[1.0]], [float("nan")], r"^y\[0\] = nan: must be finite$"),
        ([["one"]], [1.0], r"^X\[0, 0\] = one: must be a finite real number"),
        ([[1.0], [2.0]], [0.0, -0.0], r"^y = 2 zeros: must not be identically zero"),
        ([[1.0], [1.0, 2.0]], [1.0, 1.0], r"^X = ragged rows: must be a rectangular array$"),
    ],
)
def test_broken_arrays_are_refused(X: object, y: object, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        from_arrays(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("provenance", [{"when": object()}, {"value": float("nan")}])
def test_provenance_must_be_json(provenance: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument, match=r"^provenance = .*: must be JSON-able"):
        Problem("p", np.ones((1, 1)), np.ones(1), provenance, Presets())


def test_repr_is_short() -> None:
    assert repr(fig6()) == "Problem('fig6', samples=2, features=2)"
