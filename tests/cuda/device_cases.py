"""Runs whose records are the same on every device, and the hash of what a run recorded.

All numbers of the problems are small integers over powers of two: the same on any machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import precipice as pc

GOLDENS = Path(__file__).resolve().parent / "goldens.json"


@dataclass(frozen=True)
class Case:
    """A run; `width` is that of a two-layer network, 0 of the minimalist model's `depth`."""

    rows: int
    features: int
    precision: str
    order: str
    lr: str
    steps: int
    depth: int = 2
    width: int = 0
    loss: str = "half_mean"
    scale: float = 1.0  # of the start
    blowup: bool = True
    states: int = 0  # cadence of recorded parameters

    @property
    def name(self) -> str:
        model = f"two-layer m={self.width}" if self.width else f"D={self.depth}"
        shape = f"{self.rows}x{self.features}"
        return f"{model} {shape} {self.precision} {self.order} {self.loss} lr={self.lr}"


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-(1 << 12), 1 << 12, shape) / 2048.0


def start(case: Case, rng: np.random.Generator) -> dict[str, np.ndarray]:
    if case.width:
        W = numbers(rng, case.width, case.features) * (case.scale / 8)
        return {"W": W, "a": numbers(rng, case.width) * case.scale / 2}
    u = numbers(rng, case.features) * case.scale / 8
    return {"u": u, "v": 1 + numbers(rng, case.depth - 1) / 16}


def arguments(case: Case) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what `simulate` is given."""
    rng = np.random.default_rng(case.rows * 10007 + case.features)
    X, y = numbers(rng, case.rows, case.features), rng.choice([-1.0, 1.0], case.rows)
    model = pc.TwoLayerLinear(case.width) if case.width else pc.Minimalist(case.depth)
    keywords = {
        "precision": case.precision, "order": case.order, "steps": case.steps, "loss": case.loss,
        "init": pc.init.explicit(start(case, rng)), "blowup_factor": 1e6 if case.blowup else None,
        "record": pc.Record(loss=1, sharpness=0, parameters=case.states, window=7),
    }  # fmt: skip
    if ":sr" in case.precision:
        keywords["rounding_seed"] = 7
    return (pc.problems.from_arrays(X, y), model, pc.GD(case.lr)), keywords


def canonical(values: Any) -> bytes:
    """The bits of float64 numbers, all NaNs alike."""
    values = np.array(values, np.float64)
    values[np.isnan(values)] = np.nan
    return values.astype("<f8").tobytes()


def record_of(run: pc.Run) -> dict[str, Any]:
    """How a run ended, and the SHA-256 of all that it recorded and of its exact parameters."""
    digest = hashlib.sha256()
    if run.loss is not None:
        digest.update(np.asarray(run.loss.step, "<i8").tobytes() + canonical(run.loss.value))
    if run.loss_windows is not None:
        for name, column in sorted(run.loss_windows.named().items()):
            digest.update(name.encode() + canonical(column))
    if run.trajectory is not None:
        digest.update(np.asarray(run.trajectory.step, "<i8").tobytes())
        digest.update(json.dumps(dict(run.trajectory.texts), sort_keys=True).encode())
    digest.update(json.dumps(run.exact_texts(), sort_keys=True).encode())
    return {"outcome": run.outcome.value, "steps": run.steps, "sha256": digest.hexdigest()}


def carry_out(case: Case, device: Any) -> dict[str, Any]:
    positional, keywords = arguments(case)
    return record_of(pc.simulate(*positional, **keywords, device=device))


ORDERS = ("sequential", "blocked")
SMALL = (
    *(Case(2, 2, p, o, "1/8", 300, states=5) for p in ("float32", "float64") for o in ORDERS),
    *(Case(2, 100, p, o, "1/64", 200) for p in ("float32", "float64") for o in ORDERS),
    *(Case(5, 37, p, o, "1/32", 60, depth=3)
      for p in ("float64", "bfloat16", "float16:rz", "bfloat16:sr") for o in ORDERS),
    Case(3, 33, "float8_e4m3fn", "blocked", "1/8", 40),
    Case(3, 33, "float32", "blocked", "4", 40, depth=4, loss="sum", blowup=False),
    Case(3, 33, "float64", "sequential", "8", 40, depth=3, loss="mean", blowup=False),
    Case(3, 33, "float64", "blocked", "2", 40, depth=3, loss="half_sum"),
    *(Case(4, 35, p, o, "1/16", 60, width=3, states=10)
      for p in ("float32", "float64", "bfloat16", "bfloat16:sr") for o in ORDERS),
    Case(70, 67, "float64", "blocked", "1/64", 50, width=33),
)  # fmt: skip
LARGE = (
    *(Case(300, 3072, p, o, "1/2048", 25) for p in ("float32", "float64") for o in ORDERS),
    *(Case(250, 768, p, o, "1/1024", 8, width=100) for p in ("float32", "float64") for o in ORDERS),
)  # fmt: skip
CASES = (*SMALL, *LARGE)


def goldens() -> Mapping[str, Mapping[str, Any]]:
    """Return what each case recorded on the processor when the goldens were written."""
    found: dict[str, dict[str, Any]] = json.loads(GOLDENS.read_text())
    return found


def write_goldens() -> None:
    found = {case.name: carry_out(case, "cpu") for case in CASES}
    if len(found) != len(CASES):
        raise ValueError("two cases have one name")
    GOLDENS.write_text(json.dumps(found, indent=1) + "\n")
