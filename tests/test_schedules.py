"""Learning-rate schedules: what each step takes, in the description and in runs."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import gmpy2
import pytest

import precipice as pc
from oracles import optimizers as oracle
from oracles.minimalist import FLOAT64
from oracles.minimalist import rounded as rounded_to
from oracles.sharpness import sharpness
from precipice import schedules
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.precision import Precision
from precipice.simulation import prepare
from precipice.stepping import RoundedEvent, RoundedSchedule, stepping
from test_optimizer_runs import (
    ENGINES,
    FORMATS,
    MODELS,
    assert_same_run,
    data,
    oracle_model,
    problem,
    rounded,
)

WRITTEN = [
    "warmup:0.1,100",
    "piecewise:0.1*500,0.05*500",
    "piecewise:0.1*500,0.05",
    "piecewise:2/50",
    "event:0.1,sharpness>=2/lr,0.05",
    "event:0.1,loss<=1e-6,0.2",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_text_and_description_are_read_back(written):
    schedule = pc.lr.parse(written)
    assert str(schedule) == written
    again = schedules.from_description(json.loads(json.dumps(schedule.describe())))
    assert again == schedule


def test_text_is_what_the_functions_say():
    assert pc.lr.parse("2/50") == "2/50"
    assert pc.lr.parse(" warmup: 0.1, 100") == pc.lr.warmup("0.1", 100)
    pieces = pc.lr.piecewise(("0.1", 500), "0.05")
    assert pc.lr.parse("piecewise:0.1*500,0.05") == pieces == pc.lr.piecewise(["0.1", 500], "0.05")
    event = pc.lr.at_event("0.1", "sharpness >= 2/lr", "0.05")
    assert pc.lr.parse("event:0.1,sharpness>=2/lr,0.05") == event


def test_floats_stay_exact():
    schedule = pc.lr.piecewise((0.1, 5), Fraction(1, 3))
    again = schedules.from_description(json.loads(json.dumps(schedule.describe())))
    assert [text(lr) for _, lr in again.pieces(9)] == [text(gmpy2.mpfr(0.1)), "1/3"]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("cosine:0.1,3", "must be a number, warmup:LR,STEPS"),
        ("warmup:0.1", "must be a number, warmup"),
        ("warmup:0.1,many", "many must be a number of steps"),
        ("warmup:0.1,0", "must be an integer of at least 1"),
        ("warmup:0.1,", "must be a number of steps"),
        ("warmup:0,3", "must be positive"),
        ("warmup:fast,3", "must be a finite real number"),
        ("warmup:1e-400,3", "must be within float64's range"),
        ("piecewise:0.1,0.2", "every piece but the last must be (lr, steps)"),
        ("piecewise:0.1*x", "x must be a number of steps"),
        ("piecewise:", "must be a finite real number"),
        ("event:0.1,loss<=1", "must be a number, warmup"),
        ("event:0.1,speed>=1,0.2", 'must be such as "sharpness>=2/lr"'),
        ("event:0.1,loss=1,0.2", 'must be such as "sharpness>=2/lr"'),
        ("event:0.1,loss<=2/lr/lr,0.2", "must be a finite real number"),
        ("event:0.1,loss<=-2/lr,0.2", "number/lr must be positive"),
        ("event:0.1,loss<=,0.2", 'must be such as "sharpness>=2/lr"'),
        ("event:0.1,loss<=1,0", "must be positive"),
    ],
)
def test_bad_text_is_refused_in_one_line(written, rule):
    with pytest.raises(InvalidArgument) as error:
        pc.lr.parse(written)
    assert rule in str(error.value)
    assert "\n" not in str(error.value)


def test_bad_pieces_are_refused():
    for pieces in ((), (("0.1", 3, 4),), (("0.1", None),), (("0.1", 2.5), "1"), ("1", ("1", 2))):
        with pytest.raises(InvalidArgument):
            pc.lr.piecewise(*pieces)
    with pytest.raises(InvalidArgument, match=r"^event = 3"):
        pc.lr.at_event("0.1", 3, "0.2")


def test_warm_up_is_exact_and_rounded_once():
    pieces = pc.lr.warmup("1/3", 7).pieces(100)
    assert [first for first, _ in pieces] == list(range(7))
    assert [gmpy2.mpq(lr) for _, lr in pieces] == [gmpy2.mpq(t + 1, 21) for t in range(7)]
    assert len(pc.lr.warmup("1/3", 10**12).pieces(4)) == 5
    rounded_to = stepping(
        pc.GD(pc.lr.warmup("1/3", 7)), 100, Precision.parse("float64"), Precision.parse("mpfr10")
    )
    for t in range(10):
        exactly = gmpy2.mpq(min(t + 1, 7), 21)
        assert rounded_to.step_sizes.at(t) == gmpy2.mpfr(exactly, 53)
        assert rounded_to.lr_at(t) == float(gmpy2.mpfr(gmpy2.mpfr(exactly, 53), 10))


def test_a_schedule_says_which_step_takes_what():
    schedule = RoundedSchedule((0, 3, 10), (1.0, 2.0, 3.0))
    steps = [0, 2, 3, 9, 10, 10**9]
    assert [schedule.at(t) for t in steps] == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert schedule.floats_at(steps).tolist() == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]
    assert schedule.constant_since() == 10


def test_an_event_switches_a_schedule_once():
    event = RoundedEvent("loss", above=False, bound=0.5, lr=9.0)
    assert [event.reached(x) for x in (0.6, 0.5, 0.4, math.nan, -math.inf)] == [
        False, True, True, False, True,
    ]  # fmt: skip
    schedule = RoundedSchedule((0, 3, 10), (1.0, 2.0, 3.0), event)
    assert schedule.constant_since() == math.inf
    for step, expected in ((0, [9, 9, 9]), (3, [1, 9, 9]), (5, [1, 2, 9]), (99, [1, 2, 3])):
        switched = schedule.switched(step)
        assert [switched.at(t) for t in (0, 3, 10)] == expected
        assert switched.at(step) == 9
        assert switched.constant_since() == step


def test_bounds_follow_the_working_learning_rate():
    schedule = pc.lr.at_event("0.1", "sharpness>=2/lr", "0.05")
    for name in ("float32", "float64", "mpfr113"):
        plan = prepare(
            problem(), pc.Minimalist(), pc.GD(schedule), precision=name, steps=3,
            init=pc.init.pytorch(0),
        ).plan  # fmt: skip
        assert plan.step_sizes.event.bound == 2 / plan.lr
    assert schedules.Event("loss<=1/3").bound(0.1) == 1 / 3


def by_pieces(*pieces):
    """The oracle's words for pieces (first step, η)."""

    def lr(t):
        index = max(i for i, (first, _) in enumerate(pieces) if first <= t)
        return rounded(pieces[index][1]), index == len(pieces) - 1

    return lr


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("engine", ENGINES)
def test_scheduled_runs_equal_the_oracle(engine, model, precision):
    ramp = [(t, gmpy2.mpq(t + 1, 130)) for t in range(13)]
    steady = by_pieces((0, "0.1"), (5, "0.05"), (11, "1/3"))
    schedule = pc.lr.piecewise(("0.1", 5), ("0.05", 6), "1/3")
    beta = rounded("0.5")
    for optimizer, rule in (
        (pc.GD(pc.lr.warmup("0.1", 13)), oracle.Rule(by_pieces(*ramp))),
        (pc.GD(pc.lr.warmup("2.6", 26 * 13)), oracle.Rule(by_pieces(*(
            (t, gmpy2.mpq(t + 1, 130)) for t in range(338))))),
        (pc.GD(schedule), oracle.Rule(steady)),
        (pc.HeavyBall(schedule, momentum="0.5"), oracle.Rule(steady, beta)),
        (pc.SGD(schedule, 3, momentum="0.5", nesterov=True),
         oracle.Rule(steady, beta, nesterov=True, samples=(3, "reshuffle", 0))),
    ):  # fmt: skip
        assert_same_run(engine, precision, model, optimizer, rule, "mean")


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("engine", ENGINES)
def test_events_of_the_loss_equal_the_oracle(engine, model, precision):
    for optimizer, momentum in ((pc.GD, None), (pc.HeavyBall, "0.5")):
        for above, bound in ((False, 0.45), (True, 0.1), (False, 1e-9)):
            comparison = ">=" if above else "<="

            def reached(t, loss, theta, above=above, bound=bound):
                return loss >= bound if above else loss <= bound

            schedule = pc.lr.at_event("0.1", f"loss{comparison}{bound}", "0.02")
            given = {} if momentum is None else {"momentum": momentum}
            rule = oracle.Rule(
                by_pieces((0, "0.1")),
                None if momentum is None else rounded(momentum),
                event=(reached, rounded("0.02")),
            )
            run = assert_same_run(
                engine, precision, model, optimizer(schedule, **given), rule, "half_mean"
            )
            if above:
                assert run.event_step == 0
            if bound == 1e-9:
                assert run.event_step is None


@pytest.mark.parametrize("precision", ["float64", "mpfr113"])
@pytest.mark.parametrize("engine", ENGINES)
def test_events_of_the_sharpness_equal_the_oracle(engine, precision):
    X, y = data()

    def reached(t, loss, theta):
        u, v = ([float(p) for p in theta[part]] for part in (slice(5), slice(5, None)))
        return sharpness(X, y, u, v, "half_mean") >= 2 / 1.5

    rule = oracle.Rule(by_pieces((0, "1.5")), event=(reached, rounded("0.05")))
    optimizer = pc.GD(pc.lr.at_event("1.5", "sharpness>=2/lr", "0.05"))
    init = pc.init.normal(0.1, 0.1, 3)
    keywords = {"loss": "half_mean", "steps": 40, "init": init}
    run = pc.simulate(
        problem(), pc.Minimalist(2), optimizer, precision=precision, engine=engine,
        record=pc.Record(loss=1, sharpness=1, parameters=1), **keywords,
    )  # fmt: skip
    start = init.draw(pc.Minimalist(2), problem())
    theta = rounded_to(FLOAT64, [*start["u"].tolist(), *start["v"].tolist()])
    model = oracle_model(pc.Minimalist(2), FORMATS[precision], "half_mean", X, y)
    states, outcome, last, event_step = oracle.run(model, theta, rule, 40)
    assert 0 < event_step < 35
    assert (run.outcome.value, run.steps, run.event_step) == (outcome, last, event_step)
    assert run.loss.value.tolist() == [float(state.loss) for state in states]
    assert run.sharpness.value[event_step] >= 2 / 1.5 > run.sharpness.value[event_step - 1]
    assert run.lr_at([event_step - 1, event_step, 99]).tolist() == [1.5, 0.05, 0.05]
    assert run.to_dict()["event_step"] == event_step


@pytest.mark.parametrize("engine", ENGINES)
def test_an_event_is_seen_where_its_series_is_recorded(engine):
    """The loss falls below the bound within 10 steps; every 10th step looks."""
    optimizer = pc.GD(pc.lr.at_event("0.1", "loss<=0.45", "0.02"))
    found = [
        pc.simulate(
            problem(), pc.Minimalist(2), optimizer, steps=30, init=pc.init.pytorch(1),
            engine=engine, record=pc.Record(loss=cadence),
        ).event_step
        for cadence in (1, 10)
    ]  # fmt: skip
    assert 0 < found[0] < 10
    assert found[1] == 10


@pytest.mark.parametrize("engine", ENGINES)
def test_an_event_is_one_of_the_float64_measurement(engine):
    """In another measuring format the recorded sharpness has more digits; the event is the same."""
    optimizer = pc.GD(pc.lr.at_event("2/50", "sharpness>=20", "1/50"))
    for coordinates in ("primal", "spectral"):
        measured = [
            pc.simulate(
                pc.problems.fig6(), pc.Minimalist(), optimizer, steps=450, loss="mean",
                init=pc.init.constant("0.01"), engine=engine, measure_precision=name,
                coordinates=coordinates,
            )
            for name in ("float64", "mpfr100")
        ]  # fmt: skip
        assert 0 < measured[0].event_step == measured[1].event_step
        assert measured[0].exact_texts() == measured[1].exact_texts()
        assert measured[1].sharpness.text is not None


@pytest.mark.parametrize("engine", ENGINES)
def test_events_are_found_against_the_threshold_of_their_step(engine):
    """Fig. 6 crosses 2/η = 50 at step 548; η is halved just then, and 100 is crossed later."""
    optimizer = pc.GD(pc.lr.at_event("2/50", "sharpness>=2/lr", "1/50"))
    run = pc.simulate(
        pc.problems.fig6(), pc.Minimalist(), optimizer, steps=1000, loss="mean",
        init=pc.init.constant("0.01"), engine=engine,
    )  # fmt: skip
    assert run.event_step == 548
    events = run.events()
    assert (events.threshold, events.crossing) == (50.0, 789)
    (catapult,) = events.catapults
    assert run.threshold_at(catapult.crossing) == 100.0
    assert catapult.overshoot == catapult.peak_sharpness / 100
    assert run.sharpness.value[788] < 100 <= run.sharpness.value[789]
