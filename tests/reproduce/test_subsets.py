"""The Gram matrix's way to the spectrum and to sharpness, against the SVD and the dense Hessian."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from precipice import theory
from precipice.decomposition import decompose
from precipice.problems import cifar10
from precipice.problems.cifar10_files import read_images
from precipice.reproduce.subsets import (
    SubsetSpectrum,
    gram_spectrum,
    sampled_sharpness,
    subset_spectrum,
)
from precipice.sharpness import minimalist_sharpness


@pytest.mark.parametrize(("samples", "features", "rank"), [(6, 20, 6), (20, 6, 6), (12, 30, 5)])
def test_spectrum_is_that_of_the_svd(samples: int, features: int, rank: int) -> None:
    rng = np.random.default_rng(samples)
    X = rng.normal(size=(samples, rank)) @ rng.normal(size=(rank, features))
    y = rng.normal(size=samples)
    found, svd = gram_spectrum(X, y), decompose(X, y)
    assert found.rank == svd.rank == rank
    assert (found.samples, found.features) == (samples, features)
    np.testing.assert_allclose(found.sigma, svd.sigma, rtol=1e-11)
    np.testing.assert_allclose(np.abs(found.d), np.abs(svd.d), rtol=1e-9)
    assert theory.difficulty(found) == pytest.approx(theory.difficulty(svd), rel=1e-10)


def test_vanishing_data_has_no_spectrum() -> None:
    assert gram_spectrum(np.zeros((3, 2)), np.ones(3)).rank == 0


def test_a_subset_is_the_one_that_cifar10_gives(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, size=(20, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images, labels=np.arange(20) % 2 * 2 + 3)
    found = subset_spectrum(read_images(tmp_path / "images.npz"), 8, seed=5)
    problem = cifar10(tmp_path / "images.npz", n=8, seed=5)
    svd = decompose(problem.X, problem.y)
    np.testing.assert_allclose(found.sigma[:-1], svd.sigma[:7], rtol=1e-12)
    np.testing.assert_allclose(np.abs(found.d[:-1]), np.abs(svd.d[:7]), rtol=1e-9)


@pytest.mark.parametrize("rank", [1, 2, 6])
@pytest.mark.parametrize(("alpha", "beta"), [(0.3, 0.6), (2.0, 1e-3), (1e-3, 2.0)])
def test_sampled_sharpness_is_that_of_the_dense_hessian(
    rank: int, alpha: float, beta: float
) -> None:
    rng = np.random.default_rng(rank)
    X = rng.normal(size=(8, rank)) @ rng.normal(size=(rank, 9))
    dec = decompose(X, rng.normal(size=8))
    spectrum = SubsetSpectrum(dec.sigma, dec.d, 8, 9)
    sampled = sampled_sharpness(spectrum, alpha, beta, np.random.default_rng(3), 50)
    draws = np.random.default_rng(3)
    o, v = alpha * draws.standard_normal((50, rank)), beta * draws.standard_normal((50, 1))
    dense = [
        minimalist_sharpness(dec, dec.left @ (dec.sigma * a), b, 1 / 8)
        for a, b in zip(o, v, strict=True)
    ]
    np.testing.assert_allclose(sampled, dense, rtol=1e-11)


def test_sharpness_without_a_border_is_the_larger_entry() -> None:
    # v = 0 and d = 0: the Hessian is its corner alone, and μ + δ_1 = a is found at once.
    spectrum = SubsetSpectrum(np.array([2.0, 1.0]), np.zeros(2), 1, 2)
    draws = 0.5 * np.random.default_rng(0).standard_normal((9, 2))
    sampled = sampled_sharpness(spectrum, 0.5, 0.0, np.random.default_rng(0), 9)
    np.testing.assert_allclose(sampled, np.sum((np.array([2, 1]) * draws) ** 2, axis=1), rtol=1e-12)
    # α = 0 as well: nothing curves.
    np.testing.assert_allclose(
        sampled_sharpness(spectrum, 0.0, 0.0, np.random.default_rng(0), 9), 0, atol=1e-300
    )
    # Only the second layer: δ_1 = v² σ_1², with no border to push it up.
    v = 0.7 * np.random.default_rng(0).standard_normal((2 * 9 + 9,))[18:]
    sampled = sampled_sharpness(spectrum, 0.0, 0.7, np.random.default_rng(0), 9)
    np.testing.assert_allclose(sampled, 4 * v**2, rtol=1e-12)
