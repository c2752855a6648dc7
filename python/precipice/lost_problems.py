"""Problems that a format would lose: numbers beyond its range, or all of them zero in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.arithmetic import Arithmetic
from precipice.data_rounding import finite_in, named, strict
from precipice.errors import InvalidArgument
from precipice.losses import Loss
from precipice.models import Model, TwoLayerLinear


def check_stages(
    arithmetic: Arithmetic,
    X: npt.NDArray[Any],
    y: npt.NDArray[Any],
    start: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Refuse data beyond the range of its stage, and X or y that rounds to zero there.

    Parameters
    ----------
    arithmetic : Arithmetic
    X, y : ndarray
        In the problem's format.
    start : mapping of str to ndarray
        Initial parameters, likewise.

    Raises
    ------
    InvalidArgument
        Naming X, y or the parameter.
    """
    for argument, values, why in (
        ("X", X, "there is nothing to learn from"),
        ("y", y, "there is nothing to learn"),
    ):
        rounded = finite_in(arithmetic.forward, argument, values, _stage(arithmetic, "forward"))
        # An X that was zero before, biases may learn from.
        if not np.any(rounded != 0) and (argument == "y" or np.any(values != 0)):
            where = named(arithmetic.forward, _stage(arithmetic, "forward"))
            rule = f"must not round to zero in {where}: {why}"
            raise InvalidArgument(argument, f"{values.size} numbers", rule)
    for argument, values in start.items():
        finite_in(arithmetic.parameters, argument, values, _stage(arithmetic, "parameters"))


def check_numbers(
    arithmetic: Arithmetic, model: Model, loss: Loss, samples: int, batch_size: int | None
) -> None:
    """Refuse formats in which a number of the model's text is not finite, or is zero.

    Those are N, 2 N, 2, the samples of a batch and m, each in the stages where it is used, and
    c and κ of the two-layer network.

    Raises
    ------
    InvalidArgument
        Naming the number: samples, batch_size, width, loss, c or kappa.
    """
    counts = {"samples": samples, "batch_size": samples if batch_size is None else batch_size}
    divided = counts["batch_size"] if loss.averaged else 1
    name = "samples" if batch_size is None else "batch_size"
    _integer(arithmetic, "gradient", name, divided)
    if loss.numerator != 1:
        _integer(arithmetic, "gradient", "loss", loss.numerator)
    of_loss = {"half_mean": 2 * samples, "mean": samples, "half_sum": 2, "sum": 1}[loss.name]
    _integer(arithmetic, "measurement", "samples" if loss.averaged else "loss", of_loss)
    if isinstance(model, TwoLayerLinear):
        if model.scale != "none":
            _integer(arithmetic, "forward", "width", model.width)
        for size in {samples, counts["batch_size"]}:
            c, kappa, _ = model.factors(arithmetic, loss, size)
            _factor(arithmetic, "forward", "c", c)
            _factor(arithmetic, "gradient", "kappa", kappa)


def _integer(arithmetic: Arithmetic, stage: str, argument: str, number: int) -> None:
    format_ = arithmetic[stage]
    rounded = strict(format_).round(gmpy2.mpq(number))
    if not (gmpy2.is_finite(rounded) and rounded > 0):
        what = "round to zero in" if rounded == 0 else "overflow when rounded to"
        rule = f"must not {what} {named(format_, _stage(arithmetic, stage))}"
        raise InvalidArgument(argument, number, rule)


def _factor(arithmetic: Arithmetic, stage: str, argument: str, value: gmpy2.mpfr) -> None:
    if not (gmpy2.is_finite(value) and value > 0):
        where = named(arithmetic[stage], _stage(arithmetic, stage))
        shown = "0" if value == 0 else str(value)
        raise InvalidArgument(argument, shown, f"must be a positive number in {where}")


def _stage(arithmetic: Arithmetic, stage: str) -> str | None:
    return None if arithmetic.uniform else stage
