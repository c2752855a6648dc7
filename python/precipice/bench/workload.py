"""The work that is timed: gradient-descent steps of the minimalist model, depth 2, half_mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice import initialisers
from precipice.engines.core import CoreEngine, boundary
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.models import Minimalist
from precipice.optimizers import GD
from precipice.plan import Plan
from precipice.precision import Precision
from precipice.problems import Problem
from precipice.record import Record
from precipice.simulation import prepare, simulate

# So small that no run ends or settles while it is timed, so large that float32 parameters move;
# and with as many bits as a decimal has.
_STEP_SIZE = 3e-7
_NEVER = 10**12  # steps
# Nothing is rounded in the first step at 1024 bits with two samples; a step triples the bits.
_STEPS_TO_ALL_BITS = 5

DATA = ("float64", "full")
"""Kinds of data: float64 numbers, or numbers of all the bits of the working format."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """The shape (N, d) of the data.

    Attributes
    ----------
    samples, features : int
        N and d.
    """

    samples: int
    features: int

    def __str__(self) -> str:
        return f"{self.samples}x{self.features}"

    @classmethod
    def parse(cls, shape: str | Shape) -> Shape:
        """Return the shape that a text such as "300x3072" names.

        Raises
        ------
        InvalidArgument
            If it has another form, or a number is zero.
        """
        if isinstance(shape, Shape):
            return shape
        match = re.fullmatch(r"([1-9][0-9]{0,6})x([1-9][0-9]{0,6})", shape)
        if match is None:
            raise InvalidArgument("shapes", shape, "must be SAMPLESxFEATURES, such as 300x3072")
        return cls(int(match[1]), int(match[2]))


@dataclass(frozen=True, eq=False)
class Workload:
    """Data, start and step size, as exact numbers that the format holds.

    Attributes
    ----------
    precision : Precision
        The working format.
    X, y, u : ndarray, shapes (N, d), (N,) and (d,)
        float64, or objects of `gmpy2.mpfr`.
    v : float or gmpy2.mpfr
    lr : float
    data : str
        One of `DATA`.
    """

    precision: Precision
    X: npt.NDArray[Any]
    y: npt.NDArray[Any]
    u: npt.NDArray[Any]
    v: Any = 0.125
    lr: float = _STEP_SIZE
    data: str = "float64"

    @classmethod
    def draw(cls, shape: Shape, precision: Precision, data: str = "float64") -> Workload:
        """Return normal data of this shape, the same float64 numbers for every format.

        With ``data="full"`` each entry of X is spread out to all bits of the format.

        Raises
        ------
        InvalidArgument
            If the format is narrower than float64 and has no float64 members to round to.
        """
        generator = np.random.default_rng(0)
        X = generator.standard_normal((shape.samples, shape.features))
        y = np.where(np.arange(shape.samples) % 2, 1.0, -1.0)
        u = 0.01 * generator.standard_normal(shape.features)
        X = _all_bits(X, precision) if data == "full" else precision.round_array(X)
        lr = float(precision.round(_STEP_SIZE))
        return cls(precision, X, y, precision.round_array(u), lr=lr, data=data)

    def under_way(self) -> Workload:
        """Return the same work with parameters as a run has them: of all bits."""
        *u, v = self.after(_STEPS_TO_ALL_BITS)
        return replace(self, u=np.array(u, dtype=object), v=v)

    @property
    def shape(self) -> Shape:
        """(N, d)."""
        return Shape(*self.X.shape)

    @property
    def bits_of_data(self) -> int:
        """Bits that the entries of X take at most."""
        return self.precision.bits if self.data == "full" else 53

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the two products of one step."""
        return 2 * self.X.size

    def first_rows(self, rows: int) -> Workload:
        """Return the same work on the first samples only."""
        return replace(self, X=self.X[:rows], y=self.y[:rows])

    def for_the_core(self) -> dict[str, Any]:
        """Return the numbers as the compiled contestants take them."""
        return {
            "precision": self.precision.bits,
            **{name: boundary(getattr(self, name)) for name in ("X", "y", "u")},
            **{name: text(getattr(self, name)) for name in ("v", "lr")},
        }

    def engine(self, steps: int = _NEVER, **keywords: Any) -> CoreEngine:
        """Return a run of precipice's; unless told otherwise it records the loss at every step.

        Parameters
        ----------
        steps : int
            The default is never reached.
        **keywords
            As for `prepare`.
        """
        merged = {**self._keywords(), "steps": steps, "record": Record(loss=1), **keywords}
        plan = prepare(self._problem, Minimalist(2), GD(self.lr), **merged).plan
        assert isinstance(plan, Plan)
        return CoreEngine(plan)

    def after(self, steps: int) -> list[Any]:
        """Return precipice's parameters after some steps: u and v as exact `gmpy2.mpfr`."""
        keywords = {**self._keywords(), "steps": steps, "record": Record()}
        parameters = simulate(self._problem, Minimalist(2), GD(self.lr), **keywords).parameters()
        return [*parameters["u"], *parameters["v"]]

    def difference_bound(self) -> _Floats:
        """Return how far two ways to compute the first step may be apart, in units of 2^-p.

        Returns
        -------
        ndarray of float64, shape (d + 1,)
            For u and v. Twice the first-order bound of rounding errors, the same for every order
            of summation: n products and sums of rounded numbers are at most n 2^-p Σ|terms| off.
        """
        X, y, u = (a.astype(np.float64) for a in (self.X, self.y, self.u))
        v, lr = float(self.v), self.lr
        N, d = X.shape
        size = np.abs(X)
        f = X @ u
        z = f * v - y
        error_f = d * (size @ np.abs(u))
        error_z = error_f * v + np.abs(f * v) + np.abs(z)
        g = z @ X * v / N
        error_g = (error_z + N * np.abs(z)) @ size * v / N + 2 * np.abs(g)
        h = z @ f / N
        error_h = (error_z @ np.abs(f) + np.abs(z) @ error_f + N * np.abs(z) @ np.abs(f)) / N
        error_h += 2 * abs(h)
        error_u = lr * (error_g + np.abs(g)) + np.abs(u - lr * g)
        error_v = lr * (error_h + abs(h)) + abs(v - lr * h)
        # The errors of errors, and of this float64 arithmetic, are far below a hundredth.
        return 2.01 * np.append(error_u, error_v)

    @cached_property
    def _problem(self) -> Problem:
        return Problem("bench", self.X, self.y, {"source": "standard normal"})

    def _keywords(self) -> dict[str, Any]:
        start = initialisers.explicit({"u": self.u, "v": [self.v]})
        return {"precision": self.precision, "init": start, "problem_dtype": "exact"}


def _all_bits(values: _Floats, precision: Precision) -> npt.NDArray[Any]:
    """Return each value times a random number from 1 to 2, rounded to the format."""
    state = gmpy2.random_state(0)
    spread = np.empty(values.shape, dtype=object)
    with precision.context():
        for index, value in np.ndenumerate(values):
            spread[index] = value * (1 + gmpy2.mpfr_random(state))
    return spread
