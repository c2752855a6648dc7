"""The compiled core as an engine: arguments across the boundary, blocks of records back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.checkpoint import Block, Checkpoint
from precipice.engines.engine import Latest, versions
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.measuring import SharpnessMeter
from precipice.plan import Plan
from precipice.results import Outcome, Run, Series, Trajectory


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
            model=_core.MinimalistSpec(
                diagonal=plan.spectral is not None,
                samples=plan.problem.samples,
                rows=plan.y.size,
                features=plan.start["u"].size,
                factors=plan.model.depth - 1,
                X=boundary(plan.X),
                y=boundary(plan.y),
                u=boundary(plan.start["u"]),
                v=boundary(plan.start["v"]),
                lr=text(plan.step_size),
                loss=plan.loss.name,
            ),
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
        try:
            restored = _core.LoopState(**{**state, "blowup_reference": reference})
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
                "cpu_path": info["cpu_path"],
                "versions": versions(info["mpfr"], info["gmp"]),
            },
            seconds=seconds,
            texts=texts,
        )

    def _joined(self, name: str, column: str) -> npt.NDArray[Any]:
        kind = np.int64 if column == "step" else np.float64
        parts = [np.empty(0, kind), *(block[name][column] for block in self._blocks)]
        return np.concatenate(parts)

    def _series(self, name: str, log2: str | None = None) -> Series:
        step, value = self._joined(name, "step"), self._joined(name, "value")
        layers = self._plan.model.depth - 1
        if name == "layer_imbalance" and layers > 1:
            value = value.reshape(-1, layers)
        texts = None
        if name == "sharpness" and self._plan.meter is not None:
            texts = [entry for block in self._blocks for entry in block[name]["text"]]
        return Series(name, step, value, self._joined(name, log2) if log2 else None, texts)

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


def _curvature(plan: Plan) -> _core.CurvatureSpec | None:
    """Return the surface as the core wants it: e_i as rows, X only where f is recomputed."""
    if plan.surface is None:
        return None
    decomposition = plan.surface.decomposition
    return _core.CurvatureSpec(
        sigma=decomposition.sigma,
        d=decomposition.d,
        left=np.empty(0) if plan.spectral else decomposition.left.T.ravel(),
        X=plan.surface.X.ravel() if plan.recomputes_preactivations else np.empty(0),
    )
