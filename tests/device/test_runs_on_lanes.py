"""Whole runs on the host device, which runs the kernels' text in loops, are the processor's."""

from __future__ import annotations

import _datetime
import math

import numpy as np
import pytest

import precipice as pc
from precipice import _core
from runs_on_lanes import (
    FOREVER,
    arguments,
    finished,
    joined,
    on_lanes,
    on_processor,
    plain,
    problem,
    said,
)

TEAMS = [{"team": "thread", "lanes": 3}, {"team": "block"}, {"team": "grid"}]
TWO_LAYER = pc.TwoLayerLinear(3)
MODELS = [pc.Minimalist(2), pc.Minimalist(3), pc.Minimalist(5), TWO_LAYER]
FORMATS = [
    "float32", "float64", "bfloat16", "float16", "tfloat32", "float8_e4m3fn", "float8_e5m2",
    "float32:rz", "bfloat16:ru", "float16:ra", "float8_e4m3fn:sat", "float8_e5m2:rd",
    "bfloat16:sr", "float32:sr", "e5m6",
]  # fmt: skip
LOSSES = ["half_mean", "mean", "half_sum", "sum"]


def arithmetic(precision):
    return {"precision": precision, **({"rounding_seed": 7} if precision.endswith(":sr") else {})}


def assert_alike(given, **tuning):
    expected = finished(on_processor(given))
    found = finished(on_lanes(given, **tuning))
    for name, value in expected.items():
        assert found[name] == value, name
    return expected


@pytest.mark.parametrize("team", TEAMS, ids=lambda t: t["team"])
@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_runs_are_the_processors(model, precision, team):
    for order in ("sequential", "blocked"):
        assert_alike(arguments(model, order=order, **arithmetic(precision)), **team)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", [pc.Minimalist(3), TWO_LAYER], ids=str)
def test_every_loss(model, loss):
    for samples in (4, 5):  # a power of two, and not
        data = problem(samples=samples)
        for precision in ("float64", "float32", "float16", "bfloat16:sr"):
            given = arguments(model, data=data, loss=loss, lr="0.05", **arithmetic(precision))
            assert_alike(given)


@pytest.mark.parametrize("depth", [2, 4])
def test_spectral_coordinates(depth):
    for precision in ("float64", "bfloat16", "float16:rd"):
        given = arguments(pc.Minimalist(depth), coordinates="spectral", precision=precision)
        assert_alike(given)
        assert_alike(given, team="grid")


@pytest.mark.parametrize("order", ["sequential", "blocked"])
@pytest.mark.parametrize(("samples", "features"), [(1, 1), (1, 70), (70, 1), (33, 65), (64, 32)])
def test_shapes(samples, features, order):
    data = problem(samples=samples, features=features, size=0.3)
    for model in (pc.Minimalist(3), pc.TwoLayerLinear(34)):
        given = arguments(model, data=data, order=order, precision="float32", steps=5, lr="0.01")
        assert_alike(given)
        assert_alike(given, team="grid")


@pytest.mark.parametrize("shared_bytes", [0, 200, 420, 1 << 20])
@pytest.mark.parametrize("team", TEAMS, ids=lambda t: t["team"])
def test_wherever_arrays_lie(team, shared_bytes):
    """Work and parameters in a block's memory, work alone, or neither."""
    for model in (pc.Minimalist(3), TWO_LAYER):
        assert_alike(arguments(model, precision="float64"), **team, shared_bytes=shared_bytes)


# How runs end

ENDINGS = {
    "max_steps": {"steps": 7},
    "at the start": {"steps": 0},
    "blowup": {"lr": "40", "steps": 60},
    "infinite factor": {"lr": "40", "steps": 4000, "blowup_factor": math.inf},
    "never blows up": {"lr": "40", "steps": 300, "blowup_factor": None},
    "converged": {"tol": 1e-2, "steps": 4000},
    "stalled": {"precision": "float8_e5m2", "lr": "0.01", "steps": 500},
    "stalled later": {"precision": "float8_e4m3fn", "lr": "0.5", "steps": 100},
    "locked": {"precision": "e5m5", "lr": "0.5", "steps": 500},
    "not a number": {"precision": "float8_e4m3fn", "lr": "64", "steps": 60, "blowup_factor": None},
    "saturated": {"precision": "float8_e4m3fn:sat", "lr": "64", "steps": 60},
    "overflows": {"precision": "float16", "lr": "500", "blowup_factor": math.inf, "steps": 60},
    "stochastic": {"precision": "float8_e5m2:sr", "rounding_seed": 3, "lr": "0.01", "steps": 90},
}


@pytest.mark.parametrize("team", TEAMS, ids=lambda t: t["team"])
@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("model", [pc.Minimalist(3), TWO_LAYER], ids=str)
def test_runs_end_alike(model, name, team):
    for record in (
        pc.Record(loss=1, sharpness=1),
        pc.Record(loss=7, sharpness=5, parameters=3, window=4),
        pc.Record(),
    ):
        keywords = {"precision": "float64", "record": record, **ENDINGS[name]}
        given = arguments(model, **keywords)
        ended = assert_alike(given, **team, steps=5)
        if name in ("max_steps", "blowup", "converged", "stalled", "locked"):
            assert ended["outcome"] == name


def test_every_way_to_end_is_met():
    outcomes = {
        finished(on_lanes(arguments(model, **{"precision": "float64", **keywords})))["outcome"]
        for model in (pc.Minimalist(3), TWO_LAYER)
        for keywords in ENDINGS.values()
    }
    assert outcomes == {"max_steps", "blowup", "converged", "stalled", "locked"}


@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
@pytest.mark.parametrize("model", [pc.Minimalist(2), pc.Minimalist(3), TWO_LAYER], ids=str)
def test_parameters_that_are_not_finite(model, number):
    """Of each parameter one, in data of zeros too: whether the loss tells or not."""
    zeros = pc.problems.from_arrays(np.vstack([np.zeros(3), np.eye(3)]), [0.0, 1.0, 0.0, 0.0])
    for data in (problem(), zeros):
        for factor in (1e6, math.inf, None):
            for precision in ("float64", "bfloat16", "float8_e4m3fn", "float16:rz"):
                given = arguments(
                    model, data=data, precision=precision, blowup_factor=factor, steps=9
                )
                values = on_processor(given).state().values()
                for name in values["current"]:
                    assert_started_alike(given, values, name, number)


def assert_started_alike(given, values, name, number):
    current = {key: list(texts) for key, texts in values["current"].items()}
    current[name][-1] = number
    state = _core.LoopState({**values, "current": current})
    runs = on_processor(given), on_lanes(given)
    for run in runs:
        run.restore(state)
    assert finished(runs[0]) == finished(runs[1])


def test_time_ends_a_run_where_it_is():
    keywords = {**arithmetic("bfloat16:sr"), "record": pc.Record(loss=100, sharpness=70, window=90)}
    given = arguments(pc.Minimalist(3), steps=10**9, max_seconds=0.2, **keywords)
    simulation = on_lanes(given)
    records = simulation.advance(FOREVER)
    assert simulation.outcome == "time"
    last = simulation.step
    assert 0 < last < 10**9
    assert records["loss"]["step"][-1] == last
    whole = on_processor(arguments(pc.Minimalist(3), steps=last, **keywords))
    expected = whole.advance(FOREVER)
    assert simulation.parameters() == whole.parameters()
    assert plain(records) == plain(expected)


# Chunks, stops and checkpoints

RECORD = pc.Record(loss=2, sharpness=3, parameters=4, window=5)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("name", ["max_steps", "stalled", "locked", "blowup"])
def test_chunks_of_any_length(name, steps):
    for model in (pc.Minimalist(3), TWO_LAYER):
        keywords = {"precision": "float64", "record": RECORD, **ENDINGS[name]}
        assert_alike(arguments(model, **keywords), steps=steps)


def in_pieces(given, makers, every, **tuning):
    """Return what a run says that goes on in another simulation after every so many steps."""
    parts, state = [], None
    for i in range(10**6):
        make = makers[i % len(makers)]
        simulation = make(given, **({} if make is on_processor else {**tuning, "steps": every}))
        if state is not None:
            simulation.restore(state)
        before = simulation.step
        while simulation.outcome == "running" and simulation.step - before < every:
            parts.append(simulation.advance(1e-9))
        if simulation.outcome != "running":
            return said(simulation, joined([plain(part) for part in parts]))
        state = _core.LoopState(simulation.state().values())
    raise AssertionError("the run does not end")


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("makers", [(on_lanes,), (on_lanes, on_processor)], ids=["lanes", "both"])
@pytest.mark.parametrize("name", ["max_steps", "stalled", "locked", "blowup", "stochastic"])
def test_runs_resume_anywhere(name, makers, every):
    """On lanes, or in turns on lanes and on the processor."""
    for model in (pc.Minimalist(3), TWO_LAYER):
        keywords = {"precision": "float64", "record": RECORD, **ENDINGS[name]}
        if keywords["steps"] > 7:
            keywords["steps"] = 40
        given = arguments(model, **keywords)
        expected = finished(on_processor(given))
        found = in_pieces(given, makers, every)
        for key, value in expected.items():
            assert found[key] == value, key


def test_a_stopped_run_goes_on():
    given = arguments(pc.Minimalist(3), precision="float64")
    simulation = on_lanes(given, steps=4)
    simulation.stop()
    assert simulation.advance(FOREVER)["loss"]["step"].size == 0
    assert simulation.step == 0
    simulation.resume()
    assert finished(simulation) == finished(on_processor(given))


def test_an_open_window_of_a_run_that_records_none():
    recorded = arguments(pc.Minimalist(3), precision="float64", record=pc.Record(window=50))
    simulation = on_lanes(recorded, steps=3)
    simulation.advance(1e-9)
    state = simulation.state()
    assert state.values()["window"]
    given = arguments(pc.Minimalist(3), precision="float64", record=pc.Record(loss=1))
    runs = on_processor(given), on_lanes(given)
    for run in runs:
        run.restore(state)
    found, expected = finished(runs[1]), finished(runs[0])
    assert found["records"] == expected["records"]
    assert found["parameters"] == expected["parameters"]


def test_a_state_that_does_not_fit_is_refused():
    given = arguments(pc.Minimalist(3), precision="float64")
    values = on_lanes(given).state().values()
    values["current"]["u"] = values["current"]["u"][:-1]
    with pytest.raises(ValueError, match="u of 2 numbers: must be 3"):
        on_lanes(given).restore(_core.LoopState(values))
    del values["current"]["u"]
    with pytest.raises(ValueError, match="must be whole"):
        on_lanes(given).restore(_core.LoopState(values))


# Other series, and what a device does not do


def test_every_series_that_a_device_has():
    record = pc.Record(
        loss=3, sharpness=4, parameters=5, layer_imbalance=6, eigenvalues=7, window=9, top=2
    )
    for precision in ("float64", "float16", "float32:sr"):
        assert_alike(arguments(pc.Minimalist(3), record=record, **arithmetic(precision)))
    network = pc.Record(loss=3, sharpness=4, parameters=5, eigenvalues=7, window=9, top=2)
    for precision in ("float64", "float16", "float32:sr"):
        assert_alike(arguments(TWO_LAYER, record=network, **arithmetic(precision)))
        assert_alike(arguments(TWO_LAYER, record=network, **arithmetic(precision)), steps=1)


def test_a_measurement_in_another_format():
    given = arguments(
        pc.Minimalist(3),
        precision="float32",
        record=pc.Record(loss=1, sharpness=4),
        measure_precision="mpfr100",
    )
    assert assert_alike(given)["records"]["measured"]["text"]


REFUSED = {
    "of up to 25 bits": {"precision": "mpfr60"},
    "lie beyond it": {"precision": "mpfr20"},
    "sequential or blocked": {"precision": "float64", "order": "kahan"},
    "one precision": {"precision": "bfloat16/accumulate=float32"},
    "fixed cadence": {"precision": "float64", "record": pc.Record(sharpness=pc.Adaptive())},
    "one constant step size": {"precision": "float64", "lr": pc.lr.piecewise(("0.1", 5), "0.2")},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_a_device_does_not_carry_out(sentence):
    given = arguments(pc.Minimalist(3), **REFUSED[sentence])
    with pytest.raises(ValueError, match=sentence):
        on_lanes(given)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (pc.TwoLayerLinear(3, contraction="layerwise"), "collapsed"),
        (pc.TwoLayerLinear(3, bias=True), "without biases"),
    ],
)
def test_networks_that_a_device_does_not_train(model, sentence):
    with pytest.raises(ValueError, match=sentence):
        on_lanes(arguments(model, precision="float64"))


def test_a_capsule_of_another_name_is_refused():
    given = arguments(pc.Minimalist(3), precision="float64")
    with pytest.raises(TypeError):
        _core.Simulation(**given, device=object())
    with pytest.raises(ValueError, match="must be precipice.device"):
        _core.Simulation(**given, device=_datetime.datetime_CAPI)


@pytest.mark.parametrize("tuning", [{"team": "crew"}, {"threads": 3}])
def test_tuning_that_is_none(tuning):
    with pytest.raises(ValueError, match="tuning = "):
        on_lanes(arguments(pc.Minimalist(3), precision="float64"), **tuning)
