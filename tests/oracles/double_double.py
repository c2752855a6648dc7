"""double-double arithmetic in Python's floats, one float64 operation a line.

A number is a pair (hi, lo) that stands for hi + lo; hi is the float64 nearest to it. Products are
split exactly with Fractions, so no fma is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

#: Where oracles take a format, the name of this one.
DOUBLE_DOUBLE = "double_double"
#: The format in which the constants c and kappa of a two-layer network are computed.
NOMINAL = (106, -1073, 1024, True)
U = Fraction(1, 2**53)


@dataclass(frozen=True)
class Pair:
    """hi + lo."""

    hi: float
    lo: float

    def __float__(self) -> float:
        return self.hi

    def is_finite(self) -> bool:
        """Say whether it is a number."""
        return math.isfinite(self.hi)

    def exact(self) -> Fraction:
        """Return hi + lo."""
        return Fraction(self.hi) + Fraction(self.lo)


def nearest(x: Fraction) -> float:
    """Return RN(x), ties to even, in float64."""
    try:
        return float(x)  # an int divided by an int: Python rounds it once
    except OverflowError:
        return math.inf if x > 0 else -math.inf


def from_exact(x: Any) -> Pair:
    """Return the pair of an exact number: hi = RN(x), lo = RN(x - hi)."""
    if isinstance(x, str):
        x = Fraction(x)
    try:
        numerator, denominator = x.as_integer_ratio()
    except (OverflowError, ValueError):  # an infinity, or NaN
        return Pair(float(x), 0.0)
    x = Fraction(int(numerator), int(denominator))
    hi = nearest(x)
    if math.isinf(hi):
        return Pair(hi, 0.0)
    return Pair(hi + 0.0, nearest(x - Fraction(hi)) + 0.0)


def two_sum(a: float, b: float) -> tuple[float, float]:
    """Return RN(a + b) and the error."""
    s = a + b
    b_seen = s - a
    a_seen = s - b_seen
    return s, (a - a_seen) + (b - b_seen)


def fast_two_sum(a: float, b: float) -> tuple[float, float]:
    """Return RN(a + b) and the error, where |a| >= |b| or a = 0."""
    s = a + b
    return s, b - (s - a)


def fma(a: float, b: float, c: float) -> float:
    """Return RN(a b + c)."""
    if not (math.isfinite(a) and math.isfinite(b) and math.isfinite(c)):
        return math.nan  # which infinity or NaN it is, no caller asks
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return nearest(exact)


def two_product(a: float, b: float) -> tuple[float, float]:
    """Return RN(a b) and RN of the error."""
    p = a * b
    return p, fma(a, b, -p)


def checked(result: tuple[float, float], leading: float) -> Pair:
    """Return the result of an operation, or what stands for it outside float64's range."""
    hi, lo = result
    if math.isfinite(lo):
        return Pair(hi + 0.0, lo + 0.0)  # no zero is negative
    if math.isfinite(leading):
        return Pair(math.copysign(math.inf, leading), 0.0)
    return Pair(leading, 0.0)


def add(a: Pair, b: Pair) -> Pair:
    """Return a + b: algorithm 6 of Joldes, Muller and Popescu 2017."""
    s_hi, s_lo = two_sum(a.hi, b.hi)
    t_hi, t_lo = two_sum(a.lo, b.lo)
    v_hi, v_lo = fast_two_sum(s_hi, s_lo + t_hi)
    return checked(fast_two_sum(v_hi, t_lo + v_lo), s_hi)


def subtract(a: Pair, b: Pair) -> Pair:
    """Return a - b."""
    return add(a, Pair(-b.hi, -b.lo))


def multiply(a: Pair, b: Pair) -> Pair:
    """Return a b: algorithm 10."""
    p_hi, p_lo = two_product(a.hi, b.hi)
    first = a.hi * b.lo
    second = a.lo * b.hi
    return checked(fast_two_sum(p_hi, p_lo + (first + second)), p_hi)


def divide(a: Pair, b: Pair) -> Pair:
    """Return a / b for b != 0: algorithm 17."""
    q = a.hi / b.hi
    p_hi, p_lo = two_product(b.hi, q)
    t_hi, t_lo = fast_two_sum(p_hi, b.lo * q)
    r_hi, r_lo = fast_two_sum(t_hi, t_lo + p_lo)
    rest = (a.hi - r_hi) + (a.lo - r_lo)
    return checked(fast_two_sum(q, rest / b.hi), q)


class Context:
    """The operations under the names that a gmpy2 context has for them."""

    add = staticmethod(add)
    sub = staticmethod(subtract)
    mul = staticmethod(multiply)
    div = staticmethod(divide)
