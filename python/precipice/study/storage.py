"""A comparison in a directory: written whole or not at all, read back equal."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.archive import read_arrays
from precipice.errors import InvalidArgument
from precipice.study.comparison import (
    MACHINE_SETTINGS,
    SCHEMA_VERSION,
    Comparison,
    finite_or_none,
)
from precipice.study.document import fault, read_document
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
_UNDAMAGED = "must hold undamaged results"
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
        If the directory holds something else or cannot be made; it is not touched then.
    OSError
        If the disk is full or fails; the directory then holds what it held.
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
    shown = str(directory)
    folder = Path(directory)
    document = read_document(folder / DOCUMENT)
    if document is None or not (folder / SERIES).is_file():
        rule = f"must hold a saved comparison ({DOCUMENT} and {SERIES})"
        raise InvalidArgument("directory", shown, rule)
    written = document["schema_version"]
    if written != SCHEMA_VERSION:
        rule = f"must hold schema_version {SCHEMA_VERSION}, the one this precipice reads"
        raise InvalidArgument("directory", shown, f"{rule}, not {written!r:.20}")
    wrong = fault(document)
    if wrong:
        raise InvalidArgument("directory", shown, f"{_UNDAMAGED} ({wrong})")
    arrays = read_arrays(folder / SERIES, argument="directory", rule=_UNDAMAGED)
    try:
        runs = tuple(decode_run(entry["exact"], arrays) for entry in document["runs"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        why = f"{type(error).__name__}: {error}"
        raise InvalidArgument("directory", shown, f"{_UNDAMAGED} ({why})") from error
    return Comparison(
        document["problem"],
        document["model"],
        document["optimizer"],
        document["settings"],
        document["theory"],
        runs,
    )


def check_destination(directory: str | Path, header: Comparison) -> Path:
    """Return the real path of a directory that this comparison may be written to.

    Leaves nothing behind, so that it can be asked before anything is computed; what will have to
    be made is made and removed again, since nothing else tells whether it can be.

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
    try:
        target = Path(directory).resolve()
        _check_contents(target, str(directory), header)
        _check_writable(target)
    except InvalidArgument:
        raise
    # A name too long, a null byte, a circle of links, no permission.
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        rule = f"must be a directory one can write ({why})"
        raise InvalidArgument("out", str(directory), rule) from None
    return target


def holds_finished_comparison(directory: str | Path) -> bool:
    """Return whether a directory holds a comparison none of whose runs was cut short."""
    document = read_document(Path(directory) / DOCUMENT)
    return (
        document is not None
        and fault(document) is None
        and all(run["outcome"] != _UNFINISHED for run in document["runs"])
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


def _check_contents(target: Path, shown: str, header: Comparison) -> None:
    """Refuse a target that must not be replaced."""
    if target == Path.cwd() or os.path.ismount(target):
        rule = "must not be the current directory or a mount point: it is replaced"
        raise InvalidArgument("out", shown, rule)
    if not target.exists():
        return
    if not target.is_dir():
        raise InvalidArgument("out", shown, f"{_RULE}; it is a file")
    found = {entry.name for entry in target.iterdir()}
    strangers = sorted(found - FILES)
    if strangers:
        raise InvalidArgument("out", shown, f"{_RULE}; it holds {strangers[0]}")
    document = read_document(target / DOCUMENT)
    if found and (
        document is None or fault(document) or _spec_text(document) != _spec_text(header.header())
    ):
        raise InvalidArgument("out", shown, f"{_RULE}; it holds other results")


def _check_writable(target: Path) -> None:
    """Make every directory that saving will make, and remove it again."""
    made: list[Path] = []
    try:
        for folder in (*reversed(target.parents), target, _beside(target)):
            if not folder.exists():
                folder.mkdir()
                made.append(folder)
    finally:
        for folder in reversed(made):
            with suppress(OSError):  # somebody else has put something there
                folder.rmdir()


def _beside(target: Path) -> Path:
    """Return a new name in the target's directory, short however long the target's own is."""
    return target.with_name(f".precipice-{secrets.token_hex(6)}")


@contextmanager
def _staging(target: Path) -> Iterator[Path]:
    """Give a new directory beside the target; whatever is left of it goes away."""
    staged = _beside(target)
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
        retired = _beside(target)
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
