"""The gmpy2 text of `precipice.reference` as an engine, measured in NumPy."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.checkpoint import Checkpoint
from precipice.engines.engine import Latest, Part, versions
from precipice.engines.reference_curvature import ReferenceCurvature
from precipice.engines.reference_text import (
    reference_batches,
    reference_model,
    reference_optimizer,
)
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.loss_windows import windows_of
from precipice.models import Minimalist, TwoLayerLinear
from precipice.optimizers import GradientFlow
from precipice.plan import Plan
from precipice.reference import ReferenceState, run_reference, to_float
from precipice.reference_optimizers import RungeKutta
from precipice.results import Outcome, Run, Series, Trajectory
from precipice.schedules import Event
from precipice.sharpness import minimalist_sharpness, two_layer_sharpness
from precipice.stepping import is_plain

_SERIES = (
    "_loss", "_step_losses", "_time", "_sharpness", "_measured", "_imbalance", "_trajectory"
)  # fmt: skip


class ReferenceEngine:
    """The gmpy2 text of `precipice.reference`, measured in NumPy.

    Parameters
    ----------
    plan : Plan
    part : Part, optional
        What it carries out of a run in several formats.
    """

    def __init__(self, plan: Plan, part: Part | None = None) -> None:
        self._plan = plan
        self._until = part.until if part else None
        self._begun, self._taken_over = 0, False  # the first step whose update is its own
        self._hands_over = False  # before the update of the last state
        self._stop = threading.Event()
        self._event_step: int | None = None
        self._optimizer = reference_optimizer(plan)
        self._states = self._run(None)
        self.outcome = "running"
        self.step = 0
        self._seconds = 0.0
        self._last: ReferenceState | None = None
        self._loss: list[tuple[int, float, float]] = []
        self._step_losses: list[float] = []  # of every step, for its windows
        self._time: list[tuple[int, float]] = []
        self._elapsed = 0.0  # of a flow
        self._sharpness: list[tuple[int, float]] = []
        self._measured: list[str] = []
        self._imbalance: list[tuple[int, list[float]]] = []
        self._trajectory: list[tuple[int, dict[str, list[str]]]] = []
        self._curvature = ReferenceCurvature(plan)

    def _run(
        self, begin: ReferenceState | None
    ) -> Generator[ReferenceState, None, tuple[str, int, int | None]]:
        plan = self._plan
        return run_reference(
            arithmetic=plan.arithmetic,
            X=plan.X,
            y=plan.y,
            parameters={name: values.ravel() for name, values in plan.start.items()},
            optimizer=self._optimizer,
            batches=reference_batches(plan),
            loss=plan.loss.name,
            steps=plan.steps,
            blowup_factor=plan.blowup_factor,
            tol=plan.tol,
            loss_floor=plan.loss_floor,
            model=reference_model(plan),
            begin=begin,
        )

    def take_over(self, before: ReferenceEngine) -> None:
        """Go on where the engine of another format has handed over, with its records."""
        state = before._last
        assert state is not None
        for name in _SERIES:
            setattr(self, name, getattr(before, name))
        self._elapsed, self._seconds = before._elapsed, before._seconds
        self._event_step = before._event_step
        if self._event_step is not None:
            self._switch_step_sizes(self._event_step)
        self._curvature.take_over(before._curvature)
        self._begun, self.step, self._taken_over = state.step, state.step, True
        self._states = self._run(state)

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
            outcome = end.value[0]
            if self._hands_over and outcome == "stalled":  # of an update that is not to be
                self.outcome = "handed_over"
            else:
                self._end(outcome)
            return
        if self._hands_over:
            self.outcome = "handed_over"
            return
        self._last, self.step = state, state.step
        self._elapsed += self._plan.lr if state.step > self._begun else 0.0
        self._record(state, last=False)
        if not (self._taken_over and state.step == self._begun):  # looked at by the one before
            self._look_for_event(state)
        self._hands_over = self._handover_due(state)
        self._record_curvature(state, last=False)

    def _look_for_event(self, state: ReferenceState) -> None:
        """Switch the schedule if its event has come at a state whose series is recorded."""
        optimizer = self._optimizer
        if isinstance(optimizer, RungeKutta) or optimizer.step_sizes.event is None:
            return
        event = optimizer.step_sizes.event
        value = self._recorded(event.series, state)
        if value is not None and event.reached(value):
            self._switch_step_sizes(state.step)
            self._event_step = state.step

    def _switch_step_sizes(self, step: int) -> None:
        assert not isinstance(self._optimizer, RungeKutta)
        self._optimizer.step_sizes = self._optimizer.step_sizes.switched(step)

    def _recorded(self, series: str, state: ReferenceState) -> float | None:
        """Return what was recorded at a state, as measured in float64; None if nothing was."""
        recorded = self._loss if series == "loss" else self._sharpness
        if not _has(recorded, state.step):
            return None
        if series == "sharpness" and self._plan.meter is not None:
            return self._float64_sharpness(state)
        return float(recorded[-1][1])

    def _handover_due(self, state: ReferenceState) -> bool:
        """Say whether another format goes on from a state's update."""
        if self._until is None:
            return False
        if not isinstance(self._until, Event):
            return state.step >= self._until
        if self._taken_over and state.step == self._begun:
            return False
        value = self._recorded(self._until.series, state)
        lr = math.nan
        if not isinstance(self._optimizer, RungeKutta):
            lr = to_float(self._optimizer.step_sizes.at(state.step))
        return value is not None and self._until.reached(value, lr)

    @property
    def event_step(self) -> int | None:
        """The step at which the schedule's event came, if it has."""
        return self._event_step

    def _end(self, outcome: str) -> None:
        assert self._last is not None
        self.outcome = outcome
        if outcome != "stalled" and self._event_step == self.step:
            self._event_step = None  # no update came after it
        self._record(self._last, last=True)
        self._record_curvature(self._last, last=True)

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
        if record.window and t == len(self._step_losses):
            self._step_losses.append(to_float(state.loss))
        if _due(record.loss, t, last) and not _has(self._loss, t):
            self._loss.append((t, *_value_and_log2(state.loss)))
            self._time.append((t, self._elapsed))
        cadence = record.cadences["sharpness"]
        pair = cadence > 0 and t > 0 and (t - 1) % cadence == 0
        if (pair or _due(cadence, t, last)) and not _has(self._sharpness, t):
            self._sharpness.append((t, self._measured_sharpness(state)))
        if _due(record.layer_imbalance, t, last) and not _has(self._imbalance, t):
            self._imbalance.append((t, self._measured_imbalance(state)))
        if _due(record.parameters, t, last) and not _has(self._trajectory, t):
            self._trajectory.append((t, _texts(state)))

    def _record_curvature(self, state: ReferenceState, last: bool) -> None:
        """Record eigenvalues and quantities, once η of the coming step is known."""
        record = self._plan.record
        if not record.eigenvalues and not record.quantities:
            return
        floats = {name: _floats(values) for name, values in state.parameters.items()}
        lr = math.nan  # of a flow
        if not isinstance(self._optimizer, RungeKutta):
            lr = float(self._optimizer.step_sizes.at(state.step))
        self._curvature.record(state.step, floats, self._preactivations(state), last, lr)

    def _preactivations(self, state: ReferenceState) -> npt.NDArray[np.float64]:
        surface = self._plan.surface
        assert surface is not None
        if self._plan.recomputes_preactivations and "u" in state.parameters:
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
        return self._float64_sharpness(state)

    def _float64_sharpness(self, state: ReferenceState) -> float:
        plan = self._plan
        assert plan.surface is not None
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
        X = plan.surface.X
        return two_layer_sharpness(
            np.diag(X) if plan.spectral else X,
            plan.arithmetic.forward.round_array(plan.y).astype(np.float64),
            _floats(state.parameters["W"]).reshape(model.width, -1),
            _floats(state.parameters["a"]),
            1.0 if model.scale == "none" else 1 / math.sqrt(model.width),
            plan.loss.curvature_factor(plan.problem.samples),
            **{name: _floats(state.parameters[name]) for name in ("b1", "b2") if model.bias},
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
            loss_windows=windows_of(self._step_losses, record.window) if record.window else None,
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
            time=_series("time", self._time)
            if record.loss and isinstance(plan.optimizer, GradientFlow)
            else None,
            trajectory=self._gathered_trajectory() if record.parameters else None,
            lr=plan.lr,
            settings={
                **plan.settings,
                "carried_out_by": "the gmpy2 text of the written order",
                "cpu_path": "gmpy2",
                "device": plan.device.sentence,
                "versions": versions(gmpy2.mpfr_version(), gmpy2.mp_version()),
            },
            seconds=seconds,
            texts=self._final_texts(),
            stepping=None if is_plain(plan.optimizer) else plan.stepping.switched(self.event_step),
            eigenvalues=self._curvature.eigenvalues(),
            quantities=self._curvature.quantities(),
        )

    def _final_texts(self) -> dict[str, list[str]]:
        if self._last is not None:
            return _texts(self._last)
        rounded = self._plan.arithmetic.parameters.round
        return {k: [text(rounded(x)) for x in a.flat] for k, a in self._plan.start.items()}

    def _gathered_trajectory(self) -> Trajectory:
        step = np.array([step for step, _ in self._trajectory], np.int64)
        texts = {name: [row[name] for _, row in self._trajectory] for name in self._plan.start}
        return Trajectory(step, texts, self._plan.arithmetic.parameters.width)


def _due(cadence: int, step: int, last: bool) -> bool:
    return cadence > 0 and (last or step % cadence == 0)


def _has(entries: list[Any], step: int) -> bool:
    return bool(entries) and entries[-1][0] == step


def _floats(values: list[gmpy2.mpfr]) -> npt.NDArray[np.float64]:
    return np.array([*map(to_float, values)])


def _texts(state: ReferenceState) -> dict[str, list[str]]:
    return {name: [text(x) for x in values] for name, values in state.parameters.items()}


def _value_and_log2(loss: gmpy2.mpfr) -> tuple[float, float]:
    """Return the loss as float64 and log2 of the exact loss."""
    value = to_float(loss)
    if not gmpy2.is_finite(loss) or loss == 0:
        return value, -math.inf if value == 0 else value
    exponent, significand = gmpy2.frexp(loss)
    return value, math.log2(to_float(significand)) + exponent


def _series(name: str, entries: list[Any]) -> Series:
    columns = list(zip(*entries, strict=True)) if entries else [(), (), ()]
    log2 = np.array(columns[2], np.float64) if len(columns) > 2 else None
    return Series(name, np.array(columns[0], np.int64), np.array(columns[1], np.float64), log2)
