"""What a run makes of its optimiser: η_t and β rounded, checked, and the stability threshold."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.data_rounding import require_nearest, strict
from precipice.errors import InvalidArgument
from precipice.exact import Exact, exact
from precipice.optimizers import GD, SGD, GradientFlow, Optimizer, from_description
from precipice.precision import Precision
from precipice.record import Record
from precipice.schedules import AtEvent, Schedule


@dataclass(frozen=True)
class RoundedEvent:
    """An event with numbers in place of names.

    Attributes
    ----------
    series : str
        ``"sharpness"`` or ``"loss"``.
    above : bool
        Whether a value of at least `bound` is the event; else one of at most `bound`.
    bound : float
    lr : number
        η from the update of the event's step on.
    """

    series: str
    above: bool
    bound: float
    lr: Any

    def reached(self, value: float) -> bool:
        """Say whether a measured value is the event; NaN is none."""
        return value >= self.bound if self.above else value <= self.bound


@dataclass(frozen=True)
class RoundedSchedule:
    """η of each step, in some format.

    Attributes
    ----------
    first_step : tuple of int
        First step of each piece, ascending from 0.
    lr : tuple of numbers
        η of each piece: exact numbers, members of a format or floats.
    event : RoundedEvent or None
        What may still change η.
    """

    first_step: tuple[int, ...]
    lr: tuple[Any, ...]
    event: RoundedEvent | None = None

    def at(self, step: int) -> Any:
        """Return η of a step."""
        return self.lr[bisect.bisect_right(self.first_step, step) - 1]

    def floats_at(self, steps: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return η of many steps as float64."""
        pieces = np.searchsorted(np.asarray(self.first_step), np.asarray(steps), side="right") - 1
        return np.asarray([float(lr) for lr in self.lr])[pieces]

    def switched(self, step: int) -> RoundedSchedule:
        """Return the schedule after its event has come at a step."""
        assert self.event is not None
        kept = bisect.bisect_left(self.first_step, step)
        return RoundedSchedule((*self.first_step[:kept], step), (*self.lr[:kept], self.event.lr))

    def constant_since(self) -> float:
        """Return the step from which η is what it will always be; inf if an event may come."""
        return math.inf if self.event else self.first_step[-1]

    def converted(self, convert: Callable[[Any], Any]) -> RoundedSchedule:
        """Return the schedule with every η converted."""
        event = self.event and replace(self.event, lr=convert(self.event.lr))
        return replace(self, lr=tuple(map(convert, self.lr)), event=event)


@dataclass(frozen=True)
class Stepping:
    """η_t and β of a run.

    Attributes
    ----------
    step_sizes : RoundedSchedule or None
        η_t in the problem's format; a flow's step h, None where the flow chooses it.
    momentum : Exact or None
        β in the problem's format; None where there is no velocity.
    working : RoundedSchedule or None
        η_t as rounded to the working format, as float64.
    factor : float
        c of the stability threshold c/η: 2 for gradient descent, infinite for a flow.
    formula : str
        The threshold in words, ``"2/η"``; empty for a flow.
    event_step : int or None
        The step at which the schedule's event came, once it has.
    """

    step_sizes: RoundedSchedule | None
    momentum: Exact | None
    working: RoundedSchedule | None
    factor: float
    formula: str
    event_step: int | None = None

    @classmethod
    def constant(cls, lr: float) -> Stepping:
        """Return that of gradient descent with a constant η."""
        alone = RoundedSchedule((0,), (lr,))
        return cls(alone, None, alone, 2.0, GD.threshold_formula)

    @property
    def varies(self) -> bool:
        """Whether the stability threshold is another at another step."""
        return self.factor < math.inf and self.working is not None and len(self.working.lr) > 1

    @property
    def lr(self) -> float:
        """η of step 0 as float64; NaN where a flow chooses its step."""
        return float(self.working.lr[0]) if self.working else math.nan

    def switched(self, event_step: int | None) -> Stepping:
        """Return the run's own, where the schedule's event came at a step.

        Raises
        ------
        ValueError
            If it has no such event.
        """
        if event_step is None:
            return self
        if self.working is None or self.working.event is None:
            raise ValueError("the schedule has no event")
        return replace(self, working=self.working.switched(event_step), event_step=event_step)

    def lr_at(self, steps: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return η of one or more steps as float64."""
        if self.working is None:
            return np.full(np.shape(steps), math.nan)
        return self.working.floats_at(steps)

    def threshold_at(self, steps: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the stability threshold of one or more steps."""
        if self.factor == math.inf:
            return np.full(np.shape(steps), math.inf)
        return self.factor / self.lr_at(steps)


def is_plain(optimizer: Optimizer) -> bool:
    """Say whether an optimiser is gradient descent with a constant learning rate."""
    return isinstance(optimizer, GD) and not isinstance(optimizer.lr, Schedule)


def problem_rounding(problem_dtype: Any) -> Precision | None:
    """Return the problem's format, or None for "exact"."""
    if isinstance(problem_dtype, str) and problem_dtype == "exact":
        return None
    try:
        rounding = Precision.parse(problem_dtype)
    except InvalidArgument as error:
        rule = f'{error.rule}, or "exact"'
        raise InvalidArgument("problem_dtype", problem_dtype, rule) from None
    require_nearest(rounding, "problem_dtype")
    return rounding


def stepping(
    optimizer: Optimizer, steps: int, rounding: Precision | None, working: Precision
) -> Stepping:
    """Round an optimiser's numbers to the problem's format, and on to that of the updates.

    Parameters
    ----------
    optimizer : Optimizer
    steps : int
        Of the run, which no schedule may end before.
    rounding : Precision or None
        The problem's format; None leaves the numbers exact.
    working : Precision
        The format of stage update.

    Raises
    ------
    InvalidArgument
        If a number rounds to something that breaks its rule, or the schedule ends too early.
    """
    momentum = _momentum(optimizer, rounding, working)
    if momentum is not None:
        optimizer = replace(optimizer, momentum=working.round(momentum))
    factor = optimizer.stability_threshold(1.0)
    if isinstance(optimizer, GradientFlow) and optimizer.step is None:
        return Stepping(None, momentum, None, factor, optimizer.threshold_formula)
    step_sizes, floats = _step_sizes(optimizer, steps, rounding, working)
    return Stepping(step_sizes, momentum, floats, factor, optimizer.threshold_formula)


def stepping_of(
    settings: Mapping[str, Any], working: Precision, event_step: int | None
) -> Stepping | None:
    """Return the stepping of a run that was made with these settings; None for a plain one.

    Parameters
    ----------
    settings : mapping
    working : Precision
        The format of stage update.
    event_step : int or None

    Raises
    ------
    KeyError, TypeError, ValueError
        If something in the settings is missing or is not what it should be.
    """
    if "optimizer" not in settings:
        return None
    if event_step is not None and not 0 <= event_step <= settings["steps"]:
        raise ValueError("an event's step must be one of the run's")
    optimizer = from_description(settings["optimizer"])
    rounding = problem_rounding(settings["problem_dtype"])
    return stepping(optimizer, settings["steps"], rounding, working).switched(event_step)


def check_fits(
    optimizer: Optimizer, samples: int, coordinates: str, record: Record, engine: str
) -> None:
    """Refuse what an optimiser cannot do with the other arguments."""
    if record.adaptive and (engine == "reference" or isinstance(optimizer, GradientFlow)):
        rule = 'needs engine="core" and an optimiser with a threshold of stability'
        raise InvalidArgument("record.sharpness", "adaptive", rule)
    if isinstance(optimizer, SGD):
        if optimizer.batch_size > samples:
            rule = f"must be at most the problem's {samples} samples"
            raise InvalidArgument("batch_size", optimizer.batch_size, rule)
        if coordinates == "spectral":
            rule = "must be primal for mini-batches: its rows are singular directions, not samples"
            raise InvalidArgument("coordinates", coordinates, rule)
    if isinstance(optimizer, GradientFlow):
        if optimizer.step is None and engine == "reference":
            raise InvalidArgument("engine", engine, "needs a fixed step for gradient flow")
    elif isinstance(optimizer.lr, AtEvent):
        series = optimizer.lr.event.series
        if not getattr(record, series):
            rule = f"must be recorded for the event {optimizer.lr.event.condition}"
            raise InvalidArgument(f"record.{series}", 0, rule)
        if record.adaptive and series == "sharpness":
            # It would come in a stretch that the run has gone back over and recorded without it.
            rule = f"must be a number of steps for the event {optimizer.lr.event.condition}"
            raise InvalidArgument("record.sharpness", "adaptive", rule)


def _momentum(optimizer: Optimizer, rounding: Precision | None, working: Precision) -> Exact | None:
    """Return β in the problem's format."""
    momentum = optimizer.exact_momentum()
    if momentum is None or isinstance(optimizer, (GD, GradientFlow)):
        return None
    rounded = momentum if rounding is None else rounding.round(momentum)
    for format_, value in ((rounding, rounded), (working, working.round(rounded))):
        if format_ is not None and not value < 1:
            raise InvalidArgument(
                "momentum", optimizer.momentum, f"must not round to 1 in {format_.name}"
            )
    return rounded


def _step_sizes(
    optimizer: Optimizer, steps: int, rounding: Precision | None, working: Precision
) -> tuple[RoundedSchedule, RoundedSchedule]:
    """Return η_t in the problem's format, and as rounded to the working format as float64."""
    argument, given = "lr", getattr(optimizer, "lr", None)
    event = given.event if isinstance(given, AtEvent) else None
    pieces: list[tuple[int, Exact]]
    if isinstance(optimizer, GradientFlow):
        argument, given = "step", optimizer.step
        pieces = [(0, exact(given, argument))]
    elif isinstance(given, Schedule):
        pieces, given = given.pieces(steps), str(given)
    else:
        pieces = [(0, optimizer.exact_lr())]

    def rounded(number: Exact) -> Exact:
        if rounding is None:
            return number
        value = strict(rounding).round(number)
        if not (value > 0 and gmpy2.is_finite(value)):
            raise InvalidArgument(
                argument, given, f"must not round to {_shown(value)} in {rounding.name}"
            )
        return value

    def as_float(number: Exact) -> float:
        return _working_float(number, working, argument, given)

    schedule = RoundedSchedule(
        tuple(first for first, _ in pieces), tuple(rounded(number) for _, number in pieces)
    )
    if event is not None:
        bound = event.bound(as_float(schedule.lr[0]))
        then = rounded(exact(optimizer.lr.then, "lr"))  # type: ignore[union-attr]
        schedule = replace(schedule, event=RoundedEvent(event.series, event.above, bound, then))
    return schedule, schedule.converted(as_float)


def _working_float(number: Exact, working: Precision, argument: str, given: Any) -> float:
    """Return an η as rounded to the working format, as float64."""
    rounded = strict(working).round(number)
    if not (rounded > 0 and gmpy2.is_finite(rounded)):
        raise InvalidArgument(
            argument, given, f"must not round to {_shown(rounded)} in {working.name}"
        )
    value = float(rounded)
    if not 0 < value < math.inf:
        rule = "must be within float64's range, in which 2/η is compared with the sharpness"
        raise InvalidArgument(argument, given, rule)
    return value


def _shown(value: gmpy2.mpfr) -> str:
    return "0" if value == 0 else str(value)
