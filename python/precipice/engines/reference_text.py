"""The model, the optimiser and the batches of a plan as text of `precipice.reference`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gmpy2

from precipice import losses
from precipice.arithmetic import Arithmetic
from precipice.batches import Batches
from precipice.models import TwoLayerLinear
from precipice.optimizers import SGD, GradientFlow, Nesterov
from precipice.plan import Plan
from precipice.reference_minimalist import ReferenceMinimalist
from precipice.reference_optimizers import GradientDescent, Momentum, RungeKutta
from precipice.reference_space import Diagonal, Matrix
from precipice.reference_two_layer import ReferenceTwoLayer


def reference_model(plan: Plan) -> Any:
    """Return what makes the model's text from X, y and the loss's name."""
    samples = plan.problem.samples if plan.spectral else None
    if isinstance(plan.model, TwoLayerLinear):
        return partial(_two_layer, plan.model, plan.arithmetic, samples)
    return partial(ReferenceMinimalist, samples=samples)


def _two_layer(
    model: TwoLayerLinear,
    arithmetic: Arithmetic,
    samples: int | None,
    X: Matrix | Diagonal,
    y: list[gmpy2.mpfr],
    loss: str,
) -> ReferenceTwoLayer:
    """Return the network on some samples, whose number is that of κ."""
    c, kappa, kappa_L = model.factors(arithmetic, losses.find(loss), samples or len(y))
    collapsed = model.contraction == "collapsed"
    return ReferenceTwoLayer(
        X, y, loss, samples, c=c, kappa=kappa, kappa_L=kappa_L, collapsed=collapsed
    )


def reference_optimizer(plan: Plan) -> GradientDescent | RungeKutta:
    """Return the optimiser's text, its numbers rounded to the format of updates."""
    optimizer, rounded = plan.optimizer, plan.arithmetic.update.round
    assert plan.step_sizes is not None
    step_sizes = plan.step_sizes.converted(rounded)
    if isinstance(optimizer, GradientFlow):
        return RungeKutta(step_sizes.lr[0])
    if plan.momentum is None:
        return GradientDescent(step_sizes)
    nesterov = optimizer.nesterov if isinstance(optimizer, SGD) else isinstance(optimizer, Nesterov)
    return Momentum(step_sizes, rounded(plan.momentum), nesterov=nesterov)


def reference_batches(plan: Plan) -> Callable[[int], list[int]] | None:
    """Return what gives a step's samples; None where it takes all of them."""
    optimizer, samples = plan.optimizer, plan.problem.samples
    if not isinstance(optimizer, SGD) or optimizer.batch_size == samples:
        return None
    batches = Batches(samples, optimizer.batch_size, optimizer.sampling, optimizer.seed)
    return lambda step: batches.at(step).tolist()
