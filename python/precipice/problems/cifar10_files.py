"""Reading CIFAR-10's images: official binary files, official python files, and ``.npz``."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from precipice.archive import read_arrays
from precipice.errors import InvalidArgument
from precipice.problems.restricted_pickle import RefusedPickle, read_plain_pickle

_CLASSES = 10
_PIXELS = 32 * 32 * 3
_RECORD = 1 + _PIXELS
_BATCHES = {"train": tuple(f"data_batch_{k}" for k in range(1, 6)), "test": ("test_batch",)}
_KEYS = {b"batch_label", b"labels", b"data", b"filenames"}
_ACCEPTED = (
    "must be an .npz file, an official batch file (data_batch_1.bin, data_batch_1), or a folder "
    "of official batch files"
)

_Bytes = npt.NDArray[np.uint8]


class LabelledImages(NamedTuple):
    """Images as uint8, shape (n, 32, 32, 3), rows × columns × RGB; their class ids; their files.

    ``images`` may be a view of the file's own layout. ``files`` holds the SHA-256 of every file
    read, by the file's name.
    """

    images: _Bytes
    labels: npt.NDArray[np.int64]
    files: dict[str, str]


def read_images(path: str | os.PathLike[str], split: str = "train") -> LabelledImages:
    """Return the images of a file or a folder, in the order of the files.

    Parameters
    ----------
    path : path
        One of: an ``.npz`` (`read_npz`); an official binary file (``.bin``) or python file (no
        suffix); a folder that holds official files of one of the two kinds, such as
        ``cifar-10-batches-bin`` or ``cifar-10-batches-py``.
    split : {"train", "test"}
        Which files of a folder: those of ``data_batch_1`` … ``data_batch_5`` that are there, or
        ``test_batch``. A single file is taken whatever its name, but a ``test_batch`` only with
        ``"test"`` and any other only with ``"train"``.

    Raises
    ------
    InvalidArgument
        If nothing is there, a file is truncated, has another size or other content, or `split`
        does not fit.

    Notes
    -----
    Memory: binary files once their bytes, python files about twice (five batches).
    """
    if split not in tuple(_BATCHES):
        raise InvalidArgument("split", split, "must be train or test")
    try:
        place = Path(path)
        is_folder, is_file, exists = place.is_dir(), place.is_file(), place.exists()
    except (TypeError, ValueError):
        raise InvalidArgument("path", path, _ACCEPTED) from None
    except OSError as error:
        raise _unreadable(Path(path), error) from None
    if not exists:
        raise InvalidArgument("path", str(place), "no such file")
    if is_folder:
        return _read_folder(place, split)
    reader = _READERS.get(place.suffix.lower())
    if reader is None or not is_file:
        raise InvalidArgument("path", str(place), _ACCEPTED)
    held = "test" if place.stem in _BATCHES["test"] else "train"
    if split != held:
        rule = f"must be {held}: it chooses among a folder's files, and path is {place.name}"
        raise InvalidArgument("split", split, rule)
    return reader([place])


def read_npz(path: str | os.PathLike[str]) -> LabelledImages:
    """Return the images and labels of a ``.npz`` file.

    Parameters
    ----------
    path : path
        Holds ``images``, uint8 of shape (count, 32, 32, 3) in RGB, and ``labels``, integers of
        shape (count,): CIFAR-10's class ids. Nothing is unpickled.

    Raises
    ------
    InvalidArgument
        If the file is missing, is no ``.npz``, or its arrays have another name, type or shape.
    """
    file = Path(path)
    rule = 'must be an .npz file with the arrays "images" and "labels"'
    arrays = read_arrays(file, ("images", "labels"), rule=f"{rule}, whole")
    images, labels = arrays["images"], arrays["labels"]
    try:
        digest = _sha256(file)
    except OSError as error:
        raise _unreadable(file, error) from None
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (32, 32, 3):
        found = f"{images.dtype} array of shape {images.shape}"
        raise InvalidArgument("images", found, "must be uint8 of shape (count, 32, 32, 3)")
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        found = f"{labels.dtype} array of shape {labels.shape}"
        rule = f"must be integers of shape ({images.shape[0]},): one class id for every image"
        raise InvalidArgument("labels", found, rule)
    for position in np.flatnonzero((labels < 0) | (labels >= _CLASSES))[:1]:
        rule = "must be CIFAR-10's class ids, 0 to 9"
        raise InvalidArgument(f"labels[{position}]", int(labels[position]), rule)
    return LabelledImages(images, labels.astype(np.int64), {file.name: digest})


def read_binary(files: Sequence[Path]) -> LabelledImages:
    """Return the images of official binary files.

    Parameters
    ----------
    files : sequence of path
        Records of 3073 bytes: the class id, then the red, green and blue planes, each row by
        row. The official files have 10000; a file may have any number of whole records.

    Raises
    ------
    InvalidArgument
        If a file cannot be read, holds no whole number of records, or a class id above 9.
    """
    sizes = [_record_count(file) for file in files]
    records = np.empty((sum(sizes), _RECORD), dtype=np.uint8)
    digests: dict[str, str] = {}
    start = 0
    for file, size in zip(files, sizes, strict=True):
        part = records[start : start + size]
        try:
            with file.open("rb") as stream:
                complete = stream.readinto(part.reshape(-1).data) == part.size and not stream.read(
                    1
                )
        except OSError as error:
            raise _unreadable(file, error) from None
        if not complete:
            raise InvalidArgument("path", str(file), "must not change while it is read")
        for row in np.flatnonzero(part[:, 0] >= _CLASSES)[:1]:
            rule = f"must hold class ids 0 to 9; record {row} has {part[row, 0]}"
            raise InvalidArgument("path", str(file), rule)
        digests[file.name] = hashlib.sha256(part.data).hexdigest()
        start += size
    images = _from_planes(records[:, 1:])
    return LabelledImages(images, records[:, 0].astype(np.int64), digests)


def read_python(files: Sequence[Path]) -> LabelledImages:
    """Return the images of official python files: pickles, of which nothing is executed.

    Parameters
    ----------
    files : sequence of path
        Each a dictionary: ``data``, uint8 of shape (count, 3072), a row the red, green and blue
        planes; ``labels``, a list of class ids; ``filenames``; ``batch_label``.

    Raises
    ------
    InvalidArgument
        If a file cannot be read, is truncated, or holds anything else.
    """
    rows: list[_Bytes] = []
    labels: list[int] = []
    digests: dict[str, str] = {}
    for file in files:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise _unreadable(file, error) from None
        part, ids = _batch(file, content)
        rows.append(part)
        labels.extend(ids)
        digests[file.name] = hashlib.sha256(content).hexdigest()
    images = _from_planes(rows[0] if len(rows) == 1 else np.concatenate(rows))
    return LabelledImages(images, np.array(labels, dtype=np.int64), digests)


_READERS: dict[str, Callable[[Sequence[Path]], LabelledImages]] = {
    ".npz": lambda files: read_npz(files[0]),
    ".bin": read_binary,
    "": read_python,
}


def _read_folder(folder: Path, split: str) -> LabelledImages:
    """Return the images of the official files of one split that a folder holds."""
    found = {
        suffix: [file for name in _BATCHES[split] if (file := folder / f"{name}{suffix}").is_file()]
        for suffix in (".bin", "")
    }
    kinds = [suffix for suffix, files in found.items() if files]
    if len(kinds) != 1:
        names = f"{_BATCHES[split][0]}.bin or {_BATCHES[split][0]}"
        amount = "both kinds: give a file" if kinds else "neither"
        rule = f"must hold one kind of CIFAR-10's {split} files ({names}, …); it holds {amount}"
        raise InvalidArgument("path", str(folder), rule)
    return _READERS[kinds[0]](found[kinds[0]])


def _batch(file: Path, content: bytes) -> tuple[_Bytes, list[int]]:
    """Return a python file's rows and class ids."""
    rule = "must be one of CIFAR-10's python files"
    try:
        batch = read_plain_pickle(content)
    except RefusedPickle as error:
        raise InvalidArgument("path", str(file), f"{rule}; found: {error}") from None
    if type(batch) is not dict or set(batch) != _KEYS:
        rule += ", a dictionary of batch_label, data, filenames and labels"
        raise InvalidArgument("path", str(file), rule)
    data, labels, names = batch[b"data"], batch[b"labels"], batch[b"filenames"]
    if not isinstance(data, np.ndarray) or data.shape[1] != _PIXELS:
        found = f"of shape {data.shape}" if isinstance(data, np.ndarray) else "something else"
        rule += f": data must be bytes of shape (count, {_PIXELS}), and is {found}"
        raise InvalidArgument("path", str(file), rule)
    for key, entries, kind in (("labels", labels, int), ("filenames", names, bytes)):
        if type(entries) is not list or len(entries) != len(data):
            rule += f": {key} must be a list of {len(data)}, one for every image"
            raise InvalidArgument("path", str(file), rule)
        if not all(type(entry) is kind for entry in entries):
            rule += f": {key} must be a list of {'integers' if kind is int else 'strings'}"
            raise InvalidArgument("path", str(file), rule)
    if not 0 <= min(labels) <= max(labels) < _CLASSES:
        raise InvalidArgument("path", str(file), f"{rule}: labels must be class ids 0 to 9")
    return data, labels


def _record_count(file: Path) -> int:
    """Return the number of a binary file's records, from its size."""
    try:
        size = file.stat().st_size
    except OSError as error:
        raise _unreadable(file, error) from None
    if size == 0 or size % _RECORD:
        rule = f"must hold whole records of {_RECORD} bytes (a class id and 3072 pixels); "
        raise InvalidArgument("path", str(file), f"{rule}it has {size} bytes")
    return size // _RECORD


def _from_planes(rows: _Bytes) -> _Bytes:
    """Return rows of red, green and blue planes as images, without copying."""
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def _sha256(file: Path) -> str:
    """Return the hash of a whole file."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _unreadable(file: Path, error: OSError) -> InvalidArgument:
    return InvalidArgument("path", str(file), f"must be a readable file ({error.strerror})")
