"""Derivatives of the losses by central differences of gmpy2 numbers, slow and obvious.

The losses are polynomials of the parameters. With h = 2^-150 and numbers of 700 bits, a difference
quotient is off by some h² = 2^-300 times third derivatives and 2^-700 / h² = 2^-400 times the
loss: fewer than 2^-280 for the numbers of the tests, which are of order one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gmpy2

BITS = 700
STEP_EXPONENT = -150

Vector = list[Any]
Loss = Callable[[Vector], Any]


def wide() -> Any:
    """Return the context that differences are taken in."""
    return gmpy2.context(precision=BITS)


def numbers(values: Any) -> Vector:
    """Return floats or mpfr numbers, exactly, in a flat list."""
    flat = values.ravel().tolist() if hasattr(values, "ravel") else list(values)
    return [gmpy2.mpfr(x) for x in flat]


def minimalist_loss(X: Any, y: Any, numerator: int, averaged: bool) -> Loss:
    """Return L(u, v) = (numerator / 2) ‖(X u) Π v - y‖², over N if averaged; u is first."""
    rows, labels = [numbers(row) for row in X], numbers(y)

    def loss(theta: Vector) -> Any:
        u, v = theta[: len(rows[0])], theta[len(rows[0]) :]
        product = gmpy2.mpfr(1)
        for factor in v:
            product *= factor
        total = gmpy2.mpfr(0)
        for row, label in zip(rows, labels, strict=True):
            total += (dot(row, u) * product - label) ** 2
        return normalised(total, len(rows), numerator, averaged)

    return loss


def two_layer_loss(X: Any, y: Any, m: int, scaled: bool, numerator: int, averaged: bool) -> Loss:
    """Return the loss of F = c X Wᵀ a, c = 1/√m or 1; W by rows is first."""
    rows, labels = [numbers(row) for row in X], numbers(y)
    d = len(rows[0])

    def loss(theta: Vector) -> Any:
        c = 1 / gmpy2.sqrt(gmpy2.mpfr(m)) if scaled else gmpy2.mpfr(1)
        W, a = [theta[q * d : (q + 1) * d] for q in range(m)], theta[m * d :]
        total = gmpy2.mpfr(0)
        for row, label in zip(rows, labels, strict=True):
            total += (c * dot([dot(w, row) for w in W], a) - label) ** 2
        return normalised(total, len(rows), numerator, averaged)

    return loss


def normalised(total: Any, N: int, numerator: int, averaged: bool) -> Any:
    """Return (numerator / 2) total, over N if averaged."""
    return total * numerator / 2 / (N if averaged else 1)


def dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Return Σ a_i b_i."""
    return sum((x * y for x, y in zip(a, b, strict=True)), gmpy2.mpfr(0))


def gradient(loss: Loss, theta: Any) -> Vector:
    """Return (L(θ + h e_i) - L(θ - h e_i)) / 2h for each i."""
    with wide():
        point, h = numbers(theta), gmpy2.exp2(STEP_EXPONENT)
        differences = []
        for i in range(len(point)):
            ahead, behind = list(point), list(point)
            ahead[i] += h
            behind[i] -= h
            differences.append((loss(ahead) - loss(behind)) / (2 * h))
        return differences


def hessian_product(loss: Loss, theta: Any, direction: Any) -> Vector:
    """Return the mixed differences along the direction and each e_i."""
    with wide():
        point, v, h = numbers(theta), numbers(direction), gmpy2.exp2(STEP_EXPONENT)

        def shifted(along: int, i: int, by: int) -> Any:
            moved = [x + along * h * y for x, y in zip(point, v, strict=True)]
            moved[i] += by * h
            return loss(moved)

        return [
            (shifted(1, i, 1) - shifted(1, i, -1) - shifted(-1, i, 1) + shifted(-1, i, -1))
            / (4 * h * h)
            for i in range(len(point))
        ]
