"""What the members of an ensemble recorded, as arrays with a row a member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.loss_windows import LossWindows
from precipice.record import Record

Columns = Mapping[str, Mapping[str, npt.NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class EnsembleSeries:
    """A series at its cadence, on steps that all members share.

    Attributes
    ----------
    step : ndarray of int64, shape (K,)
        Ascending: 0, n, 2n, …; of the sharpness with n > 1 pairs, t and t + 1.
    value : ndarray of float64, shape (members, K)
        NaN where a member had ended.
    last : ndarray of float64, shape (members,)
        At each member's last step, which need not be one of `step`.
    """

    step: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]

    def of(
        self, member: int, last_step: int, ended: bool
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the steps and values of one member, as a single run records them.

        Parameters
        ----------
        member, last_step : int
        ended : bool
            Else the last step may not have been recorded.
        """
        count = int(np.searchsorted(self.step, last_step, side="right"))
        step, value = self.step[:count], self.value[member, :count]
        if not ended or (count and step[-1] == last_step):
            return step, value
        return np.append(step, last_step), np.append(value, self.last[member])

    def named(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, eq=False)
class EnsembleWindows:
    """The least, greatest and last loss of each window of W steps (`precipice.loss_windows`).

    Attributes
    ----------
    begin : ndarray of int64, shape (windows,)
    least, greatest, last : ndarray of float64, shape (members, windows)
        NaN where a member had ended.
    least_step, greatest_step, last_step : ndarray of int64, shape (members, windows)
        -1 there.
    """

    begin: npt.NDArray[np.int64]
    least: npt.NDArray[np.float64]
    least_step: npt.NDArray[np.int64]
    greatest: npt.NDArray[np.float64]
    greatest_step: npt.NDArray[np.int64]
    last: npt.NDArray[np.float64]
    last_step: npt.NDArray[np.int64]

    def of(self, member: int) -> LossWindows:
        """Return the windows of one member, as a single run records them."""
        present = self.last_step[member] >= 0
        own = {name: a[member, present] for name, a in self.named().items() if name != "begin"}
        return LossWindows(begin=self.begin[present], **own)

    def named(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def series_steps(cadence: int, steps: int, pairs: bool) -> npt.NDArray[np.int64]:
    """Return the steps from 0 to `steps` at which a series is due."""
    t = np.arange(steps + 1, dtype=np.int64)
    due = t % cadence == 0
    if pairs:
        due[1:] |= due[:-1]
    return np.asarray(t[due])


class Recorder:
    """Takes the core's records, member by member and block by block, to their places.

    Parameters
    ----------
    record : Record
    members, steps : int
    """

    def __init__(self, record: Record, members: int, steps: int) -> None:
        self._window = record.window
        cadences = record.cadences
        self.series = {
            name: _empty_series(series_steps(cadences[name], steps, name == "sharpness"), members)
            for name in ("loss", "sharpness")
            if cadences[name]
        }
        self.windows = _empty_windows(record.window, members, steps) if record.window else None

    def add(self, records: Columns) -> None:
        """Take in a block, whose column ``member`` says which row each entry belongs to."""
        for name, series in self.series.items():
            block = records[name]
            member, step, value = block["member"], block["step"], block["value"]
            place = np.searchsorted(series.step, step)
            due = place < series.step.size
            due[due] = series.step[place[due]] == step[due]
            series.value[member[due], place[due]] = value[due]
            # Steps of one member ascend, and of equal places NumPy keeps the last.
            series.last[member] = value
        if self.windows is not None:
            block = records["windows"]
            place = block["begin"] // self._window
            for name, array in self.windows.named().items():
                if name != "begin":
                    array[block["member"], place] = block[name]

    @staticmethod
    def bytes(record: Record, members: int, steps: int) -> int:
        """Return the memory that the arrays take."""
        columns = 0
        for name, pairs in (("loss", 1), ("sharpness", 2)):
            cadence = record.cadences[name]
            if cadence:
                columns += min(pairs, cadence) * (steps // cadence + 1) + 1
        windows = 6 * -(-(steps + 1) // record.window) if record.window else 0
        return 8 * members * (columns + windows)


def _empty_series(step: npt.NDArray[np.int64], members: int) -> EnsembleSeries:
    return EnsembleSeries(step, np.full((members, step.size), np.nan), np.full(members, np.nan))


def _empty_windows(width: int, members: int, steps: int) -> EnsembleWindows:
    begin = np.arange(0, steps + 1, width, dtype=np.int64)
    shape = (members, begin.size)
    arrays: dict[str, npt.NDArray[Any]] = {
        field.name: np.full(shape, -1, np.int64)
        if field.name.endswith("_step")
        else np.full(shape, np.nan)
        for field in fields(EnsembleWindows)
        if field.name != "begin"
    }
    return EnsembleWindows(begin=begin, **arrays)
