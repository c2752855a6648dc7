"""CIFAR-10's official file formats, written byte by byte for the tests."""

from __future__ import annotations

import struct

import numpy as np


def random_rows(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return images as rows of 3072 bytes and class ids 0, 1, …, 9, 0, ….

    The three channels differ in mean and spread, so that mixing them up shows.
    """
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 200, size=(count, 3072), dtype=np.uint8)
    rows[:, 1024:2048] //= 2
    rows[:, 2048:] += 50
    return rows, np.arange(count) % 10


def binary_batch(rows: np.ndarray, labels: np.ndarray) -> bytes:
    """Return an official binary file: records of a class id and 3072 pixels."""
    return np.column_stack([labels.astype(np.uint8), rows]).tobytes()


def python_batch(rows: np.ndarray, labels: np.ndarray) -> bytes:
    """Return an official python file, as Python 2.7's cPickle and NumPy 1.16 write it.

    Protocol 2; strings are remembered under consecutive numbers; lists come in runs of 1000.
    """
    out = [b"\x80\x02}", _put(1), b"(", _string(b"data"), _put(2)]
    out += [b"cnumpy.core.multiarray\n_reconstruct\n", _put(3), b"cnumpy\nndarray\n", _put(4)]
    out += [b"K\x00\x85U\x01b\x87R", _put(5), b"(K\x01", *map(_integer, rows.shape), b"\x86"]
    out += [b"cnumpy\ndtype\n", _put(6), b"U\x02u1K\x00K\x01\x87R", _put(7)]
    out += [b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"]
    columns_first = rows.flags.f_contiguous and not rows.flags.c_contiguous
    out += [b"\x88" if columns_first else b"\x89", _string(rows.tobytes("A")), b"tb"]
    out += [_string(b"labels"), _put(8), b"]", _put(9)]
    out += _runs([_integer(int(label)) for label in labels])
    out += [_string(b"batch_label"), _put(10), _string(b"training batch 1 of 5"), _put(11)]
    out += [_string(b"filenames"), _put(12), b"]", _put(13)]
    names = [b"tipper_truck_s_%06d.png" % i for i in range(len(rows))]
    out += _runs([_string(name) + _put(14 + i) for i, name in enumerate(names)])
    return b"".join([*out, b"u."])


def _put(number: int) -> bytes:
    return struct.pack("<cB", b"q", number) if number < 256 else struct.pack("<cI", b"r", number)


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return struct.pack("<cB", b"K", value)
    return struct.pack("<cH", b"M", value)


def _string(value: bytes) -> bytes:
    if len(value) < 256:
        return struct.pack("<cB", b"U", len(value)) + value
    return struct.pack("<cI", b"T", len(value)) + value


def _runs(entries: list[bytes]) -> list[bytes]:
    runs = [entries[i : i + 1000] for i in range(0, len(entries), 1000)]
    return [b"(" + b"".join(run) + b"e" if len(run) > 1 else run[0] + b"a" for run in runs]
