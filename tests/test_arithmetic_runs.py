"""Runs in formats, roundings, orders and stages: the core against the reference text, by the bit.

`test_reference_stages` has the text against the oracle.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

import precipice as pc
from precipice.arithmetic import ORDERS
from precipice.losses import LOSSES

SEED = 2**64 - 2026
ROUNDINGS = ("rn", "rz", "ru", "rd", "ra", "sr")
FORMATS = (
    "float8_e4m3fn", "float8_e5m2:sat", "e4m3", "bfloat16", "float16", "tfloat32", "float32",
    "float64", "float80", "float128", "mpfr2", "mpfr70", "p5_emin-10_emax12_nan_reserved2",
)  # fmt: skip
MIXTURES = (
    "bfloat16/accumulate=float32",
    "bfloat16/accumulate=float32/parameters=float32:sr/update=mpfr30:ra",
    "float8_e4m3fn:sr/accumulate=bfloat16/gradient=float8_e5m2/parameters=float32",
    "float32/forward=float16:sat/measurement=float64:ru",
    "mpfr70:rd/accumulate=mpfr12:sr/update=float16:rz",
)
MODELS = {
    "minimalist": pc.Minimalist(2),
    "minimalist of depth 4": pc.Minimalist(4),
    "collapsed": pc.TwoLayerLinear(3),
    "layerwise": pc.TwoLayerLinear(3, contraction="layerwise"),
    "collapsed with biases": pc.TwoLayerLinear(3, bias=True),
    "layerwise with biases": pc.TwoLayerLinear(3, "none", "layerwise", bias=True),
}
OPTIMIZERS = {
    "gd": lambda lr: pc.GD(lr),
    "heavy ball": lambda lr: pc.HeavyBall(lr, momentum="0.7"),
    "nesterov": lambda lr: pc.Nesterov(lr, momentum="0.7"),
    "sgd": lambda lr: pc.SGD(lr, batch_size=2, seed=3),
    "sgd with momentum": lambda lr: pc.SGD(lr, 2, "iid", 5, momentum="0.7", nesterov=True),
    "flow": lambda lr: pc.GradientFlow(step=lr),
}


def rounded_as(name, rounding):
    """Return a format's name with a rounding."""
    base, *overflow = name.split(":")
    return ":".join([base, rounding, *overflow])


def run(engine, precision, order, model, optimizer, *, shape, **keywords):
    rng = np.random.default_rng(4)
    X = rng.standard_normal(shape)
    y = np.where(np.arange(shape[0]) % 2, 1.0, -1.0)
    settings = {"steps": 4, "loss": "half_mean", "blowup_factor": None}
    settings["rounding_seed"] = SEED if ":sr" in precision else None
    return pc.simulate(
        pc.problems.from_arrays(X, y), MODELS[model], optimizer,
        precision=precision, order=order, init=pc.init.pytorch(1), engine=engine,
        record=pc.Record(loss=1, parameters=1, sharpness=0), **settings | keywords,
    )  # fmt: skip


def assert_same(precision, order, model, optimizer, shape=(5, 3), **keywords):
    """Run both engines and compare every number of every step."""
    core, reference = (
        run(engine, precision, order, model, optimizer, shape=shape, **keywords)
        for engine in ("core", "reference")
    )
    assert (core.outcome, core.steps) == (reference.outcome, reference.steps)
    assert core.trajectory.step.tolist() == reference.trajectory.step.tolist()
    assert core.trajectory.texts == reference.trajectory.texts
    np.testing.assert_array_equal(core.loss.value, reference.loss.value)
    return core


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_and_rounding(name, rounding):
    generator = random.Random(name + rounding)
    for order in ORDERS:
        model = generator.choice(list(MODELS))
        optimizer = OPTIMIZERS[generator.choice(list(OPTIMIZERS))]("1/16")
        loss = generator.choice(list(LOSSES))
        assert_same(rounded_as(name, rounding), order, model, optimizer, loss=loss)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("precision", MIXTURES)
def test_every_mixture_model_and_optimizer(precision, model, optimizer):
    order = random.Random(precision + model + optimizer).choice(list(ORDERS))
    assert_same(precision, order, model, OPTIMIZERS[optimizer]("1/16"))
    spectral = not (optimizer.startswith("sgd") or "biases" in model)
    if spectral:
        assert_same(precision, order, model, OPTIMIZERS[optimizer]("1/16"), coordinates="spectral")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("precision", ["bfloat16", "float32:sr", "float64", "mpfr70", *MIXTURES])
def test_long_sums(precision, order):
    for shape in ((70, 2), (2, 70)):
        for model in ("minimalist", "layerwise with biases"):
            assert_same(precision, order, model, pc.GD("1/64"), shape=shape, steps=2)


@pytest.mark.parametrize("order", ["sequential", "kahan", "exact"])
@pytest.mark.parametrize(
    "precision", ["float8_e4m3fn", "float8_e5m2:sr", "bfloat16:ru:sat", "e4m3:rd"]
)
def test_through_overflow_and_nan(precision, order):
    for model in ("minimalist of depth 4", "collapsed"):
        optimizer, run_settings = pc.GD(4), {"loss": "sum", "steps": 8}
        assert_same(precision, order, model, optimizer, **run_settings)
        blown = assert_same(precision, order, model, optimizer, **run_settings, blowup_factor=1e3)
        assert blown.outcome in ("blowup", "max_steps", "stalled", "locked")


@pytest.mark.parametrize("precision", ["bfloat16:sr", "float32/parameters=bfloat16:sr"])
def test_a_schedule_and_a_seed(precision):
    optimizer = pc.GD(pc.schedules.piecewise(("1/4", 2), "1/16"))
    first = assert_same(precision, "sequential", "collapsed", optimizer, steps=6)
    other = assert_same(precision, "sequential", "collapsed", optimizer, steps=6, rounding_seed=0)
    assert first.trajectory.texts != other.trajectory.texts
