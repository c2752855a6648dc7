"""What an engine is: a run in progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import gmpy2
import numpy as np

from precipice.checkpoint import Checkpoint
from precipice.mixed import WorkingPrecision
from precipice.results import Outcome, Run
from precipice.schedules import Event

Latest = tuple["float | None", "float | None", "float | None"]


@dataclass(frozen=True)
class Part:
    """What an engine carries out of a run in several formats.

    Attributes
    ----------
    first : Precision or MixedPrecision
        The format that the run began in.
    until : int, Event or None
        The step or event at which it hands over, before the update.
    """

    first: WorkingPrecision
    until: int | Event | None = None


class Engine(Protocol):
    """A run in progress."""

    @property
    def outcome(self) -> str:
        """``"running"`` or how the run ended."""

    @property
    def step(self) -> int:
        """Steps taken."""

    @property
    def event_step(self) -> int | None:
        """The step at which the schedule's event came, if it has."""

    def advance(self, seconds: float) -> None:
        """Run for about so long."""

    def stop(self) -> None:
        """End `advance` soon; from any thread."""

    def latest(self) -> Latest:
        """Return the last recorded loss, log2 loss and sharpness."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the exact state, and what was recorded since the last call."""

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run."""

    def gather(self, outcome: Outcome, seconds: float) -> Run:
        """Return what has been computed."""


def versions(mpfr: str, gmp: str) -> dict[str, str]:
    """Return what a result was computed with, by name."""
    from precipice import __version__

    return {
        "precipice": __version__,
        "mpfr": mpfr.removeprefix("MPFR "),
        "gmp": gmp.removeprefix("GMP "),
        "gmpy2": gmpy2.version(),
        "numpy": np.__version__,
    }
