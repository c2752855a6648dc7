"""Whole runs of every optimiser against the oracle, bit for bit, on both engines."""

from __future__ import annotations

import itertools

import gmpy2
import numpy as np
import pytest

import precipice as pc
from oracles import minimalist
from oracles import optimizers as oracle
from precipice.checkpoint import Checkpoint
from precipice.engines.core import CoreEngine
from precipice.losses import LOSSES
from precipice.simulation import prepare

ENGINES = ["reference", "core"]
FORMATS = {
    "float32": minimalist.FLOAT32,
    "float64": minimalist.FLOAT64,
    **{f"mpfr{bits}": minimalist.wide(bits) for bits in (2, 53, 113, 256)},
}
MODELS = {
    "minimalist": pc.Minimalist(2),
    "minimalist of depth 4": pc.Minimalist(4),
    "collapsed": pc.TwoLayerLinear(4),
    "layerwise": pc.TwoLayerLinear(4, "none", "layerwise"),
}
SAMPLES, FEATURES = 7, 5
BETA = "0.7"


def data(seed=0, samples=SAMPLES):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, FEATURES))
    return X, np.where(np.arange(samples) % 2, 1.0, -1.0)


def problem(**keywords):
    return pc.problems.from_arrays(*data(**keywords))


def rounded(number):
    """The problem's η and β."""
    return minimalist.round_to(minimalist.FLOAT64, number)


def optimizer_and_rule(name, lr):
    """An optimiser, and what the oracle calls it."""
    eta, beta = rounded(lr), rounded(BETA)

    def constant(_):
        return eta, True

    batches = {"iid": (3, "iid", 11), "reshuffle": (3, "reshuffle", 11), "all": (7, "iid", 0)}
    if name == "heavy ball":
        return pc.HeavyBall(lr, momentum=BETA), oracle.Rule(constant, beta)
    if name == "nesterov":
        return pc.Nesterov(lr, momentum=BETA), oracle.Rule(constant, beta, nesterov=True)
    if name == "flow":
        return pc.GradientFlow(lr), oracle.Rule(flow_step=eta)
    sampling, _, kind = name.removeprefix("sgd ").partition(" + ")
    size, drawn, seed = batches[sampling]
    momentum = BETA if kind else "0"
    nesterov = kind == "nesterov"
    return (
        pc.SGD(lr, size, drawn, seed, momentum=momentum, nesterov=nesterov),
        oracle.Rule(constant, beta if kind else None, nesterov, batches[sampling]),
    )


OPTIMIZERS = [
    "heavy ball",
    "nesterov",
    "flow",
    "sgd iid",
    "sgd reshuffle",
    "sgd all",
    "sgd reshuffle + momentum",
    "sgd iid + nesterov",
]


def oracle_model(model, fmt, loss, X, y):
    X, y = (minimalist.rounded(fmt, minimalist.rounded(minimalist.FLOAT64, a)) for a in (X, y))
    if isinstance(model, pc.Minimalist):
        return oracle.Minimalist(fmt, X, y, loss)
    scaled, collapsed = model.scale != "none", model.contraction == "collapsed"
    return oracle.TwoLayer(fmt, X, y, loss, model.width, scaled, collapsed)


def number(text, bits):
    with gmpy2.context(precision=max(2, bits), emin=-(2**30) + 1, emax=2**30 - 1):
        return gmpy2.mpfr(text, 0, 0)


def same(actual, expected):
    if gmpy2.is_nan(expected):
        return gmpy2.is_nan(actual)
    return actual == expected and gmpy2.is_signed(actual) == gmpy2.is_signed(expected)


def assert_same_run(engine, precision, model, optimizer, rule, loss, steps=20, **keywords):
    """Every parameter and loss of every step, the outcome, the last step and the event's."""
    X, y = keywords.pop("data", data())
    given = pc.problems.from_arrays(X, y)
    init = keywords.pop("init", pc.init.pytorch(1))
    run = pc.simulate(
        given, model, optimizer, precision=precision, steps=steps, loss=loss, init=init,
        record=pc.Record(loss=1, parameters=1), engine=engine, **keywords,
    )  # fmt: skip
    fmt = FORMATS[precision] if precision in FORMATS else minimalist.wide(int(precision[4:]))
    start = init.draw(model, given)
    theta = [x for name in start for x in np.asarray(start[name]).ravel().tolist()]
    theta = minimalist.rounded(minimalist.FLOAT64, theta)
    states, outcome, last, event_step = oracle.run(
        oracle_model(model, fmt, loss, X, y), theta, rule, steps, **keywords
    )
    assert (run.outcome.value, run.steps, run.event_step) == (outcome, last, event_step)
    rows = list(zip(*run.trajectory.texts.values(), strict=True))
    assert len(rows) == len(states)
    for t, (row, state) in enumerate(zip(rows, states, strict=True)):
        texts = [text for block in row for text in block]
        for text, expected in zip(texts, state.theta, strict=True):
            assert same(number(text, fmt[0]), expected), t
        assert run.loss.value[t] == float(state.loss) or np.isnan(float(state.loss))
    return run


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("engine", ENGINES)
def test_runs_equal_the_oracle(engine, name, model, precision):
    """Every other format has the other two losses."""
    turn = (OPTIMIZERS.index(name) + list(FORMATS).index(precision)) % 2
    for loss in (("half_mean", "sum"), ("mean", "half_sum"))[turn]:
        lr = "0.1" if LOSSES[loss].averaged else "0.02"
        optimizer, rule = optimizer_and_rule(name, lr)
        assert_same_run(engine, precision, model, optimizer, rule, loss)


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr53", "mpfr113"])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("name", ["heavy ball", "nesterov", "flow", "sgd iid + nesterov"])
@pytest.mark.parametrize("engine", ENGINES)
def test_blow_ups_equal_the_oracle(engine, name, model, precision):
    """Through overflow and NaN; and ended where the loss, of all samples, says so."""
    optimizer, rule = optimizer_and_rule(name, "50")
    run = assert_same_run(
        engine, precision, model, optimizer, rule, "sum", steps=16, blowup_factor=None
    )
    if precision in ("float32", "float64"):
        assert np.isnan(run.loss.value[-1])
    # Slowly enough for the first ten losses, which the bound counts from, to stay finite.
    optimizer, rule = optimizer_and_rule(name, "0.6")
    ended = assert_same_run(engine, precision, model, optimizer, rule, "sum", steps=40)
    assert ended.outcome is pc.Outcome.BLOWUP


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_of_all_samples_is_gradient_descent(engine):
    for sampling in ("iid", "reshuffle"):
        sgd, gd = (
            pc.simulate(
                problem(), pc.TwoLayerLinear(4), optimizer, precision="mpfr113", steps=20,
                init=pc.init.pytorch(1), engine=engine,
            )
            for optimizer in (pc.SGD("0.1", SAMPLES, sampling), pc.GD("0.1"))
        )  # fmt: skip
        assert sgd.exact_texts() == gd.exact_texts()
        np.testing.assert_array_equal(sgd.sharpness.value, gd.sharpness.value)


@pytest.mark.parametrize("sampling", ["iid", "reshuffle"])
@pytest.mark.parametrize("engine", ENGINES)
def test_batches_are_the_same_at_every_precision(engine, sampling):
    """Runs of 113 and 256 bits differ by rounding alone; other batches part at once."""

    def final(precision, seed):
        run = pc.simulate(
            problem(), pc.Minimalist(3), pc.SGD("0.05", 2, sampling, seed), precision=precision,
            steps=30, init=pc.init.pytorch(1), engine=engine,
        )  # fmt: skip
        return run.parameters()["u"].astype(np.float64)

    with gmpy2.context(precision=300):
        np.testing.assert_allclose(final("mpfr113", 0), final("mpfr256", 0), rtol=1e-14)
    assert np.abs(final("mpfr113", 1) - final("mpfr113", 0)).max() > 1e-4


# Minimalist on one datum x = 1: an update is small, or none, where that matters.
def one_datum(y, u, v):
    init = pc.init.explicit({"u": [u], "v": [v]})
    return {"data": ([[1.0]], [y]), "init": init, "model": pc.Minimalist(2), "loss": "half_sum"}


def constant(lr):
    eta = rounded(lr)
    return lambda _: (eta, True)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_with_momentum_ends_where_its_velocity_repeats_too(engine):
    start = one_datum(1.0, 1.0, 1.0)
    rule = oracle.Rule(constant("0.5"), rounded("0.5"))
    run = assert_same_run(
        engine, "float64", optimizer=pc.HeavyBall("0.5", momentum="0.5"), rule=rule, **start
    )
    assert (run.outcome, run.steps) == (pc.Outcome.STALLED, 0)
    # An η g of a third of the last place moves nothing alone; velocity adds it up.
    start = one_datum(1.0, 1.0, 1.0 + 2**-10)
    lr, rule = 2.0**-15, oracle.Rule(constant(2.0**-15), rounded("0.875"))
    gd = assert_same_run(
        engine, "mpfr13", optimizer=pc.GD(lr), rule=oracle.Rule(constant(lr)), **start
    )
    assert (gd.outcome, gd.steps) == (pc.Outcome.STALLED, 0)
    heavy = pc.HeavyBall(lr, momentum="0.875")
    run = assert_same_run(engine, "mpfr13", optimizer=heavy, rule=rule, steps=300, **start)
    assert run.steps > 0


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("engine", ENGINES)
def test_coarse_runs_with_momentum_end_as_the_oracle_s(engine, bits):
    """Most of them in a 2-cycle or at rest; all have passed where parameters alone repeat."""
    ends = []
    for nesterov, lr, beta, u, v in itertools.product(
        (False, True), ("0.25", "0.5", "1"), ("0.25", "0.75"), (0.5, 1.5), (0.5, 2.0)
    ):
        optimizer = (pc.Nesterov if nesterov else pc.HeavyBall)(lr, momentum=beta)
        rule = oracle.Rule(constant(lr), rounded(beta), nesterov)
        run = assert_same_run(
            engine, f"mpfr{bits}", optimizer=optimizer, rule=rule, steps=60, **one_datum(3.0, u, v)
        )
        ends.append(run.outcome)
    assert pc.Outcome.LOCKED in ends
    assert pc.Outcome.STALLED in ends


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_said_of_a_map_that_changes(engine):
    """Where gradient descent has stalled, mini-batches and an unfinished schedule go on."""
    start = one_datum(1.0, 1.0, 1.0)
    run = assert_same_run(
        engine, "float64", optimizer=pc.GD("0.5"), rule=oracle.Rule(constant("0.5")), **start
    )
    assert (run.outcome, run.steps) == (pc.Outcome.STALLED, 0)
    two = {**start, "data": ([[1.0], [1.0]], [1.0, 1.0])}
    rule = oracle.Rule(constant("0.5"), samples=(1, "reshuffle", 0))
    run = assert_same_run(engine, "float64", optimizer=pc.SGD("0.5", 1), rule=rule, **two)
    assert (run.outcome, run.steps) == (pc.Outcome.MAX_STEPS, 20)

    def pieces(t):
        return rounded("0.5" if t < 9 else "0.25"), t >= 9

    schedule = pc.lr.piecewise(("0.5", 9), "0.25")
    run = assert_same_run(
        engine, "float64", optimizer=pc.GD(schedule), rule=oracle.Rule(pieces), **start
    )
    assert (run.outcome, run.steps) == (pc.Outcome.STALLED, 9)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_flow_comes_to_rest_but_is_not_locked(engine):
    start, rule = one_datum(1.0, 1.0, 1.0), oracle.Rule(flow_step=rounded("0.5"))
    run = assert_same_run(engine, "float64", optimizer=pc.GradientFlow("0.5"), rule=rule, **start)
    assert (run.outcome, run.steps) == (pc.Outcome.STALLED, 0)
    for bits, u in itertools.product((2, 3, 4), (0.5, 1.0, 3.0)):
        rule = oracle.Rule(flow_step=rounded("1"))
        optimizer, start = pc.GradientFlow("1"), one_datum(3.0, u, 2.0)
        run = assert_same_run(engine, f"mpfr{bits}", optimizer=optimizer, rule=rule, **start)
        assert run.outcome is not pc.Outcome.LOCKED


@pytest.mark.parametrize("engine", ENGINES)
def test_two_cycles_count_within_one_piece(engine):
    """Gradient descent on u v = 2 from (2, 2) flips between two points at η = 1/2."""
    start = {**one_datum(2.0, 2.0, 2.0), "loss": "sum"}
    rule = oracle.Rule(constant("0.5"))
    run = assert_same_run(engine, "float64", optimizer=pc.GD("0.5"), rule=rule, **start)
    assert (run.outcome, run.steps) == (pc.Outcome.LOCKED, 2)

    def pieces(t):
        return rounded("0.5"), t >= 4

    schedule = pc.lr.piecewise(("1/2", 4), "0.5")
    run = assert_same_run(
        engine, "float64", optimizer=pc.GD(schedule), rule=oracle.Rule(pieces), **start
    )
    assert (run.outcome, run.steps) == (pc.Outcome.LOCKED, 6)


def test_flow_is_of_order_four():
    """Halving h divides the error by 16."""

    def end(steps):
        run = pc.simulate(
            problem(), pc.TwoLayerLinear(4), pc.GradientFlow(f"1/{steps}"), precision="mpfr200",
            problem_dtype="exact", steps=steps, init=pc.init.pytorch(1), loss="half_sum",
            engine="reference", record=pc.Record(),
        )  # fmt: skip
        parameters = run.parameters()
        return np.concatenate([parameters["W"].ravel(), parameters["a"]])

    coarse, middle, fine = (end(steps) for steps in (16, 32, 64))
    with gmpy2.context(precision=200):
        ratio = float(max(abs(coarse - middle)) / max(abs(middle - fine)))
    assert np.log2(ratio) == pytest.approx(4, abs=0.15)


SAVED = {
    "heavy ball": pc.HeavyBall("0.1", momentum=BETA),
    "nesterov": pc.Nesterov(pc.lr.warmup("0.1", 30), momentum=BETA),
    "sgd reshuffle": pc.SGD("0.1", 3, momentum=BETA),
    "sgd iid": pc.SGD(pc.lr.piecewise(("0.1", 7), "0.05"), 2, "iid"),
    "event": pc.GD(pc.lr.at_event("0.1", "loss<=0.75", "0.01")),
    "flow": pc.GradientFlow("0.1"),
    "adaptive flow": pc.GradientFlow(every=7),
}


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr113", "mpfr2000"])
@pytest.mark.parametrize("model", [pc.Minimalist(3), pc.TwoLayerLinear(6)], ids=lambda m: m.name)
@pytest.mark.parametrize("optimizer", SAVED.values(), ids=SAVED)
def test_a_checkpoint_keeps_every_bit(tmp_path, optimizer, model, precision):
    """Saved and taken up again after every few steps."""
    keywords = {
        "precision": precision, "steps": 40, "init": pc.init.pytorch(1), "loss": "mean",
        "record": pc.Record(loss=1, sharpness=1, parameters=1),
    }  # fmt: skip
    whole = pc.simulate(problem(), model, optimizer, **keywords)
    plan = prepare(problem(), model, optimizer, **keywords).plan
    interruptions = 0
    while True:
        engine, checkpoint = CoreEngine(plan), Checkpoint(tmp_path, plan.spec())
        if checkpoint.exists:
            engine.restore(checkpoint)
        for _ in range(3):
            engine.advance(1e-9)  # one step
        if engine.outcome != "running":
            break
        engine.save(checkpoint)
        interruptions += 1
    assert interruptions > 5
    if optimizer is SAVED["event"]:
        assert 3 < whole.event_step < 35
    resumed = engine.gather(pc.Outcome(engine.outcome), 0.0)
    assert (resumed.outcome, resumed.steps) == (whole.outcome, whole.steps)
    assert resumed.event_step == whole.event_step
    assert resumed.texts == whole.texts
    assert resumed.trajectory.texts == whole.trajectory.texts
    np.testing.assert_array_equal(resumed.loss.value, whole.loss.value)
    np.testing.assert_array_equal(resumed.sharpness.value, whole.sharpness.value)


def test_a_checkpoint_of_another_optimizer_is_refused(tmp_path):
    keywords = {"steps": 20, "init": pc.init.pytorch(1), "checkpoint": tmp_path / "run"}
    pc.simulate(problem(), pc.Minimalist(), pc.SGD("0.1", 3), **keywords)
    for other in (pc.SGD("0.1", 3, seed=1), pc.SGD("0.1", 2), pc.HeavyBall("0.1", momentum="0.1")):
        with pytest.raises(pc.InvalidArgument, match=r"^checkpoint = .*differs in .*optimizer"):
            pc.simulate(problem(), pc.Minimalist(), other, resume=True, **keywords)


@pytest.mark.parametrize("engine", ["core", "reference"])
def test_an_event_at_the_last_step_changes_no_step_size(engine):
    """There is no update after it."""
    keywords = {"init": pc.init.constant("0.01"), "record": pc.Record(loss=5), "engine": engine}
    optimizer = pc.GD(pc.lr.at_event("2/50", "loss<=1e9", "1/50"))
    run = pc.simulate(pc.problems.fig6(), pc.Minimalist(), optimizer, steps=0, **keywords)
    assert run.event_step is None
