"""A comparison in a directory: written whole or not at all, read back equal."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.study.comparison import (
    MACHINE_SETTINGS,
    SCHEMA_VERSION,
    Comparison,
    finite_or_none,
)
from precipice.study.encoding import decode_run, encode_run, run_arrays

DOCUMENT, SERIES, FIGURE, TABLE, ROWS = (
    "comparison.json",
    "series.npz",
    "figure.png",
    "table.txt",
    "table.csv",
)
FILES = frozenset({DOCUMENT, SERIES, FIGURE, TABLE, ROWS})
_RULE = "must be absent, empty, or hold the results of the same comparison and nothing else"
_UNFINISHED = "cancelled"


def save(comparison: Comparison, directory: str | Path) -> Path:
    """Write a comparison's document, series, figure and tables into a directory.

    Everything is written beside the directory, synced to disk and then moved into place in one
    step, so the directory never holds part of a result.

    Parameters
    ----------
    comparison : Comparison
        What to write.
    directory : str or Path
        Absent, empty, or holding a comparison with the same spec, which is replaced.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    InvalidArgument
        If the directory holds something else; it is not touched then.
    """
    from precipice.plots import comparison_figure, write_figure
    from precipice.study import table

    target = check_destination(directory, comparison)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _staging(target) as staged:
        document = _document_with_exact_runs(comparison)
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        (staged / DOCUMENT).write_text(text + "\n", encoding="utf-8")
        arrays = [run_arrays(run) for run in comparison.runs]
        np.savez(staged / SERIES, **{key: a for entry in arrays for key, a in entry.items()})  # type: ignore[arg-type]
        write_figure(comparison_figure(comparison), staged / FIGURE)
        (staged / TABLE).write_text(table.as_text(comparison), encoding="utf-8")
        (staged / ROWS).write_text(table.as_csv(comparison), encoding="utf-8")
        for name in FILES:
            _sync(staged / name)
        _sync(staged)
        _move_into_place(staged, target)
    return Path(directory)


def load(directory: str | Path) -> Comparison:
    """Read a comparison that was saved; it equals the one that was written.

    Raises
    ------
    InvalidArgument
        If the directory holds none, or one that another version wrote and this one cannot read.
    """
    folder = Path(directory)
    document = _read_document(folder)
    if document is None or not (folder / SERIES).is_file():
        raise InvalidArgument(
            "directory", directory, f"must hold a saved comparison ({DOCUMENT} and {SERIES})"
        )
    written = document["schema_version"]
    if written != SCHEMA_VERSION:
        raise InvalidArgument(
            "directory",
            directory,
            f"must hold schema_version {SCHEMA_VERSION}, the one this precipice reads, "
            f"not {written}",
        )
    try:
        # Opened here: np.load leaves a damaged archive open.
        with (folder / SERIES).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: dict[str, npt.NDArray[Any]] = {key: archive[key] for key in archive.files}
        runs = tuple(decode_run(entry["exact"], arrays) for entry in document["runs"])
        return Comparison(
            document["problem"],
            document["model"],
            document["optimizer"],
            document["settings"],
            document["theory"],
            runs,
        )
    except (KeyError, TypeError, ValueError, OSError, BadZipFile) as error:
        raise InvalidArgument(
            "directory", directory, f"must hold undamaged results ({type(error).__name__}: {error})"
        ) from error


def check_destination(directory: str | Path, header: Comparison) -> Path:
    """Return the real path of a directory that this comparison may be written to.

    Writes nothing, so that it can be asked before anything is computed.

    Parameters
    ----------
    directory : str or Path
        Where the results are to go.
    header : Comparison
        The comparison; its runs are not looked at.

    Raises
    ------
    InvalidArgument
        If the directory holds something else or cannot be made.
    """
    target = Path(directory).resolve()
    if target == Path.cwd() or os.path.ismount(target):
        raise InvalidArgument(
            "out", directory, "must not be the current directory or a mount point: it is replaced"
        )
    if target.exists():
        if not target.is_dir():
            raise InvalidArgument("out", directory, f"{_RULE}; it is a file")
        found = {entry.name for entry in target.iterdir()}
        strangers = sorted(found - FILES)
        if strangers:
            raise InvalidArgument("out", directory, f"{_RULE}; it holds {strangers[0]}")
        document = _read_document(target)
        if found and (document is None or _spec_text(document) != _spec_text(header.header())):
            raise InvalidArgument("out", directory, f"{_RULE}; it holds other results")
    above = next(parent for parent in target.parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InvalidArgument(
            "out", directory, f"must be in a directory one can write to ({above})"
        )
    return target


def holds_finished_comparison(directory: str | Path) -> bool:
    """Return whether a directory holds a comparison none of whose runs was cut short."""
    document = _read_document(Path(directory))
    return document is not None and all(
        run["outcome"] != _UNFINISHED for run in document.get("runs", ())
    )


def same(one: Comparison, other: Comparison) -> bool:
    """Return whether two comparisons agree in every word, bit and exact parameter.

    Wall times are not compared: they are no property of the result.
    """
    if _timeless(_document_with_exact_runs(one)) != _timeless(_document_with_exact_runs(other)):
        return False
    for run, twin in zip(one.runs, other.runs, strict=True):
        arrays, twins = run_arrays(run), run_arrays(twin)
        if arrays.keys() != twins.keys():
            return False
        if not all(_same_bits(array, twins[key]) for key, array in arrays.items()):
            return False
    return True


def _same_bits(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    """Return whether two arrays are the same bit for bit (all NaN count as one)."""
    return (
        one.shape == other.shape
        and one.dtype == other.dtype
        and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        and np.array_equal(np.signbit(one), np.signbit(other))
    )


def _document_with_exact_runs(comparison: Comparison) -> dict[str, Any]:
    """Return the JSON document with what it takes to rebuild each run exactly."""
    runs = [{**run.to_dict(), "exact": encode_run(run)} for run in comparison.runs]
    return {**comparison.header(), "runs": runs}


def _timeless(document: Any) -> Any:
    """Return a document without the wall time of its runs."""
    if isinstance(document, dict):
        return {key: _timeless(value) for key, value in document.items() if key != "seconds"}
    if isinstance(document, (list, tuple)):
        return [_timeless(entry) for entry in document]
    return document


def _spec_text(document: dict[str, Any]) -> str:
    """Return what says that two comparisons ask the same question, as canonical text."""
    settings = {
        key: value for key, value in document["settings"].items() if key not in MACHINE_SETTINGS
    }
    parts = [document["problem"], document["model"], document["optimizer"], settings]
    return json.dumps(finite_or_none(parts), sort_keys=True)


def _read_document(folder: Path) -> dict[str, Any] | None:
    """Return a directory's JSON document; None if it has none that precipice wrote."""
    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    needed = {"schema_version", "problem", "model", "optimizer", "settings", "theory", "runs"}
    return document if isinstance(document, dict) and needed <= document.keys() else None


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Give a new directory beside the target; whatever is left of it goes away."""
    staged = target.with_name(f".{target.name}.{os.getpid()}.partial")
    staged.mkdir()
    try:
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _move_into_place(staged: Path, target: Path) -> None:
    """Put the staged directory where the target is; the old one ends up as the staged one."""
    if not target.exists() or not any(target.iterdir()):
        staged.rename(target)  # POSIX renames over an empty directory
    elif not _exchange(staged, target):
        retired = target.with_name(f".{target.name}.{os.getpid()}.replaced")
        target.rename(retired)
        staged.rename(target)
        shutil.rmtree(retired)
    _sync(target.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two directories in one step where Linux offers it; return whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    at_current_directory, exchange = -100, 2
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    status = rename(
        at_current_directory, os.fsencode(one), at_current_directory, os.fsencode(other), exchange
    )
    return bool(status == 0)


def _sync(path: Path) -> None:
    """Make sure that a file or directory has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
