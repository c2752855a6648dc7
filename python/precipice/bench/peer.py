"""What a contestant is."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, Protocol

from precipice.bench.workload import Workload


class Unavailable(Exception):
    """Why a peer cannot do this work here."""


class Peer(Protocol):
    """One contestant at one shape and precision.

    Attributes
    ----------
    work : Workload
        What it works on: the whole data, or their first rows.
    whole_steps : bool
        Whether whole steps are timed, or only the two products of each.
    exact : bool
        Whether its answer must be precipice's, bit for bit.
    """

    work: Workload
    whole_steps: bool
    exact: bool

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps for about that long (or as many as precipice took); return how many."""

    def after(self, steps: int) -> list[Any]:
        """Return u and v after so many whole steps; to be asked before any other is taken."""

    def describe(self) -> str:
        """Return what is timed, in words."""


class InPython(ABC):
    """A peer whose steps are driven from Python."""

    exact = False
    whole_steps = True

    def advance(self, seconds: float, steps: int) -> int:
        """Take steps for about that long."""
        taken, end = 0, time.thread_time() + seconds
        while not taken or time.thread_time() < end:
            self.products()
            if self.whole_steps:
                self.finish()
            taken += 1
        return taken

    def after(self, steps: int) -> list[Any]:
        """Return u and v after so many whole steps."""
        for _ in range(steps):
            self.products()
            self.finish()
        return self.parameters()

    @abstractmethod
    def parameters(self) -> list[Any]:
        """Return u and v, as exact `gmpy2.mpfr`, after the steps taken."""

    def products(self) -> None:
        """Compute f = X u, z = f v - y and g = Xᵀz."""
        self.preactivations()
        self.residuals()
        self.gradient()

    @abstractmethod
    def preactivations(self) -> None:
        """Compute f = X u."""

    @abstractmethod
    def residuals(self) -> None:
        """Compute z = f v - y."""

    @abstractmethod
    def gradient(self) -> None:
        """Compute g = Xᵀz."""

    @abstractmethod
    def finish(self) -> None:
        """Compute the loss and the new parameters."""
