"""The gmpy2 text of `precipice.reference` as an engine, measured in NumPy."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.checkpoint import Checkpoint
from precipice.engines.engine import Latest, versions
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.models import Minimalist, TwoLayerLinear
from precipice.plan import Plan
from precipice.reference import (
    ReferenceMinimalist,
    ReferenceSpectral,
    ReferenceState,
    run_reference,
)
from precipice.reference_two_layer import ReferenceTwoLayer
from precipice.results import Outcome, Run, Series, Trajectory
from precipice.sharpness import minimalist_sharpness, two_layer_sharpness


class ReferenceEngine:
    """The gmpy2 text of `precipice.reference`, measured in NumPy.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stop = threading.Event()
        working = plan.precision
        self._eta = working.round(plan.step_size)
        self._states: Generator[ReferenceState, None, tuple[str, int, int | None]] = run_reference(
            context=working.context(),
            X=working.round_array(plan.X),
            y=working.round_array(plan.y),
            parameters={name: working.round_array(a).ravel() for name, a in plan.start.items()},
            lr=self._eta,
            loss=plan.loss.name,
            steps=plan.steps,
            blowup_factor=plan.blowup_factor,
            tol=plan.tol,
            loss_floor=plan.loss_floor,
            model=_reference_model(plan),
        )
        self.outcome = "running"
        self.step = 0
        self._seconds = 0.0
        self._last: ReferenceState | None = None
        self._loss: list[tuple[int, float, float]] = []
        self._sharpness: list[tuple[int, float]] = []
        self._measured: list[str] = []
        self._imbalance: list[tuple[int, list[float]]] = []
        self._trajectory: list[tuple[int, dict[str, list[str]]]] = []

    def advance(self, seconds: float) -> None:
        """Run for about so long."""
        start = time.perf_counter()
        limit = math.inf if self._plan.max_seconds is None else self._plan.max_seconds
        while not self._stop.is_set() and self.outcome == "running":
            if time.perf_counter() - start >= seconds:
                break
            self._take_step()
            if self.outcome == "running" and self._seconds + time.perf_counter() - start >= limit:
                self._end("time")
        self._seconds += time.perf_counter() - start

    def _take_step(self) -> None:
        """Evaluate the next state; the previous one turns out to be the last if there is none."""
        try:
            state = next(self._states)
        except StopIteration as end:
            self._end(end.value[0])
            return
        self._last, self.step = state, state.step
        self._record(state, last=False)

    def _end(self, outcome: str) -> None:
        assert self._last is not None
        self.outcome = outcome
        self._record(self._last, last=True)

    def stop(self) -> None:
        """End `advance` after the step in progress; from any thread."""
        self._stop.set()

    def save(self, checkpoint: Checkpoint) -> None:
        """Refuse: the reference engine has no checkpoints."""
        raise InvalidArgument("checkpoint", str(checkpoint.directory), 'needs engine="core"')

    restore = save

    def latest(self) -> Latest:
        """Return the last recorded loss, log2 loss and sharpness."""
        loss = self._loss[-1] if self._loss else (0, None, None)
        return loss[1], loss[2], self._sharpness[-1][1] if self._sharpness else None

    def _record(self, state: ReferenceState, last: bool) -> None:
        """Record what is due at this state and has not been recorded yet."""
        record, t = self._plan.record, state.step
        if _due(record.loss, t, last) and not _has(self._loss, t):
            self._loss.append((t, *_value_and_log2(self._plan, state.loss)))
        pair = record.sharpness > 0 and t > 0 and (t - 1) % record.sharpness == 0
        if (pair or _due(record.sharpness, t, last)) and not _has(self._sharpness, t):
            self._sharpness.append((t, self._measured_sharpness(state)))
        if _due(record.layer_imbalance, t, last) and not _has(self._imbalance, t):
            self._imbalance.append((t, self._measured_imbalance(state)))
        if _due(record.parameters, t, last) and not _has(self._trajectory, t):
            self._trajectory.append((t, _texts(state)))

    def _preactivations(self, state: ReferenceState) -> npt.NDArray[np.float64]:
        surface = self._plan.surface
        assert surface is not None
        if self._plan.recomputes_preactivations:
            u = _floats(state.parameters["u"])
            return np.asarray(surface.X * u if self._plan.spectral else surface.X @ u)
        return _floats(state.preactivations)

    def _measured_sharpness(self, state: ReferenceState) -> float:
        plan = self._plan
        assert plan.surface is not None
        if plan.meter is not None:
            measured = plan.meter.measure(*_texts(state).values()).value
            self._measured.append(text(measured))
            return float(measured)
        if isinstance(plan.model, TwoLayerLinear):
            return self._two_layer_sharpness(plan.model, state)
        return minimalist_sharpness(
            plan.surface.decomposition,
            self._preactivations(state),
            _floats(state.parameters["v"]),
            plan.loss.curvature_factor(plan.problem.samples),
        )

    def _two_layer_sharpness(self, model: TwoLayerLinear, state: ReferenceState) -> float:
        plan = self._plan
        assert plan.surface is not None
        a = _floats(state.parameters["a"])
        return two_layer_sharpness(
            plan.surface.X,
            plan.precision.round_array(plan.y).astype(np.float64),
            _floats(state.parameters["W"]).reshape(model.width, -1),
            a,
            1.0 if model.scale == "none" else 1 / math.sqrt(model.width),
            plan.loss.curvature_factor(plan.problem.samples),
        )

    def _measured_imbalance(self, state: ReferenceState) -> list[float]:
        surface = self._plan.surface
        assert surface is not None
        decomposition = surface.decomposition
        o = (decomposition.left.T @ self._preactivations(state)) / decomposition.sigma
        v = _floats(state.parameters["v"])
        return [float(o @ o - x * x) for x in v]

    def gather(self, outcome: Outcome, seconds: float) -> Run:
        """Return what has been computed."""
        plan, record = self._plan, self._plan.record
        layers = plan.model.depth - 1 if isinstance(plan.model, Minimalist) else 1
        imbalance = np.array([row for _, row in self._imbalance]).reshape(-1, layers)
        return Run(
            precision=plan.precision,
            outcome=outcome,
            steps=self.step,
            loss=_series("loss", self._loss) if record.loss else None,
            sharpness=replace(
                _series("sharpness", self._sharpness),
                text=self._measured if plan.meter is not None else None,
            )
            if record.sharpness
            else None,
            layer_imbalance=Series(
                "layer_imbalance",
                np.array([step for step, _ in self._imbalance], np.int64),
                imbalance[:, 0] if layers == 1 else imbalance,
            )
            if record.layer_imbalance
            else None,
            trajectory=self._gathered_trajectory() if record.parameters else None,
            lr=plan.lr,
            settings={
                **plan.settings,
                "cpu_path": "gmpy2",
                "versions": versions(gmpy2.mpfr_version(), gmpy2.mp_version()),
            },
            seconds=seconds,
            texts=self._final_texts(),
        )

    def _final_texts(self) -> dict[str, list[str]]:
        if self._last is not None:
            return _texts(self._last)
        rounded = self._plan.precision.round
        return {k: [text(rounded(x)) for x in a.flat] for k, a in self._plan.start.items()}

    def _gathered_trajectory(self) -> Trajectory:
        step = np.array([step for step, _ in self._trajectory], np.int64)
        texts = {name: [row[name] for _, row in self._trajectory] for name in self._plan.start}
        return Trajectory(step, texts, self._plan.precision.bits)


def _reference_model(plan: Plan) -> Any:
    """Return what makes the model's text from X, y and the loss's name."""
    if isinstance(plan.model, TwoLayerLinear):
        c, kappa = plan.model.factors(plan.precision, plan.loss, plan.problem.samples)
        collapsed = plan.model.contraction == "collapsed"
        return partial(ReferenceTwoLayer, c=c, kappa=kappa, collapsed=collapsed)
    if plan.spectral is not None:
        return partial(ReferenceSpectral, samples=plan.problem.samples)
    return ReferenceMinimalist


def _due(cadence: int, step: int, last: bool) -> bool:
    return cadence > 0 and (last or step % cadence == 0)


def _has(entries: list[Any], step: int) -> bool:
    return bool(entries) and entries[-1][0] == step


def _floats(values: list[gmpy2.mpfr]) -> npt.NDArray[np.float64]:
    return np.array([float(x) for x in values])


def _texts(state: ReferenceState) -> dict[str, list[str]]:
    return {name: [text(x) for x in values] for name, values in state.parameters.items()}


def _value_and_log2(plan: Plan, loss: gmpy2.mpfr) -> tuple[float, float]:
    """Return the loss as float64 and log2 of the exact loss."""
    with plan.precision.context():
        if not gmpy2.is_finite(loss) or loss == 0:
            value = float(loss)
            return value, -math.inf if value == 0 else value
        exponent, significand = gmpy2.frexp(loss)
        return float(loss), math.log2(significand) + exponent


def _series(name: str, entries: list[Any]) -> Series:
    columns = list(zip(*entries, strict=True)) if entries else [(), (), ()]
    log2 = np.array(columns[2], np.float64) if len(columns) > 2 else None
    return Series(name, np.array(columns[0], np.int64), np.array(columns[1], np.float64), log2)
