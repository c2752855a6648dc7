"""What a run records, how it ends, and what it refuses."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import precipice as pc
from precipice.errors import InvalidArgument
from precipice.exact import from_text
from precipice.simulation import prepare

ENGINES = ["core", "reference"]


def fig6(steps=50, **keywords):
    """Return a run of fig6; keywords replace the usual arguments."""
    arguments = {
        "problem": pc.problems.fig6(),
        "model": pc.Minimalist(),
        "optimizer": pc.GD("2/50"),
        "steps": steps,
        "init": pc.init.constant("0.01"),
        **keywords,
    }
    return pc.simulate(**arguments)


@pytest.mark.parametrize("engine", ENGINES)
def test_series_have_their_own_steps(engine):
    run = fig6(50, record=pc.Record(loss=7, sharpness=20, parameters=25), engine=engine)
    assert run.loss.step.tolist() == [0, 7, 14, 21, 28, 35, 42, 49, 50]
    assert run.sharpness.step.tolist() == [0, 1, 20, 21, 40, 41, 50]
    assert run.trajectory.step.tolist() == [0, 25, 50]
    assert run.trajectory["u"].shape == (3, 2)
    assert run.trajectory["v"].shape == (3, 1)
    assert run.layer_imbalance is None
    assert (run.outcome, run.steps) == (pc.Outcome.MAX_STEPS, 50)


@pytest.mark.parametrize("engine", ENGINES)
def test_unnamed_series_are_not_recorded(engine):
    run = fig6(5, record=pc.Record(), engine=engine)
    assert run.loss is None
    assert run.sharpness is None
    assert run.trajectory is None
    assert run.events().catapults == ()
    assert run.to_dict()["final"] == {"loss": None, "log2_loss": None, "sharpness": None}


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr113", "mpfr30"])
def test_engines_agree(precision):
    """The same bits from the core and from the readable text; sharpness to a few roundings."""
    record = pc.Record(loss=1, sharpness=1, parameters=50, layer_imbalance=10)
    core, reference = (
        fig6(800, loss="mean", precision=precision, record=record, engine=engine)
        for engine in ENGINES
    )
    assert (core.outcome, core.steps) == (reference.outcome, reference.steps)
    assert core.exact_texts() == reference.exact_texts()
    assert core.trajectory.texts == reference.trajectory.texts
    np.testing.assert_array_equal(core.loss.value, reference.loss.value)
    np.testing.assert_array_equal(core.loss.step, reference.loss.step)
    np.testing.assert_allclose(core.loss.log2, reference.loss.log2, rtol=0, atol=1e-14)
    np.testing.assert_allclose(core.sharpness.value, reference.sharpness.value, rtol=1e-12)
    np.testing.assert_allclose(
        core.layer_imbalance.value, reference.layer_imbalance.value, rtol=1e-10
    )
    assert core.lr == reference.lr
    assert set(core.settings) == set(reference.settings)


SMALL = pc.problems.from_arrays(
    np.random.default_rng(1).normal(size=(7, 4)), [1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0]
)
ARITHMETICS = {
    "narrow": {"precision": "float16"},
    "staged": {"precision": "bfloat16/accumulate=float32/parameters=float32", "order": "pairwise"},
    "stochastic": {"precision": "bfloat16:sr", "order": "kahan", "rounding_seed": 3},
    "custom": {"precision": "p13_emin-40_emax20_sub/order=exact"},
    "everything": {
        "precision": "float8_e5m2/parameters=float16:sr/update=mpfr90:ru/measurement=float32",
        "order": "fused", "rounding_seed": 8,
    },
}  # fmt: skip
STEPPED = {
    "heavy ball": pc.HeavyBall("1/20", "0.5"),
    "sgd": pc.SGD("1/20", 2, "iid", momentum="0.5", nesterov=True),
    "event": pc.GD(pc.lr.at_event("2/50", "sharpness>=1/lr", "1/50")),
    "flow": pc.GradientFlow("0.01"),
}


@pytest.mark.parametrize("arithmetic", ARITHMETICS.values(), ids=ARITHMETICS)
@pytest.mark.parametrize("optimizer", STEPPED.values(), ids=STEPPED)
@pytest.mark.parametrize(
    ("model", "keywords"),
    [
        (pc.Minimalist(3), {"tol": 1e-4}),
        (pc.TwoLayerLinear(3, contraction="layerwise"), {}),
        (pc.Minimalist(), {"coordinates": "spectral", "measure_precision": "mpfr60"}),
    ],
)
def test_engines_agree_in_any_arithmetic(model, keywords, optimizer, arithmetic):
    """Formats reach what is rounded in Python too: the factors, the surface, η and the data."""
    if isinstance(optimizer, pc.SGD) and "coordinates" in keywords:
        pytest.skip("mini-batches are primal")
    core, reference = (
        pc.simulate(
            SMALL, model, optimizer, steps=30, init=pc.init.pytorch(0), engine=engine,
            **keywords, **arithmetic,
        )
        for engine in ENGINES
    )  # fmt: skip
    assert (core.outcome, core.steps, core.lr) == (reference.outcome, reference.steps, reference.lr)
    assert core.event_step == reference.event_step
    assert core.exact_texts() == reference.exact_texts()
    np.testing.assert_array_equal(core.loss.value, reference.loss.value)
    np.testing.assert_allclose(core.sharpness.value, reference.sharpness.value, rtol=1e-6)
    assert core.settings["precision"] == reference.settings["precision"]
    assert core.settings["order"] == reference.settings["order"]


def test_blow_up_step_is_recorded_whatever_the_cadence():
    run = fig6(900, loss="mean", precision="mpfr113", record=pc.Record(loss=100, sharpness=100))
    assert (run.outcome, run.steps, run.blowup_step) == (pc.Outcome.BLOWUP, 678, 678)
    assert run.loss.step[-1] == 678
    assert run.sharpness.step[-1] == 678
    assert run.events().blowup.step == 678


@pytest.mark.parametrize("engine", ENGINES)
def test_converged_run_ends_early(engine):
    problem = pc.problems.from_arrays([[2.0]], [1.0])
    init = pc.init.explicit({"u": [0.5], "v": [0.5]})
    run = fig6(5000, problem=problem, init=init, tol=1e-6, engine=engine)
    assert run.outcome is pc.Outcome.CONVERGED
    assert run.loss.value[-1] < 1e-6 <= run.loss.value[-2]


def test_convergence_is_counted_from_what_no_parameters_can_reduce():
    """With y outside col(X), L ends at kappa ||y_perp||^2 = 1/2."""
    problem = pc.problems.from_arrays([[2.0], [0.0]], [1.0, 1.0])
    init = pc.init.explicit({"u": [0.5], "v": [0.5]})
    run = fig6(5000, problem=problem, init=init, loss="half_sum", tol=1e-10)
    assert run.outcome is pc.Outcome.CONVERGED
    assert run.loss.value[-1] == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("engine", ENGINES)
def test_time_limit_ends_a_run(engine):
    run = fig6(10**9, optimizer=pc.GD("1e-9"), record=pc.Record(loss=10**6), max_seconds=0.2,
               precision="mpfr500", engine=engine)  # fmt: skip
    assert run.outcome is pc.Outcome.TIME
    assert 0 < run.steps < 10**9
    assert run.loss.step[-1] == run.steps


def test_stop_ends_a_run_and_keeps_what_was_computed():
    stop = threading.Event()
    prepared = prepare(
        pc.problems.fig6(), pc.Minimalist(), pc.GD("1e-9"), steps=10**9,
        init=pc.init.constant("0.01"), record=pc.Record(loss=1000),
    )  # fmt: skip
    threading.Timer(0.3, stop.set).start()
    run = prepared.run(stop)
    assert run.outcome is pc.Outcome.CANCELLED
    assert 0 < run.steps < 10**9
    assert run.loss.step[-1] > run.steps - 1001
    assert len(run.parameters()["u"]) == 2


def test_stop_is_seen_within_a_long_step():
    """A step of 60 x 500 at 100000 bits takes half a minute, a stop a fraction of a second."""
    rng = np.random.default_rng(0)
    # Entries of full width, or the products would be short.
    third = [["1/3"] * 500] * 60
    problem = pc.problems.from_arrays(third, rng.standard_normal(60))
    stop = threading.Event()
    prepared = prepare(
        problem, pc.Minimalist(), pc.GD("0.01"), precision="mpfr100000", steps=10,
        init=pc.init.constant("1/7"), problem_dtype="exact", record=pc.Record(loss=1),
    )  # fmt: skip
    stopped = []
    timer = threading.Timer(1.0, lambda: (stopped.append(time.perf_counter()), stop.set()))
    timer.start()
    run = prepared.run(stop)
    assert run.outcome is pc.Outcome.CANCELLED
    assert run.steps == 0
    assert time.perf_counter() - stopped[0] < 5


def test_progress_is_reported():
    seen = []
    prepared = prepare(
        pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"), steps=100,
        init=pc.init.constant("0.01"),
    )  # fmt: skip
    run = prepared.run(progress=seen.append)
    assert seen[-1].step == seen[-1].steps == 100
    assert seen[-1].loss == run.loss.value[-1]
    assert seen[-1].sharpness == run.sharpness.value[-1]
    assert seen[-1].threshold == 50


def test_problem_dtype_is_rounded_first():
    """science: the drop at p = 113 is 1587 for the float64 problem and 1585 with all exact."""
    printed = pc.problems.from_arrays(
        [["1.54099607", "-0.2934289"], ["-2.17878938", "0.56843126"]],
        ["-1.08452237", "-1.39859545"],
    )
    drops = {
        dtype: fig6(1700, problem=printed, precision="mpfr113", problem_dtype=dtype)
        .events().catapults[0].drop_step
        for dtype in ("float64", "exact")
    }  # fmt: skip
    assert drops == {"float64": 1587, "exact": 1585}


def test_result_does_not_depend_on_the_callers_gmpy2_context():
    import gmpy2

    expected = fig6(30, precision="mpfr200").exact_texts()
    with gmpy2.context(precision=5, round=gmpy2.RoundUp, emin=-10, emax=10):
        run = fig6(30, precision="mpfr200")
        u = run.parameters()["u"]
    assert run.exact_texts() == expected
    assert u[0].precision == 200


def test_run_states_its_definitions():
    settings = fig6(3, loss="sum", precision="mpfr99").settings
    assert settings["loss"].startswith("sum")
    assert settings["order"] == "sequential"
    assert settings["coordinates"] == "primal"
    assert settings["problem_dtype"] == "float64"
    assert settings["precision"]["bits"] == 99
    assert {"precipice", "mpfr", "gmp", "numpy", "gmpy2"} <= set(settings["versions"])


@pytest.mark.parametrize(
    ("keywords", "argument", "rule"),
    [
        ({"precision": "float31"}, "precision", "must be one of"),
        ({"precision": "mpfr1"}, "precision", "2 to 100000"),
        ({"precision": "mpfr100001"}, "precision", "2 to 100000"),
        ({"loss": "huber"}, "loss", "half_mean"),
        ({"order": "sideways"}, "order", "sequential"),
        ({"coordinates": "gram"}, "coordinates", "primal"),
        ({"measure_precision": "mpfr1"}, "measure_precision", "working"),
        ({"engine": "gpu"}, "engine", "core or reference"),
        ({"problem_dtype": "decimal"}, "problem_dtype", "exact"),
        ({"steps": -1}, "steps", "at least 0"),
        ({"steps": 2.5}, "steps", "integer"),
        ({"tol": 0.0}, "tol", "positive"),
        ({"tol": math.inf}, "tol", "positive"),
        ({"max_seconds": -1}, "max_seconds", "positive"),
        ({"blowup_factor": math.nan}, "blowup_factor", "positive"),
        ({"blowup_factor": 0}, "blowup_factor", "positive"),
        ({"blowup_factor": "big"}, "blowup_factor", "positive"),
    ],
)
def test_broken_arguments_are_refused(keywords, argument, rule):
    with pytest.raises(InvalidArgument, match=f"^{argument} = .*{rule}"):
        fig6(**keywords)


def test_step_size_that_vanishes_in_the_format_is_refused():
    with pytest.raises(InvalidArgument, match="^lr = 1e-400: must not round to 0"):
        fig6(optimizer=pc.GD("1e-400"))
    with pytest.raises(InvalidArgument, match="^lr = 1e-60: must not round to 0"):
        fig6(optimizer=pc.GD("1e-60"), precision="float32")


def test_data_beyond_the_formats_range_are_refused():
    problem = pc.problems.from_arrays([[1e300, 1.0]], [1.0])
    with pytest.raises(InvalidArgument, match="^X = .*overflow when rounded to float32"):
        fig6(problem=problem, precision="float32")


def test_zero_data_are_refused_where_sharpness_is_asked():
    problem = pc.problems.from_arrays([[0.0, 0.0]], [1.0])
    with pytest.raises(InvalidArgument, match="^X = zeros"):
        fig6(problem=problem)


@pytest.mark.parametrize("coordinates", ["primal", "spectral"])
@pytest.mark.parametrize("engine", ENGINES)
def test_sharpness_in_another_format(engine, coordinates):
    """Its digits are those of a measurement with more bits; float64's are a part of them."""
    arguments = {
        "precision": "mpfr128",
        "coordinates": coordinates,
        "engine": engine,
        "record": pc.Record(sharpness=10),
    }
    plain = fig6(40, **arguments).sharpness
    narrow, wide, working = (
        fig6(40, measure_precision=name, **arguments).sharpness
        for name in ("mpfr100", "mpfr300", "working")
    )
    assert plain.text is None
    np.testing.assert_allclose(wide.value, plain.value, rtol=1e-13)
    for bits, series in ((100, narrow), (128, working)):
        rounding = pc.Precision.parse(f"mpfr{bits}")
        rounded = [rounding.round(from_text(text, 300)) for text in wide.text]
        assert [from_text(text, bits) for text in series.text] == rounded


INTERRUPTED = """
import precipice as pc
from precipice.simulation import RunInterrupted
try:
    pc.simulate(
        pc.problems.fig6(), pc.Minimalist(), pc.GD("1e-9"), steps=10**9,
        init=pc.init.constant("0.01"), record=pc.Record(loss=10**6),
        progress=lambda now: print(now.step, flush=True),
    )
except RunInterrupted as stopped:
    print(stopped.run.outcome.value, stopped.run.steps > 0)
"""


def test_interrupted_runs_are_not_lost():
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        lines = process.stdout.read().splitlines()
    assert lines[-1] == "cancelled True"
    assert process.returncode == 0


@pytest.mark.parametrize("problem_dtype", ["float8_e4m3fn", "e3m9", "p9_emin-30_emax9:sat"])
def test_a_problem_in_any_format_is_its_numbers_to_nearest(problem_dtype):
    format_ = pc.Precision.parse(problem_dtype)
    X, y = (format_.round_array(values) for values in (SMALL.X, SMALL.y))
    rounded = pc.problems.from_arrays(X, y)
    start = pc.init.explicit({"u": [0.5, 0.25, 0.5, 0.5], "v": [0.75]})
    keywords = {"steps": 20, "init": start, "precision": "float64"}
    one = pc.simulate(SMALL, pc.Minimalist(), pc.GD("1/8"), problem_dtype=format_, **keywords)
    other = pc.simulate(rounded, pc.Minimalist(), pc.GD("1/8"), **keywords)
    assert one.exact_texts() == other.exact_texts()
    assert one.settings["problem_dtype"] == problem_dtype


@pytest.mark.parametrize("precision", ["float16", "p13_emin-40_emax20_sub", "float32:rz"])
def test_an_exact_problem_is_rounded_once_to_the_working_format(precision):
    """0.1 and 1/3 differ from their float64 neighbours; so do runs that start from them."""
    data = pc.problems.from_arrays([["0.1", "1/3"], ["2/7", "0.7"]], ["0.3", "-0.9"])
    keywords = {
        "steps": 20, "init": pc.init.constant("0.01"), "precision": precision,
        "problem_dtype": "exact",
    }  # fmt: skip
    core, reference = (
        pc.simulate(data, pc.Minimalist(), pc.GD("1/3"), engine=engine, **keywords)
        for engine in ENGINES
    )
    assert core.exact_texts() == reference.exact_texts()
    once = pc.Precision.parse(precision).round_array(data.X)
    same = pc.problems.from_arrays(once, pc.Precision.parse(precision).round_array(data.y))
    again = pc.simulate(same, pc.Minimalist(), pc.GD("1/3"), **keywords)
    assert again.exact_texts() == core.exact_texts()
