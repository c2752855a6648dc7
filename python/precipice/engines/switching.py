"""A run whose format changes on its way: engines that follow one another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from precipice.checkpoint import Checkpoint
from precipice.engines.engine import Latest, Part
from precipice.errors import InvalidArgument
from precipice.results import Outcome, Run
from precipice.stepping import Stepping, is_plain
from precipice.switched_plan import SwitchedPlan
from precipice.switching import spliced

HANDED_OVER = "handed_over"
"""The outcome of an engine whose format ends before the update of its step."""


class SwitchingEngine:
    """An engine a format, each of which takes over where the one before hands over.

    Parameters
    ----------
    plan : SwitchedPlan
    """

    def __init__(self, plan: SwitchedPlan) -> None:
        self._plan = plan
        self._steps: list[int] = []  # at which a switch has come
        self._engine = self._part(0)

    def _part(self, number: int) -> Any:
        from precipice.engines import engine_for_part

        switches = (*self._plan.precision.switches, None)
        part = Part(self._plan.precision.parts[0], switches[number])
        return engine_for_part(self._plan.parts[number], part)

    @property
    def outcome(self) -> str:
        """``"running"`` or how the run ended."""
        outcome = str(self._engine.outcome)
        return "running" if outcome == HANDED_OVER else outcome

    @property
    def step(self) -> int:
        """Steps taken."""
        return int(self._engine.step)

    @property
    def event_step(self) -> int | None:
        """The step at which the schedule's event came, if it has."""
        step: int | None = self._engine.event_step
        return step

    def advance(self, seconds: float) -> None:
        """Run for about so long, or to the next switch."""
        self._engine.advance(seconds)
        if self._engine.outcome == HANDED_OVER:
            following = self._part(len(self._steps) + 1)
            following.take_over(self._engine)
            self._steps.append(self.step)
            self._engine = following

    def stop(self) -> None:
        """End `advance` soon; from any thread."""
        self._engine.stop()

    def latest(self) -> Latest:
        """Return the last recorded loss, log2 loss and sharpness."""
        latest: Latest = self._engine.latest()
        return latest

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the exact state, and what was recorded since the last call."""
        self._engine.save(checkpoint, switch_steps=self._steps)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run, in the format that it had come to."""
        state, blocks = checkpoint.load()
        try:
            self._steps = [int(step) for step in state.pop("switch_steps")]
            self._engine = self._part(len(self._steps))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            rule = f"must be whole and readable ({error})"
            raise InvalidArgument("checkpoint", str(checkpoint.directory), rule) from None
        self._engine.restore_state(checkpoint, state, blocks)

    def gather(self, outcome: Outcome, seconds: float) -> Run:
        """Return what has been computed."""
        run: Run = self._engine.gather(outcome, seconds)
        first, trajectory = self._plan.parts[0], run.trajectory
        never = [None] * (len(self._plan.parts) - 1 - len(self._steps))
        return replace(
            run,
            precision=self._plan.precision,
            trajectory=trajectory and replace(trajectory, bits=self._plan.precision.width),
            lr=first.lr,
            settings={**run.settings, **self._plan.settings},
            stepping=self._stepping(),
            switch_steps=(*self._steps, *never),
        )

    def _stepping(self) -> Stepping | None:
        """Return η of each step as the format of its update rounds it."""
        parts = self._plan.parts[: len(self._steps) + 1]
        if is_plain(parts[0].optimizer) and not self._steps:
            return None
        return spliced([part.stepping.switched(self.event_step) for part in parts], self._steps)
