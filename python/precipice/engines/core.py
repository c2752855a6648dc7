"""The compiled core as an engine: arguments across the boundary, blocks of records back."""

from __future__ import annotations

import math
from dataclasses import fields
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.checkpoint import Block, Checkpoint
from precipice.curvature import eigenvalues_from_rows, quantities_from_rows
from precipice.engines.core_optimizer import batch_sizes, optimizer_spec
from precipice.engines.engine import Latest, Part, versions
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.loss_windows import LossWindows
from precipice.measuring_two_layer import TwoLayerMeter
from precipice.mixed import WorkingPrecision, format_of
from precipice.models import Minimalist, TwoLayerLinear
from precipice.optimizers import GradientFlow
from precipice.plan import Plan
from precipice.results import Outcome, Run, Series, Trajectory
from precipice.schedules import Event
from precipice.stepping import is_plain
from precipice.surface import Meter, Surface

SHARPNESS_TOLERANCE = 1e-10
"""Of a two-layer network's sharpness: the residual over the operator's norm."""
EIGENVALUE_TOLERANCE = 1e-8
"""The same of its other eigenvalues, and of its Gram matrices'."""


# Of a saved state.
_FLOATS = ("blowup_reference", "curvature", "flow", "loss_before", "seconds", "window")


class CoreEngine:
    """The compiled core.

    Parameters
    ----------
    plan : Plan
    part : Part, optional
        What it carries out of a run in several formats.
    """

    def __init__(self, plan: Plan, part: Part | None = None) -> None:
        self._plan = plan
        self._simulation = _core.Simulation(**core_arguments(plan, part))
        # As the core has chosen just now.
        self._cpu_path = _core.build_info()["cpu_path"]
        self._carried_out_by = plan.arithmetic.availability()[1]
        self._blocks: list[Block] = []
        self._saved = 0  # blocks that are in the checkpoint
        self._ended: str | None = None  # outcome of a restored run that had ended
        self._latest: list[float | None] = [None, None, None]

    @property
    def outcome(self) -> str:
        """``"running"`` or how the run ended."""
        return self._ended or str(self._simulation.outcome)

    @property
    def step(self) -> int:
        """Steps taken."""
        return int(self._simulation.step)

    @property
    def event_step(self) -> int | None:
        """The step at which the schedule's event came, if it has."""
        step = int(self._simulation.switched)
        return None if step < 0 else step

    def advance(self, seconds: float) -> None:
        """Run for about so long, without Python's lock."""
        block = self._simulation.advance(seconds)
        measured = block.pop("measured")
        if self._plan.meter is not None:
            block["sharpness"] |= self._remeasured(self._plan.meter, measured)
        self._append(block)

    def _remeasured(self, meter: Meter, measured: dict[str, Any]) -> dict[str, Any]:
        """Return the sharpness in the measuring format, as float64 and as exact text."""
        texts = iter(measured["text"])
        sizes = [values.size for values in self._plan.start.values()]
        found = [
            meter.measure(*(list(islice(texts, size)) for size in sizes))
            for _ in range(len(measured["text"]) // sum(sizes))
        ]
        block = {
            "value": np.array([float(each.value) for each in found], dtype=np.float64),
            "text": [text(each.value) for each in found],
        }
        if isinstance(meter, TwoLayerMeter):
            block["residual"] = np.array([each.residual for each in found], dtype=np.float64)
        return block

    def take_over(self, before: CoreEngine) -> None:
        """Go on where the engine of another format has handed over, with its records."""
        self._simulation.take_over(before._simulation.state())
        self._blocks, self._saved, self._latest = before._blocks, before._saved, before._latest

    def save(self, checkpoint: Checkpoint, **more: Any) -> None:
        """Write the exact state (and more of it), and what was recorded since the last call."""
        state = in_hexadecimal(self._simulation.state().values())
        checkpoint.save({**state, **more, "outcome": self.outcome}, self._blocks[self._saved :])
        self._saved = len(self._blocks)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run."""
        self.restore_state(checkpoint, *checkpoint.load())

    def restore_state(
        self, checkpoint: Checkpoint, state: dict[str, Any], blocks: list[Block]
    ) -> None:
        """Go on from what a checkpoint of the same run holds."""
        try:
            outcome = state.pop("outcome")
            self._simulation.restore(_core.LoopState(from_hexadecimal(state)))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            rule = f"must be whole and readable ({error})"
            raise InvalidArgument("checkpoint", str(checkpoint.directory), rule) from None
        self._ended = None if outcome == "running" else outcome
        for block in blocks:
            self._append(block)
        self._saved = len(self._blocks)

    def _append(self, block: Block) -> None:
        self._blocks.append(block)
        for i, values in enumerate(
            (block["loss"]["value"], block["loss"]["log2"], block["sharpness"]["value"])
        ):
            if values.size:
                self._latest[i] = float(values[-1])

    def stop(self) -> None:
        """End `advance` within about 0.1 s; from any thread."""
        self._simulation.stop()

    def latest(self) -> Latest:
        """Return the last recorded loss, log2 loss and sharpness."""
        loss, log2_loss, sharpness = self._latest
        return loss, log2_loss, sharpness

    def gather(self, outcome: Outcome, seconds: float) -> Run:
        """Return what has been computed; frees MPFR's caches of this thread."""
        texts = self._simulation.parameters()
        _core.free_thread_caches()
        plan, record = self._plan, self._plan.record
        is_flow = isinstance(plan.optimizer, GradientFlow)
        info = _core.build_info()
        return Run(
            precision=plan.precision,
            outcome=outcome,
            steps=self.step,
            loss=self._series("loss", "log2") if record.loss else None,
            loss_windows=self._windows() if record.window else None,
            sharpness=self._series("sharpness") if record.sharpness else None,
            layer_imbalance=self._series("layer_imbalance") if record.layer_imbalance else None,
            time=self._series("time") if record.loss and is_flow else None,
            trajectory=self._trajectory() if record.parameters else None,
            eigenvalues=eigenvalues_from_rows(*self._spectral("eigenvalues"))
            if record.eigenvalues
            else None,
            quantities=quantities_from_rows(*self._spectral("quantities"))
            if record.quantities
            else None,
            lr=plan.lr if plan.step_sizes is None else float(self._simulation.step_size),
            settings={
                **plan.settings,
                "carried_out_by": self._carried_out_by,
                "cpu_path": self._cpu_path,
                "device": plan.device.sentence,
                "versions": versions(info["mpfr"], info["gmp"]),
            },
            seconds=seconds,
            texts=texts,
            stepping=None if is_plain(plan.optimizer) else plan.stepping.switched(self.event_step),
        )

    def _joined(self, name: str, column: str) -> npt.NDArray[Any]:
        whole = column in ("step", "products", "begin") or column.endswith("_step")
        kind = np.int64 if whole else np.float64
        parts = [np.empty(0, kind), *(block[name][column] for block in self._blocks)]
        return np.concatenate(parts)

    def _series(self, name: str, log2: str | None = None) -> Series:
        step, value = self._joined(name, "step"), self._joined(name, "value")
        model = self._plan.model
        if name == "layer_imbalance" and isinstance(model, Minimalist) and model.depth > 2:
            value = value.reshape(-1, model.depth - 1)
        texts = None
        if name == "sharpness" and self._plan.meter is not None:
            texts = [entry for block in self._blocks for entry in block[name]["text"]]
        residual = products = None
        if name == "sharpness" and not isinstance(model, Minimalist):
            residual, products = (self._joined(name, column) for column in ("residual", "products"))
        log2_values = self._joined(name, log2) if log2 else None
        return Series(name, step, value, log2_values, texts, residual, products)

    def _windows(self) -> LossWindows:
        columns = (field.name for field in fields(LossWindows))
        return LossWindows(*(self._joined("loss_windows", column) for column in columns))

    def _spectral(self, name: str) -> tuple[npt.NDArray[Any], ...]:
        columns = ("step", "value", "residual", "products")
        return tuple(self._joined(name, column) for column in columns)

    def _trajectory(self) -> Trajectory:
        step = self._joined("parameters", "step")
        flat = [entry for block in self._blocks for entry in block["parameters"]["text"]]
        texts: dict[str, list[list[str]]] = {}
        width = len(flat) // max(1, step.size)
        begin = 0
        for name, values in self._plan.start.items():
            end = begin + values.size
            texts[name] = [
                flat[row * width + begin : row * width + end] for row in range(step.size)
            ]
            begin = end
        return Trajectory(step, texts, self._plan.precision.width)


def core_arguments(plan: Plan, part: Part | None = None) -> dict[str, Any]:
    """Return what the core's simulations and ensembles are made of.

    Parameters
    ----------
    plan : Plan
    part : Part, optional
        What is carried out of a run in several formats.
    """
    part = part or Part(plan.precision)
    return {
        "arithmetic": plan.arithmetic.core(),
        "problem": _core.ProblemSpec(
            diagonal=plan.spectral is not None,
            samples=plan.problem.samples,
            rows=plan.y.size,
            features=plan.features,
            X=boundary(plan.X),
            y=boundary(plan.y),
            loss=plan.loss.name,
        ),
        "model": _model(plan),
        "optimizer": optimizer_spec(plan),
        "loop": _core.LoopSpec(
            steps=plan.steps,
            blowup_factor=plan.blowup_factor,
            tol=plan.tol,
            loss_floor=plan.loss_floor,
            max_seconds=plan.max_seconds,
            record=_core.RecordPlan(
                **plan.record.cadences,
                measured_parameters=plan.meter is not None,
                adaptive=_adaptive(plan),
            ),
            handover=_handover(part.until),
        ),
        "curvature": _curvature(plan, part.first),
        # The processor's own simulations take none.
        **({} if plan.device.table is None else {"device": plan.device.table}),
    }


def in_hexadecimal(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state with its float64 numbers as exact text."""
    return state | {
        name: [x.hex() for x in state[name]] if isinstance(state[name], list) else state[name].hex()
        for name in _FLOATS
    }


def from_hexadecimal(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state that `in_hexadecimal` wrote."""
    return state | {
        name: [float.fromhex(x) for x in state[name]]
        if isinstance(state[name], list)
        else float.fromhex(state[name])
        for name in _FLOATS
    }


def boundary(values: npt.NDArray[Any]) -> Any:
    """Return what the core reads: float64 buffers as they are, other exact numbers as text."""
    if values.dtype == np.float64:
        return np.ascontiguousarray(values).ravel()
    return [text(entry) for entry in values.flat]


def _adaptive(plan: Plan) -> _core.AdaptiveCadence | None:
    """Return when each step is measured, if the cadence is adaptive."""
    adaptive = plan.record.adaptive
    if adaptive is None:
        return None
    return _core.AdaptiveCadence(
        near=adaptive.near, stability=plan.stepping.factor, quiet=adaptive.quiet
    )


def _model(plan: Plan) -> _core.MinimalistSpec | _core.TwoLayerSpec:
    """Return the model and its start as the core wants them."""
    model, start = plan.model, plan.start
    if isinstance(model, Minimalist):
        return _core.MinimalistSpec(
            factors=model.depth - 1, u=boundary(start["u"]), v=boundary(start["v"])
        )
    sizes = [plan.problem.samples, *batch_sizes(plan)]
    factors = [model.factors(plan.arithmetic, plan.loss, size) for size in sizes]
    none = np.empty(0)  # without biases
    return _core.TwoLayerSpec(
        width=model.width,
        contraction=model.contraction,
        W=boundary(start["W"]),
        a=boundary(start["a"]),
        b1=boundary(start.get("b1", none)),
        b2=boundary(start.get("b2", none)),
        scale=text(factors[0][0]),
        kappa=[text(kappa) for _, kappa, _ in factors],
        kappa_L=[text(kappa_L) for _, _, kappa_L in factors],
    )


def _handover(until: int | Event | None) -> int | _core.Event | None:
    """Return where another format takes over, as the core wants it."""
    if not isinstance(until, Event):
        return until
    return _core.Event(
        series=until.series, above=until.above, bound=until.number, over_step_size=until.over_lr
    )


def _curvature(
    plan: Plan, first: WorkingPrecision
) -> _core.CurvatureSpec | _core.TwoLayerCurvatureSpec | None:
    """Return the surface as the core wants it: e_i as rows, X only where f is recomputed."""
    if plan.surface is None:
        return None
    if isinstance(plan.model, TwoLayerLinear):
        return _two_layer_curvature(plan, plan.model, plan.surface, first)
    decomposition = plan.surface.decomposition
    return _core.CurvatureSpec(
        sigma=decomposition.sigma,
        d=decomposition.d,
        left=np.empty(0) if plan.spectral else decomposition.left.T.ravel(),
        X=plan.surface.X.ravel() if plan.recomputes_preactivations else np.empty(0),
    )


def _two_layer_curvature(
    plan: Plan, model: TwoLayerLinear, surface: Surface, first: WorkingPrecision
) -> _core.TwoLayerCurvatureSpec:
    """Return the surface of a two-layer network, and where its weights started."""
    started_in = format_of(first, "parameters")
    W = started_in.round_array(plan.start["W"]).astype(np.float64).ravel()
    return _core.TwoLayerCurvatureSpec(
        X=surface.X.ravel(),
        y=plan.arithmetic.forward.round_array(plan.y).astype(np.float64),
        scale=1.0 if model.scale == "none" else 1 / math.sqrt(model.width),
        sharpness_tolerance=SHARPNESS_TOLERANCE,
        eigenvalue_tolerance=EIGENVALUE_TOLERANCE,
        features=plan.problem.features,
        W_at_start=W if plan.record.quantities else np.empty(0),
    )
