"""When and where a run is saved on its way, and how it is taken up again."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

from precipice.checkpoint import Checkpoint
from precipice.engines import Engine
from precipice.errors import InvalidArgument
from precipice.plan import Plan, positive
from precipice.switched_plan import SwitchedPlan


@dataclass(frozen=True)
class Saves:
    """Where a run's checkpoint is, and how it is used.

    Parameters
    ----------
    directory : str or Path
        The run's own folder.
    seconds : float
        Time between two checkpoints.
    resume : bool
        Go on from the checkpoint that is there, if there is one; without it, one that is there is
        refused rather than overwritten.
    """

    directory: str | Path
    seconds: float = 5.0
    resume: bool = False

    def checkpoint(self, plan: Plan | SwitchedPlan) -> Checkpoint:
        """Return the checkpoint of this run."""
        return Checkpoint(self.directory, plan.spec())

    def check(self, plan: Plan | SwitchedPlan) -> None:
        """Refuse what could not be saved or resumed, before anything is computed.

        Raises
        ------
        InvalidArgument
            If a checkpoint is in the way, of another run or damaged, or the engine has none.
        """
        positive("checkpoint_seconds", self.seconds)
        if plan.engine != "core":
            raise InvalidArgument("checkpoint", str(self.directory), 'needs engine="core"')
        checkpoint = self.checkpoint(plan)
        if self.resume and checkpoint.exists:
            checkpoint.load()
        elif checkpoint.exists:
            rule = "must hold no checkpoint yet: resume it, or remove it"
            raise InvalidArgument("checkpoint", str(self.directory), rule)


class Saver:
    """Saves an engine's run every few seconds; does nothing where no saves were asked for."""

    def __init__(self, engine: Engine, saves: Saves | None, plan: Plan | SwitchedPlan) -> None:
        self._engine = engine
        self.seconds = saves.seconds if saves else math.inf
        self._checkpoint = saves.checkpoint(plan) if saves else None
        self._last = time.monotonic()
        if saves and saves.resume and self._checkpoint and self._checkpoint.exists:
            engine.restore(self._checkpoint)

    def save_if_due(self) -> None:
        """Save if the last time is long enough ago."""
        if self._checkpoint and time.monotonic() - self._last >= self.seconds:
            self.save()

    def save(self) -> None:
        """Save now."""
        if self._checkpoint:
            self._engine.save(self._checkpoint)
            self._last = time.monotonic()
