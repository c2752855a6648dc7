"""The written order of the two-layer linear network's gradient descent, one operation at a time.

F(x) = c a.W x with W (m, d) by rows. Formats and sums are those of `oracles.minimalist`.

A network with biases is the same on data with a last column of ones, W's last column being the
hidden layer's bias, but for the output's bias b2: F(x) = c a.W x + b2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gmpy2

from oracles.double_double import DOUBLE_DOUBLE, NOMINAL
from oracles.minimalist import loss_of, make_context, round_to, rounded, sum_of_products

Format = tuple[int, int, int, bool]


@dataclass(frozen=True)
class State:
    """Parameters at one step, residuals and loss."""

    step: int
    W: list[list[Any]]
    a: list[Any]
    z: list[Any]
    loss: Any
    b2: Any = None


def constants(fmt: Format, loss: str, N: int, m: int, scaled: bool) -> tuple[Any, Any, Any]:
    """Return c, kappa = kappa_L c and kappa_L; None where there is no such factor."""
    if fmt == DOUBLE_DOUBLE:
        return tuple(
            None if x is None else round_to(fmt, x) for x in constants(NOMINAL, loss, N, m, scaled)
        )
    context = make_context(fmt)
    one, two, n = round_to(fmt, 1), round_to(fmt, 2), round_to(fmt, N)
    with make_context(fmt):
        root = gmpy2.sqrt(round_to(fmt, m))
    c = context.div(one, root) if scaled else None
    kappa_L = {
        "half_mean": context.div(one, n),
        "mean": context.div(two, n),
        "half_sum": None,
        "sum": two,
    }[loss]
    if kappa_L is None:
        return c, c, None
    return c, kappa_L if c is None else context.mul(kappa_L, c), kappa_L


def trajectory(
    fmt: Format,
    X: Any,
    y: Any,
    W: Any,
    a: Any,
    lr: Any,
    loss: str,
    scaled: bool,
    collapsed: bool,
    b2: Any = None,
) -> Iterator[State]:
    """Yield the states 0, 1, 2, ... for ever; the inputs are first rounded to the format."""
    context = make_context(fmt)
    X, y, W, a = rounded(fmt, X), rounded(fmt, y), rounded(fmt, W), rounded(fmt, a)
    eta = round_to(fmt, lr)
    N, d, m = len(X), len(X[0]), len(W)
    c, kappa, kappa_L = constants(fmt, loss, N, m, scaled)
    b2 = None if b2 is None else round_to(fmt, b2)
    ones = [round_to(fmt, 1)] * N

    def times(factor: Any, x: Any) -> Any:
        return x if factor is None else context.mul(factor, x)

    def total(left: list[Any], right: list[Any]) -> Any:
        return sum_of_products(context, left, right)

    def moved(parameter: Any, gradient: Any) -> Any:
        return context.sub(parameter, context.mul(eta, gradient))

    t = 0
    while True:
        if collapsed:
            b = [total(a, [W[q][k] for q in range(m)]) for k in range(d)]
            F = [times(c, total(X[i], b)) for i in range(N)]
        else:
            H = [[total(W[q], X[i]) for i in range(N)] for q in range(m)]
            F = [times(c, total(a, [H[q][i] for q in range(m)])) for i in range(N)]
        if b2 is not None:
            F = [context.add(F[i], b2) for i in range(N)]
        z = [context.sub(F[i], y[i]) for i in range(N)]
        yield State(t, W, a, z, loss_of(context, fmt, loss, N, total(z, z)), b2)

        if collapsed:
            g = [total([X[i][k] for i in range(N)], z) for k in range(d)]
            da = [times(kappa, total(W[q], g)) for q in range(m)]
            dW = [[context.mul(times(kappa, a[q]), g[k]) for k in range(d)] for q in range(m)]
        else:
            e = [times(kappa, z[i]) for i in range(N)]
            da = [total(H[q], e) for q in range(m)]
            dW = [
                [
                    total([context.mul(a[q], e[i]) for i in range(N)], [X[i][k] for i in range(N)])
                    for k in range(d)
                ]
                for q in range(m)
            ]
        W = [[moved(W[q][k], dW[q][k]) for k in range(d)] for q in range(m)]
        a = [moved(a[q], da[q]) for q in range(m)]
        if b2 is not None:
            b2 = moved(b2, times(kappa_L, total(ones, z)))
        t = t + 1
