"""Eigenvalues and quantities of a reference run, from dense matrices in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.curvature import Eigenvalues, Quantities, eigenvalues_from_rows
from precipice.models import TwoLayerLinear
from precipice.plan import Plan
from precipice.reference_quantities import Parameters, ReferenceQuantities
from precipice.sharpness import minimalist_hessian, two_layer_hessian

FloatArray = npt.NDArray[np.float64]


class ReferenceCurvature:
    """What a reference run records of its curvature beyond the sharpness.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._eigenvalues: list[tuple[int, FloatArray]] = []
        self._quantities: ReferenceQuantities | None = None
        if plan.record.quantities and isinstance(plan.model, TwoLayerLinear):
            X, y, c, factor = two_layer_surface(plan, plan.model)
            self._quantities = ReferenceQuantities(X, y, c, factor, plan.problem.features)

    def take_over(self, before: ReferenceCurvature) -> None:
        """Go on with the records of a run in another format, on this one's surface."""
        self._eigenvalues = before._eigenvalues
        if self._quantities is not None and before._quantities is not None:
            before._quantities.move_to(self._quantities.X, self._quantities.y)
            self._quantities = before._quantities

    def record(
        self, step: int, parameters: dict[str, FloatArray], f: FloatArray, last: bool, lr: float
    ) -> None:
        """Record what is due at a state, given as float64, and has not been recorded yet.

        Parameters
        ----------
        step : int
        parameters : dict of str to ndarray
            Flat, by name.
        f : ndarray, shape (N,)
            The pre-activations of the minimalist model.
        last : bool
            Whether the run ends here.
        lr : float
            η of the step that follows; NaN if it is none of descent.
        """
        record = self._plan.record
        known = [t for t, _ in self._eigenvalues[-1:]]
        if _due(record.eigenvalues, step, last) and step not in known:
            self._eigenvalues.append((step, self._measured(parameters, f)))
        if self._quantities is None:
            return
        theta = Parameters.of(parameters)
        with np.errstate(all="ignore"):
            if not math.isnan(lr):
                self._quantities.follow(step, theta)
            known = self._quantities.steps[-1:]
            if _due(record.quantities, step, last) and step not in known:
                self._quantities.record(step, theta, lr)

    def eigenvalues(self) -> Eigenvalues | None:
        """Return the recorded eigenvalues; residuals are a dense solution's rounding."""
        top = self._plan.record.top
        if not self._plan.record.eigenvalues:
            return None
        step = np.array([step for step, _ in self._eigenvalues], np.int64)
        rows = np.array([row for _, row in self._eigenvalues]).reshape(-1, top + 2)
        rounding = np.repeat(rows[:, -1:], top + 1, axis=1)
        return eigenvalues_from_rows(step, rows[:, :-1].ravel(), rounding, np.zeros_like(step))

    def quantities(self) -> Quantities | None:
        """Return the recorded quantities."""
        return None if self._quantities is None else self._quantities.gathered()

    def _measured(self, parameters: dict[str, FloatArray], f: FloatArray) -> FloatArray:
        """Return the largest eigenvalues, the smallest, and a bound on their rounding."""
        top = self._plan.record.top
        with np.errstate(all="ignore"):
            hessian, flat = self._hessian(parameters, f)
        if not np.isfinite(hessian).all():
            return np.full(top + 2, np.nan)
        values = np.sort(np.append(np.linalg.eigvalsh(hessian), np.zeros(flat)))[::-1]
        rounding = values.size * np.finfo(np.float64).eps * np.abs(values).max()
        return np.array([*values[:top], values[-1], rounding])

    def _hessian(self, parameters: dict[str, FloatArray], f: FloatArray) -> tuple[FloatArray, int]:
        """Return the Hessian, and how many more directions there are in which it is zero."""
        plan = self._plan
        assert plan.surface is not None
        if isinstance(plan.model, TwoLayerLinear):
            X, y, c, factor = two_layer_surface(plan, plan.model)
            W, a = parameters["W"].reshape(plan.model.width, -1), parameters["a"]
            biases = {name: parameters[name] for name in ("b1", "b2") if plan.model.bias}
            return two_layer_hessian(X, y, W, a, c, factor, **biases), 0
        factor = plan.loss.curvature_factor(plan.problem.samples)
        decomposition = plan.surface.decomposition
        hessian = minimalist_hessian(decomposition, f, parameters["v"], factor)
        return hessian, plan.features - decomposition.rank


def two_layer_surface(plan: Plan, model: TwoLayerLinear) -> tuple[FloatArray, FloatArray, Any, Any]:
    """Return X and y in float64, c and c_L."""
    assert plan.surface is not None
    X = plan.surface.X
    return (
        np.diag(X) if plan.spectral else X,
        plan.arithmetic.forward.round_array(plan.y).astype(np.float64),
        1.0 if model.scale == "none" else 1 / math.sqrt(model.width),
        plan.loss.curvature_factor(plan.problem.samples),
    )


def _due(cadence: int, step: int, last: bool) -> bool:
    return cadence > 0 and (last or step % cadence == 0)
