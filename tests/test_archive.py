"""Archives that are whole, damaged, foreign or none."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from precipice.archive import read_arrays
from precipice.errors import InvalidArgument

ARRAYS = {"X": np.arange(600.0).reshape(20, 30) % 7, "y": np.arange(20) % 3}


def refused(path, names=("X", "y")) -> str:
    with pytest.raises(InvalidArgument) as caught:
        read_arrays(path, names, argument="file", rule="must be whole")
    message = str(caught.value)
    assert message.startswith(f"file = {str(path)[:60]}")
    assert "\n" not in message
    return caught.value.rule


@pytest.fixture
def whole(tmp_path):
    np.savez_compressed(tmp_path / "whole.npz", **ARRAYS)
    return tmp_path / "whole.npz"


def test_the_arrays_asked_for_come_back(whole):
    everything = read_arrays(whole, rule="")
    assert list(everything) == ["X", "y"]
    for name, array in everything.items():
        np.testing.assert_array_equal(array, ARRAYS[name])
    assert list(read_arrays(whole, ["y"], rule="")) == ["y"]


def test_what_cannot_be_opened_says_why(tmp_path, whole):
    assert refused(tmp_path / "absent.npz") == "no such file"
    assert refused(tmp_path) == "must be whole (reading: Is a directory)"
    assert refused(whole, ["z"]).startswith("must be whole (reading: z is not a file")


def test_what_is_no_archive_of_numbers_is_refused(tmp_path):
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.npz").write_bytes(b"not an archive")
    (tmp_path / "zip.npz").write_bytes(b"PK\x03\x04 not an archive")
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, ARRAYS["X"])
    np.savez(tmp_path / "objects.npz", X=np.array([[None]]), y=np.array([1.0]))
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }"
    for name, text in (
        ("huge", header % 2**57),
        ("broken", "{'descr': '<f8', 'shape': ((("),
        ("odd", "{'descr': '|V0'}"),
    ):
        content = b"\x93NUMPY\x01\x00" + len(text + "\n").to_bytes(2, "little")
        with zipfile.ZipFile(tmp_path / f"{name}.npz", "w") as archive:
            archive.writestr("X.npy", content + text.encode() + b"\n" + bytes(64))
    for path in tmp_path.iterdir():
        assert refused(path).startswith("must be whole")


def test_an_encrypted_or_oddly_compressed_archive_is_refused(tmp_path, whole):
    """Flag bit 0 makes the zip reader raise RuntimeError, an unknown method NotImplementedError."""
    for offset, value in ((6, 1), (8, 99)):
        content = bytearray(whole.read_bytes())
        local, central = content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02")
        content[local + offset] = content[central + offset + 2] = value
        (tmp_path / "odd.npz").write_bytes(content)
        assert refused(tmp_path / "odd.npz").startswith("must be whole")


def test_no_single_damaged_byte_and_no_cut_escapes(tmp_path, whole):
    content = whole.read_bytes()
    damaged = tmp_path / "damaged.npz"
    for position in range(0, len(content), 3):
        damaged.write_bytes(
            content[:position] + bytes([content[position] ^ 0x55]) + content[position + 1 :]
        )
        try:
            arrays = read_arrays(damaged, ("X", "y"), rule="must be whole")
        except InvalidArgument:
            continue
        # What the checksums do not cover (times, attributes) changes no number.
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, ARRAYS[name])
    for length in range(0, len(content), 7):
        damaged.write_bytes(content[:length])
        refused(damaged)
