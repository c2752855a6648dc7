"""Descriptions of optimisers: their numbers, their errors, their stability thresholds."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction

import gmpy2
import numpy as np
import pytest

import precipice as pc
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.optimizers import (
    GD,
    SGD,
    GradientFlow,
    HeavyBall,
    Nesterov,
    Optimizer,
    from_description,
)
from precipice.simulation import prepare


@pytest.mark.parametrize(
    ("lr", "expected"),
    [
        ("2/50", "1/25"),
        ("0.02", "1/50"),
        (Fraction(2, 50), "1/25"),
        (Decimal("0.04"), "1/25"),
        (0.04, "0x1.47ae147ae147bp-5"),
        (2, "0x1p+1"),
        (gmpy2.mpq(1, 3), "1/3"),
    ],
)
def test_the_learning_rate_is_exact(lr: object, expected: str) -> None:
    assert text(GD(lr=lr).exact_lr()) == expected
    assert GD(lr=lr).describe()["lr_exact"] == expected


def test_the_learning_rate_is_kept_as_written() -> None:
    assert GD(lr="2/50").lr == "2/50"
    assert GD("2/50").describe() == {"name": "gd", "lr": "2/50", "lr_exact": "1/25"}


@pytest.mark.parametrize("lr", ["2/50", 0.04, Fraction(2, 50), gmpy2.mpfr("0.1", 200)])
def test_a_description_gives_back_the_same_number(lr: object) -> None:
    again = GD.from_description(GD(lr=lr).describe())
    assert again.exact_lr() == GD(lr=lr).exact_lr()


def test_a_description_gives_back_the_same_text() -> None:
    assert GD.from_description(GD(lr="2/50").describe()).lr == "2/50"


@pytest.mark.parametrize("lr", [0, "0", -0.1, "-2/50", "-0.0"])
def test_the_learning_rate_is_positive(lr: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^lr = .*: must be positive$"):
        GD(lr=lr)


@pytest.mark.parametrize("lr", ["fast", "", "2/0", float("nan"), float("inf"), None, True])
def test_the_learning_rate_is_a_finite_number(lr: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^lr = .*: must "):
        GD(lr=lr)


def test_another_optimizers_description_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"^optimizer = .*: must have name"):
        GD.from_description({"name": "sgd", "lr_exact": "0x1p-1"})


ALL = [
    GD("2/50"),
    GD(pc.lr.warmup("0.1", 5)),
    GD(pc.lr.piecewise(("0.1", 3), "1/3")),
    GD(pc.lr.at_event("0.1", "sharpness>=2/lr", "0.05")),
    HeavyBall("0.1", momentum="9/10"),
    HeavyBall(pc.lr.piecewise(("0.1", 500), ("0.05", 500)), momentum=0),
    Nesterov("0.1", momentum="0.9"),
    SGD("0.1", 32),
    SGD("0.1", 1, "iid", 2**64 - 1, momentum="0.5", nesterov=True),
    GradientFlow(),
    GradientFlow(factor=0.5, every=10, guard=False),
    GradientFlow("1/1000"),
]


@pytest.mark.parametrize("optimizer", ALL, ids=str)
def test_descriptions_are_read_back_through_json(optimizer):
    described = json.loads(json.dumps(optimizer.describe()))
    again = from_description(described)
    assert type(again) is type(optimizer)
    assert again.describe() == described
    assert isinstance(again, Optimizer)
    if not isinstance(optimizer, GradientFlow):
        assert again.exact_lr() == optimizer.exact_lr()
    assert again.exact_momentum() == optimizer.exact_momentum()


def test_floats_are_read_back_exactly():
    optimizer = HeavyBall(0.1, momentum=0.9)
    again = from_description(optimizer.describe())
    assert again.exact_lr() == gmpy2.mpq(0.1)
    assert again.exact_momentum() == gmpy2.mpq(0.9)


@pytest.mark.parametrize(
    "description",
    [
        {}, {"name": "adam"}, {"name": ["gd"]}, {"name": "gd"}, {"name": "gd", "schedule": {}},
        {"name": "gd", "schedule": {"name": "warmup", "steps": 3}}, {"name": "gd", "schedule": 3},
        {"name": "gd", "lr": "0.1", "lr_exact": "fast"},
        {"name": "heavy-ball", "lr": "0.1", "lr_exact": "1/10"},
        {"name": "sgd", "lr": "0.1", "lr_exact": "1/10", "momentum_exact": "0x0p+0"},
        {"name": "gradient-flow"}, {"name": "gradient-flow", "step": None},
        {"name": "gradient-flow", "step": "0.1"}, [], "gd",
    ],
)  # fmt: skip
def test_what_describes_no_optimizer_is_refused(description):
    with pytest.raises(InvalidArgument) as error:
        from_description(description)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HeavyBall("0.1", momentum="1"), "momentum = 1: must be at least 0 and below 1"),
        (lambda: Nesterov("0.1", momentum="-0.1"), "momentum = -0.1: must be at least 0"),
        (lambda: Nesterov("0.1", momentum=True), "momentum = True: must be a finite"),
        (lambda: HeavyBall("-1", momentum="0.5"), "lr = -1: must be positive"),
        (lambda: SGD("0.1", 0), "batch_size = 0: must be an integer of at least 1"),
        (lambda: SGD("0.1", 2.5), "batch_size = 2.5: must be an integer"),
        (lambda: SGD("0.1", 2, "random"), "sampling = random: must be reshuffle or iid"),
        (lambda: SGD("0.1", 2, seed=-1), "seed = -1: must be an integer of at least 0"),
        (lambda: SGD("0.1", 2, seed=2**64), f"seed = {2**64}: must be an integer from 0 to"),
        (lambda: SGD("0.1", 2, momentum=1), "momentum = 1: must be"),
        (lambda: SGD("0.1", 2, nesterov=True), "nesterov = True: needs a momentum above 0"),
        (lambda: SGD("0.1", 2, nesterov="yes"), "nesterov = yes: must be True or False"),
        (lambda: GradientFlow("0"), "step = 0: must be positive"),
        (lambda: GradientFlow(factor=0), "factor = 0: must be a positive number"),
        (lambda: GradientFlow(factor=math.inf), "factor = inf: must be a positive number"),
        (lambda: GradientFlow(factor="1"), "factor = 1: must be a positive number"),
        (lambda: GradientFlow(every=0), "every = 0: must be an integer of at least 1"),
        (lambda: GradientFlow(guard=1), "guard = 1: must be True or False"),
        (lambda: GradientFlow("0.1", every=10), "every = 10: must be left out with a fixed step"),
    ],
)
def test_bad_numbers_are_named(make, message):
    with pytest.raises(InvalidArgument) as error:
        make()
    assert str(error.value).startswith(message)


def grown(optimizer, curvature, steps=4000):
    """Say whether an optimiser's iterates on curvature θ²/2 grow."""
    theta, velocity, eta = 1.0, 0.0, 0.1
    beta = float(optimizer.momentum) if hasattr(optimizer, "momentum") else 0.0
    for _ in range(steps):
        g = curvature * theta
        velocity = beta * velocity + g
        nesterov = isinstance(optimizer, Nesterov) or getattr(optimizer, "nesterov", False)
        theta -= eta * (g + beta * velocity if nesterov else velocity)
    return abs(theta) > 1


@pytest.mark.parametrize(
    "optimizer",
    [GD("0.1"), HeavyBall("0.1", momentum="0.6"), Nesterov("0.1", momentum="0.6"), SGD("0.1", 1),
     SGD("0.1", 1, momentum="0.6"), SGD("0.1", 1, momentum="0.6", nesterov=True)],
    ids=str,
)  # fmt: skip
def test_above_the_stability_threshold_a_quadratic_grows(optimizer):
    threshold = optimizer.stability_threshold(0.1)
    assert not grown(optimizer, 0.995 * threshold)
    assert grown(optimizer, 1.005 * threshold)


def test_a_flow_has_no_threshold():
    assert GradientFlow().stability_threshold(0.1) == math.inf
    run = simulated(GradientFlow("0.5"), steps=5)
    assert run.events().catapults == ()
    assert run.to_dict()["threshold"] is None
    assert run.threshold_at([0, 3]).tolist() == [math.inf, math.inf]


def prepared(optimizer, **keywords):
    X = np.random.default_rng(0).standard_normal((6, 3))
    defaults = {"steps": 10, "init": pc.init.pytorch(1), "engine": "reference"}
    return prepare(
        pc.problems.from_arrays(X, np.ones(6)), pc.Minimalist(), optimizer, **defaults | keywords
    )


def simulated(optimizer, **keywords):
    return prepared(optimizer, **keywords).run()


@pytest.mark.parametrize(
    ("optimizer", "keywords", "message"),
    [
        (SGD("0.1", 7), {}, "batch_size = 7: must be at most the problem's 6 samples"),
        (SGD("0.1", 2), {"coordinates": "spectral"}, "coordinates = spectral: must be primal"),
        (HeavyBall("0.1", momentum="0.9"), {"precision": "mpfr2"},
         "momentum = 0.9: must not round to 1 in mpfr2"),
        (HeavyBall("0.1", momentum="0.99999999999999999999"), {},
         "momentum = 0.99999999999999999999: must not round to 1 in float64"),
        (GradientFlow(), {}, "engine = reference: needs a fixed step for gradient flow"),
        (GradientFlow("1e-400"), {}, "step = 1e-400: must not round to 0 in float64"),
        (GradientFlow("1e-60"), {"precision": "float32"}, "step = 1e-60: must not round to 0"),
        (GD(pc.lr.piecewise(("0.1", 4), ("0.2", 5))), {},
         "lr = piecewise of 9 steps: must not end before the run's 10 steps"),
        (GD(pc.lr.at_event("0.1", "loss<=1", "0.2")), {"record": pc.Record(sharpness=1)},
         "record.loss = 0: must be recorded for the event loss<=1"),
        (GD(pc.lr.at_event("0.1", "sharpness>=2/lr", "0.2")), {"record": pc.Record(loss=1)},
         "record.sharpness = 0: must be recorded"),
        (GD(pc.lr.warmup("1e-300", 10**9)), {"precision": "float32", "steps": 3},
         "lr = warmup:1e-300,1000000000: must not round to 0"),
        ("gd", {}, "optimizer = gd: must be a GD or HeavyBall or Nesterov or SGD or GradientFlow"),
        (GD, {}, "optimizer = "),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(optimizer, keywords, message):
    with pytest.raises(InvalidArgument) as error:
        prepared(optimizer, **keywords)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_momentum_is_rounded_to_the_problem_and_the_threshold_follows():
    plan = prepared(HeavyBall("0.1", momentum="0.7"), precision="mpfr2").plan
    assert plan.momentum == gmpy2.mpfr("0.7", 53)
    assert plan.stepping.factor == 2 + 2 * 0.75
    exact_plan = prepared(HeavyBall("0.1", momentum="0.7"), problem_dtype="exact").plan
    assert exact_plan.momentum == gmpy2.mpq(7, 10)


def test_runs_tell_their_threshold():
    run = simulated(Nesterov("0.25", momentum="0.5"), steps=3)
    assert run.threshold_at(2) == 3 / (0.25 * 2)
    assert run.threshold_formula == "(2+2β)/((1+2β)η)"
    assert run.events().threshold == 6.0
    plain = simulated(GD("0.25"), steps=3)
    assert (plain.threshold_at(2), plain.lr_at([0, 3]).tolist()) == (8.0, [0.25, 0.25])
    assert plain.events().threshold == 8.0


def test_results_state_the_optimizer():
    optimizer = SGD("0.25", 2, momentum="0.5")
    run = simulated(optimizer, steps=3)
    assert run.settings["optimizer"] == optimizer.describe()
    assert "lr_exact" not in run.settings
    assert "optimizer" not in simulated(GD("0.25"), steps=3).settings
