"""A comparison in a directory: written whole or not at all, read back equal."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.archive import Arrays
from precipice.study.comparison import SCHEMA_VERSION, Comparison, finite_or_none
from precipice.study.directories import checked_target, write_directory
from precipice.study.document import fault, read_document
from precipice.study.encoding import decode_run, encode_run, run_arrays
from precipice.study.header import MACHINE_SETTINGS
from precipice.study.reading import read_results

DOCUMENT, SERIES, FIGURE, TABLE, ROWS = (
    "comparison.json",
    "series.npz",
    "figure.png",
    "table.txt",
    "table.csv",
)
FILES = frozenset({DOCUMENT, SERIES, FIGURE, TABLE, ROWS})
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

    def write(staged: Path) -> None:
        document = _document_with_exact_runs(comparison)
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        (staged / DOCUMENT).write_text(text + "\n", encoding="utf-8")
        arrays = [run_arrays(run) for run in comparison.runs]
        np.savez(staged / SERIES, **{key: a for entry in arrays for key, a in entry.items()})  # type: ignore[arg-type]
        write_figure(comparison_figure(comparison), staged / FIGURE)
        (staged / TABLE).write_text(table.as_text(comparison), encoding="utf-8")
        (staged / ROWS).write_text(table.as_csv(comparison), encoding="utf-8")

    write_directory(check_destination(directory, comparison), FILES, write)
    return Path(directory)


def load(directory: str | Path) -> Any:
    """Read a comparison, an ensemble or a sweep that was saved; it equals the one written.

    Raises
    ------
    InvalidArgument
        If the directory holds none, or one that another version wrote and this one cannot read.
    """
    for document, module in (
        ("ensemble.json", "ensemble_storage"),
        ("sweep.json", "sweep_storage"),
    ):
        if (Path(directory) / document).is_file():
            return importlib.import_module(f"precipice.study.{module}").load(directory)
    return load_comparison(directory)


def load_comparison(directory: str | Path) -> Comparison:
    """Read a comparison that was saved; see `load`."""
    document = read_document(Path(directory) / DOCUMENT)
    names = (DOCUMENT, SERIES)
    return read_results(directory, "comparison", names, SCHEMA_VERSION, document, _decoded, fault)


def _decoded(document: dict[str, Any], arrays: Arrays) -> Comparison:
    """Return the comparison of a document and its arrays."""
    return Comparison(
        document["problem"],
        document["model"],
        document["optimizer"],
        document["settings"],
        document["theory"],
        tuple(decode_run(entry["exact"], arrays) for entry in document["runs"]),
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
    spec = _spec_text(header.header())

    def asks_the_same(folder: Path) -> bool:
        document = read_document(folder / DOCUMENT)
        return document is not None and not fault(document) and _spec_text(document) == spec

    return checked_target(directory, FILES, asks_the_same, "comparison")


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
    if timeless(_document_with_exact_runs(one)) != timeless(_document_with_exact_runs(other)):
        return False
    for run, twin in zip(one.runs, other.runs, strict=True):
        arrays, twins = run_arrays(run), run_arrays(twin)
        if arrays.keys() != twins.keys():
            return False
        if not all(same_bits(array, twins[key]) for key, array in arrays.items()):
            return False
    return True


def same_bits(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    """Return whether two arrays are the same bit for bit.

    All NaN count as one: their signs and payloads are the machine's, not the arithmetic's.
    """
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.dtype.kind != "f":
        return np.array_equal(one, other)
    numbers = ~np.isnan(one)
    return np.array_equal(one, other, equal_nan=True) and np.array_equal(
        np.signbit(one[numbers]), np.signbit(other[numbers])
    )


def _document_with_exact_runs(comparison: Comparison) -> dict[str, Any]:
    """Return the JSON document with what it takes to rebuild each run exactly."""
    runs = [{**run.to_dict(), "exact": encode_run(run)} for run in comparison.runs]
    return {**comparison.header(), "runs": runs}


def timeless(document: Any) -> Any:
    """Return a document without the wall time of its runs."""
    if isinstance(document, dict):
        return {key: timeless(value) for key, value in document.items() if key != "seconds"}
    if isinstance(document, (list, tuple)):
        return [timeless(entry) for entry in document]
    return document


def _spec_text(document: dict[str, Any]) -> str:
    """Return what says that two comparisons ask the same question, as canonical text."""
    settings = {
        key: value for key, value in document["settings"].items() if key not in MACHINE_SETTINGS
    }
    parts = [document["problem"], document["model"], document["optimizer"], settings]
    return json.dumps(finite_or_none(parts), sort_keys=True)
