"""A run's arguments, checked and rounded to the problem's format: what an engine carries out."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice import cost, losses
from precipice.errors import InvalidArgument
from precipice.exact import text, whole_number
from precipice.initialisers import Initialiser
from precipice.models import Minimalist, Model, TwoLayerLinear
from precipice.optimizers import SGD, GradientFlow, Optimizer
from precipice.precision import Precision
from precipice.problems import Problem
from precipice.record import Record
from precipice.spectral import SpectralProblem, spectral_problem
from precipice.stepping import (
    RoundedSchedule,
    Stepping,
    check_fits,
    is_plain,
    problem_rounding,
    stepping,
)
from precipice.surface import (
    Meter,
    Surface,
    measuring_format,
    meter_on,
    primal_surface,
    spectral_surface,
)

ORDERS = ("sequential",)
COORDINATES = ("primal", "spectral")
ENGINES = ("core", "reference")

# Below this width the run's own pre-activations carry too much rounding to measure with.
_RECOMPUTE_BITS = 24


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything an engine needs, as exact numbers of the problem's format.

    Attributes
    ----------
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
    """

    problem: Problem
    model: Model
    optimizer: Optimizer
    precision: Precision
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
        """The first step's η as rounded to the working format, as float64."""
        return self.stepping.lr

    @property
    def recomputes_preactivations(self) -> bool:
        """Whether f = X u is computed afresh in float64 for measuring."""
        return self.precision.bits <= _RECOMPUTE_BITS

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
            self.precision,
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


def make_plan(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    precision: str | Precision,
    steps: int,
    init: Initialiser,
    loss: str,
    order: str,
    coordinates: str,
    problem_dtype: str | Precision,
    record: Record,
    measure_precision: str | Precision,
    blowup_factor: float | None,
    tol: float | None,
    max_seconds: float | None,
    engine: str,
) -> Plan:
    """Check every argument of `simulate` and round the problem; nothing is run.

    Raises
    ------
    InvalidArgument
        Naming the argument, the value and the rule.
    """
    for argument, value, kind, example in (
        ("problem", problem, Problem, "pc.problems.fig6()"),
        ("model", model, (Minimalist, TwoLayerLinear), "pc.Minimalist(depth=2)"),
        ("optimizer", optimizer, Optimizer.__args__, 'pc.GD("2/50")'),
        ("init", init, Initialiser, 'pc.init.constant("0.01")'),
        ("record", record, Record, "pc.Record(loss=1)"),
    ):
        if not isinstance(value, kind):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            names = " or ".join(each.__name__ for each in kinds)
            raise InvalidArgument(argument, value, f"must be a {names}, such as {example}")
    working = Precision.parse(precision)
    _one_of("engine", engine, ENGINES)
    _one_of("order", order, ORDERS)
    _one_of("coordinates", coordinates, COORDINATES)
    measuring = _measuring_precision(measure_precision, working)
    normalisation = losses.find(loss)
    if not isinstance(model, Minimalist):
        _check_two_layer(model, coordinates, record)
    elif record.quantities:
        raise InvalidArgument("record", "quantities", "needs the two-layer network")
    steps = whole_number(steps, "steps", 0)
    tol = positive("tol", tol)
    max_seconds = positive("max_seconds", max_seconds)
    blowup_factor = positive("blowup_factor", blowup_factor, allow_infinite=True)
    if engine == "core":
        _require_named(working)
        available, sentence = working.availability()
        if not available:
            raise InvalidArgument("precision", working.name, sentence)

    rounding = problem_rounding(problem_dtype)
    check_fits(optimizer, problem.samples, coordinates, record, engine)
    X, y, start = _rounded_problem(problem, model, init, rounding)
    steppings = stepping(optimizer, steps, rounding, working)
    spectral = None
    if coordinates == "spectral":
        spectral = _spectral(problem, model, init, rounding)
        X, y, start = spectral.sigma, spectral.d, {**start, model.first_layer: spectral.o}
    for argument, values in (("X", X), ("y", y), *start.items()):
        _finite_in(working, argument, values)
    if not any(entry != 0 for entry in working.round_array(y).flat):
        rule = f"must not round to zero in {working.name}: there is nothing to learn"
        raise InvalidArgument("y", f"{y.size} numbers", rule)
    record.check_top(sum(values.size for values in start.values()))
    surface = None
    adaptive = steppings.step_sizes is None
    if record.curvature or tol is not None or adaptive:
        measured = measuring_format(working)
        surface = (
            primal_surface(problem, rounding, measured, ones=model.bias)
            if spectral is None
            else spectral_surface(spectral, measured)
        )
    return Plan(
        problem=problem,
        model=model,
        optimizer=optimizer,
        precision=working,
        X=X,
        y=y,
        start=start,
        stepping=steppings,
        loss=normalisation,
        steps=steps,
        record=record,
        blowup_factor=blowup_factor,
        tol=tol,
        max_seconds=max_seconds,
        engine=engine,
        surface=surface,
        spectral=spectral,
        meter=meter_on(X, y, spectral, working, measuring, normalisation, problem, model)
        if record.sharpness and measuring.name != "float64"
        else None,
        settings={
            "loss": normalisation.name,
            "loss_definition": normalisation.formula,
            "sharpness": "hessian",
            "sharpness_definition": "λ_max of the loss's Hessian, full batch, at the iterate",
            "order": order,
            "coordinates": coordinates,
            "spectral": spectral.describe() if spectral else None,
            "problem_dtype": str(problem_dtype),
            "measure_precision": str(measure_precision),
            "precision": working.describe(),
            "init": init.describe(),
            **_described_optimizer(optimizer, steppings),
            "steps": steps,
            "record": record.describe(),
            "blowup_factor": "inf" if blowup_factor == math.inf else blowup_factor,
            "tol": tol,
            "max_seconds": max_seconds,
            "engine": engine,
        },
    )


def _described_optimizer(optimizer: Optimizer, steppings: Stepping) -> dict[str, Any]:
    """Return η in the problem's format; of all but plain gradient descent, the description."""
    if is_plain(optimizer):
        assert steppings.step_sizes is not None
        return {"lr_exact": text(steppings.step_sizes.lr[0])}
    return {"optimizer": optimizer.describe()}


def _rounded_problem(
    problem: Problem, model: Model, init: Initialiser, rounding: Precision | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], dict[str, npt.NDArray[Any]]]:
    """Return X, y and the start in the problem's format."""
    drawn = init.draw(model, problem)
    if rounding is None:
        return problem.X, problem.y, drawn
    X = _finite_in(rounding, "X", problem.X)
    y = _finite_in(rounding, "y", problem.y)
    return X, y, {name: _finite_in(rounding, name, values) for name, values in drawn.items()}


def _finite_in(format_: Precision, argument: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the values rounded to a format, whose range must hold them."""
    rounded = format_.round_array(values)
    if rounded is values:
        return rounded
    finite = (
        np.isfinite(rounded).all()
        if rounded.dtype == np.float64
        else all(gmpy2.is_finite(entry) for entry in rounded.flat)
    )
    if not finite:
        rule = f"must not overflow when rounded to {format_.name}"
        raise InvalidArgument(argument, "array with an entry out of range", rule)
    return rounded


@lru_cache(maxsize=4)
def _spectral(
    problem: Problem, model: Model, init: Initialiser, rounding: Precision | None
) -> SpectralProblem:
    """Return the problem in spectral coordinates; all precisions of a comparison share it."""
    if rounding is None:
        rule = "must be a format in spectral coordinates: σ, d and the start are irrational"
        raise InvalidArgument("problem_dtype", "exact", rule)
    first = init.draw(model, problem)[model.first_layer]
    X, y, u = (rounding.round_array(values) for values in (problem.X, problem.y, first))
    return spectral_problem(X, y, u, rounding)


def _measuring_precision(measure_precision: str | Precision, working: Precision) -> Precision:
    """Return the format that sharpness is measured in."""
    if measure_precision == "working":
        return working
    try:
        return Precision.parse(measure_precision)
    except InvalidArgument as error:
        rule = f'{error.rule}, or "working"'
        raise InvalidArgument("measure_precision", measure_precision, rule) from None


def _check_two_layer(model: TwoLayerLinear, coordinates: str, record: Record) -> None:
    """Refuse what is the minimalist model's alone, and biases in spectral coordinates.

    There b2 would enter residual i times e_i·1, and b1 be a part of W only if the singular vectors
    were those of [X 1]: a program with other operations, not this one on a diagonal X.
    """
    if model.bias and coordinates != "primal":
        rule = "must be primal with biases: their column of ones is no part of X's decomposition"
        raise InvalidArgument("coordinates", coordinates, rule)
    if record.layer_imbalance:
        raise InvalidArgument("record", "layer_imbalance", "needs the minimalist model")


def _one_of(argument: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidArgument(argument, value, f"must be {' or '.join(allowed)}")


def _require_named(working: Precision) -> None:
    """Refuse a hand-made format: the core knows formats by name and would run another one."""
    try:
        known = Precision.parse(working.name)
    except InvalidArgument:
        known = None
    if working != known:
        rule = 'must be a format as its name has it; others need engine="reference"'
        raise InvalidArgument("precision", repr(working), rule)


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
