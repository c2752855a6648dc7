"""Rounding of float64 arrays to formats of fewer bits, a few passes over the buffer."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from precipice.formats import NAMED, Fields

_FLOAT64 = NAMED["float64"]


def narrowed(a: npt.NDArray[np.float64], to: Fields) -> npt.NDArray[np.float64] | None:
    """Round float64 entries to fewer bits; None if a finite result is beyond float64's range.

    Scaling by powers of two is exact here: a multiple of float64's smallest number stays one when
    it is rounded to fewer bits, so nothing is lost among the subnormal numbers.
    """
    if to.emin > _FLOAT64.emax or to.emax - to.bits < _FLOAT64.emin - 1:
        return None  # its smallest or its largest number is none of float64
    mantissa, exponent = np.frexp(a)  # MPFR's convention
    unit = exponent - to.bits
    if to.subnormals:
        unit = np.maximum(unit, to.emin - 1)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        rounded = np.ldexp(np.rint(np.ldexp(mantissa, exponent - unit)), unit)
    if np.any(np.isinf(rounded) & np.isfinite(a)) and to.emax > _FLOAT64.emax:
        return None
    if not to.subnormals and to.emin > _FLOAT64.emin:
        # Nothing lies between zero and the smallest number; its half is a tie, to zero.
        smallest, below = np.ldexp(1.0, to.emin - 1), np.abs(a) < np.ldexp(1.0, to.emin - 1)
        nearest = np.where(np.abs(a) > smallest / 2, smallest, 0.0)
        rounded = np.where(below, np.copysign(nearest, a), rounded)
    if to.emax <= _FLOAT64.emax:
        largest = math.ldexp(2**to.bits - 1 - to.reserved, to.emax - to.bits)
        beyond = {"infinity": np.inf, "nan": np.nan, "saturate": largest}[to.overflow]
        rounded = np.where(np.abs(rounded) > largest, np.copysign(beyond, a), rounded)
    if to.overflow != "infinity":
        rounded = np.where(np.isinf(a), np.nan, rounded)
    return np.asarray(rounded, dtype=np.float64)
