"""Peers that hold each number as an object of Python: gmpy2, mpmath and python-flint."""

from __future__ import annotations

from abc import abstractmethod
from importlib import import_module
from typing import Any

import gmpy2
import mpmath

from precipice.bench.peer import InPython, Unavailable
from precipice.bench.workload import Workload
from precipice.exact import exact

# Such objects take so long that a slice of the data has to do.
_MOST_ROWS = 32


class Objects(InPython):
    """A peer that holds each number as an object of Python."""

    def __init__(self, work: Workload) -> None:
        self._of = work.y.size
        self.whole_steps = self._of <= _MOST_ROWS
        self.work = work if self.whole_steps else work.first_rows(_MOST_ROWS)

    def describe(self) -> str:
        """Return what is timed, in words."""
        if self.whole_steps:
            return "whole steps"
        return f"the two products on {self.sample()}"

    def sample(self) -> str:
        """Return which rows are worked on."""
        return f"{self.work.y.size} of {self._of} rows"

    @abstractmethod
    def update(self) -> None:
        """Compute u = u - lr g."""

    @abstractmethod
    def stage_results(self) -> list[Any]:
        """Return f, g and u, one after the other, exactly."""


class Gmpy2(Objects):
    """gmpy2 numbers in plain loops, in the written order."""

    exact = True

    def __init__(self, work: Workload) -> None:
        super().__init__(work)
        self._context = self.work.precision.context()
        with self._context:
            self._rows = [[gmpy2.mpfr(x) for x in row] for row in self.work.X.tolist()]
            self._columns = [list(column) for column in zip(*self._rows, strict=True)]
            self._y, self._u = (
                [gmpy2.mpfr(x) for x in a.tolist()] for a in (self.work.y, self.work.u)
            )
            self._v, self._lr = gmpy2.mpfr(self.work.v), gmpy2.mpfr(self.work.lr)
            self._n = gmpy2.mpfr(len(self._y))

    def preactivations(self) -> None:
        """Compute f = X u."""
        with self._context:
            self._f = [_dot(row, self._u) for row in self._rows]

    def residuals(self) -> None:
        """Compute z = f v - y."""
        with self._context:
            self._z = [f * self._v - y for f, y in zip(self._f, self._y, strict=True)]

    def gradient(self) -> None:
        """Compute g = Xᵀz."""
        with self._context:
            self._g = [_dot(column, self._z) for column in self._columns]

    def update(self) -> None:
        """Compute u = u - lr g."""
        with self._context:
            lr = self._lr
            self._u = [u - lr * g for u, g in zip(self._u, self._g, strict=True)]

    def finish(self) -> None:
        """Compute the loss and the new parameters."""
        with self._context:
            self.loss = _dot(self._z, self._z) / (2 * self._n)
            h = _dot(self._z, self._f) / self._n
            v, n = self._v, self._n
            self._g = [g * v / n for g in self._g]
            self._v = v - self._lr * h
        self.update()

    def stage_results(self) -> list[Any]:
        """Return f, g and u, one after the other, exactly."""
        return [*self._f, *self._g, *self._u]

    def parameters(self) -> list[Any]:
        """Return u and v, exactly."""
        return [*self._u, self._v]


def _dot(a: list[Any], b: list[Any]) -> Any:
    """Sum the products in ascending order, from the first."""
    pairs = zip(a, b, strict=True)
    x, y = next(pairs)
    total = x * y
    for x, y in pairs:
        total += x * y
    return total


class Mpmath(Objects):
    """mpmath's fdot, which rounds each sum of products once."""

    def __init__(self, work: Workload) -> None:
        super().__init__(work)
        self._context = mpmath.mp.clone()
        self._context.prec = self.work.precision.bits
        number = self._number
        self._rows = [[number(x) for x in row] for row in self.work.X.tolist()]
        self._columns = [list(column) for column in zip(*self._rows, strict=True)]
        self._y, self._u = ([number(x) for x in a.tolist()] for a in (self.work.y, self.work.u))
        self._v, self._lr = number(self.work.v), number(self.work.lr)
        self._n = number(float(len(self._y)))

    def _number(self, x: Any) -> Any:
        """Return a number of the working format as mpmath's."""
        mantissa, exponent = _mantissa_and_exponent(self.work.precision.round(x))
        return self._context.mpf((mantissa, exponent))

    def preactivations(self) -> None:
        """Compute f = X u."""
        self._f = [self._context.fdot(row, self._u) for row in self._rows]

    def residuals(self) -> None:
        """Compute z = f v - y."""
        self._z = [f * self._v - y for f, y in zip(self._f, self._y, strict=True)]

    def gradient(self) -> None:
        """Compute g = Xᵀz."""
        self._g = [self._context.fdot(column, self._z) for column in self._columns]

    def update(self) -> None:
        """Compute u = u - lr g."""
        lr = self._lr
        self._u = [u - lr * g for u, g in zip(self._u, self._g, strict=True)]

    def finish(self) -> None:
        """Compute the loss and the new parameters."""
        self.loss = self._context.fdot(self._z, self._z) / (2 * self._n)
        h = self._context.fdot(self._z, self._f) / self._n
        v, n = self._v, self._n
        self._g = [g * v / n for g in self._g]
        self.update()
        self._v = v - self._lr * h

    def stage_results(self) -> list[Any]:
        """Return f, g and u, one after the other, exactly."""
        return [exact(x) for x in (*self._f, *self._g, *self._u)]

    def parameters(self) -> list[Any]:
        """Return u and v, exactly."""
        return [exact(x) for x in (*self._u, self._v)]


class Flint(Objects):
    """python-flint's products of ball matrices, arb_mat times arb_mat."""

    def __init__(self, work: Workload) -> None:
        try:
            self._flint: Any = import_module("flint")
        except ImportError:
            raise Unavailable("python-flint is not installed") from None
        super().__init__(work)
        matrix = self._flint.arb_mat
        rows = [[self._number(x) for x in row] for row in self.work.X.tolist()]
        self._X, self._Xt = (
            matrix(rows),
            matrix([list(column) for column in zip(*rows, strict=True)]),
        )
        self._y, self._u = (
            matrix([[self._number(x)] for x in a.tolist()]) for a in (self.work.y, self.work.u)
        )
        self._v, self._lr = self._number(self.work.v), self._number(self.work.lr)

    def _number(self, x: Any) -> Any:
        """Return a number of the working format as a ball without radius."""
        return self._flint.arb(_mantissa_and_exponent(self.work.precision.round(x)))

    def _rounded(self) -> Any:
        """Return python-flint's scope of the working precision."""
        return self._flint.ctx.workprec(self.work.precision.bits)

    def preactivations(self) -> None:
        """Compute f = X u."""
        with self._rounded():
            self._f = self._X * self._u

    def residuals(self) -> None:
        """Compute z = f v - y."""
        with self._rounded():
            self._z = self._f * self._v - self._y

    def gradient(self) -> None:
        """Compute g = Xᵀz."""
        with self._rounded():
            self._g = self._Xt * self._z

    def update(self) -> None:
        """Compute u = u - lr g."""
        with self._rounded():
            self._u = self._u - self._g * self._lr

    def finish(self) -> None:
        """Compute the loss and the new parameters."""
        n = self.work.y.size
        with self._rounded():
            transposed = self._z.transpose()
            self.loss = (transposed * self._z)[0, 0] / (2 * n)
            h = (transposed * self._f)[0, 0] / n
            self._g = self._g * self._v / n
            self.update()
            self._v = self._v - self._lr * h

    def parameters(self) -> list[Any]:
        """Return u and v, exactly: the balls' centres."""
        return [_centre(x) for x in (*self._u.entries(), self._v)]

    def stage_results(self) -> list[Any]:
        """Return f, g and u, one after the other, exactly: the balls' centres."""
        return [_centre(x) for matrix in (self._f, self._g, self._u) for x in matrix.entries()]


def _centre(ball: Any) -> gmpy2.mpfr:
    """Return the centre of one of python-flint's balls, exactly."""
    mantissa, exponent = (int(x) for x in ball.mid().man_exp())
    with gmpy2.context(precision=max(2, mantissa.bit_length())):
        return gmpy2.mpfr(mantissa) * gmpy2.exp2(exponent)


def _mantissa_and_exponent(x: gmpy2.mpfr) -> tuple[int, int]:
    """Return m and e of x = m 2^e."""
    mantissa, exponent = x.as_mantissa_exp()
    return int(mantissa), int(exponent)
