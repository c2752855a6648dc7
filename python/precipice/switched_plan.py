"""A run whose format changes on its way, as one plan a format and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from precipice.devices import Device
from precipice.errors import InvalidArgument
from precipice.optimizers import GradientFlow
from precipice.plan import Plan
from precipice.planning import make_plan
from precipice.schedules import Event
from precipice.stepping import Stepping
from precipice.switching import SwitchedPrecision


@dataclass(frozen=True, eq=False)
class SwitchedPlan:
    """Everything an engine needs for a run in formats that follow one another.

    Attributes
    ----------
    precision : SwitchedPrecision
    parts : tuple of Plan
        One a format; they differ in nothing but what the format rounds.
    """

    precision: SwitchedPrecision
    parts: tuple[Plan, ...]

    @property
    def engine(self) -> str:
        """The engine that carries it out."""
        return self.parts[0].engine

    @property
    def device(self) -> Device:
        """What carries it out."""
        return self.parts[0].device

    @property
    def steps(self) -> int:
        """The most updates."""
        return self.parts[0].steps

    @property
    def stepping(self) -> Stepping:
        """η_t and β as the first format has them."""
        return self.parts[0].stepping

    @property
    def settings(self) -> dict[str, Any]:
        """The definitions that travel with the numbers."""
        seeds = [
            part.arithmetic.describe() for part in self.parts if part.arithmetic.seed is not None
        ]
        return {
            **self.parts[0].settings,
            **(seeds[0] if seeds else {}),
            "precision": self.precision.describe(),
        }

    def spec(self) -> dict[str, Any]:
        """Return everything that the run's numbers depend on, as JSON-able data."""
        return {**self.parts[0].spec(), **self.settings}

    def estimate(self) -> tuple[float, int]:
        """Return the seconds and bytes of the run if all of it were in the costliest format."""
        seconds, memory = zip(*(part.estimate() for part in self.parts), strict=True)
        return max(seconds), max(memory)


def make_switched_plan(
    problem: Any, model: Any, optimizer: Any, *, precision: SwitchedPrecision, **keywords: Any
) -> SwitchedPlan:
    """Check every argument of `simulate` in each of the formats; see `precipice.plan.make_plan`.

    Raises
    ------
    InvalidArgument
        Naming the argument, the value and the rule.
    """
    seed, run = keywords.pop("rounding_seed"), keywords.pop("rounding_run")
    parts = tuple(
        make_plan(
            problem,
            model,
            optimizer,
            precision=part,
            rounding_seed=seed if part.stochastic or not precision.stochastic else None,
            rounding_run=run if part.stochastic or not precision.stochastic else 0,
            **keywords,
        )
        for part in precision.parts
    )
    record = parts[0].record
    if record.adaptive:
        # It would go back to steps of another format.
        rule = "must be a number of steps where the format changes"
        raise InvalidArgument("record.sharpness", "adaptive", rule)
    for event in precision.switches:
        if not isinstance(event, Event):
            continue
        if not getattr(record, event.series):
            rule = f"must be recorded for the event {event.condition}"
            raise InvalidArgument(f"record.{event.series}", 0, rule)
        if event.over_lr and isinstance(optimizer, GradientFlow):
            rule = "must have a number as its bound: gradient flow has no learning rate"
            raise InvalidArgument("precision", event.condition, rule)
    # The run begins in the first format, in whose last bits its start may have been moved.
    later = (replace(part, start=parts[0].start) for part in parts[1:])
    return SwitchedPlan(precision, (parts[0], *later))
