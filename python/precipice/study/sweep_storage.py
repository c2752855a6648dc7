"""A sweep in a directory: written whole or not at all, read back equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from precipice.study.directories import checked_target, write_directory
from precipice.study.ensemble_results import CANCELLED
from precipice.study.ensemble_storage import arrays_of, asked_text, decoded
from precipice.study.reading import read_results
from precipice.study.sweep import SCHEMA_VERSION, Sweep

DOCUMENT, SERIES, FIGURE, TABLE, ROWS = (
    "sweep.json",
    "series.npz",
    "figure.png",
    "table.txt",
    "cells.csv",
)
FILES = frozenset({DOCUMENT, SERIES, FIGURE, TABLE, ROWS})


def save(sweep: Sweep, directory: str | Path) -> Path:
    """Write a sweep's document, arrays, figure and tables into a directory.

    Raises
    ------
    InvalidArgument
        If the directory holds something else or cannot be made; it is not touched then.
    OSError
        If the disk is full or fails; the directory then holds what it held.
    """
    from precipice.plots import write_figure
    from precipice.study import sweep_table
    from precipice.study.ensemble_table import as_csv
    from precipice.study.sweep_plot import sweep_figure

    def write(staged: Path) -> None:
        text = json.dumps(sweep.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        (staged / DOCUMENT).write_text(text + "\n", encoding="utf-8")
        arrays = {
            f"{number}.{name}": array
            for number, ensemble in enumerate(sweep.ensembles)
            for name, array in arrays_of(ensemble).items()
        }
        np.savez(staged / SERIES, **arrays)  # type: ignore[arg-type]  # by name
        write_figure(sweep_figure(sweep), staged / FIGURE)
        (staged / TABLE).write_text(sweep_table.as_text(sweep), encoding="utf-8")
        (staged / ROWS).write_text(as_csv(sweep_table.rows(sweep)), encoding="utf-8")

    write_directory(check_destination(directory, sweep), FILES, write)
    return Path(directory)


def check_destination(directory: str | Path, header: Sweep) -> Path:
    """Return the real path of a directory that this sweep may be written to.

    Raises
    ------
    InvalidArgument
        If the directory holds something else or cannot be made.
    """
    asked = [asked_text(each.header()) for each in header.ensembles]

    def asks_the_same(folder: Path) -> bool:
        document = read_document(folder)
        try:
            return document is not None and list(map(asked_text, _cells(document))) == asked
        except (KeyError, TypeError, AttributeError):
            return False

    return checked_target(directory, FILES, asks_the_same, "sweep")


def holds_finished_sweep(directory: str | Path) -> bool:
    """Return whether a directory holds a sweep none of whose members was cut short."""
    document = read_document(Path(directory))
    try:
        return document is not None and all(
            CANCELLED not in cell["fractions"] for cell in document["cells"]
        )
    except (KeyError, TypeError):
        return False


def read_document(folder: Path) -> dict[str, Any] | None:
    """Return the document of the sweep in a directory; None if there is none."""
    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    needed = {"schema_version", "problem", "model", "precisions", "lrs", "cells"}
    return document if isinstance(document, dict) and needed <= document.keys() else None


def load(directory: str | Path) -> Sweep:
    """Read a sweep that was saved; it equals the one that was written.

    Raises
    ------
    InvalidArgument
        If the directory holds none, or one that another version wrote and this one cannot read.
    """
    document = read_document(Path(directory))
    return read_results(directory, "sweep", (DOCUMENT, SERIES), SCHEMA_VERSION, document, _decoded)


def _cells(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the documents of the cells as those of ensembles."""
    shared = {"problem": document["problem"], "model": document["model"]}
    return [{**shared, **cell} for cell in document["cells"]]


def _decoded(document: dict[str, Any], arrays: dict[str, Any]) -> Sweep:
    """Return the sweep of a document and its arrays."""
    ensembles = []
    for number, cell in enumerate(_cells(document)):
        prefix = f"{number}."
        own = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
        ensembles.append(decoded(cell, own))
    precisions, lrs = tuple(document["precisions"]), tuple(document["lrs"])
    if len(ensembles) != len(precisions) * len(lrs):
        raise ValueError("there must be a cell for each precision and step size")
    width = len(lrs)
    rows = (tuple(ensembles[i : i + width]) for i in range(0, len(ensembles), width))
    return Sweep(precisions, lrs, tuple(rows))
