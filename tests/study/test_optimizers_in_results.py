"""Every optimiser in a comparison: saved, read back, shown in table and figure."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import precipice as pc
from constructed import make_run
from precipice.cli.session import event_lines
from precipice.errors import InvalidArgument
from precipice.study.storage import load
from precipice.study.table import caption, optimizer_text

EVENT = pc.lr.at_event("2/50", "sharpness>=2/lr", "1/50")
OPTIMIZERS = {
    "heavy ball": (
        pc.HeavyBall("2/50", momentum="0.5"), "heavy ball η = 2/50, β = 0.5", "(2+2β)/η = 75",
    ),
    "nesterov": (
        pc.Nesterov("2/50", momentum="0.5"), "Nesterov η = 2/50, β = 0.5",
        "(2+2β)/((1+2β)η) = 37.5",
    ),
    "sgd": (pc.SGD("2/50", 1, seed=3), "SGD η = 2/50, B = 1 reshuffle, seed 3", "2/η = 50 "),
    "sgd with momentum": (
        pc.SGD("2/50", 2, "iid", momentum="0.5", nesterov=True),
        "SGD η = 2/50, β = 0.5 (Nesterov), B = 2 iid, seed 0", "(2+2β)/((1+2β)η) = 37.5",
    ),
    "warm-up": (
        pc.GD(pc.lr.warmup("2/50", 4)), "GD η = warmup:2/50,4", "2/η = 200 at step 0"
    ),
    "event": (
        pc.GD(EVENT), "GD η = event:2/50,sharpness>=2/lr,1/50", "2/η = 50 at step 0"
    ),
    "flow": (pc.GradientFlow("0.01"), "gradient flow h = 0.01", "overshoot: none"),
}  # fmt: skip


def compared(optimizer, steps=20, **keywords):
    return pc.compare(
        pc.problems.fig6(), pc.Minimalist(), optimizer, precisions=["float32", "mpfr64"],
        steps=steps, init=pc.init.constant("0.01"), loss="mean",
        **{"engine": "reference", **keywords},
    )  # fmt: skip


@pytest.mark.parametrize(("optimizer", "words", "threshold"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_comparisons_are_read_back_equal(tmp_path, optimizer, words, threshold):
    comparison = compared(optimizer)
    comparison.save(tmp_path / "out")
    loaded = load(tmp_path / "out")
    assert loaded == comparison
    json.dumps(comparison.to_dict(), allow_nan=False)
    assert optimizer_text(loaded) == words
    assert threshold in " ".join(caption(loaded))
    assert max(map(len, caption(loaded))) <= 100
    steps = np.arange(21)
    for run, twin in zip(comparison.runs, loaded.runs, strict=True):
        np.testing.assert_array_equal(twin.lr_at(steps), run.lr_at(steps))
        np.testing.assert_array_equal(twin.threshold_at(steps), run.threshold_at(steps))
        assert twin.events() == run.events()
    assert loaded.table() == comparison.table()


@pytest.fixture(scope="module")
def switched():
    """A comparison whose schedules' events have come, and that both runs then pass 100."""
    return compared(pc.GD(EVENT), steps=1000)


def test_an_event_s_step_is_kept(tmp_path, switched):
    switched.save(tmp_path / "out")
    loaded = load(tmp_path / "out")
    assert loaded == switched
    assert [run.event_step for run in loaded.runs] == [548, 548]
    assert [run.threshold_at(547).item() for run in loaded.runs] == [
        pytest.approx(50), pytest.approx(50),
    ]  # fmt: skip
    assert loaded.runs[1].threshold_at(548) == 100
    document = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert [run["event_step"] for run in document["runs"]] == [548, 548]
    assert document["runs"][1]["crossing"] == 789


def test_an_event_is_told(switched):
    lines = event_lines(switched.runs[1])
    assert lines[0] == "schedule: its event came at step 548"
    assert "crosses 2/η = 100 at step 789" in lines[1]


def test_figures_show_a_threshold_that_varies(switched):
    figure = switched.plot()
    sharpness = figure.axes[1]
    assert "2/η\n= 100" in {text.get_text() for text in sharpness.texts}
    steps = [line for line in sharpness.lines if line.get_drawstyle() == "steps-post"]
    assert len(steps) == 2
    assert set(steps[1].get_ydata()) == {50.0, 100.0}
    bottom, top = sharpness.get_ylim()
    assert bottom <= 50
    assert top >= 100


def test_figures_of_a_flow_have_no_threshold():
    figure = compared(pc.GradientFlow("0.01")).plot()
    labels = {text.get_text().split("\n")[0] for text in figure.axes[1].texts}
    assert labels <= {"predicted"}
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["float32\nends at step 20", "mpfr64\nends at step 20"]
    assert event_lines(compared(pc.GradientFlow("0.01")).runs[0]) == [
        "a flow: no threshold to cross"
    ]


def test_an_adaptive_flow_has_no_learning_rate_to_read_back(tmp_path):
    optimizer = pc.GradientFlow(factor=0.5)
    comparison = compared(optimizer, engine="core")
    comparison.save(tmp_path / "out")
    loaded = load(tmp_path / "out")
    assert loaded == comparison
    for run, twin in zip(comparison.runs, loaded.runs, strict=True):
        assert math.isnan(run.lr)
        assert np.isnan(twin.lr_at([0, 5])).all()
        assert twin.threshold_at(3) == math.inf
        np.testing.assert_array_equal(twin.time.value, run.time.value)
    assert optimizer_text(loaded) == "gradient flow h = 0.5/S, S every 50 steps"


def test_a_flow_s_time_is_recorded_with_its_loss(tmp_path):
    core, reference = (
        compared(pc.GradientFlow("1/128"), engine=engine) for engine in ("core", "reference")
    )
    for comparison in (core, reference):
        for run in comparison.runs:
            np.testing.assert_array_equal(run.time.value, np.arange(21) / 128)
            assert "time" in run.to_xarray()
    assert compared(pc.GD("2/50")).runs[0].time is None
    core.save(tmp_path / "out")
    assert load(tmp_path / "out") == core


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("optimizer", "name"), "adam"),
        (("optimizer", "schedule", "name"), "cosine"),
        (("optimizer", "schedule", "event"), "speed>=1"),
        (("optimizer", "schedule", "then_exact"), "-1"),
        (("optimizer", "schedule"), 3),
        (("runs", 0, "exact", "event_step"), -1),
        (("runs", 0, "exact", "event_step"), "548"),
        (("runs", 0, "exact", "event_step"), True),
        (("runs", 0, "exact", "lr"), "nan"),
        (("runs", 0, "exact", "settings", "optimizer"), {"name": "gd"}),
        (("runs", 0, "exact", "settings", "optimizer", "schedule", "lr_exact"), "0x0p+0"),
    ],
)
def test_damaged_optimizers_are_not_read(tmp_path, switched, keys, value):
    out = tmp_path / "out"
    switched.save(out)
    document = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    entry = document
    for key in keys[:-1]:
        entry = entry[key]
    entry[keys[-1]] = value
    (out / "comparison.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InvalidArgument, match=r"directory = .*must hold undamaged results \("):
        load(out)


def test_another_schedule_is_another_comparison(tmp_path, switched):
    switched.save(tmp_path / "out")
    with pytest.raises(InvalidArgument, match="other results"):
        compared(pc.GD("2/50")).save(tmp_path / "out")


def test_a_plain_run_is_written_as_before():
    run = make_run()
    assert (run.event_step, run.threshold_formula) == (None, "2/η")
    assert "event_step" not in run.to_dict()
