"""Rounding of data: to nearest into a format that must hold it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.precision import Precision


def require_one_rounding(format_: Precision, argument: str) -> None:
    """Refuse double_double, whose operations are not one rounding.

    Raises
    ------
    InvalidArgument
        Naming `argument`.
    """
    if format_.pairs:
        rule = f"must be a format whose operations are rounded once, not {format_}"
        raise InvalidArgument(argument, format_.name, rule)


def require_nearest(format_: Precision, argument: str) -> None:
    """Refuse a rounding in a format that data only is rounded to.

    Raises
    ------
    InvalidArgument
        Naming `argument`.
    """
    require_one_rounding(format_, argument)
    if format_.rounding != "rn":
        rule = "must have no rounding of its own: to this format data is rounded, to nearest"
        raise InvalidArgument(argument, format_.name, rule)


def strict(format_: Precision) -> Precision:
    """Return a format with the same numbers whose overflow shows: data must not saturate."""
    return format_ if format_.overflow != "saturate" else replace(format_, name="", overflow="nan")


def named(format_: Precision, stage: str | None) -> str:
    """Return a format's name for a message, with the stage of the run that has it."""
    return format_.name if stage is None else f"{format_}, the format of stage {stage}"


def finite_in(
    format_: Precision, argument: str, values: npt.NDArray[Any], stage: str | None = None
) -> npt.NDArray[Any]:
    """Return values rounded to a format, whose range must hold them.

    A format that saturates would make other data of them: that is refused too.

    Parameters
    ----------
    format_ : Precision
    argument : str
        What the values are, for the error message.
    values : ndarray
        float64 or objects of `Exact`.
    stage : str, optional
        Of the run, for the message.
    """
    rounded = strict(format_).round_array(values)
    if rounded is values:
        return rounded
    finite = (
        np.isfinite(rounded).all()
        if rounded.dtype == np.float64
        else all(gmpy2.is_finite(entry) for entry in rounded.flat)
    )
    if not finite:
        rule = f"must not overflow when rounded to {named(format_, stage)}"
        raise InvalidArgument(argument, "array with an entry out of range", rule)
    return rounded
