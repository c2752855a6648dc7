"""The adaptive cadence of the sharpness: few measurements, and no crossing missed."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from interruptions import run_in_pieces
from precipice.errors import InvalidArgument

FIG6 = {"init": pc.init.constant("0.01"), "loss": "mean", "steps": 1500}


def run(sharpness, optimizer=None, **changed):
    keywords = {**FIG6, "record": pc.Record(loss=3, sharpness=sharpness), **changed}
    return pc.simulate(pc.problems.fig6(), pc.Minimalist(), optimizer or pc.GD("2/50"), **keywords)


def assert_reads_like(adaptive, dense):
    """Same run, same events, and each measurement is the dense one of its step."""
    assert (adaptive.outcome, adaptive.steps) == (dense.outcome, dense.steps)
    assert adaptive.exact_texts() == dense.exact_texts()
    np.testing.assert_array_equal(adaptive.loss.step, dense.loss.step)
    np.testing.assert_array_equal(adaptive.loss.value, dense.loss.value)
    step = adaptive.sharpness.step
    assert np.all(np.diff(step) > 0)
    at = np.searchsorted(dense.sharpness.step, step)
    np.testing.assert_array_equal(dense.sharpness.step[at], step)
    np.testing.assert_array_equal(dense.sharpness.value[at], adaptive.sharpness.value)
    assert adaptive.events() == dense.events()


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr113", "mpfr256", "mpfr12"])
@pytest.mark.parametrize("every", [7, 32, 500])
def test_the_events_are_those_of_every_step(precision, every):
    """Blow-ups at 113 and 256 bits, two excursions in float64."""
    dense = run(1, precision=precision)
    adaptive = run(pc.Adaptive(every), precision=precision)
    assert_reads_like(adaptive, dense)
    assert adaptive.sharpness.step.size < dense.sharpness.step.size - (300 if every > 7 else 200)


def test_far_from_the_threshold_it_measures_rarely():
    calm = run(pc.Adaptive(50), optimizer=pc.GD("2/5000"))
    np.testing.assert_array_equal(calm.sharpness.step, np.arange(0, 1501, 50))


def test_a_start_above_the_threshold():
    start = {"init": pc.init.explicit({"u": ["1.5", "-1.5"], "v": ["1.5"]}), "precision": "mpfr64"}
    dense, adaptive = run(1, **start), run(pc.Adaptive(), **start)
    assert dense.sharpness.value[0] > 50
    assert_reads_like(adaptive, dense)


def test_a_blow_up_between_two_measurements_is_looked_at_step_by_step():
    """Momentum moves the threshold up: here the run blows up 112 steps from the start."""
    optimizer = pc.HeavyBall("2/50", "0.9")
    dense, adaptive = run(1, optimizer), run(pc.Adaptive(1000), optimizer)
    assert dense.outcome is pc.Outcome.BLOWUP
    assert_reads_like(adaptive, dense)
    np.testing.assert_array_equal(adaptive.sharpness.step[-50:], dense.sharpness.step[-50:])


def test_after_an_excursion_it_measures_rarely_again():
    adaptive = run(pc.Adaptive(32, near=0.5, quiet=5), steps=1500)
    gaps = np.diff(adaptive.sharpness.step)
    assert gaps.max() > 1
    assert np.flatnonzero(gaps == 1).size > 50
    assert_reads_like(adaptive, run(1))


def test_stopped_and_taken_up_again_it_is_the_same(tmp_path):
    keywords = {
        **FIG6,
        "precision": "mpfr113",
        "record": pc.Record(loss=3, sharpness=pc.Adaptive(100)),
    }
    positional = (pc.problems.fig6(), pc.Minimalist(), pc.HeavyBall("2/150", "0.5"))
    expected = pc.simulate(*positional, **keywords)
    result = run_in_pieces(tmp_path / "run", positional, keywords)
    assert (result.outcome, result.steps) == (expected.outcome, expected.steps)
    assert result.exact_texts() == expected.exact_texts()
    for name in ("loss", "sharpness"):
        one, other = getattr(result, name), getattr(expected, name)
        np.testing.assert_array_equal(one.step, other.step)
        np.testing.assert_array_equal(one.value, other.value)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"every": 0}, "adaptive.every = 0"),
        ({"near": 0}, "adaptive.near = 0"),
        ({"near": 1.5}, "adaptive.near = 1.5"),
        ({"near": "much"}, "adaptive.near = much"),
        ({"quiet": -1}, "adaptive.quiet = -1"),
    ],
)
def test_bad_input(arguments, what):
    with pytest.raises(InvalidArgument, match=what):
        pc.Adaptive(**arguments)


def test_what_has_no_threshold_refuses_it():
    with pytest.raises(InvalidArgument, match="adaptive"):
        run(pc.Adaptive(), pc.GradientFlow())
    with pytest.raises(InvalidArgument, match="adaptive"):
        run(pc.Adaptive(), engine="reference")


def test_an_event_on_the_sharpness_needs_a_fixed_cadence():
    """What the run goes back over has been recorded, and would be of another step size."""
    optimizer = pc.GD(pc.lr.at_event("2/50", "sharpness>=2/lr", "1/50"))
    with pytest.raises(InvalidArgument, match="record.sharpness = adaptive: must be a number"):
        run(pc.Adaptive(), optimizer)


@pytest.mark.parametrize("seed", [6, 18, 29])
def test_an_excursion_whose_even_steps_are_calm_is_seen(seed):
    """Above the threshold the sharpness oscillates: each measurement may be of a low step."""
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(12):
        X, y = rng.standard_normal((3, 2)), rng.standard_normal(3)
        problem = pc.Problem("drawn", X, y)
        init = pc.init.explicit({"u": rng.standard_normal(2) / 3, "v": rng.standard_normal(2) / 3})
        keywords = {"steps": 400, "init": init, "loss": "half_mean", "blowup_factor": None}
        curvature = np.linalg.norm(X, 2) ** 2 / 3 + np.linalg.norm(X.T @ y) / 3
        optimizer = pc.GD(float(rng.uniform(0.5, 2) / curvature))
        runs = [
            pc.simulate(
                problem, pc.Minimalist(3), optimizer, record=pc.Record(1, cadence), **keywords
            )
            for cadence in (1, pc.Adaptive(2, quiet=1))
        ]
        dense, adaptive = runs
        found += bool(dense.events().catapults)
        assert adaptive.events() == dense.events()
    assert found
