"""CIFAR-10: the subset, the standardisation, and the papers' numbers on the real images."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from precipice import theory
from precipice.decomposition import decompose
from precipice.errors import InvalidArgument
from precipice.problems import Presets, cifar10
from precipice.problems.cifar10 import (
    balanced_subset,
    channel_statistics,
    feature_rows,
)

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PRECIPICE_DATA", ROOT.parent / "shared" / "data"))
CATS_AND_DOGS = DATA / "cifar10-cat-dog.npz"
needs_real_images = pytest.mark.skipif(
    not CATS_AND_DOGS.exists(), reason=f"needs CIFAR-10's cats and dogs at {CATS_AND_DOGS}"
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a file of 12 random images: classes 3, 5 and 9, with 5, 4 and 3 images."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(12, 32, 32, 3), dtype=np.uint8)
    labels = np.array([3, 5, 9, 3, 5, 9, 3, 5, 9, 3, 5, 3], dtype=np.uint8)
    np.savez(tmp_path / "images.npz", images=images, labels=labels)
    return tmp_path / "images.npz"


def test_rows_features_and_targets(archive: Path) -> None:
    problem = cifar10(archive, n=8, seed=1)
    with np.load(archive) as stored:
        images, labels = stored["images"], stored["labels"]
    rng = np.random.default_rng(1)
    cats = sorted(rng.permutation(np.flatnonzero(labels == 3))[:4])
    dogs = sorted(rng.permutation(np.flatnonzero(labels == 5))[:4])
    scaled = images[[*cats, *dogs]] / 255
    expected = (scaled - scaled.mean(axis=(0, 1, 2))) / scaled.std(axis=(0, 1, 2))
    assert problem.X.shape == (8, 3072)
    # Red, green, blue planes, each row by row: pixel (row 2, column 5) of the green plane.
    np.testing.assert_allclose(problem.X[:, 1024 + 2 * 32 + 5], expected[:, 2, 5, 1], rtol=1e-10)
    np.testing.assert_allclose(
        problem.X, expected.transpose(0, 3, 1, 2).reshape(8, -1), rtol=1e-9, atol=1e-12
    )
    assert problem.y.tolist() == [-1.0] * 4 + [1.0] * 4
    assert problem.presets == Presets("2/200", "half_mean", "pytorch", 2000)
    assert problem.provenance["classes"] == ["cat", "dog"]
    assert "red plane, green plane, blue plane" in problem.provenance["features"]


def test_statistics_are_correctly_rounded_and_every_operation_is_ieee() -> None:
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, size=(3, 32, 32, 3), dtype=np.uint8)
    statistics = channel_statistics(images)
    X = feature_rows(images, statistics)
    for channel in range(3):
        pixels = [Fraction(int(p), 255) for p in images[..., channel].flat]
        mean = sum(pixels) / len(pixels)
        variance = sum((p - mean) ** 2 for p in pixels) / len(pixels)
        assert statistics.mean[channel] == mean.numerator / mean.denominator
        std = np.sqrt(variance.numerator / variance.denominator)
        assert statistics.std[channel] == std
        plane = X[:, channel * 1024 : (channel + 1) * 1024]
        for sample, row, column in ((0, 0, 0), (1, 31, 2), (2, 17, 30)):
            pixel = float(images[sample, row, column, channel])
            expected = (pixel / 255.0 - statistics.mean[channel]) / std
            assert plane[sample, 32 * row + column] == expected


def test_classes_by_name_and_by_id_are_the_same(archive: Path) -> None:
    named = cifar10(archive, ("dog", "cat"), n=4)
    for classes in ((5, 3), ("5", "3"), "dog,cat", [np.uint8(5), "cat"]):
        assert cifar10(archive, classes, n=4).sha256 == named.sha256
    assert cifar10(archive, ("cat", "dog"), n=4).sha256 != named.sha256


def test_the_subset_depends_on_the_seed(archive: Path) -> None:
    assert cifar10(archive, n=4, seed=0).sha256 == cifar10(archive, n=4, seed=0).sha256
    assert cifar10(archive, n=4, seed=0).sha256 != cifar10(archive, n=4, seed=1).sha256


def test_a_subset_is_balanced_and_without_repetition() -> None:
    labels = np.arange(1000) % 10
    chosen = balanced_subset(labels, (7, 2), 60, seed=5)
    assert len(set(chosen.tolist())) == 60
    assert labels[chosen].tolist() == [7] * 30 + [2] * 30
    assert (np.diff(chosen[:30]) > 0).all()
    # All of the data is one possible subset.
    assert sorted(balanced_subset(labels, (7, 2), 200, seed=5)) == sorted(
        np.flatnonzero(np.isin(labels, (2, 7)))
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 7}, r"^n = 7: must be even: half of each class$"),
        ({"n": 10}, r"^n = 10: must be at most 8: the data has 4 images of the rarer class$"),
        ({"n": 0}, r"^n = 0: must be an integer of at least 2$"),
        ({"n": "4"}, r"^n = 4: must be an integer of at least 2$"),
        ({"n": 4, "seed": -1}, r"^seed = -1: must be an integer of at least 0$"),
        ({"classes": ("cat", "frog")}, r"^classes = frog: .*the file.* has: cat, dog, truck$"),
        ({"classes": ("cat", "cat")}, r"^classes = .*: must be two different classes$"),
        ({"classes": ("cat", 3)}, r"^classes = .*: must be two different classes$"),
        ({"classes": ("cat",)}, r"^classes = .*: must be two class names or ids$"),
        ({"classes": ("cat", "dog", 9)}, r"^classes = .*: must be two class names or ids$"),
        ({"classes": None}, r"^classes = None: must be two class names or ids$"),
        ({"classes": ("cat", "unicorn")}, r"^classes = unicorn: must be names or ids 0 to 9"),
        ({"classes": ("cat", 10)}, r"^classes = 10: must be names or ids 0 to 9"),
        ({"classes": ("cat", -1)}, r"^classes = -1: must be names or ids 0 to 9"),
        ({"classes": ("cat", 5.0)}, r"^classes = 5.0: must be names or ids 0 to 9"),
    ],
)
def test_broken_settings_are_refused(
    archive: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        cifar10(archive, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"labels": np.zeros(2, int)}, r"^path = .*: must be an .npz file with the arrays"),
        ({"images": np.zeros((2, 32, 32, 3), np.uint8)}, r"^path = .*: must be an .npz file"),
        (
            {"images": np.zeros((2, 32, 32, 3)), "labels": np.zeros(2, int)},
            r"^images = float64 array of shape \(2, 32, 32, 3\): must be uint8 of shape",
        ),
        (
            {"images": np.zeros((2, 3, 32, 32), np.uint8), "labels": np.zeros(2, int)},
            r"^images = uint8 array of shape \(2, 3, 32, 32\): must be uint8 of shape",
        ),
        (
            {"images": np.zeros((2, 32, 32, 3), np.uint8), "labels": np.zeros(3, int)},
            r"^labels = int64 array of shape \(3,\): must be integers of shape \(2,\)",
        ),
        (
            {"images": np.zeros((2, 32, 32, 3), np.uint8), "labels": np.zeros(2)},
            r"^labels = float64 array of shape \(2,\): must be integers of shape \(2,\)",
        ),
        (
            {"images": np.array([None, None]), "labels": np.zeros(2, int)},
            r"^path = .*: must be an .npz file with the arrays",
        ),
        (
            {"images": np.full((2, 32, 32, 3), 9, np.uint8), "labels": np.array([3, 5])},
            r"^images = channel 0 of the subset: must vary",
        ),
    ],
)
def test_other_arrays_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(InvalidArgument, match=message):
        cifar10(tmp_path / "other.npz", n=2)


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("not an archive")
    (tmp_path / "empty.npz").write_bytes(b"")
    with (tmp_path / "array.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    for name, rule in (
        ("absent.npz", "no such file"),
        ("text.npz", "must be an .npz file"),
        ("empty.npz", "must be an .npz file"),
        ("array.npz", "must be an .npz file"),
        ("", "must hold one kind of CIFAR-10's train files"),
    ):
        with pytest.raises(InvalidArgument) as caught:
            cifar10(tmp_path / name)
        assert caught.value.argument == "path"
        assert caught.value.value == str(tmp_path / name)
        assert rule in caught.value.rule


@needs_real_images
@pytest.mark.parametrize(
    ("n", "sha256"),
    [
        (100, "deca814a280a2fb88b33a60a21e9f8bcf1005d75cc5476d449831e397cd42e23"),
        (300, "70f414355796ccdfed61b57b220e67e8a112d1a7b3b12d33fbb90e75a9b0ece5"),
    ],
)
def test_the_default_problem_keeps_its_bits(n: int, sha256: str) -> None:
    assert cifar10(CATS_AND_DOGS, n=n).sha256 == sha256


# Means and standard deviations over 50 subsets (Yoo et al. 2025, tables 1, 3 and 4). A single
# subset is one draw: within 4 standard deviations it is right, and a wrong standardisation, label
# order or normalisation is not (each moves Ŝ_2 by tens of percent or more).
@needs_real_images
@pytest.mark.parametrize(
    ("n", "difficulty", "sharpness", "gap"),
    [
        (100, (0.22, 0.04), {2: (365, 61), 3: (283, 53), 4: (249, 50)}, (2.18, 0.18)),
        (300, (1.70, 0.16), {2: (1017, 91), 3: (1111, 114), 4: (1161, 127)}, (0.77, 0.04)),
    ],
)
def test_real_images_give_the_papers_numbers(
    n: int,
    difficulty: tuple[float, float],
    sharpness: dict[int, tuple[float, float]],
    gap: tuple[float, float],
) -> None:
    problem = cifar10(CATS_AND_DOGS, n=n, seed=0)
    dec = decompose(problem.X, problem.y)
    assert dec.rank == n
    computed = [(theory.difficulty(dec), *difficulty), (theory.gap_term(dec, 2, 1 / n), *gap)]
    computed += [
        (theory.predicted_sharpness(dec, depth, 1 / n), *published)
        for depth, published in sharpness.items()
    ]
    for value, mean, deviation in computed:
        assert abs(value - mean) < 4 * deviation
