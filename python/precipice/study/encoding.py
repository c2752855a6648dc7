"""A run as JSON values and arrays from which it can be rebuilt without losing a bit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.curvature import (
    QUANTITIES,
    QUANTITY_EIGENVALUES,
    Eigenvalues,
    Quantities,
)
from precipice.loss_windows import windows_from
from precipice.mixed import format_of
from precipice.results import Outcome, Run, Series, Trajectory
from precipice.stepping import Stepping, stepping_of
from precipice.switching import (
    RunPrecision,
    SwitchedPrecision,
    parse_precision,
    switched_stepping_of,
)

_SERIES = ("loss", "sharpness", "layer_imbalance", "time")
_COLUMNED = ("eigenvalues", "quantities", "loss_windows")
_OPTIONAL = {"log2": np.float64, "residual": np.float64, "products": np.int64}  # columns


def encode_run(run: Run) -> dict[str, Any]:
    """Return what a run's summary and its series do not hold, as JSON values.

    The exact parameters are hexadecimal text.
    """
    trajectory = run.trajectory
    return {
        "precision": str(run.precision),
        "outcome": run.outcome.value,
        "steps": run.steps,
        "lr": run.lr.hex(),
        "seconds": run.seconds,
        "settings": run.settings,
        **({} if run.event_step is None else {"event_step": run.event_step}),
        **({"switch_steps": list(run.switch_steps)} if run.switch_steps else {}),
        "series": [name for name in (*_SERIES, *_COLUMNED) if getattr(run, name) is not None],
        "parameters": run.exact_texts(),
        "trajectory": None
        if trajectory is None
        else {
            "bits": trajectory.bits,
            "texts": {name: list(rows) for name, rows in trajectory.texts.items()},
        },
    }


def run_arrays(run: Run) -> dict[str, npt.NDArray[Any]]:
    """Return a run's arrays under the names they have in ``series.npz``.

    ``<precision>.<series>.step``, ``….value``, ``….log2`` (the loss), ``….residual`` and
    ``….products`` (a sharpness by Lanczos), each series with its own step axis;
    ``….eigenvalues.largest`` and ``….smallest``; ``….quantities.<name>`` and
    ``….quantities.residual.<name>``; ``….loss_windows.<column>``.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name in _SERIES:
        series: Series | None = getattr(run, name)
        if series is None:
            continue
        prefix = f"{run.precision}.{name}"
        arrays[f"{prefix}.step"] = series.step
        arrays[f"{prefix}.value"] = series.value
        for column in _OPTIONAL:
            values = getattr(series, column)
            if values is not None:
                arrays[f"{prefix}.{column}"] = values
    if run.eigenvalues is not None:
        for column in ("step", "largest", "smallest", "residual", "products"):
            arrays[f"{run.precision}.eigenvalues.{column}"] = getattr(run.eigenvalues, column)
    if run.quantities is not None:
        prefix = f"{run.precision}.quantities"
        arrays[f"{prefix}.step"] = run.quantities.step
        arrays[f"{prefix}.products"] = run.quantities.products
        arrays |= {f"{prefix}.{name}": a for name, a in run.quantities.columns.items()}
        arrays |= {f"{prefix}.residual.{name}": a for name, a in run.quantities.residuals.items()}
    if run.loss_windows is not None:
        prefix = f"{run.precision}.loss_windows"
        arrays |= {f"{prefix}.{name}": a for name, a in run.loss_windows.named().items()}
    if run.trajectory is not None:
        arrays[f"{run.precision}.parameters.step"] = run.trajectory.step
    return arrays


def decode_run(exact: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Run:
    """Return the run that `encode_run` and `run_arrays` took apart.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        If something is missing or is not what it should be.
    """
    prefix = exact["precision"]
    lr = float.fromhex(exact["lr"])
    precision, event_step = parse_precision(prefix), exact.get("event_step")
    switch_steps = _switch_steps(precision, exact)
    of_steps = _stepping(exact["settings"], precision, event_step, switch_steps)
    follows_sharpness = of_steps is not None and of_steps.working is None
    if not (0 < lr < math.inf or follows_sharpness) or exact["steps"] < 0:
        raise ValueError("lr must be positive, and steps not negative")
    unknown = [name for name in exact["series"] if name not in (*_SERIES, *_COLUMNED)]
    if unknown:
        raise ValueError(f"{unknown[0]} is no series")
    recorded = {
        name: _series(name, f"{prefix}.{name}", arrays)
        for name in exact["series"]
        if name in _SERIES
    }
    trajectory = exact["trajectory"]
    return Run(
        precision=precision,
        outcome=Outcome(exact["outcome"]),
        steps=exact["steps"],
        loss=recorded.get("loss"),
        sharpness=recorded.get("sharpness"),
        layer_imbalance=recorded.get("layer_imbalance"),
        time=recorded.get("time"),
        trajectory=None
        if trajectory is None
        else _trajectory(trajectory, _steps(f"{prefix}.parameters", arrays)),
        lr=lr,
        settings=exact["settings"],
        seconds=exact["seconds"],
        texts=exact["parameters"],
        stepping=of_steps,
        switch_steps=switch_steps,
        eigenvalues=_eigenvalues(f"{prefix}.eigenvalues", arrays)
        if "eigenvalues" in exact["series"]
        else None,
        quantities=_quantities(f"{prefix}.quantities", arrays)
        if "quantities" in exact["series"]
        else None,
        loss_windows=windows_from(f"{prefix}.loss_windows", arrays)
        if "loss_windows" in exact["series"]
        else None,
    )


def _switch_steps(precision: RunPrecision, exact: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Return where the run's switches of its format came; those that never did are the last."""
    if not isinstance(precision, SwitchedPrecision):
        return ()
    steps = tuple(exact["switch_steps"])
    came = [step for step in steps if step is not None]
    if len(steps) != len(precision.switches) or None in steps[: len(came)]:
        raise ValueError("every switch must have a step or none, the latter last")
    if came != sorted(came) or not all(0 <= step <= exact["steps"] for step in came):
        raise ValueError("switches must be at steps of the run")
    return steps


def _stepping(
    settings: Mapping[str, Any],
    precision: RunPrecision,
    event_step: int | None,
    switch_steps: tuple[int | None, ...],
) -> Stepping | None:
    """Return the stepping of a run, of the format of each step."""
    if not isinstance(precision, SwitchedPrecision):
        return stepping_of(settings, format_of(precision, "update"), event_step)
    came = [step for step in switch_steps if step is not None]
    return switched_stepping_of(settings, precision, event_step, came)


def _eigenvalues(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Eigenvalues:
    """Return recorded eigenvalues."""
    step = _steps(prefix, arrays)
    largest = arrays[f"{prefix}.largest"]
    if largest.ndim != 2:
        raise ValueError(f"{prefix}.largest must have two axes")
    shapes = {"largest": largest.shape, "smallest": (step.size,), "products": (step.size,)}
    shapes["residual"] = (step.size, largest.shape[1] + 1)
    return Eigenvalues(
        step,
        **{name: _numbers(f"{prefix}.{name}", arrays, shape) for name, shape in shapes.items()},
    )


def _quantities(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Quantities:
    """Return recorded quantities."""
    step = _steps(prefix, arrays)

    def column(name: str) -> npt.NDArray[Any]:
        return _numbers(f"{prefix}.{name}", arrays, (step.size,))

    return Quantities(
        step,
        {name: column(name) for name in QUANTITIES},
        {name: column(f"residual.{name}") for name in QUANTITY_EIGENVALUES},
        column("products"),
    )


def _numbers(
    key: str, arrays: Mapping[str, npt.NDArray[Any]], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Return an array of numbers of its kind, in its shape."""
    kind = np.int64 if key.endswith(".products") else np.float64
    values = arrays[key]
    if values.dtype != kind or values.shape != shape:
        raise ValueError(f"{key} must be numbers of its kind, shape {shape}")
    return values


def _series(name: str, prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Series:
    """Return a recorded series with the columns that it has."""
    step, value = _steps(prefix, arrays), arrays[f"{prefix}.value"]
    optional = {column: arrays.get(f"{prefix}.{column}") for column in _OPTIONAL}
    dimensions = (1, 2) if name == "layer_imbalance" else (1,)
    for column, values in {"value": value, **optional}.items():
        if values is None:
            continue
        if values.dtype != _OPTIONAL.get(column, np.float64) or values.ndim not in dimensions:
            raise ValueError(f"{prefix} must be numbers of its kind")
        if values.shape[0] != step.size:
            raise ValueError(f"{prefix} must have one entry a step")
    return Series(
        name,
        step,
        value,
        log2=optional["log2"],
        residual=optional["residual"],
        products=optional["products"],
    )


def _trajectory(exact: Mapping[str, Any], step: npt.NDArray[np.int64]) -> Trajectory:
    """Return recorded parameters."""
    if any(len(rows) != step.size for rows in exact["texts"].values()):
        raise ValueError("the trajectory must have one row a step")
    return Trajectory(step, exact["texts"], exact["bits"])


def _steps(prefix: str, arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """Return the steps of a series."""
    step = arrays[f"{prefix}.step"]
    if step.dtype.kind not in "iu" or step.ndim != 1:
        raise ValueError(f"{prefix}.step must be integers")
    step = step.astype(np.int64, copy=False)
    if step.size and (step[0] < 0 or np.any(np.diff(step) <= 0)):
        raise ValueError(f"{prefix}.step must ascend")
    return step
