"""One live line for an ensemble, two for a sweep, on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from precipice.cli.progress import LiveDisplay

if TYPE_CHECKING:
    from rich.table import Table

    from precipice.study.ensemble_run import EnsembleProgress
    from precipice.study.sweep import SweepProgress

_BAR = 24


class EnsembleDisplay(LiveDisplay):
    """A bar over all steps, members that have ended and how, steps a second, time left.

    Hand it to `precipice.ensemble` as `progress`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._latest: EnsembleProgress | None = None
        self._began: tuple[float, int] | None = None  # of the ensemble that is shown

    def __call__(self, progress: Any) -> None:
        """Take note of how far it is."""
        self._note(progress)

    def _note(self, progress: EnsembleProgress) -> None:
        if self._began is None:
            self._began = time.monotonic(), progress.steps
        self._latest = progress

    def render(self) -> Table:
        """Return the line as it is now."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        line = Table.grid(padding=(0, 1))
        line.add_column(width=_BAR)
        for _ in range(4):
            line.add_column(no_wrap=True)
        latest = self._latest
        if latest is None:
            line.add_row(ProgressBar(total=1, completed=0, width=_BAR), "waiting")
            return line
        # Steps that members who ended early will not take are done with.
        share = _share(latest)
        bar = ProgressBar(total=1, completed=share, width=_BAR)
        ended = ", ".join(f"{count} {name}" for name, count in sorted(latest.outcomes.items()))
        line.add_row(bar, f"{latest.ended}/{latest.members} members", ended, *self._rate(share))
        return line

    def _rate(self, share: float) -> tuple[str, str]:
        """Return steps a second, and the time left."""
        assert self._began is not None
        assert self._latest is not None
        moment, steps = self._began
        elapsed = time.monotonic() - moment
        if elapsed <= 0 or self._latest.steps <= steps:
            return "", ""
        rate = f"{(self._latest.steps - steps) / elapsed:,.0f} steps/s"
        left = elapsed * (1 - share) / share if share > 0 else 0.0
        return rate, f"{_clock(left)} left" if left >= 1 else ""


class SweepDisplay(EnsembleDisplay):
    """The line of the ensemble that is being carried out, below which cell of the sweep it is."""

    def __init__(self) -> None:
        super().__init__()
        self._cell = -1
        self._heading = ""

    def __call__(self, progress: SweepProgress) -> None:
        """Take note of how far it is."""
        if progress.cell != self._cell:
            self._cell, self._began = progress.cell, None
        self._heading = (
            f"ensemble {progress.cell + 1} of {progress.cells}: {progress.precision}, "
            f"η = {progress.lr}"
        )
        self._note(progress.ensemble)

    def render(self) -> Table:
        """Return both lines as they are now."""
        from rich.table import Table

        lines = Table.grid()
        if self._heading:
            lines.add_row(self._heading)
        lines.add_row(super().render())
        return lines


def _share(latest: EnsembleProgress) -> float:
    """Return how much is done: of members that ended all, of the others their steps.

    The steps of the others are not told apart from those of the ended: at most this much is done.
    """
    most = latest.most_steps / max(1, latest.members)
    if latest.ended == latest.members or most == 0:
        return 1.0
    return max(latest.ended / latest.members, min(1.0, latest.steps / latest.most_steps))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
