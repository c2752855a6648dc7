"""The core's ensembles at their boundary; tests/study/test_ensemble.py has what they compute."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice import _core
from precipice.engines.core import core_arguments
from precipice.simulation import prepare


def make(members=3, record=None, optimizer=None, **changed):
    plan = prepare(
        pc.problems.fig6(), pc.Minimalist(), optimizer or pc.GD("2/50"),
        precision="float64", steps=50, init=pc.init.constant("0.01"), loss="mean",
        record=record or pc.Record(loss=10, sharpness=25, window=20),
    ).plan  # fmt: skip
    given = {
        "starts": np.full((members, 3), 0.01) * np.arange(1, members + 1)[:, None],
        "lrs": ["2/50"] * members,
        "seeds": np.zeros(members, np.uint64),
        "runs": np.arange(members, dtype=np.uint64),
    }
    return _core.Ensemble(**core_arguments(plan), **(given | changed))


def finished(ensemble):
    """Run to the end; return the columns of all blocks."""
    blocks = []
    while ensemble.running:
        blocks.append(ensemble.advance(0.05))
    return {
        (name, column): np.concatenate([block[name][column] for block in blocks])
        for name in blocks[0]
        for column in blocks[0][name]
    }


def test_records_are_columns_with_the_member_of_each_entry():
    ensemble = make()
    assert len(ensemble) == 3
    records = finished(ensemble)
    assert records["loss", "member"].tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert records["loss", "step"].tolist() == [0, 10, 20, 30, 40, 50] * 3
    assert records["sharpness", "step"].tolist() == [0, 1, 25, 26, 50] * 3
    assert records["windows", "begin"].tolist() == [0, 20, 40] * 3
    assert records["windows", "last_step"].tolist() == [19, 39, 50] * 3
    assert ensemble.outcomes() == ["max_steps"] * 3
    assert ensemble.steps().tolist() == [50] * 3


@pytest.mark.parametrize("texts", [False, True])
def test_starts_are_floats_or_exact_texts(texts):
    starts = [["0.01", "1/3", "0x1p-5"], ["0.02", "0.25", "2"]]
    floats = np.array([[0.01, 1 / 3, 2**-5], [0.02, 0.25, 2.0]])
    ensemble = make(2, starts=starts if texts else floats)
    begun = [ensemble.parameters(i) for i in range(2)]
    assert begun[1]["v"] == ["0x1p+1"]
    assert [float.fromhex(x) for x in begun[0]["u"]] == [0.01, 1 / 3]


def test_members_go_on_from_where_they_were_in_any_order():
    whole = make()
    finished(whole)
    first, second = make(), make()
    for member in (2, 0):
        one = make(1, starts=np.full((1, 3), 0.01) * (member + 1))
        for _ in range(1000):  # in the middle of its run
            one.advance(0)
            if one.steps()[0]:
                break
        second.restore(member, one.state(0))
        assert second.steps()[member] == one.steps()[0]
    finished(first)
    finished(second)
    for member in range(3):
        assert first.parameters(member) == whole.parameters(member) == second.parameters(member)


def test_a_member_that_has_ended_may_be_taken_back():
    ensemble = make(2)
    state = ensemble.state(1)
    finished(ensemble)
    ended = ensemble.parameters(1)
    ensemble.restore(1, state)
    assert ensemble.outcomes() == ["max_steps", "running"]
    assert ensemble.steps().tolist() == [50, 0]
    finished(ensemble)
    assert ensemble.parameters(1) == ended


def test_a_stopped_ensemble_advances_no_further():
    ensemble = make()
    ensemble.stop()
    ensemble.advance(1)
    assert ensemble.steps().tolist() == [0, 0, 0]
    ensemble.resume()
    finished(ensemble)
    assert ensemble.steps().tolist() == [50] * 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"starts": np.zeros((3, 4))}, "start = 4 numbers: must be 3"),
        ({"starts": np.zeros(3)}, "starts = array: must have a row a member"),
        ({"starts": np.zeros((0, 3)), "lrs": [], "seeds": [], "runs": []}, "members = none"),
        ({"lrs": ["1"]}, "members = columns of different length"),
        ({"runs": np.zeros(2, np.uint64)}, "members = columns of different length"),
        ({"lrs": ["1", "1", "one"]}, None),
        ({"record": pc.Record(parameters=1)}, "record = other series"),
        ({"record": pc.Record(eigenvalues=1)}, "record = other series"),
        ({"optimizer": pc.GD(pc.lr.warmup("2/50", 3))}, "optimizer = schedule or flow"),
        ({"optimizer": pc.GradientFlow()}, "optimizer = schedule or flow"),
    ],
)  # fmt: skip
def test_what_is_no_ensemble_is_refused(changed, message):
    with pytest.raises(ValueError, match=message and f"^{message}"):
        finished(make(**changed))


def test_a_member_that_has_ended_has_no_state():
    ensemble = make()
    finished(ensemble)
    with pytest.raises(ValueError, match="^member = 1: must not have ended"):
        ensemble.state(1)
