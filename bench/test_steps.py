"""Whole gradient-descent steps beside their baselines, in one group each.

Run with ``pytest bench --benchmark-only``; the normal test run leaves this folder out. Every
timed run's answer is asserted first. ``precipice bench`` shows more peers in one table.
"""

from __future__ import annotations

import math
import time

import pytest

from precipice import _core
from precipice.bench.measure import check
from precipice.bench.peers import PEERS
from precipice.bench.workload import Shape, Workload
from precipice.exact import text
from precipice.precision import Precision
from precipice.record import Record

SHAPES = ("2x100", "300x3072", "1000x3072")
PRECISIONS = (
    "float32",
    "float64",
    "float80",
    "float128",
    "mpfr64",
    "mpfr128",
    "mpfr256",
    "mpfr1024",
)


def work(shape, precision):
    return Workload.draw(Shape.parse(shape), Precision.parse(precision))


def steps_of(data):
    """Enough steps that the one evaluation more that a run takes does not count."""
    native = not data.precision.name.startswith("mpfr") and data.precision.bits < 113
    if native:
        return 20_000 if data.multiply_adds < 1e5 else 100
    return 500 if data.multiply_adds < 1e5 else 1


def take_steps(engine, steps):
    """Take exactly so many: in one block where a step is short, one by one where it is long."""
    if steps == 1:
        engine.advance(1e-9)
    else:
        engine.advance(math.inf)
    return engine.step


def timed(benchmark, group, steps):
    benchmark.group = f"{group}, {steps} steps"
    benchmark._timer = time.thread_time


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_precipice(benchmark, shape, precision):
    data = work(shape, precision)
    steps = steps_of(data)
    timed(benchmark, f"{shape} {precision}", steps)
    limit = {} if steps == 1 else {"steps": steps}
    taken = benchmark.pedantic(
        take_steps, setup=lambda: ((data.engine(**limit), steps), {}), rounds=5
    )
    assert taken == steps


@pytest.mark.parametrize("order", ["rows", "columns"])
@pytest.mark.parametrize("precision", [name for name in PRECISIONS if name.startswith("mpfr")])
@pytest.mark.parametrize("shape", SHAPES)
def test_plain_c_mpfr(benchmark, shape, precision, order):
    """Xᵀz by rows or by columns; X u by rows."""
    data = work(shape, precision)
    steps = steps_of(data)
    timed(benchmark, f"{shape} {precision}", steps)

    def loop():
        return _core.PlainMpfr(**data.for_the_core())

    checked = loop()
    checked.advance(1, "rows", order)
    assert [*checked.u, *checked.v] == [text(x) for x in data.after(1)]
    benchmark.pedantic(
        lambda plain: plain.advance(steps, "rows", order), setup=lambda: ((loop(),), {}), rounds=5
    )


@pytest.mark.parametrize("peer", ["blas", "numpy"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_numpy(benchmark, shape, precision, peer):
    data = work(shape, precision)
    steps = steps_of(data)
    timed(benchmark, f"{shape} {precision}", steps)
    assert check(peer, data)
    contestant = PEERS[peer](data)

    def run():
        for _ in range(steps):
            contestant.products()
            if contestant.whole_steps:
                contestant.finish()

    benchmark.pedantic(run, rounds=5)


@pytest.mark.parametrize("peer", ["gmpy2", "mpmath"])
@pytest.mark.parametrize("precision", ["mpfr128", "mpfr256"])
def test_objects_of_python(benchmark, precision, peer):
    data = work("2x100", precision)
    steps = steps_of(data)
    timed(benchmark, f"2x100 {precision}", steps)
    assert check(peer, data)
    contestant = PEERS[peer](data)

    def run():
        for _ in range(steps):
            contestant.products()
            contestant.finish()

    benchmark.pedantic(run, rounds=3)


@pytest.mark.parametrize("cadence", [0, 1], ids=["loss-only", "with-sharpness"])
def test_sharpness_at_every_step(benchmark, cadence):
    data = work("300x3072", "float64")
    timed(benchmark, "sharpness, 300x3072 float64", 100)
    record = Record(loss=1, sharpness=cadence)
    taken = benchmark.pedantic(
        take_steps, setup=lambda: ((data.engine(100, record=record), 100), {}), rounds=5
    )
    assert taken == 100


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr128"])
def test_spectral(benchmark, precision):
    data = work("300x3072", precision)
    timed(benchmark, f"spectral r = 300 {precision}", 10_000)
    taken = benchmark.pedantic(
        take_steps,
        setup=lambda: ((data.engine(10_000, coordinates="spectral"), 10_000), {}),
        rounds=3,
    )
    assert taken == 10_000
