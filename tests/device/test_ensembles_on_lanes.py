"""An ensemble on the host device is the processor's, member by member, and so many single runs."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice import _core
from runs_on_lanes import FOREVER, arguments, finished, joined, on_processor, plain

TEAMS = [{"team": "thread", "lanes": 4}, {"team": "block"}, {"team": "grid"}, {"steps": 3}]
TWO_LAYER = pc.TwoLayerLinear(3)
MODELS = [pc.Minimalist(2), pc.Minimalist(4), TWO_LAYER]
RECORD = pc.Record(loss=2, sharpness=3, window=5)
LRS = ["0.05", "0.1", "0.3", "40", "0.5", "0.01", "1.5"]  # to end in different ways


def members(model, runs=True):
    rng = np.random.default_rng(1)
    count = len(LRS)
    size = sum(int(np.prod(shape)) for shape in model.shapes(3).values())
    return {
        "starts": np.round(rng.uniform(-1, 1, (count, size)) * 64) / 64,
        "lrs": LRS,
        "seeds": np.arange(count, dtype=np.uint64) + 3,
        "runs": np.arange(count, dtype=np.uint64) * (5 if runs else 0),
    }


def ensemble(model, given, tuning=None, **keywords):
    run = arguments(model, record=RECORD, steps=60, **keywords)
    device = {} if tuning is None else {"device": _core.host_device(), "tuning": tuning}
    return _core.Ensemble(**run, **given, **device)


def of_member(records, i):
    """Return the series of one member."""
    return {
        name: {
            column: np.asarray(values)[np.asarray(series["member"]) == i].tolist()
            for column, values in series.items()
            if column != "member"
        }
        for name, series in records.items()
    }


def summary(group, records):
    return [
        {
            "outcome": group.outcomes()[i],
            "step": int(group.steps()[i]),
            "parameters": group.parameters(i),
            "records": plain(of_member(records, i)),
        }
        for i in range(len(group))
    ]


def advanced(group):
    return summary(group, group.advance(FOREVER))


def arithmetic(precision):
    return {"precision": precision, **({"rounding_seed": 7} if precision.endswith(":sr") else {})}


@pytest.mark.parametrize("tuning", TEAMS, ids=str)
@pytest.mark.parametrize("precision", ["float64", "float32", "e5m5", "float8_e5m2", "bfloat16:sr"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_members_are_the_processors(model, precision, tuning):
    given = members(model)
    expected = advanced(ensemble(model, given, **arithmetic(precision)))
    found = advanced(ensemble(model, given, tuning, **arithmetic(precision)))
    assert found == expected
    assert len({member["outcome"] for member in found}) > 1


@pytest.mark.parametrize("precision", ["float64", "bfloat16:sr"])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_members_are_single_runs(model, precision):
    given = members(model, runs=False)
    found = advanced(ensemble(model, given, {}, **arithmetic(precision)))
    for i, member in enumerate(found):
        start, values = {}, given["starts"][i]
        for name, shape in model.shapes(3).items():
            size = int(np.prod(shape))
            start[name], values = values[:size].reshape(shape), values[size:]
        seed = {"rounding_seed": int(given["seeds"][i])} if precision.endswith(":sr") else {}
        run = arguments(
            model, init=pc.init.explicit(start), lr=LRS[i], record=RECORD, steps=60,
            precision=precision, **seed,
        )  # fmt: skip
        expected = finished(on_processor(run))
        assert member["outcome"] == expected["outcome"]
        assert member["step"] == expected["step"]
        assert member["parameters"] == expected["parameters"]
        records = expected["records"]
        for series in ("loss", "sharpness"):
            for column in ("step", "value"):
                assert member["records"][series][column] == records[series][column]
        assert member["records"]["windows"] == records["loss_windows"]


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("model", [pc.Minimalist(4), TWO_LAYER], ids=str)
def test_a_member_resumes_anywhere(model, every):
    """In an ensemble of its own, after every chunk."""
    given = members(model)
    expected = advanced(ensemble(model, given, precision="float64"))
    for i, member in enumerate(expected):
        own = {name: column[i : i + 1] for name, column in given.items()}
        group, parts = ensemble(model, own, {"steps": every}, precision="float64"), []
        while True:
            parts.append(plain_columns(group.advance(1e-9)))
            if not group.running:
                break
            state = _core.LoopState(group.state(0).values())
            group = ensemble(model, own, {"steps": every}, precision="float64")
            group.restore(0, state)
        records = joined(parts)
        assert summary(group, records) == [member]


def plain_columns(records):
    return {
        name: {column: np.asarray(values).tolist() for column, values in series.items()}
        for name, series in records.items()
    }


def test_a_stopped_ensemble_goes_on():
    given = members(TWO_LAYER)
    group = ensemble(TWO_LAYER, given, {}, precision="float32")
    group.stop()
    assert group.advance(FOREVER)["loss"]["step"].size == 0
    group.resume()
    assert advanced(group) == advanced(ensemble(TWO_LAYER, given, precision="float32"))


def test_more_runs_than_a_block_has_threads():
    model = pc.Minimalist(3)
    one = members(model)
    many = {
        "starts": np.tile(one["starts"], (5, 1)), "lrs": LRS * 5,
        "seeds": np.tile(one["seeds"], 5), "runs": np.tile(one["runs"], 5),
    }  # fmt: skip
    expected = advanced(ensemble(model, one, precision="float32"))
    tuning = {"team": "thread", "lanes": 32}
    assert advanced(ensemble(model, many, tuning, precision="float32")) == expected * 5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lrs": ["0.1"]}, "one row each"),
        ({"starts": np.zeros((7, 3))}, "3 parameters: must have 5"),
    ],
)
def test_members_that_do_not_fit(change, sentence):
    model = pc.Minimalist(3)
    with pytest.raises(ValueError, match=sentence):
        ensemble(model, {**members(model), **change}, {}, precision="float64")


def test_other_series_are_refused():
    model = pc.Minimalist(3)
    run = arguments(model, record=pc.Record(parameters=1), precision="float64")
    with pytest.raises(ValueError, match="loss, windows and sharpness"):
        _core.Ensemble(**run, **members(model), device=_core.host_device())
