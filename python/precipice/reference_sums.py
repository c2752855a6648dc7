"""The orders in which a sum of products s = Σ_k x_k y_k is rounded, k = 0 … n - 1.

A rounding's draw has an index, which is written behind its operation: k at the product
t_k = x_k ⊗ y_k, from n on at the sums, and `FINISHED` where a finished sum becomes a member of
its destination's format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from precipice.rounding import Number, Rounder

Vector: TypeAlias = "Sequence[Number]"

FINISHED = 2**63
LANES = 32
"""The partial sums of a blocked sum along a row, and the terms of one down the rows."""


def rounded_sum(
    order: str, inside: Rounder, destination: Rounder, x: Vector, y: Vector, *, down: bool
) -> Number:
    """Return a sum of one or more products in an order.

    Parameters
    ----------
    order : str
        One of `precipice.arithmetic.ORDERS`.
    inside, destination : Rounder
        What rounds its operations, and what the finished sum. ``exact`` rounds the exact sum
        once, to its destination.
    x, y : sequence of mpfr
    down : bool
        Whether the sum goes down the rows of a matrix, for which ``blocked`` has another order.
    """
    if order == "exact":
        return destination.dot(x, y, len(x))
    s = blocked(inside, x, y, down=down) if order == "blocked" else _ORDERS[order](inside, x, y)
    if inside.precision == destination.precision:
        return s
    return destination.convert(s, FINISHED)


def sequential(r: Rounder, x: Vector, y: Vector) -> Number:
    """Return the sum from its first term, ascending."""
    if r.context is not None:
        with r.context:  # whose operators are twice as fast as its methods
            s = x[0] * y[0]
            for x_k, y_k in zip(x[1:], y[1:], strict=True):
                s = s + x_k * y_k
            return s
    return _ascending(r, _products(r, x, y), range(len(x)))


def fused(r: Rounder, x: Vector, y: Vector) -> Number:
    """Return the ascending sum with product and sum rounded as one."""
    n = len(x)
    s = r.multiply(x[0], y[0], 0)
    for k in range(1, n):
        s = r.fma(x[k], y[k], s, n + k)
    return s


def blocked(r: Rounder, x: Vector, y: Vector, *, down: bool) -> Number:
    """Return the sum of ascending partial sums, which are added by halving their number.

    Along a row there are 32, of every 32nd term; down the rows they have 32 terms in a row.
    """
    n, t = len(x), _products(r, x, y)
    if down:
        parts = [range(c, min(c + LANES, n)) for c in range(0, n, LANES)]
    else:
        parts = [range(lane, n, LANES) for lane in range(min(LANES, n))]
    s = [_ascending(r, t, part) for part in parts]
    w = _power_below(len(s))
    while w:
        for i in range(len(s) - w):
            s[i] = r.add(s[i], s[i + w], 2 * n + w + i)
        del s[w:]
        w //= 2
    return s[0]


def pairwise(r: Rounder, x: Vector, y: Vector) -> Number:
    """Return P(0, n): P(a, b) = P(a, a + h) ⊕ P(a + h, b), h the last power of 2 below b - a."""
    n, t = len(x), _products(r, x, y)

    def part(a: int, b: int) -> Number:
        if b - a == 1:
            return t[a]
        h = _power_below(b - a)
        return r.add(part(a, a + h), part(a + h, b), n + a + h)

    return part(0, n)


def kahan(r: Rounder, x: Vector, y: Vector) -> Number:
    """Return the ascending sum, each term less what the rounding of the sum before gained."""
    n, t = len(x), _products(r, x, y)
    s, gained = t[0], r.nearest(0)
    for k in range(1, n):
        term = r.subtract(t[k], gained, n + 4 * k)
        before, s = s, r.add(s, term, n + 4 * k + 1)
        grown = r.subtract(s, before, n + 4 * k + 2)
        gained = r.subtract(grown, term, n + 4 * k + 3)
    return s


_ORDERS: dict[str, Callable[[Rounder, Vector, Vector], Number]] = {
    "sequential": sequential,
    "fused": fused,
    "pairwise": pairwise,
    "kahan": kahan,
}


def _products(r: Rounder, x: Vector, y: Vector) -> list[Number]:
    return [r.multiply(x_k, y_k, k) for k, (x_k, y_k) in enumerate(zip(x, y, strict=True))]


def _ascending(r: Rounder, t: Vector, part: range) -> Number:
    """Return the sum of some of the terms, from the first of them."""
    s = t[part[0]]
    for k in part[1:]:
        s = r.add(s, t[k], len(t) + k)
    return s


def _power_below(n: int) -> int:
    """Return the largest power of two below n; 0 for n = 1."""
    return 1 << (n - 1).bit_length() - 1 if n > 1 else 0
