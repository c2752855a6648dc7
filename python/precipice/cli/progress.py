"""Live lines on a terminal, one for every run."""

from __future__ import annotations

import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table
    from typing_extensions import Self

    from precipice.simulation import Progress

_LOG10_OF_2 = math.log10(2.0)
_REFRESHES_PER_SECOND = 8
_BAR = 12


def wanted(*, quiet: bool, as_json: bool) -> bool:
    """Return whether there is somebody who sees progress and has not asked for silence."""
    return sys.stderr.isatty() and not quiet and (sys.stdout.isatty() or not as_json)


class LiveDisplay(ABC):
    """Lines on stderr that are drawn anew a few times a second, in a thread of their own.

    Use it as a context manager; what it shows goes away in the end.
    """

    def __init__(self) -> None:
        self._live: Live | None = None

    @abstractmethod
    def render(self) -> Table:
        """Return the lines as they are now."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self._live = Live(
            get_renderable=self.render,
            console=Console(stderr=True),
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
        )
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()


class ProgressDisplay(LiveDisplay):
    """One line a run on stderr: step, loss, sharpness against 2/η, and rate.

    Hand it to `compare` as `progress`. Workers only leave their latest `Progress` here.

    Parameters
    ----------
    names : sequence of str
        The precisions, in the order of the lines.
    steps : int
        Steps of every run.
    """

    def __init__(self, names: Sequence[str], steps: int) -> None:
        super().__init__()
        self._names = list(names)
        self._steps = steps
        self._latest: dict[str, Progress] = {}
        self._began: dict[str, tuple[float, int]] = {}
        self._changed: dict[str, float] = {}

    def __call__(self, progress: Progress) -> None:
        """Take note of how far a run is; called from its worker thread."""
        name = str(progress.precision)
        now = time.monotonic()
        self._began.setdefault(name, (now, progress.step))
        self._changed[name] = now
        self._latest[name] = progress

    def render(self) -> Table:
        """Return the lines as they are now."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        lines = Table.grid(padding=(0, 1))
        lines.add_column(no_wrap=True)
        lines.add_column(width=_BAR)
        for _ in range(4):
            lines.add_column(justify="right", no_wrap=True)
        for name in self._names:
            latest = self._latest.get(name)
            done = 0 if latest is None else latest.step
            bar = ProgressBar(total=max(1, self._steps), completed=done, width=_BAR)
            lines.add_row(name, bar, f"{done}/{self._steps}", *self._figures(name, latest))
        return lines

    def _figures(self, name: str, latest: Progress | None) -> tuple[str, str, str]:
        """Return loss, sharpness and rate of one run as text."""
        if latest is None:
            return "", "", "waiting"
        loss = sharpness = ""
        if latest.log2_loss is not None and math.isfinite(latest.log2_loss):
            loss = f"log₁₀L {latest.log2_loss * _LOG10_OF_2:7.2f}"
        elif latest.loss is not None:
            loss = f"L {latest.loss:g}"
        if latest.sharpness is not None and math.isfinite(latest.sharpness):
            sharpness = _sharpness_text(latest)
        moment, step = self._began[name]
        elapsed = self._changed[name] - moment
        rate = f"{(latest.step - step) / elapsed:,.0f} steps/s" if elapsed > 0 else ""
        return loss, sharpness, rate


def _sharpness_text(latest: Progress) -> str:
    """Return the sharpness over the stability threshold, or itself where there is none."""
    assert latest.sharpness is not None
    if not latest.formula:
        return f"S {latest.sharpness:.4g}"
    name = "(2/η)" if latest.formula == "2/η" else "threshold"
    return f"S/{name} {latest.sharpness / latest.threshold:5.2f}"
