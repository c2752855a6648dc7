"""Steps of narrow formats: what they cost beside float32, and beside a package that rounds arrays.

``pytest bench/test_narrow.py -s`` prints the measured numbers. The clock and the medians are those
of test_promises.py: thread CPU time, of runs that take turns.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

import precipice as pc
from precipice import _core
from precipice.bench.workload import Shape, Workload
from precipice.engines.core import CoreEngine
from precipice.precision import Precision
from precipice.record import Record
from precipice.simulation import prepare

FORMATS = ("float16", "bfloat16", "tfloat32")
STEP_SIZE, NEVER = 2.0**-5, 10**12
ROUNDS = 15


def seconds_a_step(engine):
    before, start = engine.step, time.thread_time()
    engine.advance(0.05)
    return (time.thread_time() - start) / (engine.step - before)


def times_float32(precision, carrier):
    """The format's time a step over float32's, taking turns."""
    assert carrier in Precision.parse(precision).availability()[1]
    numbers = data()
    narrow, native = (CoreEngine(plan(name, numbers)) for name in (precision, "float32"))
    return np.median([seconds_a_step(narrow) / seconds_a_step(native) for _ in range(ROUNDS)])


def promised(what, measured, limit):
    print(f"\n{what}: {measured:.3g}, promised at most {limit:g}", end=" ")
    assert measured <= limit


def data(shape="300x3072"):
    work = Workload.draw(Shape.parse(shape), Precision.parse("float64"))
    return work.X, work.y, {"u": work.u, "v": [work.v]}


def plan(precision, numbers, **keywords):
    X, y, start = numbers
    merged = {
        "precision": precision,
        "init": pc.init.explicit(start),
        "steps": NEVER,
        "loss": "half_mean",
        "record": Record(loss=1),
        **keywords,
    }
    return prepare(pc.problems.from_arrays(X, y), pc.Minimalist(2), pc.GD(STEP_SIZE), **merged).plan


def require_path(path):
    features = _core.build_info()["cpu_features"].split()
    needed = {"avx2": {"avx2", "fma"}, "avx512": {"avx512f"}, "generic": set()}[path]
    if not needed <= set(features):
        pytest.skip(f"this CPU has no {path}")


@pytest.mark.parametrize("path", ["generic", "avx2", "avx512"])
@pytest.mark.parametrize("precision", FORMATS)
def test_narrow_steps(precision, path, monkeypatch):
    """Carried in float32: at most four times a float32 step on the same instruction set."""
    require_path(path)
    monkeypatch.setenv("PRECIPICE_CPU", path)
    measured = times_float32(precision, "float32")
    promised(f"300x3072 {precision} on the path {path} over float32", measured, 4)


@pytest.mark.parametrize("path", ["generic", "avx2", "avx512"])
def test_steps_of_25_bits(path, monkeypatch):
    """The widest format that float64 carries: at most nine times a float32 step."""
    require_path(path)
    monkeypatch.setenv("PRECIPICE_CPU", path)
    measured = times_float32("e9m24", "float64")
    promised(f"300x3072 e9m24 on the path {path} over float32", measured, 9)


class Rounded:
    """A step in pychop: float64 arrays, rounded after every operation, in precipice's order."""

    def __init__(self, exponent_bits, fraction_bits, numbers):
        pychop = pytest.importorskip("pychop")
        pychop.backend("numpy")
        self.chop = pychop.Chop(exponent_bits, fraction_bits)
        X, y, start = numbers
        self.X, self.y, self.u = (self.chop(np.asarray(a, dtype=float)) for a in (X, y, start["u"]))
        self.v, self.lr = self.chop(np.array([0.125])), self.chop(np.array([STEP_SIZE]))

    def sum(self, columns, factors):
        chop, total = self.chop, None
        for column, factor in zip(columns, factors, strict=True):
            term = chop(column * factor)
            total = term if total is None else chop(total + term)
        return total

    def step(self):
        chop, n = self.chop, self.chop(np.array([float(len(self.y))]))
        f = self.sum(self.X.T, self.u)
        z = chop(chop(f * self.v) - self.y)
        g = chop(chop(self.sum(self.X, z) * self.v) / n)
        h = chop(self.sum(z[:, None], f) / n)
        self.u = chop(self.u - chop(self.lr * g))
        self.v = chop(self.v - chop(self.lr * h))


@pytest.mark.parametrize(
    ("precision", "exponent_bits", "fraction_bits"),
    [("float16", 5, 10), ("bfloat16", 8, 7), ("tfloat32", 8, 10)],
)
def test_pychop(precision, exponent_bits, fraction_bits):
    """The same bits, in a hundredth of the time or less."""
    numbers = data("60x500")
    peer = Rounded(exponent_bits, fraction_bits, numbers)
    start = time.thread_time()
    peer.step()
    theirs = time.thread_time() - start
    run = pc.simulate(
        pc.problems.from_arrays(*numbers[:2]),
        pc.Minimalist(2),
        pc.GD(STEP_SIZE),
        precision=precision,
        init=pc.init.explicit(numbers[2]),
        steps=1,
        loss="half_mean",
    )
    u = np.array([float(x) for x in run.parameters()["u"]])
    np.testing.assert_array_equal(u, peer.u)
    assert float(run.parameters()["v"][0]) == peer.v[0]
    engine = CoreEngine(plan(precision, numbers))
    ours = np.median([seconds_a_step(engine) for _ in range(ROUNDS)])
    promised(f"60x500 {precision} over pychop", ours / theirs, 0.01)
