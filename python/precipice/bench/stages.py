"""The stages of a step one by one: X u, Xᵀz and the update u - η g."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.bench.objects import Flint, Gmpy2, Mpmath, Objects
from precipice.bench.peer import Unavailable
from precipice.bench.peers import PRODUCTS, cpu_path, faster_orders, require_another_path
from precipice.bench.workload import Workload
from precipice.exact import text

STAGES = {"X u": "preactivations", "Xᵀz": "gradient", "update": "update"}
_IN_ORDER = ("preactivations", "residuals", "gradient", "update")
_SECONDS_A_TIMING = 0.02
_ROUNDS = 5


class Staged(Protocol):
    """A contestant that does one stage at a time.

    Attributes
    ----------
    work : Workload
        What it works on: the whole data, or their first rows.
    exact : bool
        Whether its answers must be precipice's, bit for bit.
    """

    work: Workload
    exact: bool

    def run(self, stage: str, repeats: int) -> None:
        """Carry a stage out so many times."""

    def results(self) -> list[str]:
        """Return f, g and u, one after the other, as exact text."""

    def describe(self, stage: str) -> str:
        """Return what is timed, in words."""


@dataclass(frozen=True)
class StageTimes:
    """What one contestant took for one stage: seconds a multiply-add in each round."""

    engine: str
    stage: str
    scope: str
    seconds: npt.NDArray[np.float64]
    agreement: str


class Compiled:
    """Stages in the arithmetic that a run of precipice's has here."""

    exact = True

    def __init__(self, work: Workload, path: str | None = None) -> None:
        if path is not None:
            require_another_path(work, path)
        self.work = work
        with cpu_path(path):
            self._stages = _core.Stages(**work.for_the_core())

    def run(self, stage: str, repeats: int) -> None:
        """Carry a stage out so many times."""
        if stage == "residuals":
            self._stages.residuals()
        else:
            getattr(self._stages, stage)(repeats)

    def results(self) -> list[str]:
        """Return f, g and u, one after the other, as exact text."""
        return [*self._stages.f, *self._stages.g, *self._stages.u]

    def describe(self, stage: str) -> str:
        """Return what is timed, in words."""
        return "all data"


class PlainStages:
    """Stages of the plain C MPFR loop; the products in the faster order, once it is known."""

    exact = True

    def __init__(self, work: Workload) -> None:
        self.work = work
        self._loop = _core.PlainMpfr(**work.for_the_core())
        self._orders = dict.fromkeys(PRODUCTS, "rows")

    def calibrate(self) -> None:
        """Find the faster orders."""
        self._orders = faster_orders(self._loop, self.work)

    def run(self, stage: str, repeats: int) -> None:
        """Carry a stage out so many times."""
        if stage == "residuals":
            self._loop.residuals()
        elif stage == "update":
            self._loop.update(repeats)
        else:
            getattr(self._loop, stage)(self._orders[stage], repeats)

    def results(self) -> list[str]:
        """Return f, g and u, one after the other, as exact text."""
        return [*self._loop.f, *self._loop.g, *self._loop.u]

    def describe(self, stage: str) -> str:
        """Return what is timed, in words."""
        return f"all data, by {self._orders[stage]}" if stage in PRODUCTS else "all data"


class InObjects:
    """Stages of a peer that holds each number as an object of Python."""

    def __init__(self, kind: Callable[[Workload], Objects], work: Workload) -> None:
        self._peer = kind(work)
        self.work, self.exact = self._peer.work, self._peer.exact

    def run(self, stage: str, repeats: int) -> None:
        """Carry a stage out so many times."""
        carry_out = getattr(self._peer, stage)
        for _ in range(repeats):
            carry_out()

    def results(self) -> list[str]:
        """Return f, g and u, one after the other, as exact text."""
        return [text(x) for x in self._peer.stage_results()]

    def describe(self, stage: str) -> str:
        """Return what is timed, in words."""
        return self._peer.sample() if stage in PRODUCTS else "all data"


_CONTESTANTS: dict[str, Callable[[Workload], Staged]] = {
    "plain-mpfr": PlainStages,
    "precipice-mpfr": partial(Compiled, path="mpfr"),
    "precipice-generic": partial(Compiled, path="generic"),
    "gmpy2": partial(InObjects, Gmpy2),
    "mpmath": partial(InObjects, Mpmath),
    "flint": partial(InObjects, Flint),
}


class WrongStage(AssertionError):
    """A contestant's stages give other bits than precipice's."""


def time_stages(work: Workload, names: Sequence[str], rounds: int | None) -> list[StageTimes]:
    """Time the stages of precipice and of those peers that have any, side by side.

    Raises
    ------
    WrongStage
        If an exact contestant's f, g or u differ in a bit.
    """
    work = work.under_way()
    contestants: dict[str, Staged] = {"precipice": Compiled(work)}
    for name in names:
        try:
            if name in _CONTESTANTS:
                contestants[name] = _CONTESTANTS[name](work)
        except Unavailable:
            pass  # the whole steps have a row that says why
    agreements = _compared(contestants)
    times = []
    for stage, method in STAGES.items():
        seconds = _timed(contestants, method, rounds)
        for name, contestant in contestants.items():
            data = contestant.work
            operations = data.u.size if method == "update" else data.X.size
            each = np.array(seconds[name]) / operations
            scope = contestant.describe(method)
            times.append(StageTimes(name, stage, scope, each, agreements[name]))
    return times


def _compared(contestants: dict[str, Staged]) -> dict[str, str]:
    """Carry out every stage once, and compare the answers of those that are exact."""
    agreements = {}
    references: dict[int, list[str]] = {}
    for name, contestant in contestants.items():
        answers = _answers(contestant)
        samples = contestant.work.y.size
        if name == "precipice":
            references[samples] = answers
        elif samples not in references:
            references[samples] = _answers(Compiled(contestant.work))
        if contestant.exact and answers != references[samples]:
            raise WrongStage(f"{name} at {contestant.work.precision}: f, g or u differ")
        agreements[name] = "equal" if contestant.exact else "compared in whole steps"
        if isinstance(contestant, PlainStages):
            contestant.calibrate()
    return agreements


def _answers(contestant: Staged) -> list[str]:
    """Carry out every stage once, in order; return what comes out."""
    for stage in _IN_ORDER:
        contestant.run(stage, 1)
    return contestant.results()


def _timed(
    contestants: dict[str, Staged], stage: str, rounds: int | None
) -> dict[str, list[float]]:
    """Return the seconds of a stage for each contestant in each round; they take turns."""
    repeats = {}
    for name, contestant in contestants.items():
        start = time.thread_time()
        contestant.run(stage, 1)
        once = max(time.thread_time() - start, 1e-7)
        repeats[name] = max(1, math.ceil(_SECONDS_A_TIMING / once))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(_ROUNDS if rounds is None else rounds):
        for name, contestant in contestants.items():
            start = time.thread_time()
            contestant.run(stage, repeats[name])
            times[name].append((time.thread_time() - start) / repeats[name])
    return times
