"""Learning-rate schedules: which η each step takes. ``pc.lr`` is this module.

A schedule is a list of pieces, each with an η that holds from its first step on; the last may end
with an event, after which another η holds. Everything here is exact; `precipice.stepping` says what
becomes of it in a run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gmpy2

from precipice.errors import InvalidArgument
from precipice.exact import Exact, exact, text, whole_number
from precipice.precision import nearest_float64

_EVENT = re.compile(r"(sharpness|loss)(>=|<=)(.+)")
_EVENT_RULE = (
    'must be such as "sharpness>=2/lr" or "loss<=1e-6": sharpness or loss, >= or <=, '
    "a number or number/lr"
)


@dataclass(frozen=True)
class Event:
    """A recorded series reaches a bound.

    Parameters
    ----------
    condition : str
        ``sharpness`` or ``loss``, ``>=`` or ``<=``, and an exact number or ``number/lr``.

    Raises
    ------
    InvalidArgument
        If the condition has another form.
    """

    condition: str

    def __post_init__(self) -> None:
        if not isinstance(self.condition, str):
            raise InvalidArgument("event", self.condition, _EVENT_RULE)
        object.__setattr__(self, "condition", "".join(self.condition.split()))
        if not _EVENT.fullmatch(self.condition):
            raise InvalidArgument("event", self.condition, _EVENT_RULE)
        self.bound(1.0)

    @property
    def series(self) -> str:
        """``"sharpness"`` or ``"loss"``."""
        return self._parts()[0]

    @property
    def above(self) -> bool:
        """Whether it is reached from below (``>=``)."""
        return self._parts()[1] == ">="

    @property
    def over_lr(self) -> bool:
        """Whether the bound is `number` over η."""
        return self._parts()[2].endswith("/lr")

    @property
    def number(self) -> float:
        """The number in the condition, rounded to float64."""
        return nearest_float64(self._parts()[2].removesuffix("/lr"), "event")

    def bound(self, lr: float) -> float:
        """Return the bound in float64, in which the series is measured, for an η."""
        bound = self.number
        if self.over_lr:
            bound = bound / lr
            if not 0 < bound < math.inf:
                rule = "number/lr must be positive and within float64's range"
                raise InvalidArgument("event", self.condition, rule)
        return bound

    def reached(self, value: float, lr: float) -> bool:
        """Say whether a measured value is the event, at an η; NaN is none."""
        bound = self.bound(lr)
        return value >= bound if self.above else value <= bound

    def __str__(self) -> str:
        return self.condition

    def _parts(self) -> tuple[str, str, str]:
        match = _EVENT.fullmatch(self.condition)
        assert match is not None
        return match[1], match[2], match[3]


@dataclass(frozen=True)
class Warmup:
    """η_t = lr (t + 1)/steps for t < steps, then lr; see `warmup`."""

    lr: Any
    steps: int
    name: ClassVar[str] = "warmup"

    def __post_init__(self) -> None:
        step_size(self.lr)
        object.__setattr__(self, "steps", whole_number(self.steps, "warmup.steps", 1))

    def pieces(self, steps: int) -> list[tuple[int, Exact]]:
        """Return (first step, η) of the pieces that begin up to `steps`."""
        final = gmpy2.mpq(step_size(self.lr))
        return [(t, exact(final * (t + 1) / self.steps)) for t in range(min(self.steps, steps + 1))]

    def describe(self) -> dict[str, Any]:
        """Return the schedule as JSON-able data; `from_description` reads it back."""
        return {"name": self.name, **written("lr", self.lr), "steps": self.steps}

    def __str__(self) -> str:
        return f"warmup:{self.lr},{self.steps}"


@dataclass(frozen=True)
class Piecewise:
    """One η after the other; see `piecewise`. The last piece's steps are None if it has no end."""

    parts: tuple[tuple[Any, int | None], ...]
    name: ClassVar[str] = "piecewise"

    def __post_init__(self) -> None:
        if not self.parts:
            raise InvalidArgument("lr", "piecewise", "must have a piece")
        checked = []
        for number, (lr, steps) in enumerate(self.parts, start=1):
            step_size(lr)
            if steps is None and number < len(self.parts):
                rule = "every piece but the last must be (lr, steps)"
                raise InvalidArgument("lr", str(lr), rule)
            checked.append((lr, None if steps is None else whole_number(steps, "lr.steps", 1)))
        object.__setattr__(self, "parts", tuple(checked))

    def pieces(self, steps: int) -> list[tuple[int, Exact]]:
        """Return (first step, η) of all pieces.

        Raises
        ------
        InvalidArgument
            If they end before the run's `steps`.
        """
        begin, found = 0, []
        for lr, length in self.parts:
            found.append((begin, step_size(lr)))
            if length is not None:
                begin += length
        if self.parts[-1][1] is not None and begin < steps:
            rule = f"must not end before the run's {steps} steps"
            raise InvalidArgument("lr", f"piecewise of {begin} steps", rule)
        return found

    def describe(self) -> dict[str, Any]:
        """Return the schedule as JSON-able data; `from_description` reads it back."""
        parts = [{**written("lr", lr), "steps": steps} for lr, steps in self.parts]
        return {"name": self.name, "pieces": parts}

    def __str__(self) -> str:
        parts = (str(lr) if steps is None else f"{lr}*{steps}" for lr, steps in self.parts)
        return f"piecewise:{','.join(parts)}"


@dataclass(frozen=True)
class AtEvent:
    """lr until an event, then another; see `at_event`."""

    lr: Any
    event: Event
    then: Any
    name: ClassVar[str] = "event"

    def __post_init__(self) -> None:
        if not isinstance(self.event, Event):
            object.__setattr__(self, "event", Event(self.event))
        step_size(self.lr)
        step_size(self.then)

    def pieces(self, steps: int) -> list[tuple[int, Exact]]:
        """Return (first step, η) as if the event never came."""
        return [(0, step_size(self.lr))]

    def describe(self) -> dict[str, Any]:
        """Return the schedule as JSON-able data; `from_description` reads it back."""
        return {
            "name": self.name,
            **written("lr", self.lr),
            "event": self.event.condition,
            **written("then", self.then),
        }

    def __str__(self) -> str:
        return f"event:{self.lr},{self.event.condition},{self.then}"


Schedule = Warmup | Piecewise | AtEvent


def warmup(lr: Any, steps: int) -> Warmup:
    """Return the schedule η_t = lr (t + 1)/steps for t < steps, then lr.

    Parameters
    ----------
    lr : str, int, float, Fraction, …
        An exact number, as for `precipice.GD`; each η_t is the exact fraction, rounded once.
    steps : int
        At least 1. A run may end before its warm-up does.
    """
    return Warmup(lr, steps)


def piecewise(*pieces: Any) -> Piecewise:
    """Return a schedule of pieces of constant η.

    Parameters
    ----------
    *pieces : tuple of lr and int, or lr
        Each η and for how many steps it holds; the last piece may be a number alone, which then
        holds for ever.

    Raises
    ------
    InvalidArgument
        If a piece is none of these; a run longer than the schedule is refused when it is prepared.

    Examples
    --------
    >>> str(piecewise(("0.1", 500), "0.05"))
    'piecewise:0.1*500,0.05'
    """
    parts = []
    for piece in pieces:
        if isinstance(piece, (tuple, list)):
            if len(piece) != 2 or piece[1] is None:
                raise InvalidArgument("lr", piece, "a piece must be (lr, steps)")
            parts.append((piece[0], piece[1]))
        else:
            parts.append((piece, None))
    return Piecewise(tuple(parts))


def at_event(lr: Any, event: str, then: Any) -> AtEvent:
    """Return the schedule that takes `lr` until an event, and `then` from its update on.

    Parameters
    ----------
    lr, then : str, int, float, Fraction, …
        Exact numbers, as for `precipice.GD`.
    event : str
        ``"sharpness>=2/lr"``, ``"sharpness<=50"``, ``"loss<=1e-6"``, …: a recorded series and its
        bound, a number or number/lr with η as rounded to the working format. Looked at wherever
        the series is recorded, on the float64 measurement, before the update of that step.
    """
    return AtEvent(lr, Event(event), then)


def parse(written_as: str) -> str | Schedule:
    """Return the learning rate that a text stands for: a number as it is written, or a schedule.

    Parameters
    ----------
    written_as : str
        ``"2/50"``, ``"warmup:0.1,100"``, ``"piecewise:0.1*500,0.05*500"``,
        ``"piecewise:0.1*500,0.05"`` or ``"event:0.1,sharpness>=2/lr,0.05"``.

    Raises
    ------
    InvalidArgument
        If it is none of these.
    """
    kind, colon, rest = written_as.strip().partition(":")
    if not colon:
        return written_as
    words = [word.strip() for word in rest.split(",")]
    if kind == "warmup" and len(words) == 2:
        return Warmup(words[0], _count(words[1], written_as))
    if kind == "event" and len(words) == 3:
        return at_event(*words)
    if kind == "piecewise":
        parts = [word.partition("*") for word in words]
        return Piecewise(
            tuple((lr, _count(steps, written_as) if star else None) for lr, star, steps in parts)
        )
    rule = "must be a number, warmup:LR,STEPS, piecewise:LR*STEPS,…,LR or event:LR,EVENT,THEN"
    raise InvalidArgument("lr", written_as, rule)


def from_description(description: Mapping[str, Any]) -> Schedule:
    """Return the schedule that `describe` described, with the same exact numbers.

    Raises
    ------
    InvalidArgument
        If it is no schedule's description.
    """
    try:
        name = description["name"]
        if name == Warmup.name:
            return Warmup(read_back("lr", description), description["steps"])
        if name == Piecewise.name:
            parts = description["pieces"]
            return Piecewise(tuple((read_back("lr", part), part["steps"]) for part in parts))
        if name == AtEvent.name:
            lr, then = (read_back(key, description) for key in ("lr", "then"))
            return AtEvent(lr, Event(description["event"]), then)
    except (KeyError, TypeError, AttributeError):
        pass
    raise InvalidArgument("schedule", description, "must be a schedule's description")


def step_size(lr: Any) -> Exact:
    """Return an η of a schedule as an exact number, which must be in float64's range."""
    number = exact(lr, "lr")
    if not number > 0:
        raise InvalidArgument("lr", lr, "must be positive")
    if not nearest_float64(number, "lr") > 0:
        raise InvalidArgument("lr", lr, "must be within float64's range")
    return number


def written(name: str, number: Any) -> dict[str, str]:
    """Return a number under its name as it was written, and as exact text beside it."""
    return {name: str(number), f"{name}_exact": text(exact(number, name))}


def read_back(name: str, description: Mapping[str, Any]) -> str:
    """Return the text of the number that `written` wrote: as it was, if that is the same number."""
    as_written, exactly = description.get(name), description[f"{name}_exact"]
    # A float prints as a decimal it is not equal to: then only the exact text will do.
    if isinstance(as_written, str) and text(exact(as_written, name)) == exactly:
        return as_written
    return str(exactly)


def _count(word: str, written_as: str) -> int:
    if not word.strip().isdecimal():
        raise InvalidArgument("lr", written_as, f"{word or 'steps'} must be a number of steps")
    return whole_number(int(word[:20]), "lr.steps", 1)
