"""What a run is expected to cost: right to a factor of a few, and telling formats apart."""

from __future__ import annotations

import time

import numpy as np
import pytest

import precipice as pc
from precipice.cost import multiply_add_nanoseconds, number_bytes
from precipice.engines import engine_for
from precipice.simulation import prepare


def nanoseconds(precision, order="sequential", seed=None):
    return multiply_add_nanoseconds(pc.Arithmetic.of(precision, order, seed))


def test_narrow_formats_cost_a_few_times_their_carrier():
    assert 1 < nanoseconds("float16") / nanoseconds("float32") <= 4
    assert nanoseconds("bfloat16", "kahan") > nanoseconds("bfloat16")
    assert nanoseconds("bfloat16/accumulate=float32") > 50 * nanoseconds("bfloat16")
    assert nanoseconds("bfloat16:sr", seed=0) > nanoseconds("bfloat16:rz")


def test_memory_of_a_number():
    sizes = {"float16": 4, "float32": 4, "p20_emin-99_emax99": 8, "float64": 8, "mpfr128": 48}
    assert {name: number_bytes(pc.Arithmetic.of(name)) for name in sizes} == sizes
    assert number_bytes(pc.Arithmetic.of("float32/accumulate=mpfr256")) == 64


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
    engine.advance(0.05)
    before, began = engine.step, time.thread_time()
    engine.advance(0.2)
    measured = (time.thread_time() - began) / (engine.step - before)
    expected = prepared.estimate()[0] / 10**9
    assert 1 / 20 < measured / expected < 20
