"""Ensembles and single runs timed on a GPU, beside one core of the processor.

Of two runs that differ in their number of steps alone the difference is what the steps took.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import precipice as pc

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from cuda_cost_model import Gpu, gpu_named

SECONDS = 1.5  # of a timing, about
MOST_STEPS = 1 << 22


@dataclass(frozen=True)
class Timing:
    rows: int
    features: int
    precision: str
    order: str
    runs: int = 1
    width: int = 0

    @property
    def name(self) -> str:
        model = f"({self.width}, {self.rows}, {self.features})" if self.width else (
            f"({self.rows}, {self.features})"
        )  # fmt: skip
        return f"{self.runs} x {model} {self.precision} {self.order}"

    def flops(self) -> float:
        """Operations of a step of one run: both products with X, and those with W."""
        n, d, m = self.rows, self.features, self.width
        return 4.0 * n * d + (8.0 * m * d if m else 4.0 * d)

    def bytes(self) -> float:
        """What a single run moves a step: X twice, W read twice and written once."""
        if self.runs > 1:
            return 0.0  # on the chip
        n, d, m = self.rows, self.features, self.width
        return (2.0 * n * d + 3.0 * m * d) * (8 if self.precision == "float64" else 4)


ORDERS = ("sequential", "blocked")
TIMINGS = (
    *(Timing(2, d, p, o, 4096) for d in (2, 100)
      for p in ("float64", "float32", "bfloat16:sr") for o in ORDERS),
    *(Timing(300, 3072, p, o) for p in ("float64", "float32") for o in ORDERS),
    *(Timing(1000, 3072, p, o, width=200) for p in ("float64", "float32") for o in ORDERS),
)  # fmt: skip


def keywords(timing: Timing, steps: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    rng = np.random.default_rng(0)
    shape = timing.rows, timing.features
    X, y = rng.integers(-1024, 1024, shape) / 1024.0, rng.choice([-1.0, 1.0], timing.rows)
    model = pc.TwoLayerLinear(timing.width) if timing.width else pc.Minimalist(2)
    given = {
        "precision": timing.precision, "order": timing.order, "steps": steps,
        "init": pc.init.pytorch(0), "blowup_factor": None,
        "record": pc.Record(loss=10**9, sharpness=0),
    }  # fmt: skip
    if timing.precision.endswith(":sr"):
        given["rounding_seed"] = 1
    return (pc.problems.from_arrays(X, y), model, pc.GD("1/1000000")), given


def carry_out(timing: Timing, steps: int, runs: int, device: str) -> int:
    """Run, and return how many steps all runs made."""
    positional, given = keywords(timing, steps)
    if runs == 1:
        return pc.simulate(*positional, **given, device=device).steps
    ensemble = pc.ensemble(*positional, **given, perturbations=runs, device=device)
    return int(np.sum(ensemble.steps))


def seconds_a_step(timing: Timing, runs: int, device: str, clock: Callable[[], float]) -> float:
    """Return the time of a step of one of the runs."""
    carry_out(timing, 2, runs, device)  # contexts, kernels, memory
    steps, took = 4, 0.0
    while took < SECONDS / 8 and steps < MOST_STEPS:
        steps *= 4
        began = clock()
        made = carry_out(timing, steps, runs, device)
        took = clock() - began
    short = steps // 4
    began = clock()
    fewer = carry_out(timing, short, runs, device)
    least = clock() - began
    factor = max(2, min(64, round(SECONDS / max(took, 1e-3))))
    began = clock()
    made = carry_out(timing, factor * steps, runs, device)
    return (clock() - began - least) / max(made - fewer, 1)


def share(timing: Timing, step: float, gpu: Gpu | None) -> tuple[str, float]:
    """The limit that is nearest, and which share of it was reached."""
    if gpu is None:
        return "unknown GPU", float("nan")
    data = timing.bytes()
    speed = gpu.cache if data < gpu.cache_bytes else gpu.memory
    limits = {
        f"{'FP64' if timing.precision == 'float64' else 'FP32'} rate":
            timing.flops() / gpu.flops(timing.precision),
        "level 2" if speed == gpu.cache else "memory": data / speed,
    }  # fmt: skip
    name = max(limits, key=limits.__getitem__)
    return name, limits[name] / step


def time_all(device_name: str) -> list[dict[str, Any]]:
    """Return a row a timing, printing each as it comes."""
    gpu, rows = gpu_named(device_name), []
    for timing in TIMINGS:
        step = seconds_a_step(timing, timing.runs, "cuda", time.perf_counter)
        core = seconds_a_step(timing, 1, "cpu", time.process_time)
        limit, reached = share(timing, step, gpu)
        rows.append({
            "case": timing.name, "gpu_step": step, "core_step": core, "ratio": core / step,
            "limit": limit, "share": reached, "flops": timing.flops(), "bytes": timing.bytes(),
        })  # fmt: skip
        print(f"{timing.name:44s} {1e6 * step:10.4f} us  core {1e6 * core:9.3f} us  "
              f"{core / step:7.1f} x   {100 * reached:5.1f} % of {limit}", flush=True)  # fmt: skip
    return rows
