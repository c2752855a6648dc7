"""The written order of a training run as plain gmpy2 text (``engine="reference"``).

This is the slow, readable version of what the compiled core does: which operations, in which
order, each rounded once to the working format. Use it to check the core, and to try a new number
format (any `gmpy2.context`) or a new model (a class with the members of `ReferenceModel`)
without writing C++. A step of the minimalist model costs about 0.2 µs for each entry of X at
small precisions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

import gmpy2
import numpy as np

from precipice import losses
from precipice.errors import InvalidArgument
from precipice.reference_optimizers import GradientDescent, ReferenceOptimizer
from precipice.stepping import RoundedSchedule

Vector: TypeAlias = "list[gmpy2.mpfr]"
Parameters: TypeAlias = "dict[str, Vector]"


class ReferenceModel(Protocol):
    """What a model must say to be trained here.

    All members but the constructor are called with the working format as gmpy2's current context:
    every ``+ - * /`` between `mpfr` numbers rounds once to that format.
    """

    samples: int
    """N, of the loss's normalisation."""

    def preactivations(self, parameters: Parameters) -> Vector:
        """Return f, the numbers from which the residuals and the sharpness follow, shape (N,)."""

    def residuals(self, parameters: Parameters, f: Vector) -> Vector:
        """Return z = prediction - y, shape (N,)."""

    def loss(self, z: Vector) -> gmpy2.mpfr:
        """Return the loss."""

    def gradient(self, parameters: Parameters, f: Vector, z: Vector) -> Parameters:
        """Return the gradient under the parameters' names and in their shapes."""


class ReferenceMinimalist:
    """f(x) = (x·u) v_1 … v_{D-1} (Yoo et al. 2025, equation 1), in sequential order.

    With ``⊗ ⊕ ⊖ ⊘`` rounded and sums ascending from their first term, for ``half_mean``::

        f_i = Σ_k X[i,k] ⊗ u[k]         P = Π_j v_j          z_i = (f_i ⊗ P) ⊖ y_i
        L   = (Σ_i z_i ⊗ z_i) ⊘ 2N
        g_k = ((Σ_i X[i,k] ⊗ z_i) ⊗ P) ⊘ N
        h_j = ((Σ_i z_i ⊗ f_i) ⊗ Π_{q≠j} v_q) ⊘ N

    ``mean`` multiplies by 2 before the ⊘ N (and its loss is ⊘ N), ``half_sum`` leaves ⊘ N out
    (loss ⊘ 2), ``sum`` has ⊗ 2 in its place (loss as it is). An empty product is no operation.

    Parameters
    ----------
    X : sequence of sequence of mpfr, shape (N, d)
    y : sequence of mpfr, shape (N,)
    loss : str
        A name in `precipice.losses.LOSSES`.
    """

    def __init__(
        self, X: Sequence[Sequence[gmpy2.mpfr]], y: Sequence[gmpy2.mpfr], loss: str
    ) -> None:
        self._rows = [list(row) for row in X]
        self._columns = [list(column) for column in zip(*self._rows, strict=True)]
        self._y = list(y)
        self.samples = len(self._y)
        self._loss = losses.find(loss).name

    def preactivations(self, parameters: Parameters) -> Vector:
        """Return f = X u."""
        return [dot(row, parameters["u"]) for row in self._rows]

    def residuals(self, parameters: Parameters, f: Vector) -> Vector:
        """Return z = f P - y."""
        P = product(parameters["v"])
        return [f_i * P - y_i for f_i, y_i in zip(f, self._y, strict=True)]

    def loss(self, z: Vector) -> gmpy2.mpfr:
        """Return the loss of the residuals."""
        squares = dot(z, z)
        if self._loss == "half_mean":
            return squares / gmpy2.mpfr(2 * self.samples)
        if self._loss == "mean":
            return squares / gmpy2.mpfr(self.samples)
        if self._loss == "half_sum":
            return squares / gmpy2.mpfr(2)
        return squares

    def gradient(self, parameters: Parameters, f: Vector, z: Vector) -> Parameters:
        """Return the derivatives by u and by v."""
        v = parameters["v"]
        P = product(v)
        s = dot(z, f)
        others = [v[:j] + v[j + 1 :] for j in range(len(v))]
        return {
            "u": [self._scaled(total * P) for total in self._transposed(z)],
            "v": [self._scaled(s * product(rest) if rest else s) for rest in others],
        }

    def _transposed(self, z: Vector) -> Vector:
        """Return Xᵀ z."""
        return [dot(column, z) for column in self._columns]

    def _scaled(self, x: gmpy2.mpfr) -> gmpy2.mpfr:
        """Apply the loss's factor on a derivative."""
        if self._loss in ("mean", "sum"):
            x = x * gmpy2.mpfr(2)
        if self._loss in ("mean", "half_mean"):
            x = x / gmpy2.mpfr(self.samples)
        return x


class ReferenceSpectral(ReferenceMinimalist):
    """The same program in spectral coordinates: X = diag(σ), y = d, u = o, sums of one term.

    Parameters
    ----------
    sigma, d : sequence of mpfr, shape (r,)
    loss : str
    samples : int
        N of the data, which the loss's normalisation uses.
    """

    def __init__(
        self, sigma: Sequence[gmpy2.mpfr], d: Sequence[gmpy2.mpfr], loss: str, samples: int
    ) -> None:
        super().__init__([], d, loss)
        self._sigma = list(sigma)
        self.samples = samples

    def preactivations(self, parameters: Parameters) -> Vector:
        """Return f_i = σ_i o_i."""
        return self._transposed(parameters["u"])

    def _transposed(self, z: Vector) -> Vector:
        return [sigma_i * z_i for sigma_i, z_i in zip(self._sigma, z, strict=True)]


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
        The program's loss, in the working format.
    measured_loss : float
        κ‖z‖² in float64, which the blow-up test uses: it cannot overflow where a narrow format's
        own sum of squares does.
    """

    step: int
    parameters: Parameters
    preactivations: Vector
    residuals: Vector
    loss: gmpy2.mpfr
    measured_loss: float


def dot(a: Sequence[gmpy2.mpfr], b: Sequence[gmpy2.mpfr]) -> gmpy2.mpfr:
    """Return Σ a_k ⊗ b_k from the first term, ascending, in the current context."""
    total = a[0] * b[0]
    for a_k, b_k in zip(a[1:], b[1:], strict=True):
        total = total + a_k * b_k
    return total


def product(factors: Sequence[gmpy2.mpfr]) -> gmpy2.mpfr:
    """Return the ascending product of one or more factors in the current context."""
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def run_reference(
    *,
    context: Any,
    X: Any,
    y: Any,
    parameters: dict[str, Any],
    lr: gmpy2.mpfr | float | None = None,
    optimizer: ReferenceOptimizer | None = None,
    batches: Callable[[int], Sequence[int]] | None = None,
    loss: str,
    steps: int,
    blowup_factor: float | None = 1e6,
    tol: float | None = None,
    loss_floor: float = 0.0,
    stop: Callable[[], bool] | None = None,
    model: Callable[[Any, Any, str], ReferenceModel] = ReferenceMinimalist,
) -> Generator[ReferenceState, None, tuple[str, int, int | None]]:
    """Train a model, yielding every state from step 0 to the last.

    Parameters
    ----------
    context : gmpy2.context
        The working format: precision, emin, emax, subnormalize and round.
    X, y : array_like, shapes (N, d) and (N,), or whatever `model` takes
        Data, already members of the working format (mpfr or float64 entries).
    parameters : dict of str to array_like
        The start, members of the working format, under the model's names.
    lr : mpfr or float
        η of gradient descent, a member of the working format.
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
        Makes a `ReferenceModel` from X and y (lists of mpfr) and the loss's name.

    Yields
    ------
    ReferenceState

    Returns
    -------
    tuple
        Outcome (``max_steps``, ``converged``, ``stalled``, ``locked``, ``blowup`` or
        ``cancelled``), the run's last step, and the step of the blow-up or None. A stalled run
        ends at the first t with θ_{t+1} = θ_t, a locked one at t + 2 with θ_{t+2} = θ_t ≠ θ_{t+1},
        the optimiser's memory too, where updates are one map from t on and take all samples.

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
    with context.copy():
        data = [_member(row) if np.ndim(row) == 0 else _members(row) for row in X]
        labels = _members(y)
        now = {name: _members(values) for name, values in parameters.items()}
        if optimizer is None:
            optimizer = GradientDescent(RoundedSchedule((0,), (_member(lr),)))
        memory = optimizer.memory(now)
        trained = model(data, labels, loss)
        kappa = losses.kappa(loss, trained.samples)
        largest = kappa * _sum_of_squares(labels)

    def trained_on(step: int) -> ReferenceModel:
        if batches is None:
            return trained
        rows = batches(step)
        return model([data[i] for i in rows], [labels[i] for i in rows], loss)

    history: list[tuple[Parameters, Parameters]] = []  # of the two steps before
    step = 0
    while True:
        with context.copy():
            state = _state(trained, now, step, kappa)
        yield state
        if step < 10:
            largest = max(largest, state.measured_loss)
        if blowup_factor is not None and (
            not _all_finite(now) or state.measured_loss > blowup_factor * largest
        ):
            return "blowup", step, step
        if tol is not None and _to_float(context, state.loss) - loss_floor < tol:
            return "converged", step, None
        one_map_since = math.inf if batches else optimizer.constant_since()
        returned = len(history) == 2 and _equal((now, memory), history[0])
        if returned and optimizer.locks and step - 2 >= one_map_since:
            return "locked", step, None
        if step >= steps:
            return "max_steps", step, None
        if stop is not None and stop():
            return "cancelled", step, None
        with context.copy():
            gradient = partial(_gradient, trained_on(step), state if batches is None else None)
            following = optimizer.update(step, now, memory, gradient)
        if step >= one_map_since and _equal(following, (now, memory)):
            return "stalled", step, None
        history = [*history[-1:], (now, memory)]
        (now, memory), step = following, step + 1


def _state(
    model: ReferenceModel, parameters: Parameters, step: int, kappa: float
) -> ReferenceState:
    """Evaluate the model in the current context."""
    f = model.preactivations(parameters)
    z = model.residuals(parameters, f)
    return ReferenceState(step, parameters, f, z, model.loss(z), kappa * _sum_of_squares(z))


def _gradient(
    model: ReferenceModel, evaluated: ReferenceState | None, parameters: Parameters
) -> Parameters:
    """Return a model's gradient in the current context; an evaluation there is not repeated."""
    if evaluated is not None and evaluated.parameters is parameters:
        return model.gradient(parameters, evaluated.preactivations, evaluated.residuals)
    f = model.preactivations(parameters)
    return model.gradient(parameters, f, model.residuals(parameters, f))


def _sum_of_squares(values: Iterable[gmpy2.mpfr]) -> float:
    """Return Σ value² in float64, ascending; a square may overflow to infinity."""
    total = 0.0
    for value in values:
        total += float(value) * float(value)
    return total


def _all_finite(parameters: Parameters) -> bool:
    return all(gmpy2.is_finite(p) for values in parameters.values() for p in values)


def _equal(a: tuple[Parameters, Parameters], b: tuple[Parameters, Parameters]) -> bool:
    """Say whether parameters and memory are the same numbers; Inf and NaN never are."""
    return all(map(_all_finite, a)) and a == b


def _members(values: Iterable[Any]) -> Vector:
    return [_member(value) for value in values]


def _member(value: Any) -> gmpy2.mpfr:
    """Return a member of the current context's format as mpfr: nothing is rounded by it."""
    return gmpy2.mpfr(value if isinstance(value, gmpy2.mpfr) else float(value))


def _to_float(context: Any, value: gmpy2.mpfr) -> float:
    """Round to float64 under the run's context: the caller's rounding mode plays no part."""
    with context.copy():
        return float(value)
