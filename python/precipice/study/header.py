"""What a comparison says about itself: its settings, its definitions, and the theory beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from precipice import losses, theory
from precipice.arithmetic import ORDERS
from precipice.decomposition import decompose
from precipice.models import Minimalist
from precipice.optimizers import GD, GradientFlow
from precipice.precision import Precision
from precipice.switching import RunPrecision

if TYPE_CHECKING:
    from precipice.decomposition import Decomposition
    from precipice.initialisers import Initialiser
    from precipice.models import Model
    from precipice.optimizers import Optimizer
    from precipice.problems.problem import Problem
    from precipice.results import Run

MACHINE_SETTINGS = ("versions", "cpu_path", "device")
"""Settings that say with what a comparison was carried out, not what it asks."""

_FLOAT64 = Precision.parse("float64")


def describe_settings(
    precisions: Sequence[RunPrecision],
    settings: Mapping[str, Any],
    order: str = "sequential",
    rounding_seed: int | None = None,
) -> dict[str, Any]:
    """Return a comparison's settings and the definitions of its numbers as JSON-able data.

    Parameters
    ----------
    precisions : sequence of Precision, MixedPrecision or SwitchedPrecision
        What was asked for, in that order.
    settings : mapping
        Those of one of the runs (`Plan.settings`): all but its format, order and seed are every
        run's.
    order : str
        Of the runs whose precision names none.
    rounding_seed : int, optional
        Of the runs that round stochastically.
    """
    own = ("precision", "rounding_seed")
    shared = {name: value for name, value in settings.items() if name not in own}
    shared |= {"order": order, "order_definition": ORDERS[order]}
    if rounding_seed is not None:
        shared["rounding_seed"] = rounding_seed
    return {"precisions": [str(precision) for precision in precisions], **shared}


def carried_out_with(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the versions and the CPU path that all runs of this process share, and the devices."""
    shared = {key: runs[0].settings[key] for key in MACHINE_SETTINGS if key in runs[0].settings}
    devices = dict.fromkeys(run.settings["device"] for run in runs if "device" in run.settings)
    return shared | ({"device": "; ".join(devices)} if devices else {})


def describe_theory(
    problem: Problem, model: Model, optimizer: Optimizer, keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what theory says of the problem, in float64 (Yoo et al. 2025, section 4).

    Parameters
    ----------
    problem, model, optimizer
        What is trained.
    keywords : mapping
        The keywords of `compare`; the loss and the start matter here.

    Notes
    -----
    Costs one float64 SVD of X.
    """
    X, y = _FLOAT64.round_array(problem.X), _FLOAT64.round_array(problem.y)
    data = decompose(X, y)
    factor = losses.curvature_factor(keywords["loss"], problem.samples)
    described: dict[str, Any] = {
        "threshold": _threshold(optimizer),
        "curvature_factor": factor,
        "rank": data.rank,
        "rank_tolerance": data.tolerance,
        "y_perp_norm2": data.y_perp_norm2,
        "difficulty": theory.difficulty(data),
        "predicted_sharpness": None,
    }
    if isinstance(model, Minimalist):
        described |= _of_minimisers(data, problem, model, keywords["init"], factor)
    return described


def _threshold(optimizer: Optimizer) -> float:
    """Return the stability threshold at the first step, for the exact η."""
    if isinstance(optimizer, GradientFlow):
        return math.inf
    if isinstance(optimizer, GD):
        return float(2 / optimizer.exact_lr())
    return optimizer.stability_threshold(float(optimizer.exact_lr()))


def _of_minimisers(
    data: Decomposition, problem: Problem, model: Minimalist, init: Initialiser, factor: float
) -> dict[str, Any]:
    """Return what theory says of the minimalist model's minimisers from this start."""
    start = {
        name: np.asarray(_FLOAT64.round_array(array), dtype=np.float64)
        for name, array in init.draw(model, problem).items()
    }
    imbalance = theory.layer_imbalance(data, start["u"], start["v"])
    described: dict[str, Any] = {
        "predicted_sharpness": theory.predicted_sharpness(data, model.depth, factor),
        "balanced_minimiser_bounds": _numbers(
            theory.balanced_minimiser_bounds(data, model.depth, factor)
        ),
        "initial_layer_imbalance": np.asarray(imbalance).tolist(),
    }
    if model.depth == 2:
        # Gradient flow would keep the imbalance; gradient descent moves it a little.
        described["minimiser_bounds_at_initial_imbalance"] = _numbers(
            theory.minimiser_bounds(data, imbalance, factor)
        )
    return described


def _numbers(bounds: theory.Bounds) -> list[float]:
    """Return lower and upper bound as plain numbers."""
    return [float(bounds.lower), float(bounds.upper)]
