"""Peers that hold each number as an object of Python: gmpy2, mpmath and python-flint."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import gmpy2
import mpmath

from precipice.bench.peer import InPython, Unavailable
from precipice.bench.workload import Workload
from precipice.exact import exact

# Such objects take so long that a slice of the data has to do.
_MOST_ROWS = 32


class _Objects(InPython):
    """A peer that holds each number as an object of Python."""

    def __init__(self, work: Workload) -> None:
        self._of = work.y.size
        self.whole_steps = self._of <= _MOST_ROWS
        self.work = work if self.whole_steps else work.first_rows(_MOST_ROWS)

    def describe(self) -> str:
        """Return what is timed, in words."""
        if self.whole_steps:
            return "whole steps"
        return f"the two products on {self.work.y.size} of {self._of} rows"


class Gmpy2(_Objects):
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

    def products(self) -> None:
        """Compute f = X u, z = f v - y and Xᵀz."""
        with self._context:
            self._f = [_dot(row, self._u) for row in self._rows]
            self._z = [f * self._v - y for f, y in zip(self._f, self._y, strict=True)]
            self._g = [_dot(column, self._z) for column in self._columns]

    def finish(self) -> None:
        """Compute the loss and the new parameters."""
        with self._context:
            self.loss = _dot(self._z, self._z) / (2 * self._n)
            h = _dot(self._z, self._f) / self._n
            v, lr, n = self._v, self._lr, self._n
            self._u = [u - lr * (g * v / n) for u, g in zip(self._u, self._g, strict=True)]
            self._v = v - lr * h

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


class Mpmath(_Objects):
    """mpmath's fdot, which rounds each sum of products once."""

    def __init__(self, work: Workload) -> None:
        super().__init__(work)
        self._context = mpmath.mp.clone()
        self._context.prec = self.work.precision.bits
        number = self._context.mpf
        self._rows = [[number(x) for x in row] for row in self.work.X.tolist()]
        self._columns = [list(column) for column in zip(*self._rows, strict=True)]
        self._y, self._u = ([number(x) for x in a.tolist()] for a in (self.work.y, self.work.u))
        self._v, self._lr = number(self.work.v), number(self.work.lr)
        self._n = number(len(self._y))

    def products(self) -> None:
        """Compute f = X u, z = f v - y and Xᵀz."""
        dot = self._context.fdot
        self._f = [dot(row, self._u) for row in self._rows]
        self._z = [f * self._v - y for f, y in zip(self._f, self._y, strict=True)]
        self._g = [dot(column, self._z) for column in self._columns]

    def finish(self) -> None:
        """Compute the loss and the new parameters."""
        self.loss = self._context.fdot(self._z, self._z) / (2 * self._n)
        h = self._context.fdot(self._z, self._f) / self._n
        v, lr, n = self._v, self._lr, self._n
        self._u = [u - lr * (g * v / n) for u, g in zip(self._u, self._g, strict=True)]
        self._v = v - lr * h

    def parameters(self) -> list[Any]:
        """Return u and v, exactly."""
        return [exact(x) for x in (*self._u, self._v)]


class Flint(_Objects):
    """python-flint's products of ball matrices, arb_mat times arb_mat."""

    def __init__(self, work: Workload) -> None:
        try:
            self._flint: Any = import_module("flint")
        except ImportError:
            raise Unavailable("python-flint is not installed") from None
        super().__init__(work)
        matrix = self._flint.arb_mat
        self._X, self._Xt = matrix(self.work.X.tolist()), matrix(self.work.X.T.tolist())
        self._y, self._u = (matrix([[x] for x in a]) for a in (self.work.y, self.work.u))
        self._v, self._lr = self._flint.arb(self.work.v), self._flint.arb(self.work.lr)

    def _rounded(self) -> Any:
        """Return python-flint's scope of the working precision."""
        return self._flint.ctx.workprec(self.work.precision.bits)

    def products(self) -> None:
        """Compute f = X u, z = f v - y and Xᵀz."""
        with self._rounded():
            self._f = self._X * self._u
            self._z = self._f * self._v - self._y
            self._g = self._Xt * self._z

    def finish(self) -> None:
        """Compute the loss and the new parameters."""
        n = self.work.y.size
        with self._rounded():
            transposed = self._z.transpose()
            self.loss = (transposed * self._z)[0, 0] / (2 * n)
            h = (transposed * self._f)[0, 0] / n
            self._u = self._u - self._g * self._v / n * self._lr
            self._v = self._v - self._lr * h

    def parameters(self) -> list[Any]:
        """Return u and v, exactly: the balls' centres."""
        centres = [x.mid().man_exp() for x in (*self._u.entries(), self._v)]
        return [_mpfr_from(int(mantissa), int(exponent)) for mantissa, exponent in centres]


def _mpfr_from(mantissa: int, exponent: int) -> gmpy2.mpfr:
    """Return mantissa * 2^exponent, exactly."""
    with gmpy2.context(precision=max(2, mantissa.bit_length())):
        return gmpy2.mpfr(mantissa) * gmpy2.exp2(exponent)
