"""A run whose format changes on its way, as one run of `oracles.optimizers` a format."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from oracles.minimalist import measured
from oracles.optimizers import Begin, Rule, State, run


def switched(
    models: list[Any],
    theta: Any,
    rules: list[Rule],
    switches: list[int | Callable[[State], bool]],
    steps: int,
    blowup_factor: float | None = 1e6,
) -> tuple[list[State], str, int, list[int]]:
    """Run to the end: (states as recorded, outcome, last step, steps of the switches that came).

    A switch is a step, or a test of a state that its series is recorded at. At the step of a
    switch the state is the earlier format's; the later one evaluates it anew, and only that.
    """
    states, outcome, last, event_step = run(models[0], theta, rules[0], steps, blowup_factor)
    recorded = states
    largest = [measured(models[0].loss, models[0].y)]
    came: list[int] = []
    begin = 0
    for model, rule, switch in zip(models[1:], rules[1:], switches, strict=True):
        t = _step_of(switch, states, outcome, begin, came)
        if t is None:
            break
        before = models[len(came)]
        largest += [
            loss
            for state in states
            if begin <= state.step <= min(t, 9)
            and not math.isnan(loss := measured(before.loss, state.z))
        ]
        left = states[t]
        event_step = event_step if event_step is not None and event_step <= t else None
        begun = Begin(t, left.velocity, largest, event_step)
        came.append(t)
        later, outcome, last, event_step = run(model, left.theta, rule, steps, blowup_factor, begun)
        recorded = recorded[: t + 1] + later[1:]
        states, begin = states[:t] + later, t
    return recorded, outcome, last, came


def _step_of(
    switch: int | Callable[[State], bool],
    states: list[State],
    outcome: str,
    begin: int,
    came: list[int],
) -> int | None:
    """Return the step of a switch, None if the run ends before."""
    # The last state has no update, unless it was one that changed nothing.
    updated = states if outcome == "stalled" else states[:-1]
    for state in updated:
        if callable(switch):
            looked_at = state.step > begin or not came
            if looked_at and state.step >= begin and switch(state):
                return state.step
        elif state.step >= max(switch, begin):
            return state.step
    return None
