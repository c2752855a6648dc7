"""Formats that float32 or float64 carries: whole runs have MPFR's bits, on every CPU path, in every
order of rounded terms."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice.precision import Precision
from test_bits import random_run
from test_cpu_paths import available_paths

FORMATS = (
    "float16",
    "bfloat16",
    "tfloat32",
    "e4m2",
    "float8_e4m3fn",
    "float8_e4m3fn:sat",
    "float16:sat",
    "e5m2",
    "e9m24",
)
ORDERS = ("sequential", "fused", "blocked", "pairwise", "kahan")


def minimalist(precision, order, scale=1.0):
    X, y, u, v = random_run(3, seed=5, samples=37, features=70)
    return pc.simulate(
        pc.problems.from_arrays(np.array(X, dtype=float) * scale, y),
        pc.Minimalist(depth=3),
        pc.GD("0.5" if precision == "e5m2" else "0.02"),
        precision=precision,
        order=order,
        steps=6,
        init=pc.init.explicit({"u": u, "v": v}),
        loss="half_mean",
        record=pc.Record(loss=1, parameters=1),
    )


def two_layer(precision, order):
    X, y, *_ = random_run(2, seed=3, samples=34, features=40)
    return pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.TwoLayerLinear(5),
        pc.GD("0.5" if precision == "e5m2" else "0.05"),
        precision=precision,
        order=order,
        steps=4,
        init=pc.init.pytorch(0),
        loss="mean",
        record=pc.Record(loss=1, parameters=1),
    )


def bits(run):
    return run.outcome, run.steps, run.trajectory.texts, [x.hex() for x in run.loss.value]


def on_every_path(monkeypatch, simulated):
    """The bits by path; the first is MPFR's."""
    found = {}
    for path in available_paths(monkeypatch):
        monkeypatch.setenv("PRECIPICE_CPU", path)
        found[path] = bits(simulated())
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("precision", FORMATS)
def test_runs_have_the_bits_of_mpfr(precision, order, monkeypatch):
    for model in (minimalist, two_layer):
        found = on_every_path(monkeypatch, lambda model=model: model(precision, order))
        expected = found.pop("mpfr")
        assert found == dict.fromkeys(found, expected)


@pytest.mark.parametrize("order", ORDERS[1:])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_orders_of_native_formats(precision, order, monkeypatch):
    found = on_every_path(monkeypatch, lambda: minimalist(precision, order))
    expected = found.pop("mpfr")
    assert found == dict.fromkeys(found, expected)
    assert bits(minimalist(precision, "sequential")) != expected


@pytest.mark.parametrize("scale", [2.0**-70, 2.0**60])
@pytest.mark.parametrize("precision", ["tfloat32", "bfloat16", "float16"])
def test_data_near_the_ends_of_the_range(precision, scale, monkeypatch):
    """Products below float32's own normal numbers, and beyond its largest number."""
    if precision == "float16":
        scale = 2.0**-9 if scale < 1 else 2.0**13
    found = on_every_path(monkeypatch, lambda: minimalist(precision, "sequential", scale))
    expected = found.pop("mpfr")
    assert found == dict.fromkeys(found, expected)


def test_what_carries_a_format(monkeypatch):
    monkeypatch.setenv("PRECIPICE_CPU", "generic")
    sentence = "{} arithmetic, each result rounded to {} bits"
    for precision, carrier, width in [
        ("bfloat16", "float32", 8),
        ("float8_e4m3fn", "float32", 4),
        ("e9m24", "float64", 25),
    ]:
        here = Precision.parse(precision).availability()
        assert here == (True, sentence.format(carrier, width))
    monkeypatch.setenv("PRECIPICE_CPU", "mpfr")
    assert Precision.parse("bfloat16").availability()[1].startswith("MPFR")
