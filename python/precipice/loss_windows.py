"""The least, greatest and last loss of every window of steps of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

_Steps = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LossWindows:
    """Windows of the loss, as the run itself rounds it, of all steps.

    Window w holds the steps from w W to (w + 1) W - 1, and the last one ends with the run. NaN
    counts as greater than every number; of equal losses the first is named. A cancelled run lacks
    the window that it was in.

    Attributes
    ----------
    begin : ndarray of int64, shape (windows,)
        The first step of each.
    least, greatest, last : ndarray of float64, shape (windows,)
        The losses, each rounded once to float64.
    least_step, greatest_step, last_step : ndarray of int64, shape (windows,)
        Where they were.
    """

    begin: _Steps
    least: _Floats
    least_step: _Steps
    greatest: _Floats
    greatest_step: _Steps
    last: _Floats
    last_step: _Steps

    def named(self) -> dict[str, npt.NDArray[Any]]:
        """Return the columns by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns as JSON-able data, non-finite losses as None."""
        return {
            name: [x if math.isfinite(x) else None for x in column.tolist()]
            for name, column in self.named().items()
        }


def windows_of(losses: Sequence[float], width: int) -> LossWindows:
    """Return the windows of losses given step by step, as the core finds them.

    Parameters
    ----------
    losses : sequence of float
        L_0, L_1, …
    width : int
        W, at least 1.
    """
    rows = []
    for begin in range(0, len(losses), width):
        steps = range(begin, min(begin + width, len(losses)))
        numbers = [t for t in steps if not math.isnan(losses[t])]
        least = min(numbers, key=losses.__getitem__, default=begin)
        greatest = max(numbers, key=losses.__getitem__, default=begin)
        if len(numbers) < len(steps):
            greatest = next(t for t in steps if math.isnan(losses[t]))
        last = steps[-1]
        rows.append((begin, losses[least], least, losses[greatest], greatest, losses[last], last))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields(LossWindows))
    arrays: dict[str, Any] = {
        field.name: np.array(column, _kind(field.name))
        for field, column in zip(fields(LossWindows), columns, strict=True)
    }
    return LossWindows(**arrays)


def windows_from(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> LossWindows:
    """Return the windows whose columns are among named arrays.

    Raises
    ------
    KeyError, ValueError
        If a column is missing or is not what it should be.
    """
    columns = {field.name: arrays[f"{prefix}.{field.name}"] for field in fields(LossWindows)}
    for name, column in columns.items():
        if column.dtype != _kind(name) or column.shape != columns["begin"].shape:
            raise ValueError(f"{prefix}.{name} must be numbers of its kind, one a window")
    if columns["begin"].ndim != 1 or np.any(np.diff(columns["begin"]) <= 0):
        raise ValueError(f"{prefix}.begin must ascend")
    return LossWindows(**columns)


def _kind(column: str) -> type[np.int64] | type[np.float64]:
    return np.int64 if column == "begin" or column.endswith("_step") else np.float64
