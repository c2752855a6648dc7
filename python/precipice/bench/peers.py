"""Who is timed: precipice, and its peers on the same work."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import gmpy2
import numpy as np

from precipice import _core
from precipice.bench.objects import Flint, Gmpy2, Mpmath
from precipice.bench.peer import InPython, Peer, Unavailable
from precipice.bench.workload import Workload
from precipice.engines.core import CoreEngine
from precipice.exact import from_text
from precipice.results import Outcome

PRODUCTS = ("preactivations", "gradient")
_ORDERS = ("rows", "columns")


@contextmanager
def cpu_path(path: str | None) -> Iterator[None]:
    """Force a CPU path upon the runs that begin within; None leaves it as it is."""
    before = os.environ.get("PRECIPICE_CPU")
    if path is not None:
        os.environ["PRECIPICE_CPU"] = path
    try:
        yield
    finally:
        if path is not None:
            os.environ.pop("PRECIPICE_CPU")
            os.environ.update({} if before is None else {"PRECIPICE_CPU": before})


class Precipice:
    """precipice's own engine, as a run uses it: the loss is recorded at every step."""

    whole_steps = exact = True

    def __init__(self, work: Workload, path: str | None = None) -> None:
        if path is not None:
            require_another_path(work, path)
        self.work = work
        self._path = path

    @cached_property
    def _engine(self) -> CoreEngine:
        with cpu_path(self._path):
            return self.work.engine()

    def after(self, steps: int) -> list[Any]:
        """Return u and v after so many steps of a run of its own."""
        with cpu_path(self._path):
            return self.work.after(steps)

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


def require_another_path(work: Workload, path: str) -> None:
    """Refuse a CPU path that differs in nothing from the one that is timed anyway."""
    if not work.precision.name.startswith("mpfr"):
        raise Unavailable("MPFR formats only")
    if _core.build_info()["cpu_path"] == path:
        raise Unavailable("precipice runs on this path")


class PlainMpfr:
    """A plain C MPFR loop, compiled with the core and linked to the same MPFR."""

    whole_steps = exact = True

    def __init__(self, work: Workload) -> None:
        if not work.precision.name.startswith("mpfr"):
            raise Unavailable("MPFR formats only")
        self.work = work
        self._loop = _core.PlainMpfr(**work.for_the_core())
        self._orders = dict.fromkeys(PRODUCTS, "rows")
        self._calibrated = False

    def advance(self, seconds: float, steps: int) -> int:
        """Take as many steps as precipice took; after the first, in the faster order."""
        self._loop.advance(steps, **self._orders)
        if not self._calibrated:
            self._orders = faster_orders(self._loop, self.work)
            self._calibrated = True
        return steps

    def after(self, steps: int) -> list[Any]:
        """Return u and v after so many steps."""
        self._loop.advance(steps, **self._orders)
        return self.parameters()

    @property
    def loss(self) -> float:
        """The loss where the last step started."""
        return self._loop.loss

    def parameters(self) -> list[Any]:
        """Return u and v, exactly."""
        texts = (*self._loop.u, *self._loop.v)
        return [from_text(t, self.work.precision.bits) for t in texts]

    def describe(self) -> str:
        """Return what is timed, in words."""
        orders = self._orders
        return f"whole steps; X u by {orders['preactivations']}, Xᵀz by {orders['gradient']}"


def faster_orders(loop: _core.PlainMpfr, work: Workload) -> dict[str, str]:
    """Return the faster order of each product of a plain loop, on the numbers it has."""
    repeats = max(1, math.ceil(2e5 / work.multiply_adds))
    faster = {}
    for product in PRODUCTS:
        times = dict.fromkeys(_ORDERS, math.inf)
        for order in _ORDERS * (2 if repeats == 1 else 5):
            start = time.thread_time()
            getattr(loop, product)(order, repeats)
            times[order] = min(times[order], time.thread_time() - start)
        faster[product] = min(_ORDERS, key=times.__getitem__)
    return faster


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

    def preactivations(self) -> None:
        """Compute f = X u."""
        np.matmul(self._X, self._u, out=self._f)

    def residuals(self) -> None:
        """Compute z = f v - y."""
        np.multiply(self._f, self._v, out=self._z)
        np.subtract(self._z, self._y, out=self._z)

    def gradient(self) -> None:
        """Compute g = Xᵀz."""
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
        self.preactivations()
        super().residuals()

    def residuals(self) -> None:
        """Leave z at that of the start."""

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
    "precipice-mpfr": partial(Precipice, path="mpfr"),
    "precipice-generic": partial(Precipice, path="generic"),
    "blas": Blas,
    "numpy": NumPy,
    "gmpy2": Gmpy2,
    "mpmath": Mpmath,
    "flint": Flint,
}
"""How to make each peer, by name."""

OWN_PATHS = {"precipice": None, "precipice-mpfr": "mpfr", "precipice-generic": "generic"}
"""precipice's own engines, and the CPU path forced on each."""


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
