"""Problems from arrays and from files."""

from __future__ import annotations

import csv
import hashlib
import os
from pathlib import Path
from typing import Any

from precipice.archive import read_arrays
from precipice.errors import InvalidArgument
from precipice.exact import exact
from precipice.problems.problem import Problem


def from_arrays(X: Any, y: Any, name: str = "arrays") -> Problem:
    """Return a problem from arrays.

    Parameters
    ----------
    X : array_like, shape (N, d)
        Floats, integers, decimal strings, fractions, gmpy2 or mpmath numbers: each is taken
        exactly.
    y : array_like, shape (N,)
        Targets, likewise.
    name : str
        A short name for tables and files.

    Raises
    ------
    InvalidArgument
        As `Problem`.
    """
    return Problem(name=name, X=X, y=y, provenance={"source": "arrays given by the caller"})


def load(path: str | os.PathLike[str]) -> Problem:
    """Return a problem from a ``.npz`` or a ``.csv`` file.

    Parameters
    ----------
    path : path
        ``.npz``: numeric arrays ``X`` (N, d) and ``y`` (N,); nothing is unpickled. ``.csv``: one
        sample a line, the last column is y, numbers separated by commas, after an optional line
        of column names. Decimals are kept exactly as written (``problem_dtype`` says to which
        format a run rounds them).

    Returns
    -------
    Problem
        Named after the file.

    Raises
    ------
    InvalidArgument
        If the file is missing, unreadable or of another kind, or its numbers make no `Problem`.

    Notes
    -----
    A ``.csv`` costs a few microseconds a number; large data belongs in a ``.npz``.
    """
    file = Path(path)
    readers = {".npz": _read_npz, ".csv": _read_csv}
    if file.suffix.lower() not in readers:
        raise InvalidArgument("path", str(path), "must be an .npz or a .csv file")
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise InvalidArgument("path", str(path), "no such file") from None
    except OSError as error:
        rule = f"must be a readable file ({error.strerror})"
        raise InvalidArgument("path", str(path), rule) from None
    X, y = readers[file.suffix.lower()](file)
    provenance = {"source": "file", "file": file.name, "file_sha256": digest}
    return Problem(name=file.stem, X=X, y=y, provenance=provenance)


def _read_npz(file: Path) -> tuple[Any, Any]:
    rule = 'must be an .npz file with the numeric arrays "X" and "y"'
    try:
        arrays = read_arrays(file, ("X", "y"), rule=f"{rule}, whole")
    except InvalidArgument:
        if not _holds_images(file):
            raise
        rule += "; for CIFAR-10 images use: cifar10 path=FILE"
        raise InvalidArgument("path", str(file), rule) from None
    return arrays["X"], arrays["y"]


def _holds_images(file: Path) -> bool:
    """Return whether a file that is no problem has CIFAR-10's labels instead."""
    try:
        return bool(read_arrays(file, ("labels",), rule=""))
    except InvalidArgument:
        return False


def _read_csv(file: Path) -> tuple[list[Any], list[Any]]:
    """Return the rows' features and targets as exact numbers."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first number.
        with file.open(newline="", encoding="utf-8-sig") as stream:
            lines = [
                (number, [cell.strip() for cell in cells])
                for number, cells in enumerate(csv.reader(stream), start=1)
                if any(cell.strip() for cell in cells)
            ]
    except (UnicodeDecodeError, csv.Error):
        raise InvalidArgument("path", str(file), "must be a text file of numbers") from None
    if lines and not any(map(_is_numeric, lines[0][1])):
        lines = lines[1:]
    if not lines:
        raise InvalidArgument("path", str(file), "must hold at least one line of numbers")
    width = len(lines[0][1])
    if width < 2:
        rule = "must have at least two columns: the features, then y"
        raise InvalidArgument("path", str(file), rule)
    for number, cells in lines:
        if len(cells) != width:
            rule = f"must have {width} columns in every line"
            raise InvalidArgument(f"path line {number}", f"{len(cells)} columns", rule)
    rows = [
        [exact(cell, f"path line {number} column {k}") for k, cell in enumerate(cells, start=1)]
        for number, cells in lines
    ]
    return [row[:-1] for row in rows], [row[-1] for row in rows]


def _is_numeric(cell: str) -> bool:
    """Return whether a cell is meant as a number: nan in a first line is data, not a heading."""
    try:
        float(cell)
    except ValueError:
        try:
            exact(cell)
        except InvalidArgument:
            return False
    return True
