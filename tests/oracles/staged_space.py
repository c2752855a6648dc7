"""Rounded operations of a training run: a format for each stage, an order of sums, counted draws.

The stages and what lies in them:

parameters   u, v; W, a, b1, b2
forward      X, y, f, z, P; b, beta, F, H, c, ones
accumulate   the inside of sums, but for those into the loss
gradient     g, h, s, q; t, kappa a, rows of dW, e, shares, db1, db2, kappa; slopes of a flow
update       step sizes, momentum, velocities, eta g
measurement  the loss

A draw is known by (seed, run; step, call, element, index): the step, the how-manieth operation on
arrays it is in the step, the element of its result, and the rounding within that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oracles import formats
from oracles.formats import Format, Number

STAGES = ("parameters", "forward", "accumulate", "gradient", "update", "measurement")
ORDERS = ("sequential", "fused", "blocked", "pairwise", "kahan", "exact")
LANES = 32
Vector = list[Number]
#: The rounding of a finished sum to its destination.
LAST = 2**63


@dataclass(frozen=True)
class Arithmetic:
    """A format of each stage, the order of sums, and the key of the draws."""

    stages: dict[str, Format]
    order: str = "sequential"
    seed: int = 0
    run: int = 0

    @classmethod
    def parse(cls, text: str, order: str = "sequential", seed: int = 0) -> Arithmetic:
        """Read FORMAT[/STAGE=FORMAT ...]; the first is that of all other stages."""
        first, *others = text.split("/")
        stages = dict.fromkeys(STAGES, formats.parse(first))
        for other in others:
            stage, _, name = other.partition("=")
            stages[stage] = formats.parse(name)
        return cls(stages, order, seed)

    @property
    def stochastic(self) -> bool:
        """Say whether any rounding depends on a draw."""
        return any(fmt.rounding == "sr" for fmt in self.stages.values())


class Element:
    """One element of the result of one operation on arrays: rounds, and counts its roundings."""

    def __init__(self, space: StagedSpace, call: int, element: int) -> None:
        self.space, self.call, self.element, self.index = space, call, element, 0

    def round(
        self, fmt: Format, index: int, operation: Callable[..., Number], *args: Any
    ) -> Number:
        """Carry out an operation in a format with the draw of this index."""
        a = self.space.arithmetic

        def draw() -> int:
            return formats.draw_of(a.seed, a.run, self.space.step, self.call, self.element, index)

        return operation(fmt, *args, draw)

    def next(self, fmt: Format, operation: Callable[..., Number], *args: Any) -> Number:
        """Do so with the next index of an element program."""
        self.index += 1
        return self.round(fmt, self.index - 1, operation, *args)


class StagedSpace:
    """The operations that model and optimiser texts are made of; one call each."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.step = self.calls = 0

    def begin_step(self, step: int) -> None:
        """Start to count calls from 0."""
        self.step, self.calls = step, 0

    def call(self) -> int:
        """Count a call."""
        self.calls += 1
        return self.calls - 1

    def nearest(self, stage: str, x: Any) -> Any:
        """Round data, nested lists of it too, to a stage's format."""
        if isinstance(x, list):
            return [self.nearest(stage, entry) for entry in x]
        x = x if isinstance(x, float) else formats.Fraction(x) or 0.0
        return formats.nearest(self.arithmetic.stages[stage], x)

    # Elements

    def map(self, stage: str, program: Callable[..., Number], n: int, *inputs: Any) -> Vector:
        """Apply program(rounded, input_i ...) for i < n; lists are indexed, numbers broadcast.

        rounded(operation, operands ...) carries out one operation in the stage's format.
        """
        call, fmt = self.call(), self.arithmetic.stages[stage]
        out = []
        for i in range(n):
            element = Element(self, call, i)
            values = [x[i] if isinstance(x, list) else x for x in inputs]

            def rounded(operation: Any, *args: Any, element: Element = element) -> Number:
                return element.next(fmt, operation, *args)

            out.append(program(rounded, *values))
        return out

    def map_scalar(self, stage: str, program: Callable[..., Number], *inputs: Number) -> Number:
        """Do so for one number."""
        return self.map(stage, program, 1, *inputs)[0]

    def descend(self, theta: Vector, eta: Number, direction: Vector) -> Vector:
        """Return theta - eta direction."""
        call, stages = self.call(), self.arithmetic.stages
        following = []
        for i in range(len(theta)):
            element = Element(self, call, i)
            p = element.next(stages["update"], formats.multiply, eta, direction[i])
            following.append(element.next(stages["parameters"], formats.subtract, theta[i], p))
        return following

    def product(self, stage: str, v: Vector, skip: int | None = None) -> Number:
        """Return the ascending product of all factors but one; the first is converted."""
        element, fmt = Element(self, self.call(), 0), self.arithmetic.stages[stage]
        result: Number | None = None
        for j, factor in enumerate(v):
            if j == skip:
                continue
            if result is None:
                result = element.round(fmt, j, formats.convert, factor)
            else:
                result = element.round(fmt, j, formats.multiply, result, factor)
        assert result is not None
        return result

    # Sums

    def dot(self, stage: str, a: Vector, b: Vector) -> Number:
        """Return sum a_k b_k."""
        return self._sum(stage, Element(self, self.call(), 0), a, b, down=False)

    def rows_times(self, stage: str, rows: list[Vector], u: Vector) -> Vector:
        """Return sum_k rows[i][k] u[k] for each i."""
        call = self.call()
        return [
            self._sum(stage, Element(self, call, i), row, u, down=False)
            for i, row in enumerate(rows)
        ]

    def columns_times(self, stage: str, rows: list[Vector], z: Vector) -> Vector:
        """Return sum_i rows[i][k] z[i] for each k."""
        call = self.call()
        return [
            self._sum(stage, Element(self, call, k), list(column), z, down=True)
            for k, column in enumerate(zip(*rows, strict=True))
        ]

    def diagonal_times(self, stage: str, sigma: Vector, u: Vector) -> Vector:
        """Return the sums of one term sigma_i u_i."""
        call = self.call()
        return [
            self._sum(stage, Element(self, call, i), [s], [x], down=False)
            for i, (s, x) in enumerate(zip(sigma, u, strict=True))
        ]

    def _sum(self, stage: str, element: Element, x: Vector, y: Vector, down: bool) -> Number:
        """Return a sum in the order of the run, rounded to its destination."""
        stages, order = self.arithmetic.stages, self.arithmetic.order
        destination = stages[stage]
        inside = destination if stage == "measurement" else stages["accumulate"]
        n = len(x)

        if order == "exact":
            terms = [formats.exact_product(a, b) for a, b in zip(x, y, strict=True)]
            return element.round(destination, n, formats.sum_exactly, terms)

        def rounded(index: int, operation: Any, *args: Any) -> Number:
            return element.round(inside, index, operation, *args)

        if order == "fused":
            total = rounded(0, formats.multiply, x[0], y[0])
            for k in range(1, n):
                total = rounded(n + k, formats.fma, x[k], y[k], total)
        else:
            terms = [rounded(k, formats.multiply, x[k], y[k]) for k in range(n)]
            if order == "blocked":
                total = blocked(rounded, terms, down)
            else:
                total = {"sequential": sequential, "pairwise": pairwise, "kahan": kahan}[order](
                    rounded, terms
                )
        if inside == destination:
            return total
        return element.round(destination, LAST, formats.convert, total)


def sequential(rounded: Any, t: Vector) -> Number:
    """Return the ascending sum."""
    s = t[0]
    for k in range(1, len(t)):
        s = rounded(len(t) + k, formats.add, s, t[k])
    return s


def blocked(rounded: Any, t: Vector, down: bool) -> Number:
    """Return the sum of partial sums: every 32nd term, or, down the rows, 32 terms in a row."""
    n = len(t)
    if down:
        groups = [list(range(c, min(c + LANES, n))) for c in range(0, n, LANES)]
    else:
        groups = [list(range(r, n, LANES)) for r in range(min(LANES, n))]
    partials = []
    for group in groups:
        s = t[group[0]]
        for k in group[1:]:
            s = rounded(n + k, formats.add, s, t[k])
        partials.append(s)
    width = 1
    while width < len(partials):
        width *= 2
    while width > 1:
        width //= 2
        for i in range(width):
            if i + width < len(partials):
                partials[i] = rounded(
                    2 * n + width + i, formats.add, partials[i], partials[i + width]
                )
        partials = partials[:width]
    return partials[0]


def pairwise(rounded: Any, t: Vector) -> Number:
    """Return the sum by halves, the first of which is a power of two."""

    def part(a: int, b: int) -> Number:
        if b - a == 1:
            return t[a]
        h = 1
        while 2 * h < b - a:
            h *= 2
        return rounded(len(t) + a + h, formats.add, part(a, a + h), part(a + h, b))

    return part(0, len(t))


def kahan(rounded: Any, t: Vector) -> Number:
    """Return the compensated sum."""
    n = len(t)
    s, c = t[0], 0.0
    for k in range(1, n):
        y = rounded(n + 4 * k, formats.subtract, t[k], c)
        following = rounded(n + 4 * k + 1, formats.add, s, y)
        d = rounded(n + 4 * k + 2, formats.subtract, following, s)
        c = rounded(n + 4 * k + 3, formats.subtract, d, y)
        s = following
    return s
