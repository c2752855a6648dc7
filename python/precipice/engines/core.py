"""The compiled core as an engine: arguments across the boundary, blocks of records back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.checkpoint import Block, Checkpoint
from precipice.engines.engine import Latest, versions
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.measuring import SharpnessMeter
from precipice.models import Minimalist, TwoLayerLinear
from precipice.plan import Plan
from precipice.results import Outcome, Run, Series, Trajectory
from precipice.surface import Surface

LANCZOS_TOLERANCE = 1e-10
"""Of a two-layer network's sharpness: the residual over the value."""


class CoreEngine:
    """The compiled core.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._simulation = _core.Simulation(
            precision=plan.precision.name,
            problem=_core.ProblemSpec(
                diagonal=plan.spectral is not None,
                samples=plan.problem.samples,
                rows=plan.y.size,
                features=plan.features,
                X=boundary(plan.X),
                y=boundary(plan.y),
                lr=text(plan.step_size),
                loss=plan.loss.name,
            ),
            model=_model(plan),
            loop=_core.LoopSpec(
                steps=plan.steps,
                blowup_factor=plan.blowup_factor,
                tol=plan.tol,
                loss_floor=plan.loss_floor,
                max_seconds=plan.max_seconds,
                record=_core.RecordPlan(
                    **plan.record.describe(), measured_parameters=plan.meter is not None
                ),
            ),
            curvature=_curvature(plan),
        )
        self._cpu_path = _core.build_info()["cpu_path"]  # as the core has chosen just now
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

    def advance(self, seconds: float) -> None:
        """Run for about so long, without Python's lock."""
        block = self._simulation.advance(seconds)
        measured = block.pop("measured")
        if self._plan.meter is not None:
            block["sharpness"] |= self._remeasured(self._plan.meter, measured)
        self._append(block)

    def _remeasured(self, meter: SharpnessMeter, measured: dict[str, Any]) -> dict[str, Any]:
        """Return the sharpness in the measuring format, as float64 and as exact text."""
        texts, width = measured["text"], self._plan.start["u"].size
        stride = width + self._plan.start["v"].size
        values = [
            meter.measure(texts[i : i + width], texts[i + width : i + stride]).value
            for i in range(0, len(texts), stride)
        ]
        return {
            "value": np.array([float(x) for x in values], dtype=np.float64),
            "text": [text(x) for x in values],
        }

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the exact state, and what was recorded since the last call."""
        state = self._simulation.state()
        checkpoint.save(
            {
                "step": state.step,
                "current": state.current,
                "previous": state.previous,
                "returned": state.returned,
                "blowup_reference": state.blowup_reference.hex(),
                "curvature": [x.hex() for x in state.curvature],
                "seconds": state.seconds,
                "outcome": self.outcome,
            },
            self._blocks[self._saved :],
        )
        self._saved = len(self._blocks)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same run."""
        state, blocks = checkpoint.load()
        reference = float.fromhex(state["blowup_reference"])
        outcome = state.pop("outcome")
        curvature = [float.fromhex(x) for x in state.pop("curvature", [])]
        try:
            restored = _core.LoopState(
                **{**state, "blowup_reference": reference, "curvature": curvature}
            )
            self._simulation.restore(restored)
        except (TypeError, ValueError) as error:
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
        info = _core.build_info()
        return Run(
            precision=plan.precision,
            outcome=outcome,
            steps=self.step,
            loss=self._series("loss", "log2") if record.loss else None,
            sharpness=self._series("sharpness") if record.sharpness else None,
            layer_imbalance=self._series("layer_imbalance") if record.layer_imbalance else None,
            trajectory=self._trajectory() if record.parameters else None,
            lr=float(self._simulation.step_size),
            settings={
                **plan.settings,
                "cpu_path": self._cpu_path,
                "versions": versions(info["mpfr"], info["gmp"]),
            },
            seconds=seconds,
            texts=texts,
        )

    def _joined(self, name: str, column: str) -> npt.NDArray[Any]:
        kind = np.int64 if column in ("step", "products") else np.float64
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
        return Trajectory(step, texts, self._plan.precision.bits)


def boundary(values: npt.NDArray[Any]) -> Any:
    """Return what the core reads: float64 buffers as they are, other exact numbers as text."""
    if values.dtype == np.float64:
        return np.ascontiguousarray(values).ravel()
    return [text(entry) for entry in values.flat]


def _model(plan: Plan) -> _core.MinimalistSpec | _core.TwoLayerSpec:
    """Return the model and its start as the core wants them."""
    model, start = plan.model, plan.start
    if isinstance(model, Minimalist):
        return _core.MinimalistSpec(
            factors=model.depth - 1, u=boundary(start["u"]), v=boundary(start["v"])
        )
    scale, kappa = model.factors(plan.precision, plan.loss, plan.problem.samples)
    return _core.TwoLayerSpec(
        width=model.width,
        contraction=model.contraction,
        W=boundary(start["W"]),
        a=boundary(start["a"]),
        scale=text(scale),
        kappa=text(kappa),
    )


def _curvature(plan: Plan) -> _core.CurvatureSpec | _core.TwoLayerCurvatureSpec | None:
    """Return the surface as the core wants it: e_i as rows, X only where f is recomputed."""
    if plan.surface is None:
        return None
    if isinstance(plan.model, TwoLayerLinear):
        return _two_layer_curvature(plan, plan.model, plan.surface)
    decomposition = plan.surface.decomposition
    return _core.CurvatureSpec(
        sigma=decomposition.sigma,
        d=decomposition.d,
        left=np.empty(0) if plan.spectral else decomposition.left.T.ravel(),
        X=plan.surface.X.ravel() if plan.recomputes_preactivations else np.empty(0),
    )


def _two_layer_curvature(
    plan: Plan, model: TwoLayerLinear, surface: Surface
) -> _core.TwoLayerCurvatureSpec:
    """Return the surface of a two-layer network; Lanczos starts from a fixed random vector."""
    size = model.parameter_count(plan.features)
    return _core.TwoLayerCurvatureSpec(
        X=surface.X.ravel(),
        y=plan.precision.round_array(plan.y).astype(np.float64),
        scale=1.0 if model.scale == "none" else 1 / math.sqrt(model.width),
        start=np.random.default_rng(0).standard_normal(size),
        tolerance=LANCZOS_TOLERANCE,
    )
