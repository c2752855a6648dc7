"""Known steps of two small problems, from the oracle's trajectories and the event definitions.

The problem of Yoo et al. 2025, figure 6, has three parameters, and what happens to it depends on
the precision: these steps were found by independent programs.
"""

from __future__ import annotations

import math

import gmpy2
import numpy as np
import pytest

from oracles import minimalist, sharpness
from precipice.analysis import find_events

FORMATS = {
    "float32": minimalist.FLOAT32,
    "float64": minimalist.FLOAT64,
    "float80": minimalist.FLOAT80,
}
FIG6 = (
    [[1.54099607, -0.2934289], [-2.17878938, 0.56843126]],
    [-1.08452237, -1.39859545],
    [0.01, 0.01],
    [0.01],
    2 / 50,
)


def opposing_signals():
    """Return D.1's problem and start, without BLAS: its last bits decide the drops."""
    draws = np.random.RandomState(0)
    shared, opposed = draws.random_sample(100), draws.random_sample(100)
    shared /= math.sqrt(math.fsum(shared * shared))
    opposed -= shared * math.fsum(opposed * shared)
    opposed /= math.sqrt(math.fsum(opposed * opposed))
    X = np.stack([5.477 * shared + 0.233 * opposed, 5.477 * shared - 0.233 * opposed])
    y = [float.fromhex("0x1.934fa2f9f256dp-1"), float.fromhex("0x1.36446368f57dbp+0")]
    start = np.random.default_rng(0)
    u = start.uniform(-1, 1, 100) / np.sqrt(100)
    return (X, y, u, start.uniform(-1, 1, 1), 0.02)


def study(name, problem, loss, steps):
    """Run the oracle and return (outcome, run.steps, events)."""
    fmt = FORMATS.get(name) or minimalist.wide(int(name))
    X, y, _, _, lr = problem
    states, outcome, last, blowup = minimalist.run(fmt, *problem, loss, steps)
    X, y = (np.array(minimalist.rounded(fmt, a), dtype=float) for a in (X, y))
    values = np.array([float(state.loss) for state in states])
    logs = [
        float(gmpy2.log2(s.loss)) if gmpy2.is_finite(s.loss) and s.loss > 0 else math.nan
        for s in states
    ]
    eta = float(minimalist.round_to(fmt, lr))
    # Only u's part in the row space of X matters: with X = R^T Q^T, (X, u) and (R^T, Q^T u) have
    # the same Hessian but for zero eigenvalues, and the dense eigenproblem stays small.
    Q, R = np.linalg.qr(X.T)
    curve = [
        sharpness.sharpness(R.T, y, Q.T @ np.array(s.u, dtype=float), s.v, loss) for s in states
    ]
    recorded = np.arange(len(states))
    found = find_events(
        recorded,
        values,
        logs,
        recorded,
        curve,
        threshold=2 / eta,
        lr=eta,
        last_step=last,
        blowup_step=blowup,
    )
    return outcome, last, found


@pytest.mark.parametrize(
    ("name", "drop", "peak"),
    [("float32", 607, 79.6), ("float64", 626, 96.1), ("float80", 637, 106.7)],
)
def test_fig6_mean_survives_in_hardware_formats(name, drop, peak):
    outcome, _, found = study(name, FIG6, "mean", 700)
    assert (outcome, found.crossing, found.blowup) == ("max_steps", 548, None)
    first = found.catapults[0]
    assert (first.kind, first.drop_step, first.delay) == ("catapult", drop, drop - 548)
    assert first.peak_sharpness_raw == pytest.approx(peak, abs=0.05)


@pytest.mark.parametrize(
    ("name", "loss", "crossing", "step", "excursion"),
    [
        ("113", "mean", 548, 678, 0),
        ("128", "mean", 548, 682, 0),
        ("256", "mean", 548, 751, 0),
        ("512", "mean", 548, 801, 0),
        ("1024", "mean", 548, 801, 0),
        ("float64", "sum", 236, 290, 0),
        ("float80", "sum", 236, 295, 0),
        ("113", "sum", 236, 316, 0),
        ("128", "sum", 236, 323, 0),
        ("256", "sum", 236, 338, 0),
        ("512", "sum", 236, 338, 0),
        ("1024", "sum", 236, 338, 0),
        ("26", "sum", 236, 461, 1),
        ("31", "sum", 236, 521, 1),
    ],
)
def test_fig6_blows_up(name, loss, crossing, step, excursion):
    outcome, last, found = study(name, FIG6, loss, 3000)
    assert (outcome, last, found.crossing) == ("blowup", step, crossing)
    assert (found.blowup.step, found.blowup.excursion) == (step, excursion)
    assert found.catapults[excursion].end is None


def test_fig6_sum_survives_in_float32():
    outcome, _, found = study("float32", FIG6, "sum", 3000)
    assert (outcome, found.crossing, found.blowup) == ("max_steps", 236, None)


@pytest.mark.parametrize(
    ("name", "drop", "peak"),
    [
        ("float32", 1437, 57.9),
        ("float64", 1493, 61.9),
        ("float80", 1514, 63.2),
        ("113", 1587, 67.2),
        ("128", 1605, 68.0),
        ("256", 1764, 74.3),
        ("512", 2041, 77.0),
        ("1024", 2425, 79.2),
    ],
)
def test_fig6_half_mean_drops_later_with_more_bits(name, drop, peak):
    outcome, _, found = study(name, FIG6, "half_mean", drop + 20)
    assert (outcome, found.crossing) == ("max_steps", 1335)
    assert found.catapults[0].drop_step == drop
    assert found.catapults[0].peak_sharpness_raw == pytest.approx(peak, abs=0.05)


@pytest.mark.parametrize(
    ("name", "ending", "step"),
    [
        ("4", "stalled", 0),
        ("8", "stalled", 382),
        ("10", "locked", 1691 + 2),
        ("11", "locked", 1992 + 2),
        ("12", "locked", 3049 + 2),
    ],
)
def test_fig6_stops_moving_with_few_bits(name, ending, step):
    outcome, last, _ = study(name, FIG6, "half_mean", 4000)
    assert (outcome, last) == (ending, step)


@pytest.mark.parametrize(
    ("name", "drop"),
    [
        ("float32", 807),
        ("float64", 898),
        ("float80", 929),
        ("113", 1062),
        ("128", 1103),
        ("256", 1433),
        ("512", 2099),
    ],
)
def test_opposing_signals_drops_later_with_more_bits(name, drop):
    outcome, _, found = study(name, opposing_signals(), "sum", drop + 10)
    assert (outcome, found.crossing) == ("max_steps", 660)
    assert found.catapults[0].drop_step == drop
