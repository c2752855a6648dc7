"""A run's arguments, checked and rounded to the problem's format: what an engine carries out."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice import cost, losses
from precipice.arithmetic import Arithmetic
from precipice.devices import PROCESSOR, Device
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.mixed import WorkingPrecision
from precipice.models import Model
from precipice.optimizers import SGD, GradientFlow, Optimizer
from precipice.problems import Problem
from precipice.record import Record
from precipice.spectral import SpectralProblem
from precipice.stepping import RoundedSchedule, Stepping
from precipice.surface import Meter, Surface

# Below this width the run's own pre-activations carry too much rounding to measure with.
_RECOMPUTE_BITS = 24


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything an engine needs, as exact numbers of the problem's format.

    Attributes
    ----------
    precision : Precision or MixedPrecision
        As it was asked for.
    arithmetic : Arithmetic
        The format of each stage, the order of sums, the seed.
    X, y : ndarray, shapes (N, d) and (N,); in spectral coordinates σ and d, both (r,)
        float64, or objects of `precipice.exact.Exact`.
    start : dict of str to ndarray
        Initial parameters, likewise; in spectral coordinates u is o, and W is W̃ (m, r).
    stepping : Stepping
        η_t and β of the optimiser, rounded.
    surface : Surface or None
        What is measured on; None if nothing needs it.
    spectral : SpectralProblem or None
        The problem in spectral coordinates, if those were asked for.
    meter : Meter or None
        What measures the sharpness, if not the core in float64.
    device : Device
        What carries it out (`precipice.devices`).
    """

    problem: Problem
    model: Model
    optimizer: Optimizer
    precision: WorkingPrecision
    arithmetic: Arithmetic
    X: npt.NDArray[Any]
    y: npt.NDArray[Any]
    start: dict[str, npt.NDArray[Any]]
    stepping: Stepping
    loss: losses.Loss
    steps: int
    record: Record
    blowup_factor: float | None
    tol: float | None
    max_seconds: float | None
    engine: str
    surface: Surface | None
    spectral: SpectralProblem | None
    meter: Meter | None
    settings: dict[str, Any]
    device: Device = PROCESSOR

    @property
    def step_sizes(self) -> RoundedSchedule | None:
        """η_t (a flow's step) in the problem's format; None for a flow that chooses its step."""
        return self.stepping.step_sizes

    @property
    def momentum(self) -> Any:
        """β in the problem's format, None where there is no velocity."""
        return self.stepping.momentum

    @property
    def lr(self) -> float:
        """The first step's η as rounded to the format of updates, as float64."""
        return self.stepping.lr

    @property
    def recomputes_preactivations(self) -> bool:
        """Whether f = X u is computed afresh in float64 for measuring."""
        bits = (self.arithmetic.forward.bits, self.arithmetic.accumulate.bits)
        return min(bits) <= _RECOMPUTE_BITS

    @property
    def features(self) -> int:
        """The number of columns of X: d, or r in spectral coordinates."""
        return self.problem.features if self.spectral is None else int(self.y.size)

    @property
    def loss_floor(self) -> float:
        """κ‖y⊥‖², the loss that no parameters can reduce; 0 if only rounding, or without `tol`."""
        if self.tol is None or self.surface is None or self.spectral is not None:
            return 0.0
        decomposition = self.surface.decomposition
        y_norm2 = float(np.sum(decomposition.d**2)) + decomposition.y_perp_norm2
        noise = (self.problem.samples * np.finfo(np.float64).eps) ** 2 * y_norm2
        if decomposition.y_perp_norm2 <= noise:
            return 0.0
        return self.loss.kappa(self.problem.samples) * decomposition.y_perp_norm2

    def spec(self) -> dict[str, Any]:
        """Return everything that the run's numbers depend on, as JSON-able data."""
        start = (f"{text(x)}\n" for values in self.start.values() for x in values.flat)
        return {
            "problem": self.problem.sha256,
            "model": self.model.describe(),
            "start": hashlib.sha256("".join(start).encode()).hexdigest(),
            **self.settings,
        }

    def estimate(self) -> tuple[float, int]:
        """Return the expected seconds, if the run takes all its steps, and bytes of memory."""
        return cost.estimate(
            self.arithmetic,
            samples=int(self.y.size),
            features=self.features,
            diagonal=self.spectral is not None,
            model=self.model,
            steps=self.steps,
            record=self.record,
            gradients=self._gradients(),
            reference=self.engine == "reference",
        )

    def _gradients(self) -> float:
        """Return the work of a step in full-batch gradients."""
        if isinstance(self.optimizer, SGD):
            return 0.5 + self.optimizer.batch_size / self.problem.samples
        return 4.0 if isinstance(self.optimizer, GradientFlow) else 1.0


def positive(argument: str, value: Any, allow_infinite: bool = False) -> float | None:
    """Return a positive number as float, or None."""
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        number = math.nan
    if isinstance(value, bool) or not number > 0 or (number == math.inf and not allow_infinite):
        rule = "must be a positive number" + (", inf" if allow_infinite else "") + " or None"
        raise InvalidArgument(argument, value, rule)
    return number
