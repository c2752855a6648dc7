"""From the arguments of `simulate` to a plan: every check, every rounding, nothing run."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy.typing as npt

from precipice import losses
from precipice.arithmetic import Arithmetic
from precipice.data_rounding import finite_in, require_nearest, require_one_rounding
from precipice.errors import InvalidArgument
from precipice.exact import text, whole_number
from precipice.initialisers import Initialiser
from precipice.lost_problems import check_numbers, check_stages
from precipice.mixed import working_precision
from precipice.models import Minimalist, Model, TwoLayerLinear
from precipice.optimizers import SGD, Optimizer
from precipice.plan import Plan, positive
from precipice.precision import Precision
from precipice.problems import Problem
from precipice.record import Record
from precipice.spectral import SpectralProblem, spectral_problem
from precipice.stepping import Stepping, check_fits, is_plain, problem_rounding, stepping
from precipice.surface import (
    measuring_format,
    meter_on,
    primal_surface,
    spectral_surface,
)

COORDINATES = ("primal", "spectral")
ENGINES = ("core", "reference")


def make_plan(
    problem: Problem,
    model: Model,
    optimizer: Optimizer,
    *,
    precision: Any,
    steps: int,
    init: Initialiser,
    loss: str,
    order: str,
    rounding_seed: int | None,
    rounding_run: int,
    coordinates: str,
    problem_dtype: Any,
    record: Record,
    measure_precision: Any,
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
    working = working_precision(precision)
    arithmetic = Arithmetic.of(working, order, rounding_seed, rounding_run)
    _one_of("engine", engine, ENGINES)
    _one_of("coordinates", coordinates, COORDINATES)
    if engine == "reference" and arithmetic.parameters.pairs:
        rule = f"must be core for {working}: the reference text rounds each operation once"
        raise InvalidArgument("engine", engine, rule)
    measuring = _measuring_precision(measure_precision, arithmetic)
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
        _check_available(arithmetic, working.name)

    rounding = problem_rounding(problem_dtype)
    check_fits(optimizer, problem.samples, coordinates, record, engine)
    X, y, start = _rounded_problem(problem, model, init, rounding)
    steppings = stepping(optimizer, steps, rounding, arithmetic.update)
    spectral = None
    if coordinates == "spectral":
        spectral = _spectral(problem, model, init, rounding)
        X, y, start = spectral.sigma, spectral.d, {**start, model.first_layer: spectral.o}
    check_stages(arithmetic, X, y, start)
    start = init.begun(start, arithmetic.parameters)
    check_numbers(arithmetic, model, normalisation, problem.samples, _batch_size(optimizer))
    record.check_top(sum(values.size for values in start.values()))
    surface = None
    adaptive = steppings.step_sizes is None
    if record.curvature or tol is not None or adaptive:
        measured = measuring_format(arithmetic.forward)
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
        arithmetic=arithmetic,
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
        meter=meter_on(X, y, spectral, arithmetic.forward, measuring, normalisation, problem, model)
        if record.sharpness and measuring.name != "float64"
        else None,
        settings={
            "loss": normalisation.name,
            "loss_definition": normalisation.formula,
            "sharpness": "hessian",
            "sharpness_definition": "λ_max of the loss's Hessian, full batch, at the iterate",
            **arithmetic.describe(),
            "coordinates": coordinates,
            "spectral": spectral.describe() if spectral else None,
            "problem_dtype": "exact" if rounding is None else rounding.name,
            "measure_precision": "working"
            if isinstance(measure_precision, str) and measure_precision == "working"
            else measuring.name,
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
    X = finite_in(rounding, "X", problem.X)
    y = finite_in(rounding, "y", problem.y)
    return X, y, {name: finite_in(rounding, name, values) for name, values in drawn.items()}


def another_start(plan: Plan, init: Initialiser) -> dict[str, npt.NDArray[Any]]:
    """Return the start that a plan would have from another initialiser.

    Raises
    ------
    InvalidArgument
        If it does not fit the model, or overflows a format.
    """
    problem_dtype = plan.settings["problem_dtype"]
    rounding = problem_rounding(problem_dtype)
    X, y, start = _rounded_problem(plan.problem, plan.model, init, rounding)
    if plan.spectral is not None:
        spectral = _spectral(plan.problem, plan.model, init, rounding)
        X, y, start = spectral.sigma, spectral.d, {**start, plan.model.first_layer: spectral.o}
    check_stages(plan.arithmetic, X, y, start)
    return init.begun(start, plan.arithmetic.parameters)


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


def _measuring_precision(measure_precision: Any, arithmetic: Arithmetic) -> Precision:
    """Return the format that sharpness is measured in."""
    if isinstance(measure_precision, str) and measure_precision == "working":
        require_one_rounding(arithmetic.measurement, "measure_precision")
        return arithmetic.measurement
    try:
        measuring = Precision.parse(measure_precision)
    except InvalidArgument as error:
        rule = f'{error.rule}, or "working"'
        raise InvalidArgument("measure_precision", measure_precision, rule) from None
    require_nearest(measuring, "measure_precision")
    return measuring


def _check_available(arithmetic: Arithmetic, name: str) -> None:
    """Refuse what this installation's core does not carry out."""
    available, sentence = arithmetic.availability()
    if not available:
        in_order = "" if arithmetic.order == "sequential" else f" in {arithmetic.order} order"
        raise InvalidArgument("precision", name + in_order, sentence)


def _batch_size(optimizer: Optimizer) -> int | None:
    return optimizer.batch_size if isinstance(optimizer, SGD) else None


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
