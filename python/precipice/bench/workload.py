"""The work that is timed: gradient-descent steps of the minimalist model, depth 2, half_mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice import initialisers
from precipice.engines.core import CoreEngine
from precipice.errors import InvalidArgument
from precipice.models import Minimalist
from precipice.optimizers import GD
from precipice.precision import Precision
from precipice.problems import Problem
from precipice.record import Record
from precipice.simulation import prepare, simulate

# So small that no run ends or settles while it is timed, so large that float32 parameters move.
_STEP_SIZE = 2.0**-22
_NEVER = 10**12  # steps

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
    """Data, start and step size, as float64 numbers that the format holds exactly.

    Attributes
    ----------
    precision : Precision
        The working format.
    X, y, u : ndarray of float64, shapes (N, d), (N,) and (d,)
    v, lr : float
    """

    precision: Precision
    X: _Floats
    y: _Floats
    u: _Floats
    v: float = 0.125
    lr: float = _STEP_SIZE

    @classmethod
    def draw(cls, shape: Shape, precision: Precision) -> Workload:
        """Return normal data of this shape, the same numbers for every format that holds them.

        Raises
        ------
        InvalidArgument
            If the format is narrower than float64 and has no float64 members to round to.
        """
        generator = np.random.default_rng(0)
        X = generator.standard_normal((shape.samples, shape.features))
        y = np.where(np.arange(shape.samples) % 2, 1.0, -1.0)
        u = 0.01 * generator.standard_normal(shape.features)
        return cls(precision, precision.round_array(X), y, precision.round_array(u))

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the two products of one step."""
        return 2 * self.X.size

    def first_rows(self, rows: int) -> Workload:
        """Return the same work on the first samples only."""
        return Workload(self.precision, self.X[:rows], self.y[:rows], self.u, self.v, self.lr)

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
        return CoreEngine(prepare(self._problem(), Minimalist(2), GD(self.lr), **merged).plan)

    def after(self, steps: int) -> list[Any]:
        """Return precipice's parameters after some steps: u and v as exact `gmpy2.mpfr`."""
        keywords = {**self._keywords(), "steps": steps, "record": Record()}
        parameters = simulate(self._problem(), Minimalist(2), GD(self.lr), **keywords).parameters()
        return [*parameters["u"], *parameters["v"]]

    def difference_bound(self) -> _Floats:
        """Return how far two ways to compute the first step may be apart, in units of 2^-p.

        Returns
        -------
        ndarray of float64, shape (d + 1,)
            For u and v. Twice the first-order bound of rounding errors, the same for every order
            of summation: n products and sums of rounded numbers are at most n 2^-p Σ|terms| off.
        """
        X, y, u, v = self.X, self.y, self.u, self.v
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
        error_u = self.lr * (error_g + np.abs(g)) + np.abs(u - self.lr * g)
        error_v = self.lr * (error_h + abs(h)) + abs(v - self.lr * h)
        # The errors of errors, and of this float64 arithmetic, are far below a hundredth.
        return 2.01 * np.append(error_u, error_v)

    def _problem(self) -> Problem:
        return Problem("bench", self.X, self.y, {"source": "standard normal"})

    def _keywords(self) -> dict[str, Any]:
        start = initialisers.explicit({"u": self.u, "v": np.array([self.v])})
        return {"precision": self.precision, "init": start}
