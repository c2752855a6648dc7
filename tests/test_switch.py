"""Runs whose format changes on their way: bits, records, checkpoints, and what is said of them."""

from __future__ import annotations

import json
import math
import os

import numpy as np
import pytest
from click.testing import CliRunner

import precipice as pc
from interruptions import run_in_pieces
from oracles import minimalist
from oracles.optimizers import Rule
from oracles.switching import switched
from precipice.cli.main import main
from precipice.errors import InvalidArgument
from precipice.simulation import prepare
from precipice.stepping import RoundedSchedule, Stepping
from precipice.switching import SwitchedPrecision, parse_precision, spliced
from test_optimizer_runs import (
    ENGINES,
    FORMATS,
    MODELS,
    OPTIMIZERS,
    data,
    number,
    optimizer_and_rule,
    oracle_model,
    problem,
    rounded,
    same,
)

SOAK = int(os.environ.get("PRECIPICE_SOAK", "1"))


def assert_same_run(
    engine, precisions, model, optimizer, rules, switches, tests, steps=20, **keywords
):
    """Every parameter and loss of every step, the outcome, the last step and the switches'."""
    loss = keywords.pop("loss", "half_mean")
    init = keywords.pop("init", pc.init.pytorch(1))
    X, y = keywords.pop("data", data())
    given = pc.problems.from_arrays(X, y)
    later = zip(precisions[1:], switches, strict=True)
    run = pc.simulate(
        given, model, optimizer, steps=steps, loss=loss, init=init, engine=engine,
        precision="->".join([precisions[0], *(f"{p}@{s}" for p, s in later)]),
        record=pc.Record(loss=1, parameters=1), **keywords,
    )  # fmt: skip
    formats = [FORMATS.get(p) or minimalist.wide(int(p[4:])) for p in precisions]
    start = init.draw(model, given)
    theta = [x for name in start for x in np.asarray(start[name]).ravel().tolist()]
    states, outcome, last, came = switched(
        [oracle_model(model, fmt, loss, X, y) for fmt in formats],
        minimalist.rounded(minimalist.FLOAT64, theta),
        [rules] * len(formats),
        tests,
        steps,
        **keywords,
    )
    assert (run.outcome.value, run.steps) == (outcome, last)
    assert run.switch_steps == (*came, *[None] * (len(switches) - len(came)))
    assert run.loss.step.tolist() == [state.step for state in states] == [*range(last + 1)]
    rows = list(zip(*run.trajectory.texts.values(), strict=True))
    bits = max(fmt[0] for fmt in formats)
    for t, (row, state) in enumerate(zip(rows, states, strict=True)):
        texts = [text for block in row for text in block]
        for text, expected in zip(texts, state.theta, strict=True):
            assert same(number(text, bits), expected), t
        assert run.loss.value[t] == float(state.loss) or np.isnan(float(state.loss))
    return run


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("name", ["gd", *OPTIMIZERS])
@pytest.mark.parametrize("engine", ENGINES)
def test_runs_equal_the_oracle(engine, name, model):
    wider, narrower = ("float32", "mpfr256"), ("mpfr113", "float32")
    if name == "gd":
        optimizer, rule = pc.GD("0.03"), Rule(lambda _: (rounded("0.03"), True))
    else:
        optimizer, rule = optimizer_and_rule(name, "0.03")
    for step, precisions in ((0, wider), (1, narrower), (13, wider)):
        assert_same_run(engine, precisions, model, optimizer, rule, [step], [step])


@pytest.mark.parametrize("engine", ENGINES)
def test_chains_equal_the_oracle(engine):
    rule = Rule(lambda _: (rounded("0.03"), True), rounded("0.7"))
    for switches in ([2, 9], [5, 5], [0, 0], [3, 40]):
        assert_same_run(
            engine, ("float32", "mpfr2", "mpfr113"), pc.Minimalist(3),
            pc.HeavyBall("0.03", "0.7"), rule, switches, switches,
        )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_blow_ups_are_those_of_the_whole_run(engine):
    """The losses of the first ten steps count in whichever format they were."""
    rule = Rule(lambda _: (rounded("3"), True))
    for step in (0, 2, 5):
        for factor in (2.0, 1e6, math.inf):
            assert_same_run(
                engine, ("float32", "mpfr53"), pc.Minimalist(2), pc.GD("3"), rule, [step], [step],
                init=pc.init.constant("0.1"), blowup_factor=factor, steps=30,
            )  # fmt: skip


@pytest.mark.parametrize("bits", range(3, 12, 2))
@pytest.mark.parametrize("engine", ENGINES)
def test_cycles_and_rest_are_looked_for_anew(engine, bits):
    """Coarse runs stall and lock; what the format before did is no part of a cycle."""
    X, y = np.array([[1.0]]), np.array([1.0])
    for eta in ("0.5", "1.75", "2"):
        rule = Rule(lambda _, eta=eta: (rounded(eta), True))
        for step in (1, 2, 7):
            for then in (f"mpfr{bits}", "mpfr60", "mpfr2"):
                assert_same_run(
                    engine, (f"mpfr{bits}", then), pc.Minimalist(2), pc.GD(eta), rule,
                    [step], [step], data=(X, y), steps=60,
                    init=pc.init.explicit({"u": [0.7], "v": [0.9]}),
                )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_a_locked_run_needs_two_updates_of_one_format(engine):
    start = {"init": pc.init.explicit({"u": [1.0], "v": [2.0]}), "steps": 40, "engine": engine}
    given = pc.problems.from_arrays([[1.0]], [1.0])

    def run(precision):
        return pc.simulate(
            given, pc.Minimalist(2), pc.GD("0.9"), precision=precision, blowup_factor=None, **start
        )

    plain = run("mpfr7")
    assert plain.outcome is pc.Outcome.LOCKED
    for step in range(plain.steps):
        again = run(f"mpfr7->mpfr7@{step}")
        assert again.outcome is pc.Outcome.LOCKED
        assert again.steps == max(plain.steps, step + 2)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cadence", [1, 3])
def test_an_event_of_the_loss_is_seen_where_it_is_recorded(engine, cadence):
    eta = rounded("0.03")
    keywords = {
        "model": pc.Minimalist(2),
        "optimizer": pc.GD("0.03"),
        "init": pc.init.pytorch(1),
        "steps": 60,
        "engine": engine,
    }
    plain = pc.simulate(problem(), precision="float32", record=pc.Record(loss=1), **keywords)
    bound = float(plain.loss.value[20])
    first = next(t for t in range(61) if t % cadence == 0 and plain.loss.value[t] <= bound)
    if cadence == 1:
        rule = Rule(lambda _: (eta, True))
        run = assert_same_run(
            engine, ("float32", "mpfr100"), pc.Minimalist(2), pc.GD("0.03"), rule,
            [f"loss<={bound!r}"], [lambda state: float(state.loss) <= bound], steps=60,
        )  # fmt: skip
    else:
        run = pc.simulate(
            problem(), precision=f"float32->mpfr100@loss<={bound!r}",
            record=pc.Record(loss=cadence), **keywords,
        )  # fmt: skip
    assert run.switch_steps == (first,)


def arguments(**changed):
    """A run of fig6 that passes 2/η."""
    keywords = {
        "precision": "float32->mpfr128@sharpness>=2/lr",
        "steps": 2000,
        "init": pc.init.constant("0.01"),
        "record": pc.Record(loss=1, sharpness=1, parameters=100, layer_imbalance=50),
        **changed,
    }
    return (pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50")), keywords


def simulate(**changed):
    positional, keywords = arguments(**changed)
    return pc.simulate(*positional, **keywords)


@pytest.mark.parametrize("cadence", [1, 4, 7])
def test_an_event_of_the_sharpness_is_the_crossing_of_the_threshold(cadence):
    """η is the one that the format rounds: 2/η of float32 is not that of mpfr128."""
    record = pc.Record(loss=1, sharpness=cadence, parameters=1)
    run = simulate(record=record)
    before = simulate(precision="float32", record=record)
    threshold = 2 / float(np.float32(0.04))
    reached = before.sharpness.step[before.sharpness.value >= threshold][0]
    assert run.switch_steps == (reached,)
    kept = run.sharpness.step <= reached
    np.testing.assert_array_equal(run.sharpness.value[kept], before.sharpness.value[: kept.sum()])
    assert np.all(np.diff(run.sharpness.step) > 0)
    assert np.all(np.diff(run.loss.step) == 1)
    same_step = simulate(precision=f"float32->mpfr128@{reached}", record=record)
    assert same_step.trajectory.texts == run.trajectory.texts
    assert run.threshold_at(reached - 1) == threshold
    assert run.threshold_at(reached) == 2 / 0.04


@pytest.mark.parametrize("engine", ENGINES)
def test_the_bound_follows_a_schedule(engine):
    """number/lr is over the η of the step, and a schedule's own event goes on in both formats."""
    positional, keywords = arguments(engine=engine, steps=300)
    lr = pc.lr.piecewise(("2/50", 100), ("4", 1), "2/50")  # 2/lr = 50, once 0.5
    run = pc.simulate(
        *positional[:2], pc.GD(lr), **keywords | {"precision": "float64->mpfr90@sharpness>=2/lr"}
    )
    assert run.switch_steps == (100,)  # where 2/lr falls below the sharpness
    assert run.lr_at([99, 100, 101]).tolist() == [0.04, 4.0, 0.04]
    event = pc.lr.at_event("2/50", f"loss<={float(run.loss.value[90])!r}", "2/40")
    plain = pc.simulate(*positional[:2], pc.GD(event), **keywords | {"precision": "mpfr90"})
    t = plain.event_step
    assert t == 90
    for step in (t - 1, t, t + 1):
        run = pc.simulate(
            *positional[:2], pc.GD(event), **keywords | {"precision": f"mpfr90->mpfr90@{step}"}
        )
        assert run.event_step == t
        assert run.trajectory.texts == plain.trajectory.texts
        np.testing.assert_array_equal(run.loss.value, plain.loss.value)


def assert_same_records(one, other):
    assert (one.outcome, one.steps, one.switch_steps) == (
        other.outcome,
        other.steps,
        other.switch_steps,
    )
    assert one.exact_texts() == other.exact_texts()
    for name in ("loss", "sharpness", "layer_imbalance", "time"):
        a, b = getattr(one, name), getattr(other, name)
        if a is not None or b is not None:
            np.testing.assert_array_equal(a.step, b.step)
            np.testing.assert_array_equal(a.value, b.value)
    if one.trajectory is not None:
        assert one.trajectory.texts == other.trajectory.texts


@pytest.mark.parametrize(
    "precision",
    [
        "float64->float64@7",
        "mpfr100->mpfr100@7->mpfr100@300",
        "float32->float32@sharpness>=2/lr",
        "double_double->double_double@50",
    ],
)
def test_a_switch_to_the_same_format_changes_nothing(precision):
    plain = simulate(precision=precision.split("->")[0])
    run = simulate(precision=precision)
    assert None not in run.switch_steps
    assert_same_records(run, pc_replace(plain, run.switch_steps))


def pc_replace(run, steps):
    from dataclasses import replace

    return replace(run, switch_steps=steps)


def test_a_switch_that_never_comes_changes_nothing():
    plain = simulate(precision="float32", steps=300)
    for never in ("300", "5000", "loss<=1e-9", "sharpness<=1/lr"):
        if never.startswith("sharpness"):
            continue  # below the threshold at the start
        run = simulate(precision=f"float32->mpfr128@{never}", steps=300)
        assert run.switch_steps == (None,)
        assert_same_records(run, pc_replace(plain, (None,)))
        assert run.threshold_at(0) == plain.threshold_at(0)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"precision": "float32->mpfr200@40->float64@sharpness>=2/lr->mpfr13@1700"},
        {"precision": "mpfr10->float32@sharpness>=2/lr", "steps": 3000},
        {"precision": "float64->mpfr77@500", "coordinates": "spectral"},
        {"precision": "double_double->mpfr300@loss<=0.9"},
        {"record": pc.Record(loss=3, sharpness=7, parameters=10)},
    ],
)
def test_interrupted_runs_go_on_bit_for_bit(tmp_path, changed):
    whole = simulate(**changed)
    positional, keywords = arguments(**changed)
    pieces = run_in_pieces(tmp_path / "run", positional, keywords, seconds=0.003)
    assert_same_records(pieces, whole)
    assert pieces.stepping == whole.stepping


@pytest.mark.parametrize(
    "optimizer",
    [
        pc.HeavyBall("0.01", "0.9"),
        pc.SGD("0.01", batch_size=2, seed=1, momentum="0.5", nesterov=True),
        pc.GradientFlow(step="0.01"),
        pc.GradientFlow(factor=1.0, every=10),
    ],
)
@pytest.mark.parametrize("model", ["minimalist", "collapsed"])
def test_interrupted_runs_of_every_optimiser_go_on(tmp_path, optimizer, model):
    draw = np.random.default_rng(2)
    given = pc.problems.from_arrays(draw.normal(size=(5, 3)), draw.normal(size=5))
    positional = (given, MODELS[model], optimizer)
    keywords = {
        "precision": "float32->mpfr80@100->float64@loss<=0.2",
        "steps": 400,
        "init": pc.init.pytorch(3),
        "record": pc.Record(loss=1, sharpness=5, parameters=50),
    }
    whole = pc.simulate(*positional, **keywords)
    assert whole.switch_steps[0] == 100
    pieces = run_in_pieces(tmp_path / "run", positional, keywords, seconds=0.003)
    assert_same_records(pieces, whole)


def test_a_damaged_checkpoint_is_told(tmp_path):
    positional, keywords = arguments(steps=5000)
    prepare(*positional, checkpoint=tmp_path, **keywords).run()
    path = tmp_path / "state.json"
    document = json.loads(path.read_text())
    for steps in (None, [1, 2, 3], "x", [["y"]]):
        document["state"]["switch_steps"] = steps
        path.write_text(json.dumps(document))
        with pytest.raises(InvalidArgument, match="whole and readable"):
            prepare(*positional, checkpoint=tmp_path, resume=True, **keywords).run()
    other = arguments(precision="float32->mpfr128@12")[1]
    with pytest.raises(InvalidArgument, match="same run"):
        prepare(*positional, checkpoint=tmp_path, resume=True, **other | {"steps": 5000})


def test_what_is_measured_goes_on_in_both_engines():
    """Quantities say nothing of a change from one format into another."""
    draw = np.random.default_rng(3)
    given = pc.problems.from_arrays(draw.normal(size=(5, 4)), draw.normal(size=5))
    core, reference = (
        pc.simulate(
            given,
            pc.TwoLayerLinear(3),
            pc.GD("0.1"),
            precision="float32->mpfr90@6",
            steps=12,
            init=pc.init.pytorch(3),
            record=pc.Record(loss=1, sharpness=1, eigenvalues=2, quantities=1),
            engine=engine,
        )
        for engine in ENGINES
    )
    np.testing.assert_array_equal(core.loss.value, reference.loss.value)
    np.testing.assert_allclose(core.sharpness.value, reference.sharpness.value, rtol=1e-9)
    np.testing.assert_array_equal(core.eigenvalues.step, reference.eigenvalues.step)
    for name, values in core.quantities.columns.items():
        np.testing.assert_allclose(
            values, reference.quantities.columns[name], rtol=1e-5, atol=1e-9, err_msg=name
        )
    assert math.isnan(core.quantities.columns["residual_change"][6])
    assert core.quantities.columns["W_displacement"][0] == 0


def test_measuring_in_another_format_goes_on():
    run = simulate(measure_precision="mpfr100", steps=40, precision="float32->mpfr128@20")
    assert len(run.sharpness.text) == run.sharpness.step.size == 41
    working = simulate(measure_precision="working", steps=40, precision="float32->mpfr128@20")
    assert len(working.sharpness.text) == 41


def test_parameters_are_told_in_the_widest_format():
    run = simulate(precision="mpfr400->float32@2->mpfr60@3", steps=5)
    assert run.precision.bits == 400
    assert {x.precision for x in run.parameters()["u"]} == {400}


def compared(**changed):
    positional, keywords = arguments(**changed)
    keywords.pop("precision")
    return pc.compare(
        *positional,
        precisions=["float32", "float32->mpfr128@sharpness>=2/lr", "float32->mpfr128@10000"],
        **keywords,
    )


def test_results_say_what_was_switched(tmp_path):
    comparison = compared()
    run = comparison.runs[1]
    (step,) = run.switch_steps
    assert run.to_dict()["switches"] == [
        {"from": "float32", "to": "mpfr128", "when": "sharpness>=2/lr", "step": step}
    ]
    assert comparison.runs[2].to_dict()["switches"] == [
        {"from": "float32", "to": "mpfr128", "at": 10000, "step": None}
    ]
    assert "switches" not in comparison.runs[0].to_dict()
    described = run.settings["precision"]
    assert described["name"] == "float32->mpfr128@sharpness>=2/lr"
    assert [part["name"] for part in described["parts"]] == ["float32", "mpfr128"]
    assert json.loads(run.to_json())["settings"]["precision"] == described
    table = comparison.table()
    assert f"mpfr128 from the update of step {step} on" in " ".join(table.split())
    assert "never" in table
    comparison.save(tmp_path / "results")
    loaded = pc.load(tmp_path / "results")
    assert loaded == comparison
    assert loaded.runs[1].switch_steps == (step,)
    assert loaded.runs[1].stepping == run.stepping
    assert [each.to_dict() for each in loaded.runs] == [each.to_dict() for each in comparison.runs]
    rows = (tmp_path / "results" / "table.csv").read_text().splitlines()
    assert rows[0].endswith(",switch_steps")
    assert rows[2].endswith(f",{step}")
    assert rows[3].endswith(",never")


@pytest.mark.parametrize("steps", [[5, 6], [None, 5], [-1], ["x"], [3000], 7])
def test_damaged_results_are_told(tmp_path, steps):
    comparison = compared(steps=200)
    comparison.save(tmp_path / "results")
    path = tmp_path / "results" / "comparison.json"
    document = json.loads(path.read_text())
    document["runs"][1]["exact"]["switch_steps"] = steps
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidArgument, match="undamaged"):
        pc.load(tmp_path / "results")


def test_the_grammar():
    one = pc.switch("float32", "mpfr256", at=1200)
    assert str(one) == "float32->mpfr256@1200"
    assert parse_precision(str(one)) == one
    two = pc.switch("float32", pc.Precision.parse("mpfr256"), when="sharpness >= 2/lr")
    assert str(two) == "float32->mpfr256@sharpness>=2/lr"
    assert parse_precision("float32 -> mpfr256 @ sharpness >= 2/lr") == two
    chain = pc.switch(one, "float64", when="loss<=1e-6")
    assert str(chain) == "float32->mpfr256@1200->float64@loss<=1e-6"
    assert chain == pc.switch(
        "float32", pc.switch("mpfr256", "float64", when="loss<=1e-6"), at=1200
    )
    assert parse_precision(str(chain)) == chain
    assert parse_precision(chain) is chain
    assert chain.bits == 256
    assert chain.availability()[0]
    mixed = "bfloat16/accumulate=float32->float32/update=mpfr100@sharpness>=2/lr"
    assert str(parse_precision(mixed)) == mixed
    assert isinstance(parse_precision("float32"), pc.Precision)


@pytest.mark.parametrize(
    "written",
    [
        "float32->mpfr256",
        "float32->mpfr256@",
        "float32->@5",
        "->mpfr256@5",
        "float32->mpfr256@-5",
        "float32->mpfr256@1.5",
        "float32->mpfr256@99999999999999999999999",
        "float32->mpfr256@eigenvalue>=3",
        "float32->mpfr256@sharpness>=2/eta",
        "float32->mpfr256@5->float64@4",
        "float32->mpfr256@5@6",
        "float31->mpfr256@5",
        "float32@5->mpfr256@6",
    ],
)
def test_bad_switches_are_one_line_and_exit_2(written):
    with pytest.raises(InvalidArgument) as raised:
        parse_precision(written)
    assert "\n" not in str(raised.value)
    words = ["run", "fig6", "--lr", "2/50", "--steps", "5", "--precision", written]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith(("Error: precision", "Error: at"))


@pytest.mark.parametrize(
    ("keywords", "argument"),
    [
        ({}, "at"),
        ({"at": 5, "when": "loss<=1"}, "at"),
        ({"at": -1}, "at"),
        ({"at": 1.5}, "at"),
        ({"when": "loss==1"}, "event"),
    ],
)
def test_a_switch_needs_one_place(keywords, argument):
    with pytest.raises(InvalidArgument) as raised:
        pc.switch("float32", "mpfr256", **keywords)
    assert raised.value.argument == argument


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"record": pc.Record(loss=1, sharpness=0)}, "record.sharpness"),
        (
            {
                "record": pc.Record(loss=0, sharpness=1),
                "precision": "float32->mpfr128@loss<=1e-3",
            },
            "record.loss",
        ),
        ({"record": pc.Record(loss=1, sharpness=pc.Adaptive())}, "record.sharpness"),
        ({"precision": "float64->mpfr99@12", "engine": "reference", "record": pc.Record(
            loss=1, sharpness=pc.Adaptive())}, "record.sharpness"),
        ({"precision": "float32->double_double@5", "engine": "reference"}, "engine"),
    ],
)  # fmt: skip
def test_what_cannot_be_switched(changed, argument):
    with pytest.raises(InvalidArgument) as raised:
        simulate(**changed)
    assert raised.value.argument == argument
    assert "\n" not in str(raised.value)


def test_a_format_that_loses_the_problem_is_refused():
    """Each format must hold the data, η and the labels, whenever it begins."""
    given = pc.problems.from_arrays([[1.0]], [1e-60])
    for precision in ("float64->float32@5", "float32->float64@5"):
        with pytest.raises(InvalidArgument, match="round to zero in float32"):
            pc.simulate(
                given, pc.Minimalist(), pc.GD("0.1"), precision=precision, steps=9,
                init=pc.init.constant("0.1"),
            )  # fmt: skip
    flow = pc.GradientFlow(step="0.1")
    with pytest.raises(InvalidArgument, match="no learning rate"):
        pc.simulate(
            problem(), pc.Minimalist(), flow, precision="float32->float64@sharpness>=2/lr",
            steps=9, init=pc.init.constant("0.1"),
        )  # fmt: skip


def test_steppings_are_spliced():
    def of(*pieces):
        steps, lrs = zip(*pieces, strict=True)
        plain = RoundedSchedule(steps, lrs)
        return Stepping(plain, None, plain, 2.0, "2/η")

    one, two = of((0, 1.0), (4, 2.0), (8, 3.0)), of((0, 1.5), (4, 2.0), (8, 3.5))
    assert spliced([one], []).working == one.working
    working = spliced([one, two], [6]).working
    assert (working.first_step, working.lr) == ((0, 4, 8), (1.0, 2.0, 3.5))
    working = spliced([one, two], [2]).working
    assert (working.first_step, working.lr) == ((0, 2, 4, 8), (1.0, 1.5, 2.0, 3.5))
    working = spliced([one, two, one], [2, 2]).working
    assert (working.first_step, working.lr) == ((0, 4, 8), (1.0, 2.0, 3.0))
    working = spliced([one, two], [0]).working
    assert (working.first_step, working.lr) == ((0, 4, 8), (1.5, 2.0, 3.5))


def test_the_command_line_says_when(tmp_path):
    words = ["run", "fig6", "--lr", "2/50", "--steps", "1500", "--init", "constant:0.01",
             "--precision", "float32->mpfr128@sharpness>=2/lr"]  # fmt: skip
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "mpfr128 from the update of step" in result.output


def test_a_switched_precision_is_a_value():
    one = pc.switch("float32", "mpfr256", at=1200)
    assert hash(one) == hash(SwitchedPrecision.parse(str(one)))
    with pytest.raises(InvalidArgument):
        SwitchedPrecision((one.parts[0],), ())
