"""The written order of every optimiser, on both models, one gmpy2 operation at a time.

Parameters, gradients and velocities are plain lists of numbers: u then v, or the rows of W then a.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np

from oracles.minimalist import (
    loss_of,
    make_context,
    measured,
    product,
    round_to,
    rounded,
    sum_of_products,
    with_loss_factor,
)
from oracles.two_layer import constants

Format = tuple[int, int, int, bool]


class Minimalist:
    """f(x) = (x.u) v_1 ... v_{D-1}; X and y are members of the format."""

    def __init__(self, fmt: Format, X: Any, y: Any, loss: str) -> None:
        self.fmt, self.X, self.y, self.loss = fmt, X, y, loss

    def residuals(self, theta: list[Any]) -> list[Any]:
        """Return z."""
        c, d = make_context(self.fmt), len(self.X[0])
        P = product(c, theta[d:])
        return [
            c.sub(c.mul(sum_of_products(c, row, theta[:d]), P), y_i)
            for row, y_i in zip(self.X, self.y, strict=True)
        ]

    def gradient(self, theta: list[Any], rows: list[int]) -> list[Any]:
        """Return the gradient of the loss of some rows."""
        c, d = make_context(self.fmt), len(self.X[0])
        u, v = theta[:d], theta[d:]
        X, y = [self.X[i] for i in rows], [self.y[i] for i in rows]
        f = [sum_of_products(c, row, u) for row in X]
        P = product(c, v)
        z = [c.sub(c.mul(f[i], P), y[i]) for i in range(len(rows))]
        g = [c.mul(sum_of_products(c, [row[k] for row in X], z), P) for k in range(d)]
        s = sum_of_products(c, z, f)
        for j in range(len(v)):
            others = [v[q] for q in range(len(v)) if q != j]
            g.append(c.mul(s, product(c, others)) if others else s)
        return [with_loss_factor(c, self.fmt, self.loss, len(rows), x) for x in g]


class TwoLayer:
    """F(x) = c a.W x, in either order of its products."""

    def __init__(
        self, fmt: Format, X: Any, y: Any, loss: str, width: int, scaled: bool, collapsed: bool
    ) -> None:
        self.fmt, self.X, self.y, self.loss = fmt, X, y, loss
        self.width, self.scaled, self.collapsed = width, scaled, collapsed

    def split(self, theta: list[Any]) -> tuple[list[list[Any]], list[Any]]:
        """Return the rows of W, and a."""
        d = len(self.X[0])
        return [theta[q * d : (q + 1) * d] for q in range(self.width)], theta[self.width * d :]

    def evaluated(self, theta: list[Any], X: Any, y: Any) -> tuple[list[Any], Any]:
        """Return z and, layerwise, what the hidden neurons say of each sample."""
        context, (W, a) = make_context(self.fmt), self.split(theta)
        c, *_ = constants(self.fmt, self.loss, len(y), self.width, self.scaled)
        H = None
        if self.collapsed:
            b = [sum_of_products(context, a, [w[k] for w in W]) for k in range(len(X[0]))]
            F = [sum_of_products(context, row, b) for row in X]
        else:
            H = [[sum_of_products(context, w, row) for row in X] for w in W]
            F = [sum_of_products(context, a, [h[i] for h in H]) for i in range(len(X))]
        if c is not None:
            F = [context.mul(c, F_i) for F_i in F]
        return [context.sub(F_i, y_i) for F_i, y_i in zip(F, y, strict=True)], H

    def residuals(self, theta: list[Any]) -> list[Any]:
        """Return z."""
        return self.evaluated(theta, self.X, self.y)[0]

    def gradient(self, theta: list[Any], rows: list[int]) -> list[Any]:
        """Return the gradient of the loss of some rows, whose number is in kappa."""
        context, (W, a) = make_context(self.fmt), self.split(theta)
        X, y = [self.X[i] for i in rows], [self.y[i] for i in rows]
        _, kappa, _ = constants(self.fmt, self.loss, len(rows), self.width, self.scaled)
        columns = [[row[k] for row in X] for k in range(len(X[0]))]
        z, H = self.evaluated(theta, X, y)

        def times(x: Any) -> Any:
            return x if kappa is None else context.mul(kappa, x)

        if self.collapsed:
            g = [sum_of_products(context, column, z) for column in columns]
            da = [times(sum_of_products(context, w, g)) for w in W]
            dW = [context.mul(times(a_q), g_k) for a_q in a for g_k in g]
            return dW + da
        e = [times(z_i) for z_i in z]
        dW = [
            sum_of_products(context, [context.mul(a_q, e_i) for e_i in e], column)
            for a_q in a
            for column in columns
        ]
        return dW + [sum_of_products(context, h, e) for h in H]


def draw_below(generator: Any, n: int) -> int:
    """Return a number below n from 64-bit words."""
    while True:
        m = int(generator.random_raw()) * n
        if m % 2**64 >= (2**64 - n) % n:
            return m >> 64


def shuffled(N: int, exchanges: int, seed: int, index: int, stream: int) -> list[int]:
    """Return 0 ... N-1 after so many exchanges."""
    generator = np.random.Philox(
        key=np.array([seed, 0], dtype=np.uint64),
        counter=np.array([0, index, stream, 0], dtype=np.uint64),
    )
    a = list(range(N))
    for i in range(exchanges):
        j = i + draw_below(generator, N - i)
        a[i], a[j] = a[j], a[i]
    return a


def batch(N: int, B: int, sampling: str, seed: int, step: int) -> list[int]:
    """Return the samples of a step, ascending."""
    if sampling == "iid":
        return sorted(shuffled(N, B, seed, step, 0)[:B])
    batches_an_epoch = math.ceil(N / B)
    permutation = shuffled(N, N - 1, seed, step // batches_an_epoch, 1)
    k = step % batches_an_epoch
    return sorted(permutation[k * B : min((k + 1) * B, N)])


@dataclass(frozen=True)
class Rule:
    """An optimiser; numbers are exact or members of the problem's format.

    lr gives eta_t of a step and whether it is the last piece's. momentum is None without
    velocity. samples: (B, sampling, seed), None for all. event: (test of (t, loss as float64,
    theta), eta from then on).
    """

    lr: Callable[[int], tuple[Any, bool]] | None = None
    momentum: Any = None
    nesterov: bool = False
    samples: tuple[int, str, int] | None = None
    event: tuple[Callable[[int, float, list[Any]], bool], Any] | None = None
    flow_step: Any = None


@dataclass(frozen=True)
class State:
    """theta_t, the velocity before the update (empty without momentum), z and the loss."""

    step: int
    theta: list[Any]
    velocity: list[Any]
    z: list[Any]
    loss: Any


@dataclass(frozen=True)
class Begin:
    """Where a run of another format left off, before the update of a step."""

    step: int
    velocity: list[Any]
    largest: list[float]  # kappa ||y||^2 and the measured losses of steps 0 to 9
    event_step: int | None


def descend(c: Any, theta: list[Any], eta: Any, direction: list[Any]) -> list[Any]:
    """Return theta - eta * direction."""
    return [c.sub(p, c.mul(eta, s)) for p, s in zip(theta, direction, strict=True)]


def runge_kutta(fmt: Format, theta: list[Any], h: Any, gradient: Any) -> list[Any]:
    """Return theta after a step of gradient flow."""
    c = make_context(fmt)
    two = round_to(fmt, 2)
    h2, h6 = c.div(h, two), c.div(h, round_to(fmt, 6))
    k1 = gradient(theta)
    k2 = gradient(descend(c, theta, h2, k1))
    k3 = gradient(descend(c, theta, h2, k2))
    k4 = gradient(descend(c, theta, h, k3))
    slope = []
    for j in range(len(theta)):
        s = c.add(k1[j], c.mul(two, k2[j]))
        s = c.add(s, c.mul(two, k3[j]))
        slope.append(c.add(s, k4[j]))
    return descend(c, theta, h6, slope)


def same(a: list[Any], b: list[Any]) -> bool:
    """Say whether two lists are the same finite numbers."""
    return all(
        gmpy2.is_finite(p) and gmpy2.is_finite(q) and p == q for p, q in zip(a, b, strict=True)
    )


def run(
    model: Any,
    theta: Any,
    rule: Rule,
    steps: int,
    blowup_factor: float | None = 1e6,
    begin: Begin | None = None,
) -> tuple[list[State], str, int, int | None]:
    """Run to the end: (states 0 ... last, outcome, last step, step of the event or None)."""
    fmt, N = model.fmt, len(model.y)
    c = make_context(fmt)
    theta = rounded(fmt, theta)
    velocity = [round_to(fmt, 0) for _ in theta] if rule.momentum is not None else []
    first = 0
    if begin is not None:
        first, velocity = begin.step, rounded(fmt, begin.velocity)
    beta = None if rule.momentum is None else round_to(fmt, rule.momentum)
    states: list[State] = []
    settled: list[bool] = []  # of each update: whether it is the map of all later ones
    largest = [measured(model.loss, model.y)]
    event_step = None
    if begin is not None:
        largest, event_step = list(begin.largest), begin.event_step
    t = first
    while True:
        z = model.residuals(theta)
        loss = loss_of(c, fmt, model.loss, N, sum_of_products(c, z, z))
        states.append(State(t, theta, velocity, z, loss))
        L_m = measured(model.loss, z)
        if t <= 9 and not math.isnan(L_m):
            largest.append(L_m)
        if blowup_factor is not None:
            if not all(gmpy2.is_finite(p) for p in theta):
                return states, "blowup", t, event_step
            if L_m > blowup_factor * max(largest):
                return states, "blowup", t, event_step
        if t >= first + 2 and settled[-2] and settled[-1] and rule.flow_step is None:
            before = states[-3]
            if same(theta, before.theta) and same(velocity, before.velocity):
                return states, "locked", t, event_step
        if t == steps:
            return states, "max_steps", t, event_step
        looks = rule.event is not None and event_step is None
        if begin is not None and t == first:  # the format before has looked
            looks = False
        if looks and rule.event[0](t, float(loss), theta):
            event_step = t

        if rule.flow_step is not None:
            everything = list(range(N))
            theta = runge_kutta(
                fmt,
                theta,
                round_to(fmt, rule.flow_step),
                lambda point, rows=everything: model.gradient(point, rows),
            )
            settled.append(True)
        else:
            eta, last_piece = rule.lr(t)
            if rule.event is not None:
                last_piece = event_step is not None
                eta = rule.event[1] if last_piece else eta
            rows = list(range(N)) if rule.samples is None else batch(N, *rule.samples, t)
            settled.append(last_piece and len(rows) == N)
            g = model.gradient(theta, rows)
            direction = g
            if beta is not None:
                velocity = [c.add(c.mul(beta, v), x) for v, x in zip(velocity, g, strict=True)]
                direction = velocity
                if rule.nesterov:
                    direction = [c.add(x, c.mul(beta, v)) for v, x in zip(velocity, g, strict=True)]
            theta = descend(c, theta, round_to(fmt, eta), direction)
        now = states[-1]
        if settled[-1] and same(theta, now.theta) and same(velocity, now.velocity):
            return states, "stalled", t, event_step
        t = t + 1
