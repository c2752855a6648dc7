"""Numbers of the oracles as gmpy2's and back, and the package's formats of the oracles'."""

from __future__ import annotations

import math

import gmpy2

from oracles import formats
from precipice.precision import Precision

WIDE = gmpy2.context(
    precision=2,
    emin=gmpy2.get_emin_min(),
    emax=gmpy2.get_emax_max(),
    subnormalize=False,
    round=gmpy2.RoundToNearest,
)


def precision_of(fmt):
    """Return the package's format with the numbers and the rounding of an oracle's."""
    return Precision(
        bits=fmt.p,
        emin=fmt.emin,
        emax=fmt.emax,
        subnormals=fmt.subnormals,
        overflow=fmt.overflow,
        reserved=fmt.reserved,
        rounding=fmt.rounding,
    )


def mpfr_of(x, bits=None):
    """Return a dyadic number exactly, of as few bits as it needs or of more."""
    if isinstance(x, float):
        return gmpy2.mpfr(x, bits or 2)
    needed = max(2, abs(x.numerator).bit_length())
    with WIDE as context:
        context.precision = max(needed, bits or 2)
        return gmpy2.div_2exp(gmpy2.mpfr(x.numerator), x.denominator.bit_length() - 1)


def number_of(x):
    """Return the oracle's number."""
    if not gmpy2.is_finite(x) or gmpy2.is_zero(x):
        value = float(x)
        return math.copysign(value, -1.0 if gmpy2.is_signed(x) else 1.0)
    return formats.Fraction(*map(int, x.as_integer_ratio()))
