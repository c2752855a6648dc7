"""Windows of the loss: what a loss recorded now and then would miss."""

from __future__ import annotations

import math

import numpy as np
import pytest

import precipice as pc
from interruptions import run_in_pieces
from precipice.errors import InvalidArgument
from precipice.loss_windows import windows_of

FIG6 = (pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"))
COLUMNS = ("begin", "least", "least_step", "greatest", "greatest_step", "last", "last_step")


def keywords(**changed):
    return {
        "precision": "float64",
        "steps": 1003,
        "init": pc.init.constant("0.01"),
        "loss": "mean",
        "record": pc.Record(loss=1, window=100),
        **changed,
    }


def expected(losses, width):
    """Return the rows of the windows of a run's losses, found the slow way."""
    rows = []
    for begin in range(0, len(losses), width):
        part = list(enumerate(losses))[begin : begin + width]
        least = greatest = part[0]
        for step, loss in part:
            if loss < least[1] or (math.isnan(least[1]) and not math.isnan(loss)):
                least = (step, loss)
            if loss > greatest[1] or (math.isnan(loss) and not math.isnan(greatest[1])):
                greatest = (step, loss)
        last = part[-1]
        rows.append((begin, least[1], least[0], greatest[1], greatest[0], last[1], last[0]))
    return rows


def assert_rows(windows, rows):
    for name, column in zip(COLUMNS, zip(*rows, strict=True), strict=True):
        np.testing.assert_array_equal(getattr(windows, name), column, err_msg=name)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"precision": "float32"},
        {"precision": "mpfr113"},  # blows up at 678
        {"precision": "mpfr8"},  # stalls at 951
        {"precision": "bfloat16:sr", "rounding_seed": 1},
        {"precision": "double_double"},
        {"precision": "float32->mpfr64@550"},
        {"precision": "float64", "steps": 0},
        {"precision": "float64", "steps": 99},
        {"precision": "float16", "blowup_factor": None, "loss": "sum", "steps": 400},  # to NaN
    ],
)
@pytest.mark.parametrize("engine", ["core", "reference"])
def test_windows_are_those_of_every_loss(changed, engine):
    if engine == "reference" and changed.get("precision") == "double_double":
        pytest.skip("the reference text rounds each operation once")
    run = pc.simulate(*FIG6, **keywords(**changed), engine=engine)
    losses = run.loss.value.tolist()
    assert len(losses) == run.steps + 1
    assert_rows(run.loss_windows, expected(losses, 100))
    without_loss = {**changed, "record": pc.Record(window=100)}
    alone = pc.simulate(*FIG6, **keywords(**without_loss), engine=engine)
    assert alone.loss is None
    assert_rows(alone.loss_windows, expected(losses, 100))


@pytest.mark.parametrize("width", [1, 7, 1003, 1004, 5000])
def test_windows_of_every_width(width):
    run = pc.simulate(*FIG6, **keywords(record=pc.Record(loss=1, window=width)))
    assert_rows(run.loss_windows, expected(run.loss.value.tolist(), width))


def test_an_adaptive_cadence_that_goes_back_counts_each_step_once():
    record = pc.Record(loss=1, sharpness=pc.Adaptive(200), window=50)
    run = pc.simulate(*FIG6, **keywords(record=record))
    plain = pc.simulate(*FIG6, **keywords(record=pc.Record(loss=1, window=50)))
    assert np.any(np.diff(run.sharpness.step) > 1)
    assert_rows(run.loss_windows, expected(plain.loss.value.tolist(), 50))


def test_two_layers_and_gradient_flow_have_windows_too():
    problem = pc.problems.gaussian(n=6, d=4, seed=1)
    for model, optimizer in (
        (pc.TwoLayerLinear(3), pc.GD("1/10")),
        (pc.Minimalist(3), pc.GradientFlow(every=5)),
    ):
        run = pc.simulate(
            problem, model, optimizer, **keywords(init=pc.init.pytorch(3), steps=45,
            record=pc.Record(loss=1, window=10)),
        )  # fmt: skip
        assert_rows(run.loss_windows, expected(run.loss.value.tolist(), 10))


@pytest.mark.parametrize("changed", [{}, {"precision": "mpfr113"}, {"precision": "bfloat16:sr",
                                     "rounding_seed": 2}])  # fmt: skip
def test_a_resumed_run_has_the_same_windows(tmp_path, changed):
    changed = {**changed, "record": pc.Record(loss=10, window=333), "steps": 3000}
    whole = pc.simulate(*FIG6, **keywords(**changed))
    pieces = run_in_pieces(tmp_path / "run", FIG6, keywords(**changed))
    assert_rows(pieces.loss_windows, list(zip(*whole.loss_windows.named().values(), strict=True)))


def test_windows_are_saved_and_shown(tmp_path):
    changed = {**keywords(), "precisions": ["float32", "float64"]}
    del changed["precision"]
    comparison = pc.compare(*FIG6, **changed)
    comparison.save(tmp_path / "out")
    loaded = pc.load(tmp_path / "out")
    assert loaded == comparison
    for run, again in zip(comparison.runs, loaded.runs, strict=True):
        assert_rows(again.loss_windows, expected(run.loss.value.tolist(), 100))
    shown = comparison.runs[0].to_dict()["loss_windows"]
    assert list(shown) == list(COLUMNS)
    assert shown["greatest"][6] == comparison.runs[0].loss.value[600:700].max()
    frame = comparison.runs[0].to_pandas()
    spike = shown["greatest_step"][6]
    assert frame.window_greatest_loss[spike] == shown["greatest"][6]
    dataset = comparison.runs[0].to_xarray()
    np.testing.assert_array_equal(dataset.loss_least, shown["least"])


def test_a_run_without_windows_says_nothing_of_them():
    run = pc.simulate(*FIG6, **keywords(steps=5, record=pc.Record(loss=1)))
    assert run.loss_windows is None
    assert "loss_windows" not in run.to_dict()


@pytest.mark.parametrize(
    "losses",
    [
        [],
        [1.0],
        [2.0, 1.0, 1.0, 3.0, 3.0],
        [math.nan, 1.0, math.nan, math.inf],
        [1.0, math.inf, math.nan, 0.0],
        [math.nan] * 5,
    ],
)
@pytest.mark.parametrize("width", [1, 2, 4, 10])
def test_windows_of_given_losses(losses, width):
    windows = windows_of(losses, width)
    rows = expected(losses, width)
    if rows:
        assert_rows(windows, rows)
    assert windows.begin.size == -(-len(losses) // width)


def test_a_window_is_a_number_of_steps():
    with pytest.raises(InvalidArgument, match=r"^record.window = -1: must be an integer"):
        pc.Record(window=-1)
