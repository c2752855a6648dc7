"""Runs in exact order: the kernels' bits are the readable reference's."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice import _core

PRECISIONS = [
    "float32", "float64", "float80", "float128", "mpfr2", "mpfr26", "mpfr53", "mpfr128", "mpfr300",
    "e30m60", "e5m60", "bfloat16", "float16", "tfloat32", "float8_e4m3fn", "float8_e4m3fn:sat",
    "e6m9:sat", "e9m20", "e8m24",
]  # fmt: skip


def constructed(samples, features):
    """Normal data with a column of zeros and a row that is nearly another's opposite."""
    rng = np.random.default_rng(samples)
    X = rng.standard_normal((samples, features))
    X[:, 0] = 0
    X[-1] = -X[0]
    X[-1, -1] += 2.0**-40
    return pc.problems.from_arrays(X, rng.standard_normal(samples))


def texts(engine, precision, shape, model, optimizer, init):
    run = pc.simulate(
        constructed(*shape),
        model,
        optimizer,
        precision=precision,
        steps=25,
        init=init,
        order="exact",
        engine=engine,
    )
    return {name: [str(x) for x in np.ravel(a)] for name, a in run.parameters().items()}


@pytest.mark.parametrize("path", ["generic", "avx2", "avx512", "avx512ifma"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_runs_have_the_bits_of_the_reference(precision, path, monkeypatch):
    needed = {"avx512": "avx512f"}.get(path, path)
    if path != "generic" and needed not in _core.build_info()["cpu_features"].split():
        pytest.skip(f"this CPU has no {needed}")
    monkeypatch.setenv("PRECIPICE_CPU", path)
    minimalist = (pc.Minimalist(3), pc.init.constant("0.3"))
    two_layer = (pc.TwoLayerLinear(4), pc.init.pytorch(0))
    for shape, (model, init), optimizer in [
        ((3, 5), minimalist, pc.GD("0.05")),
        ((20, 40), minimalist, pc.SGD("0.05", 7)),
        ((20, 9), two_layer, pc.GD("0.01")),
    ]:
        run = (precision, shape, model, optimizer, init)
        assert texts("core", *run) == texts("reference", *run)


@pytest.mark.parametrize(("order", "prediction"), [("exact", 1.0), ("sequential", 0.0)])
def test_sums_are_rounded_once(order, prediction):
    """f = 2^60 + 1 - 2^60."""
    run = pc.simulate(
        pc.problems.from_arrays(np.array([[2.0**60, 1.0, -(2.0**60)]]), np.array([0.25])),
        pc.Minimalist(2),
        pc.GD("1e-60"),
        precision="float64",
        steps=0,
        init=pc.init.constant("1"),
        loss="half_mean",
        order=order,
    )
    assert run.loss.value[0] == (prediction - 0.25) ** 2 / 2
