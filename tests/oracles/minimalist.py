"""The written order of the minimalist model's gradient descent, one gmpy2 operation at a time.

f(x) = (x.u) v_1 ... v_{D-1}. Every operation is a method of an explicit gmpy2 context and so
rounds once, to nearest even, to that context's precision and exponent range.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gmpy2

from oracles import double_double
from oracles.double_double import DOUBLE_DOUBLE

#: (precision, emin, emax, subnormalize), MPFR's convention: 0.5 <= |significand| < 1.
FLOAT16 = (11, -23, 16, True)
BFLOAT16 = (8, -132, 128, True)
FLOAT32 = (24, -148, 128, True)
FLOAT64 = (53, -1073, 1024, True)
FLOAT80 = (64, -16444, 16384, True)
FLOAT128 = (113, -16493, 16384, True)


def wide(bits: int) -> tuple[int, int, int, bool]:
    """Return the format of `bits` bits with MPFR's default exponent range."""
    return (bits, -1073741823, 1073741823, False)


def make_context(fmt: tuple[int, int, int, bool]) -> Any:
    """Return a gmpy2 context with every field written out, or double-double's operations."""
    if fmt == DOUBLE_DOUBLE:
        return double_double.Context()
    precision, emin, emax, subnormalize = fmt
    return gmpy2.context(
        precision=precision,
        real_prec=precision,
        imag_prec=precision,
        round=gmpy2.RoundToNearest,
        real_round=gmpy2.RoundToNearest,
        imag_round=gmpy2.RoundToNearest,
        emax=emax,
        emin=emin,
        subnormalize=subnormalize,
        trap_underflow=False,
        trap_overflow=False,
        trap_inexact=False,
        trap_invalid=False,
        trap_erange=False,
        trap_divzero=False,
        allow_complex=False,
        rational_division=False,
        allow_release_gil=False,
    )


def round_to(fmt: tuple[int, int, int, bool], x: Any) -> Any:
    """Round a number (int, float, mpq, mpfr, or text such as "2/50") once to the format."""
    if isinstance(x, str):
        x = gmpy2.mpq(x)
    if fmt == DOUBLE_DOUBLE:
        return double_double.from_exact(x)
    with make_context(fmt):
        return gmpy2.mpfr(x)


def rounded(fmt: tuple[int, int, int, bool], values: Any) -> Any:
    """Round every number of a (nested) sequence to the format; lists come back."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return [rounded(fmt, value) for value in values]
    return round_to(fmt, values)


@dataclass(frozen=True)
class State:
    """What the program knows at one step: theta_t and what is computed from it."""

    step: int
    u: list[Any]
    v: list[Any]
    f: list[Any]
    z: list[Any]
    loss: Any


def product(c: Any, factors: list[Any]) -> Any:
    """Return the ascending product, rounded in the context c after every factor."""
    result = factors[0]
    for factor in factors[1:]:
        result = c.mul(result, factor)
    return result


def sum_of_products(c: Any, a: list[Any], b: list[Any]) -> Any:
    """Return the ascending sum of rounded products, from its first term."""
    result = c.mul(a[0], b[0])
    for k in range(1, len(a)):
        result = c.add(result, c.mul(a[k], b[k]))
    return result


def loss_of(c: Any, fmt: tuple[int, int, int, bool], loss: str, N: int, squares: Any) -> Any:
    """Return the loss from the sum of the squared residuals."""
    if loss == "half_mean":
        return c.div(squares, round_to(fmt, 2 * N))
    if loss == "mean":
        return c.div(squares, round_to(fmt, N))
    if loss == "half_sum":
        return c.div(squares, round_to(fmt, 2))
    if loss == "sum":
        return squares
    raise ValueError(loss)


def with_loss_factor(c: Any, fmt: tuple[int, int, int, bool], loss: str, N: int, x: Any) -> Any:
    """Return a derivative of the loss from that of half the sum of the squared residuals."""
    if loss == "half_mean":
        return c.div(x, round_to(fmt, N))
    if loss == "mean":
        return c.div(c.mul(x, round_to(fmt, 2)), round_to(fmt, N))
    if loss == "half_sum":
        return x
    if loss == "sum":
        return c.mul(x, round_to(fmt, 2))
    raise ValueError(loss)


def trajectory(
    fmt: tuple[int, int, int, bool], X: Any, y: Any, u: Any, v: Any, lr: Any, loss: str
) -> Iterator[State]:
    """Yield the states 0, 1, 2, ... for ever; the inputs are first rounded to the format."""
    c = make_context(fmt)
    X, y, u, v = rounded(fmt, X), rounded(fmt, y), rounded(fmt, u), rounded(fmt, v)
    eta = round_to(fmt, lr)
    N, d, J = len(X), len(X[0]), len(v)
    columns = [[X[i][k] for i in range(N)] for k in range(d)]
    t = 0
    while True:
        f = [sum_of_products(c, X[i], u) for i in range(N)]
        P = product(c, v)
        z = [c.sub(c.mul(f[i], P), y[i]) for i in range(N)]
        yield State(t, u, v, f, z, loss_of(c, fmt, loss, N, sum_of_products(c, z, z)))

        g = [c.mul(sum_of_products(c, columns[k], z), P) for k in range(d)]
        s = sum_of_products(c, z, f)
        h = []
        for j in range(J):
            others = [v[q] for q in range(J) if q != j]
            h.append(c.mul(s, product(c, others)) if others else s)
        g = [with_loss_factor(c, fmt, loss, N, x) for x in g]
        h = [with_loss_factor(c, fmt, loss, N, x) for x in h]
        u = [c.sub(u[k], c.mul(eta, g[k])) for k in range(d)]
        v = [c.sub(v[j], c.mul(eta, h[j])) for j in range(J)]
        t = t + 1


def kappa(loss: str, N: int) -> float:
    """Return the loss's factor on ||z||^2."""
    return {"half_mean": 1 / (2 * N), "mean": 1 / N, "half_sum": 0.5, "sum": 1.0}[loss]


def measured(loss: str, vector: list[Any]) -> float:
    """Return kappa ||vector||^2 in float64."""
    total = 0.0
    for entry in vector:
        total += float(entry) * float(entry)
    return kappa(loss, len(vector)) * total


def parameters_equal(a: State, b: State) -> bool:
    """Say whether two states have the same finite parameters."""
    pairs = list(zip(a.u + a.v, b.u + b.v, strict=True))
    return all(p.is_finite() and q.is_finite() and p == q for p, q in pairs)


def run(
    fmt: tuple[int, int, int, bool],
    X: Any,
    y: Any,
    u: Any,
    v: Any,
    lr: Any,
    loss: str,
    steps: int,
    blowup_factor: float | None = 1e6,
    tol: float | None = None,
    loss_floor: float = 0.0,
) -> tuple[list[State], str, int, int | None]:
    """Run to the end: (the states 0 ... last, outcome, run.steps, blow-up step or None)."""
    y_scale = measured(loss, rounded(fmt, y))
    states: list[State] = []
    first_losses: list[float] = []
    for state in trajectory(fmt, X, y, u, v, lr, loss):
        t = state.step
        if states and parameters_equal(state, states[t - 1]):
            return states, "stalled", t - 1, None
        states.append(state)
        L_m = measured(loss, state.z)
        if t <= 9:
            first_losses.append(L_m)
        if blowup_factor is not None:
            if not all(p.is_finite() for p in state.u + state.v):
                return states, "blowup", t, t
            scale = max([y_scale] + [L for L in first_losses if not math.isnan(L)])
            if L_m > blowup_factor * scale:
                return states, "blowup", t, t
        if tol is not None and float(state.loss) - loss_floor < tol:
            return states, "converged", t, None
        if t >= 2 and parameters_equal(state, states[t - 2]):
            return states, "locked", t, None
        if t == steps:
            return states, "max_steps", t, None
    raise AssertionError("the trajectory never ends by itself")
