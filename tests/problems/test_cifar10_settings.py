"""CIFAR-10's settings: subset, standardisation, mean subtraction, formats and split."""

from __future__ import annotations

import math
import os
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from official_batches import binary_batch, python_batch, random_rows
from precipice.errors import InvalidArgument
from precipice.problems import cifar10
from precipice.problems.cifar10 import CLASS_NAMES, STANDARDISATIONS

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PRECIPICE_DATA", ROOT.parent / "shared" / "data"))
CATS_AND_DOGS = DATA / "cifar10-cat-dog.npz"
AIRPLANES_AND_AUTOMOBILES = DATA / "cifar10-airplane-automobile.npz"
BINARY = DATA / "cifar-10-batches-bin"
needs_real_images = pytest.mark.skipif(
    not all(path.exists() for path in (CATS_AND_DOGS, AIRPLANES_AND_AUTOMOBILES, BINARY)),
    reason=f"needs CIFAR-10 files in {DATA}",
)
COUNT = 45


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one image set as binary files, python files and an archive."""
    folder = tmp_path_factory.mktemp("cifar10")
    rows, labels = random_rows(COUNT)
    for name, writer in (("bin", binary_batch), ("py", python_batch)):
        (folder / name).mkdir()
        suffix = ".bin" if name == "bin" else ""
        for k, part in enumerate((slice(0, 20), slice(20, COUNT)), start=1):
            content = writer(rows[part], labels[part])
            (folder / name / f"data_batch_{k}{suffix}").write_bytes(content)
        content = writer(*random_rows(20, seed=7))
        (folder / name / f"test_batch{suffix}").write_bytes(content)
    images = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    np.savez(folder / "images.npz", images=images, labels=labels)
    return folder


def in_words(n: int, subtract_mean: bool, standardise: str, rows: np.ndarray) -> list[Any]:
    """Return X's first column of every channel exactly, from the definition."""
    chosen = np.concatenate([np.flatnonzero(np.arange(COUNT) % 10 == k)[: n // 2] for k in (3, 5)])
    columns = []
    for channel in range(3):
        scale = 1 if standardise == "none" else 255
        used = [Fraction(int(p), scale) for p in rows[chosen, 1024 * channel]]
        whose = rows if standardise == "all" else rows[chosen]
        plane = [int(p) for p in whose[:, 1024 * channel : 1024 * (channel + 1)].flat]
        mean = Fraction(sum(plane), 255 * len(plane))
        variance = Fraction(sum(p * p for p in plane), 255**2 * len(plane)) - mean**2
        if standardise in ("subset", "all"):
            used = [(p - mean) / Fraction(math.sqrt(variance)) for p in used]
        if subtract_mean:
            centre = sum(used) / len(used)
            used = [p - centre for p in used]
        columns.append(used)
    return columns


@pytest.mark.parametrize("subtract_mean", [False, True])
@pytest.mark.parametrize("standardise", STANDARDISATIONS)
def test_x_is_what_the_settings_say(folder: Path, standardise: str, subtract_mean: bool) -> None:
    rows, _ = random_rows(COUNT)
    problem = cifar10(
        folder / "images.npz",
        n=6,
        subset="first",
        standardise=standardise,
        subtract_mean=subtract_mean,
    )
    exact = in_words(6, subtract_mean, standardise, rows)
    for channel, column in enumerate(exact):
        # Every rounding but the last acts on a number of size 1 at most times 1/std.
        tolerance = 0 if standardise in ("none", "1/255") else 1e-14
        for entry, value in zip(problem.X[:, 1024 * channel], column, strict=True):
            assert abs(entry - value.numerator / value.denominator) <= tolerance
    if subtract_mean:
        assert abs(problem.X.sum(axis=0)).max() < (1e-10 if standardise == "none" else 1e-12)


def test_mean_subtraction_does_what_the_provenance_says(folder: Path) -> None:
    settings: dict[str, Any] = {"n": 6, "subset": "first", "subtract_mean": True}
    problem = cifar10(folder / "bin", standardise="subset", **settings)
    plain = cifar10(folder / "bin", standardise="1/255", **settings)
    assert problem.provenance["standardisation"] == (
        "((n pixel - sum of the feature's n pixels) / (255 n)) / std per channel, "
        "statistics of the n images, in float64"
    )
    assert plain.provenance["standardisation"] == (
        "((n pixel - sum of the feature's n pixels) / (255 n)), in float64"
    )
    std = np.repeat(problem.provenance["std"], 1024)
    np.testing.assert_array_equal(problem.X, plain.X / std)


def test_raw_pixels_and_pixels_over_255(folder: Path) -> None:
    rows, _ = random_rows(COUNT)
    raw = cifar10(folder / "bin", n=6, subset="first", standardise="none")
    np.testing.assert_array_equal(raw.X, rows[[3, 13, 23, 5, 15, 25]])
    assert raw.X.dtype == np.float64
    scaled = cifar10(folder / "bin", n=6, subset="first", standardise="1/255")
    np.testing.assert_array_equal(scaled.X, raw.X / 255)
    assert raw.provenance["standardisation"] == "pixel, in float64"
    assert scaled.provenance["standardisation"] == "(pixel / 255), in float64"
    assert not {"mean", "std"} & set(raw.provenance) | {"mean", "std"} & set(scaled.provenance)


def test_statistics_of_all_images_include_every_class(folder: Path) -> None:
    rows, _ = random_rows(COUNT)
    scaled = rows.reshape(COUNT, 3, 1024) / 255
    for path in (folder / "bin", folder / "py", folder / "images.npz"):
        provenance = cifar10(path, n=6, standardise="all").provenance
        np.testing.assert_allclose(provenance["mean"], scaled.mean(axis=(0, 2)), rtol=1e-13)
        np.testing.assert_allclose(provenance["std"], scaled.std(axis=(0, 2)), rtol=1e-13)
        assert provenance["standardisation"] == (
            "((pixel / 255) - mean) / std per channel, "
            f"statistics of all {COUNT} images read, every class, in float64"
        )
    # Of the images read: one batch has other statistics.
    one = cifar10(folder / "bin" / "data_batch_1.bin", n=4, standardise="all").provenance
    np.testing.assert_allclose(one["mean"], scaled[:20].mean(axis=(0, 2)), rtol=1e-13)
    assert "all 20 images" in one["standardisation"]


def test_statistics_of_all_images_take_every_chunk(tmp_path: Path) -> None:
    rows, labels = random_rows(600)
    rows[:512] = 0
    (tmp_path / "images.bin").write_bytes(binary_batch(rows, labels))
    statistics = cifar10(tmp_path / "images.bin", n=2, standardise="all").provenance
    for channel in range(3):
        plane = rows[:, 1024 * channel : 1024 * (channel + 1)].astype(object)
        total, squares, count = int(plane.sum()), int((plane**2).sum()), plane.size
        assert statistics["mean"][channel] == total / (255 * count)
        variance = (count * squares - total**2) / (255 * count) ** 2
        assert statistics["std"][channel] == math.sqrt(variance)


def test_the_first_images_of_each_class(folder: Path) -> None:
    first = cifar10(folder / "bin", n=8, subset="first", standardise="none")
    rows, _ = random_rows(COUNT)
    np.testing.assert_array_equal(first.X, rows[[3, 13, 23, 33, 5, 15, 25, 35]])
    assert first.y.tolist() == [-1.0] * 4 + [1.0] * 4
    assert first.provenance["rows"] == (
        "first class then second, the first n/2 of each in file order"
    )
    assert first.provenance["subset"] == "first"
    assert "seed" not in first.provenance
    again = cifar10(folder / "bin", n=8, subset="first", standardise="none", seed=5)
    assert again.sha256 == first.sha256
    assert cifar10(folder / "bin", n=8, seed=5).provenance["seed"] == 5


@pytest.mark.parametrize("settings", [{}, {"subset": "first", "subtract_mean": True}])
@pytest.mark.parametrize("standardise", STANDARDISATIONS)
def test_every_format_gives_the_same_problem(
    folder: Path, settings: dict[str, Any], standardise: str
) -> None:
    hashes = {
        cifar10(folder / name, n=8, standardise=standardise, **settings).sha256
        for name in ("images.npz", "bin", "py")
    }
    assert len(hashes) == 1


@needs_real_images
@pytest.mark.parametrize("subtract_mean", [False, True])
@pytest.mark.parametrize("standardise", ["subset", "1/255", "none"])
def test_binary_files_and_archive_give_the_same_real_problem(
    standardise: str, subtract_mean: bool
) -> None:
    binary, archive = (
        cifar10(path, n=300, subset="first", standardise=standardise, subtract_mean=subtract_mean)
        for path in (BINARY, CATS_AND_DOGS)
    )
    np.testing.assert_array_equal(binary.X, archive.X)
    assert binary.sha256 == archive.sha256


@needs_real_images
def test_statistics_of_the_whole_data_are_the_data_sets() -> None:
    """Of the 10000 cats and dogs, as the data's description states them."""
    provenance = cifar10(CATS_AND_DOGS, standardise="all").provenance
    np.testing.assert_allclose(provenance["mean"], [0.497704, 0.460524, 0.416042], atol=5e-7)
    np.testing.assert_allclose(provenance["std"], [0.253664, 0.248080, 0.253511], atol=5e-7)


@needs_real_images
@pytest.mark.parametrize(("subtract_mean", "ratio"), [(False, 38.0), (True, 3.04)])
def test_wangs_images_have_wangs_spectrum(subtract_mean: bool, ratio: float) -> None:
    """Wang, Li and Li 2022, figures 18 and 19: λ_1/λ_2 ≈ 38, and ≈ 3 without the mean."""
    problem = cifar10(
        AIRPLANES_AND_AUTOMOBILES,
        classes=("airplane", "automobile"),
        n=1000,
        subset="first",
        standardise="1/255",
        subtract_mean=subtract_mean,
    )
    eigenvalues = np.linalg.eigvalsh(problem.X @ problem.X.T)
    assert abs(eigenvalues[-1] / eigenvalues[-2] - ratio) < 0.01


def test_provenance_of_files_folders_and_splits(folder: Path) -> None:
    file = cifar10(folder / "bin" / "data_batch_2.bin", n=4).provenance
    assert file["file"] == "data_batch_2.bin"
    assert len(file["file_sha256"]) == 64
    assert not {"folder", "files", "split"} & set(file)
    train = cifar10(folder / "bin", n=4).provenance
    assert (train["folder"], train["split"]) == ("bin", "train")
    assert list(train["files"]) == ["data_batch_1.bin", "data_batch_2.bin"]
    assert train["files"]["data_batch_2.bin"] == file["file_sha256"]
    test = cifar10(folder / "py", n=4, split="test").provenance
    assert (test["folder"], test["split"], list(test["files"])) == ("py", "test", ["test_batch"])
    assert (train["standardise"], train["subtract_mean"]) == ("subset", False)


def test_any_two_classes_by_name_and_id(folder: Path) -> None:
    rows, _ = random_rows(COUNT)
    for first, second in ((0, 1), (9, 2), (6, 7)):
        expected = rows[[first, second]]
        for classes in ((first, second), (CLASS_NAMES[first], CLASS_NAMES[second])):
            problem = cifar10(folder / "bin", classes, n=2, subset="first", standardise="none")
            np.testing.assert_array_equal(problem.X, expected)
            assert problem.provenance["classes"] == [CLASS_NAMES[first], CLASS_NAMES[second]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"subset": "last"}, r"^subset = last: must be one of random, first$"),
        ({"subset": None}, r"^subset = None: must be one of random, first$"),
        ({"standardise": "255"}, r"^standardise = 255: must be one of subset, all, 1/255, none$"),
        ({"standardise": True}, r"^standardise = True: must be one of subset, all, 1/255, none$"),
        ({"subtract_mean": "false"}, r"^subtract_mean = false: must be true or false$"),
        ({"subtract_mean": 1}, r"^subtract_mean = 1: must be true or false$"),
        ({"split": "both"}, r"^split = both: must be train or test$"),
        ({"subset": "first", "seed": -1}, r"^seed = -1: must be an integer of at least 0$"),
        ({"subset": "first", "n": 7}, r"^n = 7: must be even: half of each class$"),
        ({"subset": "first", "n": 10}, r"^n = 10: must be at most 8: the data has 4 images"),
        ({"split": "test", "n": 6}, r"^n = 6: must be at most 4: the data has 2 images of the"),
    ],
)
def test_broken_settings_are_refused(folder: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        cifar10(folder / "bin", **{"n": 4, **settings})


def test_constant_channels(tmp_path: Path) -> None:
    rows, labels = random_rows(10)
    rows[3:6, 1024:2048] = 9
    (tmp_path / "images.bin").write_bytes(binary_batch(rows, labels))
    with pytest.raises(InvalidArgument, match=r"^images = channel 1 of the subset: must vary"):
        cifar10(tmp_path / "images.bin", n=2)
    assert cifar10(tmp_path / "images.bin", n=2, standardise="all").samples == 2
    rows[:, 1024:2048] = 9
    (tmp_path / "images.bin").write_bytes(binary_batch(rows, labels))
    with pytest.raises(InvalidArgument, match=r"^images = channel 1 of the data: must vary"):
        cifar10(tmp_path / "images.bin", n=2, standardise="all")
    assert cifar10(tmp_path / "images.bin", n=2, standardise="1/255").samples == 2


def test_statistics_of_all_images_take_little_memory(tmp_path: Path) -> None:
    rows, labels = random_rows(5000)
    (tmp_path / "images.bin").write_bytes(binary_batch(rows, labels))
    tracemalloc.start()
    cifar10(tmp_path / "images.bin", n=10, standardise="all")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * rows.nbytes
