"""Problems by the text that a command line gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from official_batches import binary_batch, random_rows
from precipice.errors import InvalidArgument
from precipice.problems import by_name, cifar10, fig6, gaussian, opposing_signals


def test_names_and_settings() -> None:
    assert by_name("fig6", {}).sha256 == fig6().sha256
    assert by_name("opposing_signals").sha256 == opposing_signals().sha256
    settings = {"d": "7", "alpha": "1/4", "common_size": "3"}
    expected = opposing_signals(d=7, alpha=0.25, common_size=3.0)
    assert by_name("opposing_signals", settings).sha256 == expected.sha256


def test_a_path_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("1,2\n")
    assert by_name(str(file)).X.tolist() == [[1.0]]


def test_cifar_settings_are_typed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(8, 32, 32, 3), dtype=np.uint8)
    np.savez(tmp_path / "c.npz", images=images, labels=np.array([0, 1] * 4))
    settings = {
        "path": str(tmp_path / "c.npz"),
        "classes": "automobile,airplane",
        "n": "4",
        "seed": "3",
    }
    problem = by_name("cifar10", settings)
    assert problem.provenance["classes"] == ["automobile", "airplane"]
    assert (problem.samples, problem.provenance["seed"]) == (4, 3)


def test_every_cifar_setting_can_be_written(tmp_path: Path) -> None:
    for name, seed in (("data_batch_1.bin", 0), ("test_batch.bin", 1)):
        (tmp_path / name).write_bytes(binary_batch(*random_rows(40, seed)))
    settings = {
        "path": str(tmp_path),
        "n": "6",
        "classes": "airplane,automobile",
        "subset": "first",
        "standardise": "1/255",
        "subtract_mean": "true",
        "split": "test",
        "seed": "3",
    }
    expected = cifar10(
        tmp_path,
        ("airplane", "automobile"),
        n=6,
        seed=3,
        subset="first",
        standardise="1/255",
        subtract_mean=True,
        split="test",
    )
    assert by_name("cifar10", settings).sha256 == expected.sha256
    for text, value in (("false", False), ("False", False), ("TRUE", True)):
        settings["subtract_mean"] = text
        assert by_name("cifar10", settings).provenance["subtract_mean"] is value


def test_every_gaussian_setting_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("1,2,3\n0.5,1,0\n2,2,1\n4,1,1\n")
    settings = {
        "n": "6",
        "d": "2",
        "seed": "5",
        "labels": "eigenvector:2",
        "like": str(tmp_path / "data.csv"),
        "like_n": "3",
    }
    expected = gaussian(6, 2, 5, "eigenvector:2", tmp_path / "data.csv", 3)
    assert by_name("gaussian", settings).sha256 == expected.sha256


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("gaussian", {"labels": "v1"}, r"^labels = v1: must be random or eigenvector:I"),
        ("gaussian", {"like": "."}, r"^like = .*: must "),
        ("fig7", {}, r"^problem = fig7: must be one of fig6, opposing_signals, cifar10, gauss"),
        ("fig6", {"d": "3"}, r"^d = 3: is no setting of fig6, which takes no settings$"),
        ("opposing_signals", {"D": "3"}, r"^D = 3: is no setting of opposing_signals, which tak"),
        ("opposing_signals", {"d": "x"}, r"^d = x: must be an integer$"),
        ("opposing_signals", {"d": "10^11"}, r"^d = 10\^11: must be an integer$"),
        (
            "opposing_signals",
            {"d": "9" * 20},
            r"^d = 9{20}: must be an integer from 2 to 10000000$",
        ),
        ("opposing_signals", {"d": "9" * 5000}, r"^d = 9+…: must be an integer$"),
        ("cifar10", {"n": "10"}, r"^path = .*: cifar10 needs path=…$"),
        (
            "cifar10",
            {"path": ".", "subtract_mean": "maybe"},
            r"^subtract_mean = maybe: must be true or false$",
        ),
        ("cifar10", {"path": ".", "subset": "last"}, r"^subset = last: must be one of random, fi"),
        ("data.csv", {"n": "10"}, r"^n = 10: is no setting: a file takes none$"),
        ("data.csv", {}, r"^path = data.csv: no such file$"),
    ],
)
def test_unknown_names_and_settings_are_refused(
    name: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        by_name(name, settings)
