"""The gmpy2 text of `precipice.reference` as an engine, measured in NumPy."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.batches import Batches
from precipice.checkpoint import Checkpoint
from precipice.engines.engine import Latest, versions
from precipice.engines.reference_curvature import ReferenceCurvature
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.models import Minimalist, TwoLayerLinear
from precipice.optimizers import SGD, GradientFlow, Nesterov
from precipice.plan import Plan
from precipice.reference import (
    ReferenceMinimalist,
    ReferenceSpectral,
    ReferenceState,
    run_reference,
)
from precipice.reference_optimizers import GradientDescent, Momentum, RungeKutta
from precipice.reference_two_layer import ReferenceTwoLayer
from precipice.results import Outcome, Run, Series, Trajectory
from precipice.sharpness import minimalist_sharpness, two_layer_sharpness
from precipice.stepping import is_plain


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
        self._event_step: int | None = None
        self._optimizer = _reference_optimizer(plan)
        self._states: Generator[ReferenceState, None, tuple[str, int, int | None]] = run_reference(
            context=working.context(),
            X=working.round_array(plan.X),
            y=working.round_array(plan.y),
            parameters={name: working.round_array(a).ravel() for name, a in plan.start.items()},
            optimizer=self._optimizer,
            batches=_batches(plan),
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
        self._time: list[tuple[int, float]] = []
        self._elapsed = 0.0  # of a flow
        self._sharpness: list[tuple[int, float]] = []
        self._measured: list[str] = []
        self._imbalance: list[tuple[int, list[float]]] = []
        self._trajectory: list[tuple[int, dict[str, list[str]]]] = []
        self._curvature = ReferenceCurvature(plan)

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
        self._elapsed += self._plan.lr if state.step else 0.0
        self._record(state, last=False)
        self._look_for_event(state)
        self._record_curvature(state, last=False)

    def _look_for_event(self, state: ReferenceState) -> None:
        """Switch the schedule if its event has come at a state whose series is recorded."""
        optimizer = self._optimizer
        if isinstance(optimizer, RungeKutta) or optimizer.step_sizes.event is None:
            return
        event = optimizer.step_sizes.event
        recorded = self._loss if event.series == "loss" else self._sharpness
        if not _has(recorded, state.step):
            return
        value = recorded[-1][1]
        if event.series == "sharpness" and self._plan.meter is not None:
            value = self._float64_sharpness(state)
        if event.reached(value):
            optimizer.step_sizes = optimizer.step_sizes.switched(state.step)
            self._event_step = state.step

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
        if _due(record.loss, t, last) and not _has(self._loss, t):
            self._loss.append((t, *_value_and_log2(self._plan, state.loss)))
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
            plan.precision.round_array(plan.y).astype(np.float64),
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
                "cpu_path": "gmpy2",
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
        rounded = self._plan.precision.round
        return {k: [text(rounded(x)) for x in a.flat] for k, a in self._plan.start.items()}

    def _gathered_trajectory(self) -> Trajectory:
        step = np.array([step for step, _ in self._trajectory], np.int64)
        texts = {name: [row[name] for _, row in self._trajectory] for name in self._plan.start}
        return Trajectory(step, texts, self._plan.precision.bits)


def _reference_model(plan: Plan) -> Any:
    """Return what makes the model's text from X, y and the loss's name."""
    if isinstance(plan.model, TwoLayerLinear):
        return partial(_two_layer, plan.model, plan)
    if plan.spectral is not None:
        return partial(ReferenceSpectral, samples=plan.problem.samples)
    return ReferenceMinimalist


def _two_layer(model: TwoLayerLinear, plan: Plan, X: Any, y: Any, loss: str) -> ReferenceTwoLayer:
    """Return the network on some samples, whose number is that of κ."""
    samples = plan.problem.samples if plan.spectral else None
    c, kappa, kappa_L = model.factors(plan.precision, plan.loss, samples or len(y))
    collapsed = model.contraction == "collapsed"
    return ReferenceTwoLayer(
        X, y, loss, c=c, kappa=kappa, kappa_L=kappa_L, collapsed=collapsed, samples=samples
    )


def _reference_optimizer(plan: Plan) -> GradientDescent | RungeKutta:
    """Return the optimiser's text, its numbers rounded to the working format."""
    optimizer, working = plan.optimizer, plan.precision
    assert plan.step_sizes is not None
    step_sizes = plan.step_sizes.converted(working.round)
    if isinstance(optimizer, GradientFlow):
        return RungeKutta(step_sizes.lr[0])
    if plan.momentum is None:
        return GradientDescent(step_sizes)
    nesterov = optimizer.nesterov if isinstance(optimizer, SGD) else isinstance(optimizer, Nesterov)
    return Momentum(step_sizes, working.round(plan.momentum), nesterov=nesterov)


def _batches(plan: Plan) -> Callable[[int], list[int]] | None:
    """Return what gives a step's samples; None where it takes all of them."""
    optimizer, samples = plan.optimizer, plan.problem.samples
    if not isinstance(optimizer, SGD) or optimizer.batch_size == samples:
        return None
    batches = Batches(samples, optimizer.batch_size, optimizer.sampling, optimizer.seed)
    return lambda step: batches.at(step).tolist()


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
