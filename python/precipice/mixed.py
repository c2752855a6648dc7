"""A number format for each stage of a training step, and an order of its sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from precipice.errors import InvalidArgument
from precipice.precision import Precision

STAGES = ("parameters", "forward", "accumulate", "gradient", "update", "measurement")
"""What a step's numbers are for.

========== =====================================================================================
parameters u, v; W, a, b₁, b₂
forward    X, y, f = X u, residuals z, P = Π v_j; b = aᵀW, F, H, the biases' column of ones, c
accumulate every product and sum inside a sum, whose result is then rounded to where it goes
gradient   g, h and what they are made of: s, q; t, κ and κ_L, dW, e; a flow's slopes
update     η, β, velocities and η ⊗ g; the difference of a parameter and that is rounded once, to
           parameters
measurement the loss L with all its operations
========== =====================================================================================
"""

ORDERS = {
    "sequential": "each product is rounded and added to the sum, terms ascending",
    "fused": "the first product is rounded, then s = fma(x_k, y_k, s), terms ascending",
    "blocked": "sequential partial sums, 32 along a row or one every 32 rows, combined by halving",
    "pairwise": "halves at the largest power of two below the number of terms, recursively",
    "kahan": "sequential, each addition's rounding error taken off the next term",
    "exact": "the exact sum of the exact products, rounded once",
}
"""Orders of a sum of products, and their definitions in a sentence (`precipice.arithmetic`)."""

_RULE = (
    "must be FORMAT/STAGE=FORMAT/…/order=ORDER, such as bfloat16/accumulate=float32 or "
    f"float32/order=kahan, with STAGE one of {', '.join(STAGES)}, ORDER one of {', '.join(ORDERS)}"
)


@dataclass(frozen=True)
class MixedPrecision:
    """A format for each stage of a step, and perhaps the order of its sums.

    ``str`` gives ``"bfloat16/accumulate=float32/order=kahan"`` back, which `parse` reads.

    Parameters
    ----------
    base : Precision
        The format of all stages that `others` does not name.
    others : tuple of pairs of str and Precision
        Stage and format of those that differ; sorted as in `STAGES`.
    order : str, optional
        One of `ORDERS`; without, the run's argument says it.
    """

    base: Precision
    others: tuple[tuple[str, Precision], ...]
    order: str | None = None

    def __post_init__(self) -> None:
        given = dict(self.others)
        if len(given) < len(self.others):
            raise InvalidArgument("precision", self.name, "must name a stage once")
        for stage in given:
            if stage not in STAGES:
                raise InvalidArgument("precision", self.name, _RULE)
        if self.order not in (None, *ORDERS):
            raise InvalidArgument("precision", self.name, _RULE)
        if self.order is None and not any(format_ != self.base for format_ in given.values()):
            rule = f"must have a stage of another format than {self.base}, or be {self.base} alone"
            raise InvalidArgument("precision", self.name, rule)
        kept = (
            (stage, given[stage]) for stage in STAGES if given.get(stage) not in (None, self.base)
        )
        object.__setattr__(self, "others", tuple(kept))

    @property
    def name(self) -> str:
        """What `parse` reads."""
        order = [] if self.order is None else [f"order={self.order}"]
        return "/".join([str(self.base), *(f"{stage}={to}" for stage, to in self.others), *order])

    def __str__(self) -> str:
        return self.name

    def __getitem__(self, stage: str) -> Precision:
        """Return the format of a stage."""
        return dict(self.others).get(stage, self.base)

    @property
    def formats(self) -> tuple[Precision, ...]:
        """The formats of `STAGES`."""
        return tuple(self[stage] for stage in STAGES)

    @property
    def bits(self) -> int:
        """Bits of the parameters' format: what a run's exact numbers have, and plots sort by."""
        return self["parameters"].bits

    @property
    def width(self) -> int:
        """Bits of a significand that holds each of the parameters."""
        return self["parameters"].width

    @property
    def stochastic(self) -> bool:
        """Whether a stage draws random numbers."""
        return any(format_.stochastic for format_ in self.formats)

    def describe(self) -> dict[str, Any]:
        """Return the formats as JSON-able data."""
        return {
            "name": self.name,
            "bits": self.bits,
            "stages": {stage: self[stage].describe() for stage in STAGES},
        } | ({} if self.order is None else {"order": self.order})

    @classmethod
    def parse(cls, text: str) -> MixedPrecision:
        """Return what ``"FORMAT/STAGE=FORMAT/…/order=ORDER"`` names.

        Raises
        ------
        InvalidArgument
            If it is no such text, a format, stage or order is unknown, or one format is all.
        """
        base, *entries = text.split("/")
        order = None
        if entries and entries[-1].startswith("order="):
            order = entries.pop().removeprefix("order=")
        others = []
        for entry in entries:
            stage, equals, format_ = entry.partition("=")
            if not equals or stage not in STAGES:
                raise InvalidArgument("precision", text, _RULE)
            others.append((stage, Precision.parse(format_)))
        return cls(Precision.parse(base), tuple(others), order)


WorkingPrecision: TypeAlias = Precision | MixedPrecision
"""What a run can be carried out in."""


def format_of(working: WorkingPrecision, stage: str) -> Precision:
    """Return the format of a stage."""
    return working if isinstance(working, Precision) else working[stage]


def mixed(base: Any, stages: Mapping[str, Any], order: str | None = None) -> WorkingPrecision:
    """Return `base` for all stages but those that are named; a plain format if nothing differs."""
    first = Precision.parse(base)
    others = {stage: Precision.parse(format_) for stage, format_ in stages.items()}
    alike = set(others) <= set(STAGES) and all(format_ == first for format_ in others.values())
    if alike and order is None:
        return first
    return MixedPrecision(first, tuple(others.items()), order)


def working_precision(precision: Any) -> WorkingPrecision:
    """Return what a run is asked to be carried out in.

    Parameters
    ----------
    precision : str, dtype, Precision or MixedPrecision
        As `Precision.parse` and `MixedPrecision.parse` read it.

    Raises
    ------
    InvalidArgument
        If it is none.
    """
    if isinstance(precision, MixedPrecision):
        return precision
    if isinstance(precision, str) and "/" in precision:
        return MixedPrecision.parse(precision)
    return Precision.parse(precision)
