"""Estimates of a run's time (`precipice.cost`) beside the time it takes."""

from __future__ import annotations

import time

import numpy as np
import pytest

import precipice as pc
from precipice.engines import engine_for
from precipice.simulation import prepare


@pytest.mark.parametrize(
    ("precision", "order"),
    [("float32", "pairwise"), ("bfloat16", "sequential"), ("float32:rz", "sequential"),
     ("float16/accumulate=float32", "sequential")],
)  # fmt: skip
def test_estimates_are_right_to_a_factor_of_twenty(precision, order):
    """A wrong path would be off by fifty or more; a busy machine by less."""
    rng = np.random.default_rng(0)
    data = pc.problems.from_arrays(rng.normal(size=(100, 600)), rng.choice([-1.0, 1.0], 100))
    prepared = prepare(
        data, pc.Minimalist(), pc.GD("1/5000"), precision=precision, order=order, steps=10**9,
        init=pc.init.pytorch(0), record=pc.Record(loss=1), blowup_factor=None,
    )  # fmt: skip
    engine = engine_for(prepared.plan)
    began = time.thread_time()
    engine.advance(0.2)  # a narrow format may lock before
    measured = (time.thread_time() - began) / engine.step
    expected = prepared.estimate()[0] / 10**9
    assert 1 / 20 < measured / expected < 20
