"""Numbers with no digit that their residual does not support.

A value that is known to within a residual is shown to a place 10^k of at least twice the residual:
rounding to the place and the residual each take half a unit of it, so that the true value lies
within one unit of the last digit shown.
"""

from __future__ import annotations

import math
from decimal import Decimal


def supported(value: float, residual: float | None, most: int = 6, *, zeros: bool = False) -> str:
    """Return a value as text, with at most so many significant digits and none beyond its residual.

    Parameters
    ----------
    value : float
    residual : float or None
        A bound on its error; None where float64's rounding is the only one.
    most : int
        The most significant digits.
    zeros : bool
        Whether zeros at the end are shown where it is `most` that limits the digits.

    Returns
    -------
    str
        Such as ``"49.12"``; ``"0±3"`` where not even the first digit is certain.
    """
    place = last_place(value, residual)
    if math.isinf(place) and place > 0:
        return f"0±{_rounded_up(abs(value) + (residual or 0.0))}"
    if place <= _leading_place(value) - most + 1 or not math.isfinite(value):
        return _with_zeros(value, most) if zeros else f"{value:.{most}g}"
    rounded = round_to(value, place)
    digits = _leading_place(rounded) - int(place) + 1
    return _with_zeros(rounded, max(1, digits))


def supported_value(value: float, residual: float | None) -> float:
    """Return a value rounded to the digits that its residual supports; NaN if there are none."""
    return round_to(value, last_place(value, residual))


def last_place(value: float, residual: float | None) -> float:
    """Return the power of ten of the last digit of a value that its residual supports.

    -inf where nothing limits the digits, +inf where not even the first one is certain.
    """
    if residual is None or residual == 0 or not math.isfinite(value):
        return -math.inf
    if not math.isfinite(residual):
        return math.inf
    place = math.ceil(math.log10(residual) + math.log10(2))
    return place if place <= _leading_place(value) else math.inf


def round_to(value: float, place: float) -> float:
    """Return a value rounded to a multiple of ten to this power; NaN for +inf."""
    if place == math.inf:
        return math.nan
    if place == -math.inf or not math.isfinite(value):
        return value
    return float(round(Decimal(value), -int(place)))


def _leading_place(value: float) -> int:
    """Return the power of ten of a number's first digit; 0 for 0."""
    return Decimal(repr(float(value))).adjusted() if value else 0


def _with_zeros(value: float, digits: int) -> str:
    return f"{value:#.{digits}g}".rstrip(".").replace(".e", "e")


def _rounded_up(bound: float) -> str:
    """Return a bound as text of one digit, not below it."""
    if not math.isfinite(bound):
        return "inf"
    place = _leading_place(bound)
    digit = math.ceil(Decimal(bound).scaleb(-place))
    return f"{float(Decimal(digit).scaleb(place)):.1g}"
