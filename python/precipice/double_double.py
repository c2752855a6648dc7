"""double_double: numbers that are the unevaluated sum of two float64, as exact numbers.

A number is hi + lo, with hi the float64 nearest to it. What + - * / do is a program of float64
operations in the core (``cpp/numbers/double_double.hpp``): within a few u², u = 2^-53, of the exact
result, but not correctly rounded, so there is no precision that says which numbers these are. The
nominal one is 106 bits; constants of a model are computed with that.
"""

from __future__ import annotations

from typing import Any

import gmpy2

NAME = "double_double"
NOMINAL_BITS = 106
WIDTH = 2098
"""Bits of a significand that holds the sum of any two float64."""
PROGRAM = "double-double algorithms of Joldes, Muller and Popescu (2017), not correctly rounded"
"""How operations are rounded, in words."""
ERRORS = "relative errors at most 3u² + 13u³ (+ −), 7u² (×), 15u² + 56u³ (÷), with u = 2^-53"
"""Bounds of the operations, away from overflow and underflow."""

_FLOAT64 = gmpy2.context(
    precision=53, emin=-1073, emax=1024, subnormalize=True, round=gmpy2.RoundToNearest
)


def nearest_pair(x: Any) -> gmpy2.mpfr:
    """Return hi + lo with hi = RN(x) and lo = RN(x - hi), in float64; of `WIDTH` bits.

    Parameters
    ----------
    x : gmpy2.mpfr, gmpy2.mpq or float
        An exact number; infinities and NaN stay what they are.

    Notes
    -----
    Zeros have no sign.
    """
    with _FLOAT64.copy():
        hi = gmpy2.mpfr(x)
    if gmpy2.is_finite(hi) and hi != 0:
        rest = gmpy2.mpq(x) - gmpy2.mpq(hi)
        with _FLOAT64.copy():
            lo = gmpy2.mpfr(rest)
    else:
        lo = gmpy2.mpfr(0)
    with gmpy2.context(precision=WIDTH):
        return gmpy2.mpfr(hi) + gmpy2.mpfr(lo) + 0
