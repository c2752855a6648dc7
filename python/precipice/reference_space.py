"""The operations that models and optimisers are written in, one rounding after the other.

This is the contract of the core's Spaces (``cpp/linalg/space.hpp``) over `gmpy2.mpfr`. Vectors
are lists; each operation names the stage of its result, to whose format its elements are rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import gmpy2

from precipice.arithmetic import Arithmetic
from precipice.data_rounding import require_one_rounding
from precipice.draws import Draws
from precipice.exact import exact
from precipice.mixed import STAGES
from precipice.reference_sums import rounded_sum
from precipice.rounding import Number, Rounder

Vector: TypeAlias = "list[Number]"
Program: TypeAlias = "Callable[..., Number]"
"""What happens to one element: takes a `Rounder` and the operands' elements."""

_NUMBERS = (float, type(gmpy2.mpfr()), type(gmpy2.mpq()))


class Matrix:
    """A dense matrix.

    Parameters
    ----------
    rows : sequence of list of mpfr
    """

    def __init__(self, rows: Sequence[Vector]) -> None:
        self.rows = list(rows)

    @classmethod
    def of_vector(cls, entries: Vector, rows: int) -> Matrix:
        """Return a matrix whose rows follow one another in a vector."""
        d = len(entries) // rows
        return cls([entries[begin : begin + d] for begin in range(0, len(entries), d)])

    @cached_property
    def columns(self) -> list[Vector]:
        """The columns."""
        return [list(column) for column in zip(*self.rows, strict=True)]

    def take(self, indices: Iterable[int]) -> Matrix:
        """Return some of the rows."""
        return Matrix([self.rows[i] for i in indices])


class Diagonal:
    """A square matrix with entries on its diagonal alone: its products are sums of one term.

    Parameters
    ----------
    entries : list of mpfr
    """

    def __init__(self, entries: Vector) -> None:
        self.rows = self.columns = [[entry] for entry in entries]


class ReferenceSpace:
    """Numbers in the formats of an arithmetic, and every operation on them.

    Parameters
    ----------
    arithmetic : Arithmetic

    Attributes
    ----------
    arithmetic : Arithmetic
    stochastic : bool
        Whether a rounding depends on a draw.

    Notes
    -----
    Stochastic rounding draws by the number of the call within the step: 0, 1, 2, … for `map`,
    `descend`, `product`, `dot`, `matvec` and `matvec_transposed`. A model's text is thus the
    order of these calls too. Sums run in the arithmetic's order.
    """

    def __init__(self, arithmetic: Arithmetic) -> None:
        for stage in STAGES:
            require_one_rounding(arithmetic[stage], f"arithmetic.{stage}")
        self.arithmetic = arithmetic
        self.stochastic = any(precision.stochastic for precision in arithmetic.stages)
        self._draws = Draws(arithmetic.seed or 0, arithmetic.run)
        self._rounders = {stage: Rounder(arithmetic[stage], self._draws) for stage in STAGES}
        self._step = self._calls = 0

    def begin_step(self, step: int) -> None:
        """Count calls from 0 on, in this step."""
        self._step, self._calls = step, 0

    def number(self, stage: str, x: Any) -> Number:
        """Return a datum, of any kind `precipice.exact` reads, rounded to nearest even."""
        return self.numbers(stage, [x])[0]

    def numbers(self, stage: str, values: Iterable[Any]) -> Vector:
        """Return many data so rounded, whatever the rounding of the stage's format."""
        nearest = self._rounders[stage].nearest
        return [nearest(x if isinstance(x, _NUMBERS) else exact(x, stage)) for x in values]

    def map(self, stage: str, program: Program, *operands: Vector | Number | int) -> Vector:
        """Return what a program makes of each element of one or more vectors.

        Parameters
        ----------
        stage : str
            That of the result and of everything in between.
        program : callable
            Called with a `Rounder` and an element of each operand; `Rounder.multiply` is one.
        *operands : list of mpfr, mpfr or int
            Vectors of one length, one at least; numbers; and integers, which are rounded to
            nearest in the stage's format.
        """
        r = self._rounders[stage]
        n = next(len(x) for x in operands if isinstance(x, list))
        columns = [x if isinstance(x, list) else [self._member(r, x)] * n for x in operands]
        elements = zip(*columns, strict=True)
        return [program(r, *each) for _, each in zip(self._elements(n), elements, strict=True)]

    def map_number(self, stage: str, program: Program, *operands: Number | int) -> Number:
        """Return the same of operands that are no vectors."""
        r = self._rounders[stage]
        self._begin_number()
        return program(r, *(self._member(r, x) for x in operands))

    def descend(self, current: Vector, eta: Number, g: Vector) -> Vector:
        """Return θ ⊖ (η ⊗ g): the product in the update's format, θ in the parameters'."""
        update, parameters = self._rounders["update"], self._rounders["parameters"]
        return [
            parameters.subtract(theta_k, update.multiply(eta, g_k, 0), 1)
            for _, theta_k, g_k in zip(self._elements(len(g)), current, g, strict=True)
        ]

    def product(self, stage: str, factors: Vector, skip: int | None = None) -> Number:
        """Return the ascending product without the factor `skip`, of which some must be left."""
        r = self._rounders[stage]
        (first, *others) = [j for j in range(len(factors)) if j != skip]
        self._begin_number()
        result = r.convert(factors[first], first)
        for j in others:
            result = r.multiply(result, factors[j], j)
        return result

    def dot(self, stage: str, a: Vector, b: Vector) -> Number:
        """Return Σ_k a_k b_k."""
        return self._sums(stage, [a], [b], down=False)[0]

    def matvec(self, stage: str, A: Matrix | Diagonal, u: Vector) -> Vector:
        """Return A u, by sums along the rows."""
        operands = [[x] for x in u] if isinstance(A, Diagonal) else [u] * len(A.rows)
        return self._sums(stage, A.rows, operands, down=False)

    def matvec_transposed(self, stage: str, A: Matrix | Diagonal, z: Vector) -> Vector:
        """Return Aᵀ z, by sums down the rows."""
        operands = [[x] for x in z] if isinstance(A, Diagonal) else [z] * len(A.columns)
        return self._sums(stage, A.columns, operands, down=True)

    def _sums(
        self, stage: str, left: Sequence[Vector], right: Sequence[Vector], *, down: bool
    ) -> Vector:
        """Return Σ_k x_k y_k of each pair, in the format of a stage.

        Operations of a sum are of the stage accumulate; those of the loss its own.
        """
        order, destination = self.arithmetic.order, self._rounders[stage]
        inside = destination if stage == "measurement" else self._rounders["accumulate"]
        return [
            rounded_sum(order, inside, destination, x, y, down=down)
            for _, x, y in zip(self._elements(len(left)), left, right, strict=True)
        ]

    @staticmethod
    def _member(r: Rounder, x: Number | int) -> Number:
        return r.nearest(x) if isinstance(x, int) else x

    def _begin_number(self) -> None:
        """Count a call, and go to the one element of its result."""
        next(iter(self._elements(1)))

    def _elements(self, n: int) -> Iterable[int]:
        """Count a call, and go through the elements of its result."""
        call, self._calls = self._calls, self._calls + 1
        return self._drawn_elements(call, n) if self.stochastic else range(n)

    def _drawn_elements(self, call: int, n: int) -> Iterator[int]:
        for i in range(n):
            self._draws.begin(self._step, call, i)
            yield i
