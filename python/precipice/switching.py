"""Formats that follow one another within a run: which, and from which step or event on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from precipice.arithmetic import Arithmetic
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.mixed import WorkingPrecision, format_of, working_precision
from precipice.optimizers import GD
from precipice.schedules import Event
from precipice.stepping import (
    RoundedSchedule,
    Stepping,
    problem_rounding,
    stepping,
    stepping_of,
)

ARROW, AT = "->", "@"
_LARGEST_STEP = 2**62
_RULE = (
    'must be such as "float32->mpfr256@1200" or "float32->mpfr256@sharpness>=2/lr": formats, and '
    "behind each but the first the step or the event from whose update on it holds"
)


@dataclass(frozen=True)
class SwitchedPrecision:
    """Formats that follow one another within a run.

    The run begins in the first. Wherever a switch comes, at step t, the run goes on in the next
    format from the update of step t on: the parameters (and velocities) are what they are, rounded
    to nearest into it; the data, η and all other numbers are rounded afresh from the problem; and
    step t is evaluated again, but not recorded twice.

    Parameters
    ----------
    parts : tuple of Precision or MixedPrecision
        The formats, two or more.
    switches : tuple of int or Event
        Where each but the first begins: a step, or the first recorded step at which an event is
        seen. Steps ascend. A number/lr in an event is over the η of the step it is looked at, as
        the format before the switch rounds it.

    Raises
    ------
    InvalidArgument
        If they do not fit.
    """

    parts: tuple[WorkingPrecision, ...]
    switches: tuple[int | Event, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2 or len(self.switches) != len(self.parts) - 1:
            raise InvalidArgument("precision", self.name, _RULE)
        last = 0
        for switch in self.switches:
            if isinstance(switch, Event):
                continue
            step = whole_number(switch, "at", 0, _LARGEST_STEP)
            if step < last:
                raise InvalidArgument("precision", self.name, "switches must be at ascending steps")
            last = step

    @property
    def name(self) -> str:
        """The formats and switches in one word; `parse` reads it back."""
        later = zip(self.parts[1:], self.switches, strict=False)
        return ARROW.join([str(self.parts[0]), *(f"{part}{AT}{when}" for part, when in later)])

    @property
    def bits(self) -> int:
        """The widest format's significand."""
        return max(part.bits for part in self.parts)

    @property
    def width(self) -> int:
        """Bits of a significand that holds each number of the formats."""
        return max(part.width for part in self.parts)

    @property
    def stochastic(self) -> bool:
        """Whether a format draws random numbers."""
        return any(part.stochastic for part in self.parts)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, written: str) -> SwitchedPrecision:
        """Return what ``FIRST->SECOND@WHEN`` (and more ``->THIRD@WHEN``) stands for.

        Raises
        ------
        InvalidArgument
            If it is nothing of the kind.
        """
        first, *later = ("".join(part.split()) for part in written.split(ARROW))
        formats, switches = [working_precision(first)], []
        for part in later:
            name, at, when = part.partition(AT)
            if not at or not when:
                raise InvalidArgument("precision", written, _RULE)
            formats.append(working_precision(name))
            switches.append(_switch(when, written))
        return cls(tuple(formats), tuple(switches))

    def describe(self) -> dict[str, Any]:
        """Return the formats as JSON-able data."""
        return {
            "name": self.name,
            "parts": [part.describe() for part in self.parts],
            "switches": self.describe_switches(),
        }

    def describe_switches(self) -> list[dict[str, Any]]:
        """Return each switch as JSON-able data: from, to, and at or when."""
        return [
            {"from": str(before), "to": str(after), **_described(switch)}
            for before, after, switch in zip(
                self.parts, self.parts[1:], self.switches, strict=False
            )
        ]

    def availability(self) -> tuple[bool, str]:
        """Return whether all formats can run here, and how or why not."""
        found = [
            (
                part,
                *Arithmetic.of(part, rounding_seed=0 if part.stochastic else None).availability(),
            )
            for part in self.parts
        ]
        absent = [f"{part}: {sentence}" for part, here, sentence in found if not here]
        return not absent, "; ".join(absent or [f"{part}: {how}" for part, _, how in found])


RunPrecision: TypeAlias = WorkingPrecision | SwitchedPrecision
"""What a run is asked to be carried out in."""


def switch(first: Any, second: Any, *, at: Any = None, when: str | None = None) -> Any:
    """Return a precision that changes on its way.

    Parameters
    ----------
    first, second : str, Precision or MixedPrecision
        Formats; each may itself be what this function returns.
    at : int, optional
        The step from whose update on the second holds.
    when : str, optional
        Instead of that an event, ``"sharpness>=2/lr"``, ``"loss<=1e-6"``, …, as for
        `precipice.lr.at_event`: the second holds from the update of the first step on at which the
        series is recorded and the event is seen. It must be recorded. Never, if it never comes.

    Raises
    ------
    InvalidArgument
        If neither or both of `at` and `when` are given, or something is not what it should be.

    Examples
    --------
    >>> import precipice as pc
    >>> str(pc.switch("float32", "mpfr256", when="sharpness >= 2/lr"))
    'float32->mpfr256@sharpness>=2/lr'
    """
    if (at is None) == (when is None):
        raise InvalidArgument("at", at, "either at or when must be given")
    begins = Event(when) if when is not None else whole_number(at, "at", 0, _LARGEST_STEP)
    before, after = (parse_precision(each) for each in (first, second))
    parts, switches = _parts(before), _parts(after)
    return SwitchedPrecision((*parts, *switches), (*_switches(before), begins, *_switches(after)))


def parse_precision(precision: Any) -> RunPrecision:
    """Return the format, or formats that follow one another, that is meant.

    Raises
    ------
    InvalidArgument
        If it is none.
    """
    if isinstance(precision, SwitchedPrecision):
        return precision
    if isinstance(precision, str) and ARROW in precision:
        return SwitchedPrecision.parse(precision)
    return working_precision(precision)


def spliced(parts: Sequence[Stepping], steps: Sequence[int]) -> Stepping:
    """Return what a run's steppings make up.

    Parameters
    ----------
    parts : sequence of Stepping
        Of each format that the run has been in.
    steps : sequence of int
        The steps from which each but the first held, ascending.

    Notes
    -----
    η of a step is that of its update: of the format after a switch at this step.
    """
    first = parts[0]
    if first.working is None:
        return first
    pieces: list[tuple[int, float]] = []
    begins, ends = [0, *steps], [*steps, None]
    for part, begin, end in zip(parts, begins, ends, strict=True):
        assert part.working is not None
        changes = [begin, *(t for t in part.working.first_step if t > begin)]
        for t in changes:
            lr = part.working.at(t)
            if (end is None or t < end) and (not pieces or pieces[-1][1] != lr):
                pieces.append((t, lr))
    first_step, lrs = zip(*pieces, strict=True)
    return replace(first, working=RoundedSchedule(first_step, lrs, first.working.event))


def switched_stepping_of(
    settings: Mapping[str, Any],
    precision: SwitchedPrecision,
    event_step: int | None,
    steps: Sequence[int],
) -> Stepping | None:
    """Return the stepping of a run that was made with these settings and switched at these steps.

    None, as `precipice.stepping.stepping_of` returns, of a plain one that never switched.

    Raises
    ------
    KeyError, TypeError, ValueError
        If something in the settings is missing or is not what it should be.
    """
    plain = "optimizer" not in settings
    if plain and not steps:
        return None
    parts = []
    for part in precision.parts[: len(steps) + 1]:
        working = format_of(part, "update")
        if plain:
            rounding = problem_rounding(settings["problem_dtype"])
            of_part = stepping(GD(settings["lr_exact"]), settings["steps"], rounding, working)
        else:
            found = stepping_of(settings, working, event_step)
            assert found is not None
            of_part = found
        parts.append(of_part)
    return spliced(parts, steps)


def _parts(precision: RunPrecision) -> tuple[WorkingPrecision, ...]:
    return precision.parts if isinstance(precision, SwitchedPrecision) else (precision,)


def _switches(precision: RunPrecision) -> tuple[int | Event, ...]:
    return precision.switches if isinstance(precision, SwitchedPrecision) else ()


def _switch(when: str, written: str) -> int | Event:
    """Return the step or event that a text stands for."""
    if when.isdecimal() and when.isascii():
        return whole_number(int(when[:20]), "at", 0, _LARGEST_STEP)
    try:
        return Event(when)
    except InvalidArgument as error:
        rule = f"must have a step or an event behind @: {error.rule}"
        raise InvalidArgument("precision", written, rule) from None


def _described(switch: int | Event) -> dict[str, Any]:
    return {"when": switch.condition} if isinstance(switch, Event) else {"at": switch}
