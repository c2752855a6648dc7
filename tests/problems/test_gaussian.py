"""Normally distributed data, with its moments and its labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from official_batches import binary_batch, random_rows
from precipice.errors import InvalidArgument
from precipice.problems import Presets, from_arrays, gaussian


def test_isotropic_rows_are_the_generators_then_random_labels() -> None:
    problem = gaussian(n=5, d=7, seed=3)
    generator = np.random.default_rng(3)
    np.testing.assert_array_equal(problem.X, generator.standard_normal((5, 7)))
    np.testing.assert_array_equal(problem.y, generator.choice([-1.0, 1.0], 5))
    assert problem.presets == Presets("2/8", "mean", "pytorch", 200)
    assert (problem.provenance["distribution"], problem.provenance["seed"]) == ("N(0, I)", 3)
    assert gaussian(n=5, d=7, seed=4).sha256 != problem.sha256


def test_the_papers_size_is_the_default() -> None:
    problem = gaussian()
    assert problem.X.shape == (1000, 3072)
    assert abs(np.mean(problem.X)) < 0.003
    assert np.std(problem.X) == pytest.approx(1, abs=0.002)
    assert set(problem.y.tolist()) == {-1.0, 1.0}
    assert abs(np.mean(problem.y)) < 0.1


def test_samples_have_the_mean_and_the_covariance_of_the_data_they_are_like() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, 4)) @ rng.normal(size=(4, 4)) + [3.0, 0, -2, 1]
    problem = gaussian(n=200_000, seed=1, like=from_arrays(rows, np.ones(12)))
    covariance = np.cov(rows.T)  # divides by M - 1
    error = 5 * np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)) / 100_000)
    assert np.all(np.abs(np.cov(problem.X.T) - covariance) < error)
    spread = 5 * np.sqrt(np.diag(covariance) / 200_000)
    assert np.all(np.abs(problem.X.mean(axis=0) - rows.mean(axis=0)) < spread)


def test_samples_are_mean_plus_normal_combinations_of_centred_rows() -> None:
    """One row of coefficients a sample: the covariance is that of the map, exactly."""
    rows = np.random.default_rng(2).normal(size=(6, 9))
    problem = gaussian(n=3, seed=8, like=from_arrays(rows, np.ones(6)))
    zeta = np.random.default_rng(8).standard_normal((3, 6))
    centred = rows - rows.mean(axis=0)
    np.testing.assert_allclose(
        problem.X, rows.mean(axis=0) + zeta @ centred / np.sqrt(5), rtol=0, atol=1e-14
    )
    np.testing.assert_allclose(centred.T @ centred / 5, np.cov(rows.T), atol=1e-14)


def test_more_features_than_rows_leave_the_rows_span() -> None:
    rows = np.random.default_rng(2).normal(size=(4, 9))
    X = gaussian(n=20, like=from_arrays(rows, np.ones(4))).X
    assert np.linalg.matrix_rank(X - rows.mean(axis=0)) == 3


def test_like_takes_cifars_images_of_every_class_as_pixels_over_255(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "data_batch_1.bin").write_bytes(binary_batch(*random_rows(30, 0)))
    pixels = random_rows(30, 0)[0][:20] / 255
    problem = gaussian(n=4, seed=1, like=folder, like_n=20)
    expected = gaussian(n=4, seed=1, like=from_arrays(pixels, np.ones(20)))
    np.testing.assert_allclose(problem.X, expected.X, rtol=0, atol=1e-13)
    assert problem.presets.lr == "2/20000"
    provenance = problem.provenance
    assert (provenance["like_n"], list(provenance["like_files"])) == (20, ["data_batch_1.bin"])
    json.dumps(provenance)


def test_like_takes_the_files_that_problems_are_loaded_from(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(5, 3))
    np.savez(tmp_path / "data.npz", X=rows, y=np.ones(5))
    problem = gaussian(n=4, like=tmp_path / "data.npz")
    np.testing.assert_array_equal(problem.X, gaussian(n=4, like=from_arrays(rows, np.ones(5))).X)
    assert len(problem.provenance["like_file_sha256"]) == 64


@pytest.mark.parametrize("position", [1, 2, 6])
def test_labels_along_an_eigenvector(position: int) -> None:
    problem = gaussian(n=6, d=8, seed=2, labels=f"eigenvector:{position}")
    X, y = problem.X, problem.y
    np.testing.assert_array_equal(X, gaussian(n=6, d=8, seed=2).X)
    assert y @ y == pytest.approx(6)
    # Its Rayleigh quotient is the position-th largest eigenvalue, found here by singular values.
    eigenvalue = np.linalg.svd(X, compute_uv=False)[position - 1] ** 2
    np.testing.assert_allclose(X @ (X.T @ y), eigenvalue * y, atol=1e-12)
    assert y[np.argmax(np.abs(y))] > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 0}, r"^n = 0: must be an integer of at least 1$"),
        ({"n": 2, "d": 0}, r"^d = 0: must be an integer of at least 1$"),
        ({"seed": -1}, r"^seed = -1: must be an integer of at least 0$"),
        ({"n": 10**9}, r"^n = 1000000000: must be at most 97656 with 3072 numbers a sample$"),
        ({"n": 3, "d": 10**9}, r"^n = 3: must be at most 0 with 1000000000 numbers a sample$"),
        ({"labels": "eigenvector"}, r"^labels = eigenvector: must be random or eigenvector:I"),
        ({"labels": "eigenvector:-1"}, r"^labels = eigenvector:-1: must be random or eigenvec"),
        ({"labels": "eigenvector:0"}, r"^labels = eigenvector:0: must have I from 1 to 1000"),
        ({"n": 9, "labels": "eigenvector:10"}, r"^labels = eigenvector:10: must have I from 1 to"),
        ({"labels": "eigenvector:" + "9" * 5000}, r"^labels = eigenvector:9+…: must have I from"),
        ({"labels": 400}, r"^labels = 400: must be random or eigenvector:I"),
        ({"n": 5, "d": 3, "labels": "eigenvector:4"}, r"^labels = .*: must have I from 1 to 3, th"),
        ({"like_n": 7}, r"^like_n = 7: needs like"),
        ({"like": 7}, r"^like = 7: must be a path or a Problem$"),
        ({"like": "absent.npz"}, r"^like = absent.npz: no such file$"),
        ({"like": "absent"}, r"^like = absent: no such file$"),
    ],
)
def test_broken_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        gaussian(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"d": 3}, r"^d = 3: must be 2, the features of like, or absent$"),
        ({"like_n": 1}, r"^like_n = 1: must be an integer of at least 2$"),
        ({"like_n": 6}, r"^like_n = 6: must be an integer from 2 to 5$"),
    ],
)
def test_what_does_not_fit_the_data_is_refused(settings: dict[str, int], message: str) -> None:
    rows = np.random.default_rng(0).normal(size=(5, 2))
    with pytest.raises(InvalidArgument, match=message):
        gaussian(n=3, like=from_arrays(rows, np.ones(5)), **settings)


def test_one_row_has_no_covariance() -> None:
    with pytest.raises(InvalidArgument, match=r"^like = 1 rows: must have at least 2"):
        gaussian(n=3, like=from_arrays([[1.0, 2.0]], [1.0]))


def test_broken_lines_of_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1,2\n1\n")
    with pytest.raises(InvalidArgument, match=r"^like line 2 = 1 columns: must have 2 columns"):
        gaussian(n=3, like=tmp_path / "data.csv")
