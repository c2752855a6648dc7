"""What a reproduced figure is: runs, the numbers read off them, and a drawing."""

from __future__ import annotations

import json
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from precipice.executor import execute
from precipice.plots import write_figure
from precipice.results import Run
from precipice.simulation import PreparedRun, Progress
from precipice.study.comparison import finite_or_none
from precipice.whole_files import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Report = Callable[[int, int], None]
"""Called with the steps taken so far and those of all runs."""


class ReproducedFigure(ABC):
    """One figure of a paper, computed again.

    Attributes
    ----------
    name : str
        The file name without a suffix, such as ``"yoo2025-figures-4-9"``.
    settings : dict
        The definitions that travel with the numbers; JSON-able.
    """

    name: str
    settings: dict[str, Any]

    @abstractmethod
    def text(self) -> str:
        """Return the numbers and what they say, in 100 columns."""

    @abstractmethod
    def numbers(self) -> dict[str, Any]:
        """Return the numbers as JSON-able data."""

    @abstractmethod
    def figure(self) -> Figure:
        """Draw the figure."""

    def to_dict(self) -> dict[str, Any]:
        """Return settings and numbers as JSON-able data; numbers that are not finite are None."""
        whole = {"figure": self.name, "settings": self.settings, **self.numbers()}
        return {name: finite_or_none(entry) for name, entry in whole.items()}

    def write(self, folder: Path) -> list[Path]:
        """Write the figure as .png and the numbers as .json into a folder that exists."""
        numbers = folder / f"{self.name}.json"
        document = json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False, indent=2)
        with whole_file(numbers) as file:
            file.write((document + "\n").encode())
        return [write_figure(self.figure(), folder / f"{self.name}.png"), numbers]


def claim_lines(claims: dict[str, bool]) -> list[str]:
    """Return whether each claim holds, a line each."""
    return [f"{'yes' if holds else 'NO':<5}{claim}" for claim, holds in claims.items()]


class FigureBuilder(Protocol):
    """What computes a figure from the images in a file or a folder."""

    def __call__(
        self,
        path: str | os.PathLike[str],
        *,
        workers: int | None = None,
        report: Report | None = None,
    ) -> ReproducedFigure:
        """Return the figure; `report` is called with steps taken and to be taken."""


class _Counted:
    """A prepared run that reports its steps to a count of all runs'."""

    def __init__(self, prepared: PreparedRun, count: Callable[[int], None]) -> None:
        self._prepared, self._count = prepared, count

    def estimate(self) -> tuple[float, int]:
        return self._prepared.estimate()

    def run(
        self,
        stop: threading.Event | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Run:
        run = self._prepared.run(stop, lambda now: self._count(now.step))
        self._count(run.steps)
        return run


def train_all(
    prepared: Sequence[PreparedRun], *, workers: int | None = None, report: Report | None = None
) -> tuple[Run, ...]:
    """Carry runs out, in the order given whatever the number of threads.

    Parameters
    ----------
    prepared : sequence of PreparedRun
    workers : int, optional
        Threads; default one for each core.
    report : callable, optional
        Called from the threads.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, within about 0.1 s.
    """
    steps, lock = [0] * len(prepared), threading.Lock()
    total = sum(one.plan.steps for one in prepared)

    def counting(index: int) -> Callable[[int], None]:
        def count(step: int) -> None:
            with lock:
                steps[index] = step
                if report is not None:
                    report(sum(steps), total)

        return count

    counted: Any = [_Counted(one, counting(index)) for index, one in enumerate(prepared)]
    gathered = execute(counted, workers=workers)
    if gathered.interrupted:
        raise KeyboardInterrupt
    return gathered.runs
