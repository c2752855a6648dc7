"""An ensemble in a directory: written whole or not at all, read back equal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.archive import Arrays
from precipice.results import Outcome
from precipice.study.directories import checked_target, write_directory
from precipice.study.ensemble_records import EnsembleSeries, EnsembleWindows, series_steps
from precipice.study.ensemble_results import CANCELLED, ELSEWHERE, SCHEMA_VERSION, Ensemble
from precipice.study.members import members_of
from precipice.study.reading import read_results
from precipice.study.storage import same_bits

DOCUMENT, SERIES, FIGURE, TABLE, ROWS = (
    "ensemble.json",
    "series.npz",
    "figure.png",
    "table.txt",
    "members.csv",
)
FILES = frozenset({DOCUMENT, SERIES, FIGURE, TABLE, ROWS})


def save(ensemble: Ensemble, directory: str | Path) -> Path:
    """Write an ensemble's document, arrays, figure and tables into a directory.

    Raises
    ------
    InvalidArgument
        If the directory holds something else or cannot be made; it is not touched then.
    OSError
        If the disk is full or fails; the directory then holds what it held.
    """
    from precipice.plots import write_figure
    from precipice.study import ensemble_table
    from precipice.study.ensemble_plot import ensemble_figure

    def write(staged: Path) -> None:
        text = json.dumps(ensemble.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        (staged / DOCUMENT).write_text(text + "\n", encoding="utf-8")
        np.savez(staged / SERIES, **arrays_of(ensemble))  # type: ignore[arg-type]  # by name
        write_figure(ensemble_figure(ensemble), staged / FIGURE)
        (staged / TABLE).write_text(ensemble_table.as_text(ensemble), encoding="utf-8")
        rows = ensemble_table.as_csv(ensemble_table.rows(ensemble))
        (staged / ROWS).write_text(rows, encoding="utf-8")

    write_directory(check_destination(directory, ensemble), FILES, write)
    return Path(directory)


def check_destination(directory: str | Path, header: Ensemble) -> Path:
    """Return the real path of a directory that this ensemble may be written to.

    Raises
    ------
    InvalidArgument
        If the directory holds something else or cannot be made.
    """
    asked = asked_text(header.header())

    def asks_the_same(folder: Path) -> bool:
        document = read_document(folder)
        return document is not None and asked_text(document) == asked

    return checked_target(directory, FILES, asks_the_same, "ensemble")


def holds_finished_ensemble(directory: str | Path) -> bool:
    """Return whether a directory holds an ensemble none of whose members was cut short."""
    document = read_document(Path(directory))
    return document is not None and CANCELLED not in document.get("fractions", {CANCELLED: 1})


def read_document(folder: Path) -> dict[str, Any] | None:
    """Return the document of the ensemble in a directory; None if there is none."""
    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    needed = {"schema_version", "problem", "model", "optimizer", "settings"}
    if not isinstance(document, dict) or not needed <= document.keys():
        return None
    return document if isinstance(document["settings"], dict) else None


def load(directory: str | Path) -> Ensemble:
    """Read an ensemble that was saved; it equals the one that was written.

    Raises
    ------
    InvalidArgument
        If the directory holds none, or one that another version wrote and this one cannot read.
    """
    document = read_document(Path(directory))
    return read_results(
        directory, "ensemble", (DOCUMENT, SERIES), SCHEMA_VERSION, document, decoded
    )


def same(one: Ensemble, other: Ensemble) -> bool:
    """Return whether two ensembles asked the same and agree in every bit."""
    if asked_text(one.header()) != asked_text(other.header()):
        return False
    arrays, others = arrays_of(one), arrays_of(other)
    return arrays.keys() == others.keys() and all(
        np.array_equal(array, others[name])
        if array.dtype.kind == "U"
        else same_bits(array, others[name])
        for name, array in arrays.items()
    )


def asked_text(document: Mapping[str, Any]) -> str:
    """Return what says that two ensembles ask the same question, as canonical text."""
    settings = {k: value for k, value in document["settings"].items() if k not in ELSEWHERE}
    parts = [document["problem"], document["model"], document["optimizer"], settings]
    return json.dumps(parts, sort_keys=True)


def arrays_of(ensemble: Ensemble) -> Arrays:
    """Return an ensemble's arrays under the names they have in ``series.npz``."""
    arrays: Arrays = {
        "outcome": ensemble.outcomes.astype(np.str_),
        "steps": ensemble.steps,
        "parameters_sha256": np.array(ensemble.parameters_sha256, dtype=np.str_),
    }
    for name in ("windows", "loss", "sharpness"):
        recorded = getattr(ensemble, name)
        if recorded is not None:
            arrays |= {f"{name}.{column}": a for column, a in recorded.named().items()}
    return arrays


def decoded(document: dict[str, Any], arrays: Arrays) -> Ensemble:
    """Return the ensemble of a document and its arrays.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        If something is missing or is not what it should be.
    """
    settings = document["settings"]
    members = members_of(document["optimizer"], settings)
    outcomes = _array(arrays, "outcome", "U", (members.size,)).astype("<U9")
    for outcome in np.unique(outcomes):
        Outcome(outcome)
    record, steps = settings["record"], settings["steps"]
    windows = None
    if record["window"]:
        begin = np.arange(0, steps + 1, record["window"], dtype=np.int64)
        windows = _recorded(EnsembleWindows, "windows", "begin", begin, members.size, arrays)
    series = {
        name: _recorded(
            EnsembleSeries, name, "step",
            series_steps(record[name], steps, name == "sharpness"), members.size, arrays,
        )
        for name in ("loss", "sharpness") if record[name]
    }  # fmt: skip
    digests = _array(arrays, "parameters_sha256", "U", (members.size,)).tolist()
    return Ensemble(
        document["problem"],
        document["model"],
        document["optimizer"],
        settings,
        members,
        outcomes,
        _array(arrays, "steps", "i", (members.size,)),
        windows,
        series.get("loss"),
        series.get("sharpness"),
        tuple(digests),
        float(document["seconds"]),
    )


def _recorded(
    kind: Any, name: str, axis: str, steps: npt.NDArray[np.int64], members: int, arrays: Arrays
) -> Any:
    """Return windows or a series whose columns are among the arrays."""
    columns: Arrays = {}
    for field in fields(kind):
        shape: tuple[int, ...] = (members, steps.size)
        if field.name == axis:
            shape = (steps.size,)
        elif field.name == "last" and axis == "step":
            shape = (members,)
        whole = field.name == axis or field.name.endswith("_step")
        columns[field.name] = _array(arrays, f"{name}.{field.name}", "i" if whole else "f", shape)
    if not np.array_equal(columns[axis], steps):
        raise ValueError(f"{name}.{axis} must be the steps that were asked for")
    return kind(**columns)


def _array(arrays: Arrays, name: str, kind: str, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return an array of its kind and shape."""
    values = arrays[name]
    if values.dtype.kind != kind or values.shape != shape:
        raise ValueError(f"{name} must be of its kind and shape {shape}")
    return values
