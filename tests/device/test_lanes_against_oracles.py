"""Runs on lanes against slower texts of the same program, and on random problems."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import precipice as pc
from runs_on_lanes import FOREVER, arguments, finished, on_lanes, on_processor, problem

TWO_LAYER = pc.TwoLayerLinear(3)
RECORD = pc.Record(loss=1, sharpness=4)
TEAMS = [{"team": "thread", "lanes": 3}, {"team": "block"}, {"team": "grid"}]


@pytest.mark.parametrize("order", ["sequential", "blocked"])
@pytest.mark.parametrize("precision", ["float32", "float64", "float16", "bfloat16:rz", "e4m3:sr"])
@pytest.mark.parametrize("model", [pc.Minimalist(3), TWO_LAYER], ids=str)
def test_lanes_are_the_reference(model, precision, order):
    """gmpy2's text of the program, which rounds with MPFR to 24, 53 and fewer bits."""
    keywords = {"precision": precision, "order": order, "steps": 12, "record": RECORD}
    keywords["init"] = pc.init.normal(0.7, 0.7, 3)
    if precision.endswith(":sr"):
        keywords["rounding_seed"] = 7
    data = problem(samples=35, size=0.4)
    run = pc.simulate(data, model, pc.GD("0.1"), engine="reference", **keywords)
    simulation = on_lanes(arguments(model, data=data, **keywords))
    records = simulation.advance(FOREVER)
    assert (simulation.outcome, simulation.step) == (run.outcome.value, run.steps)
    np.testing.assert_array_equal(records["loss"]["step"], run.loss.step)
    np.testing.assert_array_equal(records["loss"]["value"], run.loss.value)
    assert simulation.parameters() == run.texts


@pytest.mark.parametrize("model", [pc.Minimalist(4), TWO_LAYER], ids=str)
@pytest.mark.parametrize("precision", ["float16", "e6m12", "bfloat16", "float8_e4m3fn"])
def test_lanes_are_mpfr(model, precision, monkeypatch):
    """The processor's path on which MPFR carries every narrow format out."""
    made = arguments(model, precision=precision)
    found = finished(on_lanes(made))
    monkeypatch.setenv("PRECIPICE_CPU", "mpfr")
    expected = finished(on_processor(made))
    for run in (found, expected):
        del run["records"]["loss"]["log2"]  # of a float64, or of MPFR's number
    assert found == expected


numbers = st.one_of(
    st.floats(-4, 4, allow_subnormal=False).map(lambda x: float(np.float32(x))),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0**-14, 2.0**-20]),
)


@st.composite
def cases(draw):
    samples, features = draw(st.integers(1, 40)), draw(st.integers(1, 6))
    if draw(st.booleans()):
        samples, features = features, samples
    model = draw(st.sampled_from([pc.Minimalist(2), pc.Minimalist(3), pc.Minimalist(5), None]))
    model = model or pc.TwoLayerLinear(draw(st.sampled_from([1, 2, 5, 33])))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    size = draw(st.sampled_from([0.1, 1.0, 3.0]))
    X = np.round(rng.standard_normal((samples, features)) * size * 32) / 32
    y = np.round(rng.standard_normal(samples) * 8) / 8
    for _ in range(draw(st.integers(0, 3))):
        X[draw(st.integers(0, samples - 1)), draw(st.integers(0, features - 1))] = draw(numbers)
    X[0, 0] = X[0, 0] if X.any() else 1.0
    y[0] = y[0] if y.any() else 1.0
    start = {
        name: np.round(rng.standard_normal(shape) * 16) / 16
        for name, shape in model.shapes(features).items()
    }
    precision = draw(
        st.sampled_from(
            ["float32", "float64", "float16", "bfloat16", "float8_e5m2", "float8_e4m3fn", "e5m5",
             "tfloat32", "float32:ru", "float16:rd", "bfloat16:ra", "e6m9:rz", "float8_e4m3fn:sat",
             "bfloat16:sr", "float16:sr", "float8_e5m2:sr"]
        )
    )  # fmt: skip
    keywords = {
        "precision": precision,
        "data": pc.problems.from_arrays(X, y),
        "init": pc.init.explicit(start),
        "lr": draw(st.sampled_from(["0.01", "0.1", "0.5", "1", "4", "100"])),
        "loss": draw(st.sampled_from(["half_mean", "mean", "half_sum", "sum"])),
        "order": draw(st.sampled_from(["sequential", "blocked"])),
        "steps": draw(st.sampled_from([0, 1, 13, 60])),
        "blowup_factor": draw(st.sampled_from([None, 3.0, 1e6, math.inf])),
        "tol": draw(st.sampled_from([None, 0.05])),
        "record": pc.Record(
            loss=draw(st.integers(0, 4)),
            sharpness=draw(st.sampled_from([0, 0, 3])),
            window=draw(st.integers(0, 6)),
            parameters=draw(st.sampled_from([0, 5])),
        ),
    }
    if precision.endswith(":sr"):
        keywords["rounding_seed"] = seed
    tuning = {**draw(st.sampled_from(TEAMS)), "steps": draw(st.sampled_from([0, 1, 2, 7]))}
    if tuning["team"] == "thread" and not isinstance(model, pc.Minimalist):
        tuning["team"] = "block"
    tuning["shared_bytes"] = draw(st.sampled_from([-1, 0, 2000]))
    return model, keywords, tuning


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_any_run_is_the_processors(case):
    model, keywords, tuning = case
    try:
        made = arguments(model, **keywords)
    except pc.InvalidArgument:  # data beyond the format
        return
    expected, found = finished(on_processor(made)), finished(on_lanes(made, **tuning))
    for name, value in expected.items():
        assert found[name] == value, name
