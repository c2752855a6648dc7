"""The written order of a training run as readable gmpy2 text (``engine="reference"``).

This is the slow version of what the compiled core does: which operations, in which order, each
rounded once to the format of its stage. Use it to check the core, and to try a new model (a class
with the members of `ReferenceModel`) or optimiser (`ReferenceOptimizer`) in any arithmetic without
writing C++. A step of the minimalist model costs about 0.2 µs for each entry of X where gmpy2
rounds by itself (`precipice.rounding.Rounder`), and up to 50 times that elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gmpy2
import numpy as np

from precipice import losses
from precipice.arithmetic import Arithmetic
from precipice.errors import InvalidArgument
from precipice.reference_minimalist import ReferenceMinimalist
from precipice.reference_model import Evaluation, Parameters, ReferenceModel
from precipice.reference_optimizers import GradientDescent, ReferenceOptimizer
from precipice.reference_space import Diagonal, Matrix, ReferenceSpace, Vector
from precipice.rounding import Number
from precipice.stepping import RoundedSchedule


@dataclass(frozen=True)
class ReferenceState:
    """One step of a reference run.

    Attributes
    ----------
    step : int
    parameters : dict of str to list of mpfr
        θ at this step, before its update.
    preactivations, residuals : list of mpfr, shape (N,)
    loss : mpfr
        The program's loss, in the format it is measured in.
    measured_loss : float
        κ‖z‖² in float64, which the blow-up test uses: it cannot overflow where a narrow format's
        own sum of squares does.
    memory : dict of str to list of mpfr
        What the optimiser remembers besides θ.
    largest_loss : float
        The larger of κ‖y‖² and the measured losses so far, of steps 0 to 9.
    """

    step: int
    parameters: Parameters
    preactivations: Vector
    residuals: Vector
    loss: Number
    measured_loss: float
    memory: Parameters
    largest_loss: float


def run_reference(
    *,
    arithmetic: Arithmetic,
    X: Any,
    y: Any,
    parameters: dict[str, Any],
    lr: Any = None,
    optimizer: ReferenceOptimizer | None = None,
    batches: Callable[[int], Sequence[int]] | None = None,
    loss: str,
    steps: int,
    blowup_factor: float | None = 1e6,
    tol: float | None = None,
    loss_floor: float = 0.0,
    stop: Callable[[], bool] | None = None,
    model: Callable[[Any, Vector, str], ReferenceModel] = ReferenceMinimalist,
    begin: ReferenceState | None = None,
) -> Generator[ReferenceState, None, tuple[str, int, int | None]]:
    """Train a model, yielding every state from step 0 to the last.

    Parameters
    ----------
    arithmetic : Arithmetic
        The formats and the order of sums. All numbers given are rounded to nearest even in the
        format of their stage, whatever its rounding.
    X, y : array_like, shapes (N, d) and (N,)
        Data, of mpfr, mpq, int or float; X of shape (N,) is the diagonal of a square matrix.
    parameters : dict of str to array_like
        The start, under the model's names, each flat.
    lr : number
        η of gradient descent.
    optimizer : ReferenceOptimizer
        In place of `lr`.
    batches : callable, optional
        Gives a step's samples, ascending; absent: all of them.
    loss : str
        ``half_mean``, ``mean``, ``half_sum`` or ``sum``.
    steps : int
        The largest number of updates.
    blowup_factor : float or None
        The run ends at the first step with a non-finite parameter, or whose measured loss is
        above this factor times the larger of κ‖y‖² and the largest measured loss of steps 0 to 9
        so far. None switches both tests off.
    tol, loss_floor : float or None, float
        The run ends at the first step with loss - `loss_floor` < `tol`; None: no such test.
    stop : callable, optional
        Polled before every update; a true answer cancels the run.
    model : callable
        Makes a `ReferenceModel` from X (a `Matrix` or a `Diagonal`), y (a list of mpfr) and the
        loss's name; called again for every mini-batch.
    begin : ReferenceState, optional
        A state of a run in another arithmetic, from whose update on this one goes on: its step,
        its parameters and memory, rounded to nearest, and its largest loss. Its own updates are
        forgotten where cycles are looked for.

    Yields
    ------
    ReferenceState

    Returns
    -------
    tuple
        Outcome (``max_steps``, ``converged``, ``stalled``, ``locked``, ``blowup`` or
        ``cancelled``), the run's last step, and the step of the blow-up or None. A stalled run
        ends at the first t with θ_{t+1} = θ_t, a locked one at t + 2 with θ_{t+2} = θ_t ≠ θ_{t+1},
        the optimiser's memory too, where updates are one map from t on and take all samples; they
        are none where a rounding is stochastic.

    Raises
    ------
    InvalidArgument
        If there is no such loss, or neither or both of `lr` and `optimizer` are given.

    Notes
    -----
    The caller's gmpy2 context is neither used nor changed.
    """
    if (lr is None) == (optimizer is None):
        raise InvalidArgument("lr", lr, "either lr or optimizer must be given")
    space = ReferenceSpace(arithmetic)
    data = _matrix(space, X)
    labels = space.numbers("forward", y)
    start = parameters if begin is None else begin.parameters
    now = {name: space.numbers("parameters", values) for name, values in start.items()}
    if optimizer is None:
        optimizer = GradientDescent(RoundedSchedule((0,), (lr,)))
    memory = optimizer.memory(space, now)
    if begin is not None:
        memory = {name: space.numbers("update", begin.memory[name]) for name in memory}
    trained = model(data, labels, loss)
    kappa = losses.kappa(loss, trained.samples)
    largest = kappa * _sum_of_squares(labels) if begin is None else begin.largest_loss
    one_map = batches is None and not space.stochastic

    history: list[tuple[Parameters, Parameters]] = []  # of the two steps before
    step = 0 if begin is None else begin.step
    while True:
        space.begin_step(step)
        evaluation = trained.evaluate(space, now, loss=True, gradient=batches is None)
        measured = kappa * _sum_of_squares(evaluation.residuals)
        if step < 10:
            largest = max(largest, measured)
        state = _state(step, now, evaluation, measured, memory, largest)
        yield state
        if blowup_factor is not None and (
            not _all_finite(now) or state.measured_loss > blowup_factor * largest
        ):
            return "blowup", step, step
        if tol is not None and to_float(state.loss) - loss_floor < tol:
            return "converged", step, None
        one_map_since = optimizer.constant_since() if one_map else math.inf
        returned = len(history) == 2 and _equal((now, memory), history[0])
        if returned and optimizer.locks and step - 2 >= one_map_since:
            return "locked", step, None
        if step >= steps:
            return "max_steps", step, None
        if stop is not None and stop():
            return "cancelled", step, None
        if batches is None:
            gradient = partial(_gradient, space, trained, (now, evaluation))
        else:
            rows = batches(step)
            batch = model(_dense(data).take(rows), [labels[i] for i in rows], loss)
            gradient = partial(_gradient, space, batch, None)
        following = optimizer.update(space, step, now, memory, gradient)
        if step >= one_map_since and _equal(following, (now, memory)):
            return "stalled", step, None
        history = [*history[-1:], (now, memory)]
        (now, memory), step = following, step + 1


def _matrix(space: ReferenceSpace, X: Any) -> Matrix | Diagonal:
    """Return the data in the format of the stage forward."""
    if np.ndim(X[0]) == 0:
        return Diagonal(space.numbers("forward", X))
    return Matrix([space.numbers("forward", row) for row in X])


def _dense(data: Matrix | Diagonal) -> Matrix:
    """Return the data, whose rows are to be samples."""
    if isinstance(data, Diagonal):
        raise InvalidArgument("batches", "of a diagonal X", "must be of a dense X's rows")
    return data


def _state(
    step: int,
    parameters: Parameters,
    evaluation: Evaluation,
    measured_loss: float,
    memory: Parameters,
    largest_loss: float,
) -> ReferenceState:
    f, z = evaluation.preactivations, evaluation.residuals
    return ReferenceState(
        step, parameters, f, z, evaluation.loss, measured_loss, memory, largest_loss
    )


def _gradient(
    space: ReferenceSpace,
    model: ReferenceModel,
    known: tuple[Parameters, Evaluation] | None,
    parameters: Parameters,
) -> Iterable[tuple[str, Vector]]:
    """Return a model's gradient; what has been evaluated at the parameters is not again."""
    if known is not None and known[0] is parameters:
        return model.gradient(space, *known)
    evaluation = model.evaluate(space, parameters, loss=known is not None, gradient=True)
    return model.gradient(space, parameters, evaluation)


def _sum_of_squares(values: Iterable[Number]) -> float:
    """Return Σ value² in float64, ascending; a square may overflow to infinity."""
    total = 0.0
    for value in to_floats(values):
        total += value * value
    return total


def _all_finite(parameters: Parameters) -> bool:
    return all(gmpy2.is_finite(p) for values in parameters.values() for p in values)


def _equal(a: tuple[Parameters, Parameters], b: tuple[Parameters, Parameters]) -> bool:
    """Say whether parameters and memory are the same numbers; Inf and NaN never are."""
    return all(map(_all_finite, a)) and a == b


def to_floats(values: Iterable[Number]) -> list[float]:
    """Round numbers to float64, to nearest even: the caller's rounding mode plays no part."""
    with gmpy2.context(round=gmpy2.RoundToNearest):  # its own: threads cannot be in the same one
        return [float(x) for x in values]


def to_float(x: Number) -> float:
    """Round a number likewise."""
    return to_floats([x])[0]
