"""Problems from .npz and .csv files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.problems import load


def test_npz(tmp_path: Path) -> None:
    X, y = np.array([[0.1, 2.0]], dtype=np.float32), np.array([3], dtype=np.int16)
    np.savez(tmp_path / "small.npz", X=X, y=y, other=np.zeros(2))
    problem = load(tmp_path / "small.npz")
    assert problem.name == "small"
    assert problem.X.dtype == np.float64
    np.testing.assert_array_equal(problem.X, X)
    np.testing.assert_array_equal(problem.y, [3.0])
    assert problem.provenance["file"] == "small.npz"
    assert len(problem.provenance["file_sha256"]) == 64


def test_csv_decimals_are_kept_exactly(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_text("a, b, target\n0.1, -2, 1e-3\n\n 0.25 ,1/3,0x1p-2\n")
    problem = load(file)
    assert problem.X.shape == (2, 2)
    assert [text(x) for x in problem.X.flat] == ["1/10", "-0x1p+1", "0x1p-2", "1/3"]
    assert [text(x) for x in problem.y] == ["1/1000", "0x1p-2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_of_float64_numbers_gives_float64(tmp_path: Path, encoding: str, newline: str) -> None:
    file = tmp_path / "data.CSV"
    file.write_bytes(newline.join(["1,0.5,-1", "2,-0.25,1"]).encode(encoding))
    problem = load(file)
    assert problem.X.dtype == np.float64
    assert problem.X.tolist() == [[1.0, 0.5], [2.0, -0.25]]
    assert problem.y.tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"must hold at least one line of numbers$"),
        ("a,b\n", r"must hold at least one line of numbers$"),
        ("1\n2\n", r"must have at least two columns"),
        ("1,2\n3\n", r"^path line 2 = 1 columns: must have 2 columns in every line$"),
        ("a,b\n1,2\n3,x\n", r"^path line 3 column 2 = x: must be a finite real number"),
        ("1,nan\n", r"^path line 1 column 2 = nan: must be a finite real number"),
        ("nan,x\n1,2\n", r"^path line 1 column 1 = nan: must be a finite real number"),
        ("1,\n", r"^path line 1 column 2 = : must be a finite real number"),
        ("1,0\n2,0\n", r"^y = 2 zeros: must not be identically zero"),
    ],
)
def test_broken_csv_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "data.csv"
    file.write_text(content)
    with pytest.raises(InvalidArgument, match=message) as caught:
        load(file)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("1,2\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "no.npz").write_bytes(b"PK not a zip")
    (tmp_path / "folder.npz").mkdir()
    with (tmp_path / "array.npz").open("wb") as stream:
        np.save(stream, np.zeros(3))
    np.savez(tmp_path / "half.npz", X=np.zeros((1, 1)))
    np.savez(tmp_path / "pickled.npz", X=np.array([[None]]), y=np.array([1.0]))
    np.savez(tmp_path / "images.npz", images=np.zeros((1, 32, 32, 3)), labels=np.zeros(1))
    np.savez(tmp_path / "words.npz", X=np.array([["one"]]), y=np.array([1.0]))
    for name, rule in (
        ("data.txt", "must be an .npz or a .csv file"),
        ("absent.csv", "no such file"),
        ("binary.csv", "must be a text file of numbers"),
        ("no.npz", "must be an .npz file with the numeric arrays"),
        ("folder.npz", "must be a readable file"),
        ("array.npz", "must be an .npz file with the numeric arrays"),
        ("half.npz", "must be an .npz file with the numeric arrays"),
        ("pickled.npz", "must be an .npz file with the numeric arrays"),
        ("images.npz", "for CIFAR-10 images use: cifar10 path=FILE"),
    ):
        with pytest.raises(InvalidArgument) as caught:
            load(tmp_path / name)
        assert caught.value.argument == "path"
        assert caught.value.value == str(tmp_path / name)
        assert rule in caught.value.rule
    with pytest.raises(InvalidArgument, match=r"^X\[0, 0\] = one: must be a finite real number"):
        load(tmp_path / "words.npz")


def test_a_damaged_compressed_npz_is_refused(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole.npz", tmp_path / "damaged.npz"
    np.savez_compressed(whole, X=np.arange(3000.0).reshape(100, 30) % 7, y=np.ones(100))
    content = whole.read_bytes()
    for position in range(0, len(content), 11):
        wrong = bytes([content[position] ^ 0xFF])
        damaged.write_bytes(content[:position] + wrong + content[position + 1 :])
        try:
            problem = load(damaged)
        except InvalidArgument:
            continue
        # What the checksums do not cover changes no number.
        assert problem.sha256 == load(whole).sha256
