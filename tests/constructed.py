"""Results made by hand, for tests of what only reads results."""

from __future__ import annotations

import json

import numpy as np

from precipice import initialisers, problems
from precipice.models import Minimalist
from precipice.optimizers import GD
from precipice.precision import Precision
from precipice.record import Record
from precipice.results import Outcome, Run, Series, Trajectory
from precipice.simulation import prepare
from precipice.study.comparison import Comparison
from precipice.study.header import describe_settings, describe_theory

KEYWORDS = {
    "steps": 200,
    "init": initialisers.constant("0.01"),
    "loss": "half_mean",
    "order": "sequential",
    "coordinates": "primal",
    "problem_dtype": "float64",
    "record": Record(loss=1, sharpness=1),
    "measure_precision": "float64",
    "blowup_factor": 1e6,
    "tol": None,
    "max_seconds": None,
    "engine": "core",
}
THRESHOLD = 50.0


def make_run(precision="float64", *, drop=120, blowup=None, steps=200, seed=0, log2_shift=0.0):
    """A run that crosses 2/η = 50 at step 100 and then drops, or blows up."""
    last = steps if blowup is None else blowup
    step = np.arange(last + 1)
    sharpness = np.where(step < drop, step / 2, 20.0)
    log2 = -step / 10 + np.where(np.abs(step - drop) < 3, 12.0, 0.0) + log2_shift
    if blowup is not None:
        sharpness[-4:] = [80.0, 4e3, 1e7, np.nan]
        log2[-4:] = [3.0, 20.0, 300.0, np.inf]
    with np.errstate(under="ignore", over="ignore"):
        value = np.exp2(log2)
    imbalance = np.random.default_rng(seed).normal(size=(step[::50].size, 2))
    return Run(
        precision=Precision.parse(precision),
        outcome=Outcome.MAX_STEPS if blowup is None else Outcome.BLOWUP,
        steps=last,
        loss=Series("loss", step, value, log2),
        sharpness=Series("sharpness", step, sharpness),
        layer_imbalance=Series("layer_imbalance", step[::50], imbalance),
        trajectory=Trajectory(
            step[:2],
            {"u": [["0x1p-1", "nan"], ["-0x0p+0", "inf"]], "v": [["0x1p+0"], ["-inf"]]},
            bits=53,
        ),
        lr=2 / THRESHOLD,
        settings={"order": "sequential"},
        seconds=0.25,
        texts={"u": ["0x1.999999999999ap-4", "-0x0p+0"], "v": ["nan"]},
    )  # fmt: skip


def make_comparison(*runs, **changes):
    """The comparison of some runs on fig6, with some settings changed."""
    problem, model, optimizer = problems.fig6(), Minimalist(depth=2), GD(lr="2/50")
    keywords = {**KEYWORDS, **changes}
    prepared = prepare(problem, model, optimizer, **{**keywords, "engine": "reference"})
    settings = describe_settings([run.precision for run in runs], prepared.plan.settings)
    theory = describe_theory(problem, model, optimizer, keywords)
    return Comparison(
        json.loads(json.dumps(problem.to_dict())),
        model.describe(),
        optimizer.describe(),
        settings,
        theory,
        tuple(runs),
    )


def three_runs():
    """Two runs that survive and one that blows up."""
    return (
        make_run("float32", drop=110),
        make_run("float64", drop=130, seed=1),
        make_run("mpfr256", drop=300, blowup=150, seed=2),
    )
