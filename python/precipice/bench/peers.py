"""Who is timed: precipice, and its peers on the same work."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import gmpy2
import numpy as np

from precipice import _core
from precipice.bench.objects import Flint, Gmpy2, Mpmath
from precipice.bench.peer import InPython, Peer, Unavailable
from precipice.bench.workload import Workload
from precipice.exact import from_text
from precipice.results import Outcome

_ORDERS = ("rows", "columns")


class Precipice:
    """precipice's own engine, as a run uses it: the loss is recorded at every step."""

    whole_steps = exact = True

    def __init__(self, work: Workload) -> None:
        self.work = work
        self._engine = work.engine()

    @property
    def steps(self) -> int:
        """Steps taken so far."""
        return self._engine.step

    @property
    def loss(self) -> float | None:
        """The last recorded loss."""
        return self._engine.latest()[0]

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps for about that long."""
        before = self._engine.step
        self._engine.advance(seconds)
        return self._engine.step - before

    def parameters(self) -> list[Any]:
        """Return u and v, exactly."""
        texts = self._engine.gather(Outcome.CANCELLED, 0.0).texts
        return [from_text(t, self.work.precision.bits) for t in (*texts["u"], *texts["v"])]

    def describe(self) -> str:
        """Return what is timed, in words."""
        return "whole steps"


class PlainMpfr:
    """A plain C MPFR loop, compiled with the core and linked to the same MPFR."""

    whole_steps = exact = True

    def __init__(self, work: Workload) -> None:
        if not work.precision.name.startswith("mpfr"):
            raise Unavailable("MPFR formats only")
        self.work = work
        self._loop = _core.PlainMpfr(
            precision=work.precision.bits, X=work.X, y=work.y, u=work.u, v=work.v, lr=work.lr
        )
        self._orders = dict.fromkeys(("preactivations", "gradient"), "rows")
        self._calibrated = False

    def advance(self, seconds: float, steps: int) -> int:
        """Take as many steps as precipice took; after the first, in the faster order."""
        self._loop.advance(steps, **self._orders)
        if not self._calibrated:
            self._calibrate()
        return steps

    def _calibrate(self) -> None:
        """Find the faster order of each product, on the numbers of a step."""
        self._calibrated = True
        repeats = max(1, math.ceil(2e5 / self.work.multiply_adds))
        for product in self._orders:
            times = dict.fromkeys(_ORDERS, math.inf)
            for order in _ORDERS * (2 if repeats == 1 else 5):
                start = time.thread_time()
                for _ in range(repeats):
                    getattr(self._loop, product)(order)
                times[order] = min(times[order], time.thread_time() - start)
            self._orders[product] = min(_ORDERS, key=times.__getitem__)

    @property
    def loss(self) -> float:
        """The loss where the last step started."""
        return self._loop.loss

    def parameters(self) -> list[Any]:
        """Return u and v, exactly."""
        texts = self._loop.parameters()
        return [from_text(t, self.work.precision.bits) for t in (*texts["u"], *texts["v"])]

    def describe(self) -> str:
        """Return what is timed, in words."""
        orders = self._orders
        return f"whole steps; X u by {orders['preactivations']}, Xᵀz by {orders['gradient']}"


class NumPy(InPython):
    """NumPy's products (BLAS where it has them) in the working format, whole steps."""

    _types: ClassVar[dict[str, Any]] = {
        "float32": np.float32,
        "float64": np.float64,
        "float80": np.longdouble,
        "float128": np.longdouble,
    }

    def __init__(self, work: Workload) -> None:
        bits = work.precision.bits
        dtype = self._types.get(work.precision.name)
        if dtype is None or np.finfo(dtype).nmant + 1 != bits:
            raise Unavailable("NumPy has no such format here")
        self.work = work
        self._X, self._y, self._u = (a.astype(dtype) for a in (work.X, work.y, work.u))
        self._v, self._lr, self._n = dtype(work.v), dtype(work.lr), dtype(work.y.size)
        self._f, self._z = np.empty_like(self._y), np.empty_like(self._y)
        self._g = np.empty_like(self._u)
        self.loss = dtype(0)

    def products(self) -> None:
        """Compute f = X u, z = f v - y and Xᵀz."""
        np.matmul(self._X, self._u, out=self._f)
        np.multiply(self._f, self._v, out=self._z)
        np.subtract(self._z, self._y, out=self._z)
        np.matmul(self._z, self._X, out=self._g)

    def finish(self) -> None:
        """Compute the loss and the new parameters."""
        z, g = self._z, self._g
        self.loss = z @ z / (2 * self._n)
        h = z @ self._f / self._n
        np.multiply(g, self._v, out=g)
        np.divide(g, self._n, out=g)
        np.multiply(g, self._lr, out=g)
        np.subtract(self._u, g, out=self._u)
        self._v = self._v - self._lr * h

    def parameters(self) -> list[Any]:
        """Return u and v, exactly."""
        return [_mpfr_of(x) for x in (*self._u, self._v)]

    def describe(self) -> str:
        """Return what is timed, in words."""
        return "whole steps"


class Blas(NumPy):
    """NumPy's two products X u and Xᵀz alone, without the rest of a step."""

    whole_steps = False
    _types: ClassVar[dict[str, Any]] = {"float32": np.float32, "float64": np.float64}

    def __init__(self, work: Workload) -> None:
        super().__init__(work)
        super().products()

    def products(self) -> None:
        """Compute X u and Xᵀz; z is that of the start."""
        np.matmul(self._X, self._u, out=self._f)
        np.matmul(self._z, self._X, out=self._g)

    def describe(self) -> str:
        """Return what is timed, in words."""
        return "the two products alone"


def _mpfr_of(x: Any) -> gmpy2.mpfr:
    """Return a NumPy number of at most 106 bits, exactly."""
    significand, exponent = np.frexp(x)
    high = float(significand)
    with gmpy2.context(precision=106):
        return (high + gmpy2.mpfr(float(significand - high))) * gmpy2.exp2(int(exponent))


PEERS: dict[str, Callable[[Workload], Peer]] = {
    "plain-mpfr": PlainMpfr,
    "blas": Blas,
    "numpy": NumPy,
    "gmpy2": Gmpy2,
    "mpmath": Mpmath,
    "flint": Flint,
}
"""How to make each peer, by name."""


def versions() -> dict[str, str]:
    """Return the versions of everything that is timed."""
    info = _core.build_info()
    found = {"mpfr": info["mpfr"], "gmp": info["gmp"], "compiler": info["compiler"]}
    for package in ("precipice", "numpy", "gmpy2", "mpmath", "python-flint"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
