"""Stochastic rounding: unbiased within statistical error, reproducible, resumable.

Every test has a fixed seed. z is a deviation in standard deviations; |z| < 5 fails one good
generator in 1.7 million, and the p of a chi-square test is held above 10^-6 likewise.
"""

from __future__ import annotations

import math
import random
from fractions import Fraction

import gmpy2
import numpy as np
import pytest
from scipy import stats

import precipice as pc
from format_subjects import Staged, text
from interruptions import run_in_pieces
from oracles import formats
from precipice.checkpoint import Checkpoint
from precipice.draws import Draws
from precipice.engines.core import CoreEngine
from precipice.simulation import prepare
from runs_in_formats import MODELS, assert_same, case, optimizer_of, oracle_run, package_run
from test_cpu_paths import available_paths

Z, P = 5.0, 1e-6
#: What each coordinate of a draw does when the others stand still.
COORDINATES = ("seed", "run", "step", "call", "element", "index")


def draws_along(coordinate, count, seed=12):
    """Return the draws at 0, 1, 2, ... of one coordinate."""
    at = dict.fromkeys(COORDINATES, 3) | {"seed": seed}
    return np.array([formats.draw_of(**(at | {coordinate: i})) for i in range(count)])


def many_draws(count, seed):
    """Return draws of consecutive steps: those that NumPy's generator gives in a row."""
    words = np.random.Philox(key=np.array([seed, 0], np.uint64)).random_raw(count // 2)
    return np.stack([words & 2**32 - 1, words >> 32], axis=1).ravel().tolist()


def test_draws_in_a_row_are_those_of_consecutive_steps():
    wanted = [formats.draw_of(7, 0, step, 0, 0, index) for step in (1, 2, 3) for index in range(8)]
    assert many_draws(24, 7) == wanted


def test_the_package_draws_at_the_oracles_places():
    generator = random.Random(0)
    for _ in range(300):
        seed, run, step, call, element = (generator.getrandbits(64) for _ in range(5))
        index = generator.choice([0, 1, 7, 8, 2**63, generator.getrandbits(60)])
        draws = Draws(seed, run)
        draws.begin(step, call, element)
        assert draws(index) == formats.draw_of(seed, run, step, call, element, index)


@pytest.mark.parametrize("coordinate", COORDINATES)
def test_draws_are_uniform_and_independent_along_each_coordinate(coordinate):
    """Chi-square of the first and the last byte; correlation of neighbours; 8192 draws."""
    w = draws_along(coordinate, 8192)
    assert len(set(w.tolist())) > 8180  # 2^26 pairs over 2^32 values: 0.008 are expected equal
    for byte in (w >> 24, w & 255):
        assert stats.chisquare(np.bincount(byte, minlength=256)).pvalue > P
    for lag in (1, 2, 8):
        correlation = np.corrcoef(w[:-lag], w[lag:])[0, 1]
        assert abs(correlation) * math.sqrt(len(w) - lag) < Z


@pytest.mark.parametrize("a", COORDINATES)
def test_draws_along_two_coordinates_are_independent(a):
    x = draws_along(a, 4096)
    for b in COORDINATES:
        if b != a:
            y = draws_along(b, 4096, seed=13)
            assert abs(np.corrcoef(x, y)[0, 1]) * math.sqrt(4096) < Z


@pytest.mark.parametrize("name", ["float8_e4m3fn", "bfloat16", "float16", "float64", "mpfr200"])
def test_so_many_draws_go_up_as_lie_below_the_fraction(name):
    """Of the 2^32 draws round(2^32 q) go up: the bias is below 2^-33 of a unit, q being exact."""
    fmt = formats.parse(f"{name}:sr")
    generator = random.Random(2)
    x, draws, wanted = [], [], []
    for _ in range(200):
        n = 2 ** (fmt.p - 1) + generator.getrandbits(fmt.p - 1)
        bits = generator.choice([5, 30, 32, 33, 34, 70])
        q = Fraction(2 * generator.getrandbits(bits) + 1, 2 ** (bits + 1))
        place = formats.power(-fmt.p)
        count = math.ceil((2**33 * q - 1) / 2)  # of the w with 2w + 1 < 2^33 q
        assert abs(count - 2**32 * q) <= Fraction(1, 2)
        sign = generator.choice([-1, 1])
        for w, up in ((count - 1, 1), (count, 0)):
            if 0 <= w < 2**32:
                x.append(sign * (n + q) * place)
                draws.append(w)
                wanted.append(text(sign * (n + up) * place))
    assert Staged()("convert", fmt, x, draws=draws) == wanted


@pytest.mark.parametrize("q", [2.0**-10, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1 - 2.0**-10])
@pytest.mark.parametrize("name", ["float8_e5m2", "bfloat16", "mpfr100"])
def test_the_mean_of_many_roundings_is_the_number(name, q):
    """A z-test: of n = 40000 roundings of 1 + q units, n q go up, with variance n q (1 - q)."""
    fmt, n = formats.parse(f"{name}:sr"), 40000
    unit = formats.power(1 - fmt.p)
    x = 1 + Fraction(q) * unit
    found = Staged()("convert", fmt, [x] * n, draws=many_draws(n, seed=9))
    up = found.count(text(1 + unit))
    assert up + found.count(text(Fraction(1))) == n
    assert abs(up - n * q) / math.sqrt(n * q * (1 - q)) < Z


def one_layer(d, u, lr, precision, seed, steps):
    """A run whose d parameters u_k are all the same, but for their draws."""
    return pc.simulate(
        pc.problems.from_arrays(np.ones((1, d)), np.array([1.0])), pc.Minimalist(2), pc.GD(lr),
        precision=precision, rounding_seed=seed, steps=steps,
        init=pc.init.explicit({"u": [u] * d, "v": [1.0]}), loss="half_sum",
        record=pc.Record(loss=1, parameters=1), blowup_factor=None,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_updates_of_a_run_are_unbiased(seed):
    """A z-test over the elements of an update far below half a unit, that to nearest would stall.

    u - eta g is the same number for every element, computed in float64; bfloat16 keeps it on
    average.
    """
    d, u, lr = 4096, 2.0**-11, 2.0**-21
    run = one_layer(d, u, lr, "float64/parameters=bfloat16:sr", seed, steps=1)
    exact = u - lr * (d * u - 1)
    values = [float(formats.of_text(x)) for x in run.trajectory.texts["u"][1]]
    low, high = sorted(set(values))
    assert low < exact < u == high
    q = (exact - low) / (high - low)
    z = (values.count(high) - d * q) / math.sqrt(d * q * (1 - q))
    assert abs(z) < Z
    nearest = one_layer(d, u, lr, "float64/parameters=bfloat16", None, steps=1)
    assert set(nearest.trajectory.texts["u"][-1]) == {"0x1p-11"}


def test_elements_steps_and_seeds_of_a_run_draw_apart():
    """No two elements, steps or seeds of the same numbers make the same choices."""
    d, u, lr = 512, 2.0**-8, 2.0**-18
    choices = []
    for seed in (3, 4):
        run = one_layer(d, u, lr, "float64/parameters=bfloat16:sr", seed, steps=3)
        for before, after in zip(*(run.trajectory.texts["u"][i:] for i in (0, 1)), strict=False):
            moved = np.array([x != y for x, y in zip(before, after, strict=True)], dtype=float)
            assert 0 < moved.sum() < d
            choices.append(moved - moved.mean())
    for i, a in enumerate(choices):
        for b in choices[:i]:
            z = a @ b / math.sqrt((a @ a) * (b @ b) / d)
            assert abs(z) < Z


PRECISIONS = ["float8_e4m3fn:sr", "float32/accumulate=bfloat16:sr/update=float16:sr", "mpfr90:sr"]


def texts(run):
    return run.trajectory.texts, run.loss.value.tobytes(), run.outcome, run.steps


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("model", MODELS)
def test_a_seed_makes_a_run(model, precision):
    """Twice the same with one seed, with another seed another; on every CPU path."""
    given = case(model, seed=4, lr="0.0625")
    first = texts(package_run(given, precision, "sequential", 1, "core"))
    assert texts(package_run(given, precision, "sequential", 1, "core")) == first
    assert texts(package_run(given, precision, "sequential", 2, "core"))[0] != first[0]


@pytest.mark.parametrize("precision", [*PRECISIONS, "bfloat16", "float16", "tfloat32/update=e5m7"])
def test_every_cpu_path_gives_the_same_run(monkeypatch, precision):
    given = case("depth 4", 40, 35, seed=4, lr="0.001")
    seed = 1 if ":sr" in precision else None
    for order in ("sequential", "blocked", "fused"):
        runs = []
        for path in available_paths(monkeypatch):
            monkeypatch.setenv("PRECIPICE_CPU", path)
            runs.append(texts(package_run(given, precision, order, seed, "core")))
        monkeypatch.delenv("PRECIPICE_CPU", raising=False)
        assert len(runs) > 1
        assert all(run == runs[0] for run in runs)


@pytest.mark.parametrize("workers", [1, 3])
def test_runs_beside_one_another_are_those_alone(workers):
    given = case("collapsed", seed=6, lr="0.0625", steps=40)
    names = ["bfloat16:sr", "float16:sr", "float8_e5m2:sr", "bfloat16:rz"]
    study = pc.compare(
        pc.problems.from_arrays(given.X, given.y), given.model, optimizer_of(given),
        precisions=names, rounding_seed=8, steps=given.steps, loss=given.loss, workers=workers,
        init=pc.init.explicit(given.start), record=pc.Record(loss=1, parameters=1),
        blowup_factor=None,
    )  # fmt: skip
    for name, together in zip(names, study.runs, strict=True):
        seed = 8 if ":sr" in name else None
        alone = package_run(given, name, "sequential", seed, "core")
        assert texts(together) == texts(alone)


def asked(given, precision, order):
    """Return the arguments of simulate and prepare."""
    positional = (pc.problems.from_arrays(given.X, given.y), given.model, optimizer_of(given))
    return positional, {
        "precision": precision, "rounding_seed": 3, "steps": given.steps, "loss": given.loss,
        "init": pc.init.explicit(given.start), "record": pc.Record(loss=1, parameters=1),
        "blowup_factor": None, "order": order,
    }  # fmt: skip


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("optimizer", ["gd", "nesterov", "flow", "batches"])
def test_resumed_runs_are_those_that_never_stopped(tmp_path, optimizer, precision):
    """Saved and taken up again after every third step: no draw is repeated or left out."""
    given = case("layerwise, biases", seed=7, lr="0.03125", optimizer=optimizer, steps=30)
    positional, keywords = asked(given, precision, "kahan")
    plan = prepare(*positional, **keywords).plan
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
    assert interruptions == 10
    resumed = engine.gather(pc.Outcome(engine.outcome), 0.0)
    whole = pc.simulate(*positional, **keywords)
    assert texts(resumed) == texts(whole)
    assert whole.outcome is pc.Outcome.MAX_STEPS
    assert_same(whole, oracle_run(given, precision, "kahan", 3))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_runs_stopped_anywhere_go_on(tmp_path, precision):
    """Stopped by another thread in the middle of a step, whose draws are then made again."""
    given = case("depth 4", 30, 40, seed=7, lr="0.001", steps=150)
    positional, keywords = asked(given, precision, "sequential")
    pieces = run_in_pieces(tmp_path / "run", positional, keywords, seconds=0.1)
    assert texts(pieces) == texts(pc.simulate(*positional, **keywords))


def test_restored_numbers_are_read_to_nearest():
    """A checkpoint's numbers are members: nothing is rounded, whatever the rounding."""
    fmt = formats.parse("bfloat16:ru")
    x = formats.Fraction(131, 128)
    assert Staged()("convert", fmt, [x]) == [text(x)]
    assert pc.Precision.parse("bfloat16:ru").round(gmpy2.mpq(263, 256)) == gmpy2.mpq(33, 32)
