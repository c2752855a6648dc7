"""Exact operations on dyadic numbers in integers, whatever their exponents.

MPFR's own range is left by products and quotients of numbers that lie in it. A result that has too
many bits, or infinitely many, is cut off far below any place that a rounding looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import gmpy2

Dyadic: TypeAlias = "tuple[int, int]"
"""(m, e), the number m · 2**e."""


class Cut(NamedTuple):
    """A real number: that of magnitude |m| 2**e, or between it and (|m| + 1) 2**e if cut off.

    No threshold of a rounding to as many bits as were asked for lies between the two.
    """

    m: int
    e: int
    cut_off: bool = False


def dyadic(x: gmpy2.mpfr) -> Dyadic:
    """Return a finite number."""
    m, e = x.as_mantissa_exp()
    return m, int(e)


def exact_result(operation: str, bits: int, operands: Sequence[gmpy2.mpfr]) -> Cut | None:
    """Return what an operation gives that a gmpy2 context has under this name.

    None where that is a zero or not finite, whose rules are MPFR's.
    """
    if not all(map(gmpy2.is_finite, operands)):
        return None
    a, *others = map(dyadic, operands)
    if operation == "sqrt":
        return root(bits, a) if a[0] > 0 else None
    b = others[0]
    if operation == "div":
        return quotient(bits, a, b) if a[0] and b[0] else None
    if operation == "mul":
        result = Cut(*product(a, b))
    elif operation == "fma":
        result = total(bits, (product(a, b), others[1]))
    else:
        result = total(bits, (a, b if operation == "add" else (-b[0], b[1])))
    return result if result.m else None


def product(a: Dyadic, b: Dyadic) -> Dyadic:
    """Return a b."""
    return a[0] * b[0], a[1] + b[1]


def quotient(bits: int, a: Dyadic, b: Dyadic) -> Cut:
    """Return a / b, b not zero, of `bits` bits or more."""
    (m, e), (n, f) = a, b
    shift = max(bits + n.bit_length() - m.bit_length(), 0)
    q, rest = divmod(abs(m) << shift, abs(n))
    return Cut(-q if (m < 0) != (n < 0) else q, e - f - shift, rest != 0)


def root(bits: int, a: Dyadic) -> Cut:
    """Return the square root of a positive number, of `bits` bits or more."""
    m, e = a
    shift = max(2 * bits - m.bit_length(), 0)
    shift += (e - shift) % 2
    q, rest = gmpy2.isqrt_rem(gmpy2.mpz(m) << shift)
    return Cut(q, (e - shift) // 2, rest != 0)


def total(bits: int, terms: Iterable[Dyadic]) -> Cut:
    """Return a sum. Terms too far below what the larger ones leave are looked at for their sign."""
    descending = sorted((t for t in terms if t[0]), key=_top, reverse=True)
    gap = bits + len(descending).bit_length()
    m, e = gmpy2.mpz(0), 0
    for k, term in enumerate(descending):
        if m and e - _top(term) > gap:
            return _beside(bits, (m, e), total(bits, descending[k:]).m)
        lowest = min(e, term[1]) if m else term[1]
        m, e = (m << max(e - lowest, 0)) + (term[0] << term[1] - lowest), lowest
    return Cut(m, e)


def _top(x: Dyadic) -> int:
    """Return the t with |x| < 2**t."""
    return x[0].bit_length() + x[1]


def _beside(bits: int, x: Dyadic, tiny: int) -> Cut:
    """Return the sum of a number and one of `tiny`'s sign below 2**(e - bits)."""
    m, e = x
    if tiny == 0 or (m < 0) == (tiny < 0):
        return Cut(m, e, tiny != 0)
    magnitude = (abs(m) << bits) - 1
    return Cut(-magnitude if m < 0 else magnitude, e - bits, cut_off=True)
