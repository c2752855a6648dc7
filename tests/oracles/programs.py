"""Whole training runs in any arithmetic: the optimisers' texts and the loop, over rationals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from oracles import formats
from oracles.formats import Number
from oracles.optimizers import batch
from oracles.staged_models import Blocks, Minimalist, TwoLayer, copied, over, plus
from oracles.staged_space import Arithmetic, Vector

__all__ = ["Minimalist", "Rule", "State", "TwoLayer", "run"]


@dataclass(frozen=True)
class Rule:
    """An optimiser; numbers are exact.

    lr gives eta_t of a step and whether it is the last piece's. momentum is None without velocity.
    samples: (B, sampling, seed), None for all. flow_step: gradient flow by Runge and Kutta.
    """

    lr: Callable[[int], tuple[Any, bool]] | None = None
    momentum: Any = None
    nesterov: bool = False
    samples: tuple[int, str, int] | None = None
    flow_step: Any = None


@dataclass(frozen=True)
class State:
    """theta_t by blocks, the velocities before the update, z and the loss."""

    step: int
    theta: Blocks
    velocity: Blocks
    z: Vector
    loss: Number


def velocity_program(r: Any, beta: Number, v: Number, g: Number) -> Number:
    """Return beta v + g."""
    return r(formats.add, r(formats.multiply, beta, v), g)


def look_ahead_program(r: Any, g: Number, beta: Number, v: Number) -> Number:
    """Return g + beta v."""
    return r(formats.add, g, r(formats.multiply, beta, v))


def add_twice(r: Any, a: Number, b: Number, two: Number) -> Number:
    """Return a + 2 b."""
    return r(formats.add, a, r(formats.multiply, b, two))


def descend(
    model: Any, theta: Blocks, velocity: Blocks, work: Any, rule: Rule, step: int
) -> tuple[Blocks, Blocks]:
    """Return the blocks and their velocities after an update, block by block."""
    space = model.space
    assert rule.lr is not None
    eta = space.nearest("update", rule.lr(step)[0])
    following, velocities = [], []
    for i, block in enumerate(theta):
        g = model.gradient(theta, work, i)
        if rule.momentum is not None:
            beta, n = space.nearest("update", rule.momentum), len(block)
            v = space.map("update", velocity_program, n, beta, velocity[i], g)
            velocities.append(v)
            g = space.map("update", look_ahead_program, n, g, beta, v) if rule.nesterov else v
        following.append(space.descend(block, eta, g))
    return following, velocities


def flow(model: Any, theta: Blocks, work: Any, h: Any) -> Blocks:
    """Return the blocks after a step of gradient flow, differentiated at its start."""
    space = model.space
    h, two, six = (space.nearest("update", x) for x in (h, 2, 6))
    half = space.map_scalar("update", over, h, two)
    sixth = space.map_scalar("update", over, h, six)
    two = model.integer("gradient", 2)
    slopes: Blocks = [[] for _ in theta]
    point = theta
    for stage in (1, 2, 3, 4):
        if stage > 1:
            work = model.differentiate(point, model.evaluate(point)[2])
        following = []
        for i, block in enumerate(theta):
            k, n = model.gradient(point, work, i), len(block)
            if stage == 1:
                slopes[i] = space.map("gradient", copied, n, k)
            elif stage == 4:
                slopes[i] = space.map("gradient", plus, n, slopes[i], k)
            else:
                slopes[i] = space.map("gradient", add_twice, n, slopes[i], k, two)
            size = (half, half, h, sixth)[stage - 1]
            following.append(space.descend(block, size, slopes[i] if stage == 4 else k))
        point = following
    return point


def finite(blocks: Blocks) -> bool:
    """Say whether there is no Inf or NaN."""
    return not any(formats.special(x) for block in blocks for x in block)


def equal(a: Blocks, b: Blocks) -> bool:
    """Say whether these are the same finite numbers."""
    return finite(a) and finite(b) and a == b


def measured(loss: str, samples: int, z: Vector) -> float:
    """Return kappa ||z||^2 in float64."""
    total = 0.0
    for entry in z:
        total += formats.to_float(entry) * formats.to_float(entry)
    N = samples
    return {"half_mean": 1 / N / 2, "mean": 2 / N / 2, "half_sum": 0.5, "sum": 1.0}[loss] * total


def run(
    model: Any, theta: Blocks, rule: Rule, steps: int,
    blowup_factor: float | None = 1e6, first: int = 0,
) -> tuple[list[State], str, int]:  # fmt: skip
    """Run to the end: (states `first` ... last, outcome, last step); theta is that of `first`."""
    space, N = model.space, len(model.y)
    arithmetic: Arithmetic = space.arithmetic
    theta = [space.nearest("parameters", block) for block in theta]
    velocity = [[0.0] * len(block) for block in theta] if rule.momentum is not None else []
    states: list[State] = []
    settled: list[bool] = []  # of each update: whether it is the map of all later ones
    largest = [measured(model.loss, model.samples, model.y)]
    t = first
    while True:
        space.begin_step(t)
        rows = list(range(N)) if rule.samples is None else batch(N, *rule.samples, t)
        all_samples = len(rows) == N
        work: Any = None
        if all_samples:
            z, L, work = model.evaluate(theta)
        else:
            z, L = model.loss_alone(theta)
        states.append(State(t, theta, velocity, z, L))
        L_m = measured(model.loss, model.samples, z)
        if t <= 9 and not math.isnan(L_m):
            largest.append(L_m)
        if blowup_factor is not None and (not finite(theta) or L_m > blowup_factor * max(largest)):
            return states, "blowup", t
        if len(states) >= 3 and settled[-2] and settled[-1] and rule.flow_step is None:
            before = states[-3]
            if equal(theta, before.theta) and equal(velocity, before.velocity):
                return states, "locked", t
        if t == steps:
            return states, "max_steps", t
        if all_samples:
            work = model.differentiate(theta, work)
        else:
            part = model.with_rows(rows)
            work = part.differentiate_alone(theta)
        if rule.flow_step is not None:
            following, velocities = flow(model, theta, work, rule.flow_step), []
            last_piece = True
        else:
            assert rule.lr is not None
            on = model if all_samples else part
            following, velocities = descend(on, theta, velocity, work, rule, t)
            last_piece = rule.lr(t)[1]
        settled.append(last_piece and all_samples and not arithmetic.stochastic)
        if settled[-1] and equal(following, theta) and equal(velocities, velocity):
            return states, "stalled", t
        theta, velocity, t = following, velocities, t + 1
