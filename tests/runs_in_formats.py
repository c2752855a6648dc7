"""A training run asked of the package and of the rational oracle, compared number by number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

import precipice as pc
from oracles import formats, programs
from oracles.staged_space import Arithmetic, StagedSpace
from precipice.precision import Precision
from precipice.spectral import spectral_problem


@dataclass(frozen=True)
class Case:
    """What is trained; numbers are float64, or text that is rounded to float64 first."""

    model: Any
    X: Any
    y: Any
    start: dict[str, Any]
    lr: str = "0.125"
    loss: str = "half_mean"
    optimizer: str = "gd"
    steps: int = 6
    blowup_factor: float | None = None
    coordinates: str = "primal"


precision_of_data = Precision.parse("float64")
BETA = "0.75"
BATCH = (3, "reshuffle", 11)
MODELS = {
    "depth 2": pc.Minimalist(2),
    "depth 4": pc.Minimalist(4),
    "collapsed": pc.TwoLayerLinear(3),
    "layerwise": pc.TwoLayerLinear(3, "none", "layerwise"),
    "collapsed, biases": pc.TwoLayerLinear(2, bias=True),
    "layerwise, biases": pc.TwoLayerLinear(2, "1/sqrt(m)", "layerwise", bias=True),
}


def case(model, samples=5, features=4, seed=0, size=1.0, **keywords):
    """Return a case of random numbers of eight bits, so that few formats lose them."""
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        return np.round(rng.uniform(-size, size, shape) * 2**7) / 2**7

    chosen = MODELS[model]
    if isinstance(chosen, pc.Minimalist):
        start = {"u": numbers(features), "v": numbers(chosen.depth - 1)}
    else:
        m = chosen.width
        start = {"W": numbers(m, features), "a": numbers(m)}
        if chosen.bias:
            start |= {"b1": numbers(m), "b2": numbers(1)}
    X = rng.standard_normal((samples, features)) * size
    y = rng.choice([-1.0, 1.0], samples)
    return Case(chosen, X, y, start, **keywords)


def exact(values):
    """Return nested float64 numbers, or one in text, as the oracle's."""
    if isinstance(values, str):
        return formats.of_float(float(values))
    values = np.asarray(values).tolist()
    if isinstance(values, list):
        return [exact(v) for v in values]
    return formats.of_float(values)


def optimizer_of(given):
    """Return the package's optimiser."""
    lr = given.lr
    return {
        "gd": lambda: pc.GD(lr),
        "heavy ball": lambda: pc.HeavyBall(lr, momentum=BETA),
        "nesterov": lambda: pc.Nesterov(lr, momentum=BETA),
        "flow": lambda: pc.GradientFlow(lr),
        "batches": lambda: pc.SGD(lr, *BATCH),
    }[given.optimizer]()


def rule_of(given):
    """Return the oracle's."""
    eta = exact(given.lr)
    if given.optimizer == "flow":
        return programs.Rule(flow_step=eta)
    momentum = exact(BETA) if given.optimizer in ("heavy ball", "nesterov") else None
    return programs.Rule(
        lambda t: (eta, True),
        momentum,
        given.optimizer == "nesterov",
        BATCH if given.optimizer == "batches" else None,
    )


def oracle_run(given, precision, order, seed):
    """Return the oracle's states, outcome and last step."""
    space = StagedSpace(Arithmetic.parse(precision, order, seed or 0))
    X, y, model = exact(given.X), exact(given.y), given.model
    start = {name: exact(values) for name, values in given.start.items()}
    samples = 0
    if given.coordinates == "spectral":
        first = "u" if isinstance(model, pc.Minimalist) else "W"
        data = spectral_problem(given.X, given.y, given.start[first], precision_of_data)
        X, y, start[first] = exact(data.sigma), exact(data.d), exact(data.o)
        samples = len(given.y)
    if isinstance(model, pc.Minimalist):
        trained = programs.Minimalist(space, X, y, given.loss, samples)
        theta = [start["u"], start["v"]]
    else:
        trained = programs.TwoLayer(
            space, X, y, given.loss, model.width, model.scale != "none",
            model.contraction == "collapsed", model.bias, samples,
        )  # fmt: skip
        theta = [*start["W"], start["a"], *([start["b1"], start["b2"]] if model.bias else [])]
    return programs.run(trained, theta, rule_of(given), given.steps, given.blowup_factor)


def package_run(given, precision, order, seed, engine, **keywords):
    """Return the package's run."""
    return pc.simulate(
        pc.problems.from_arrays(given.X, given.y), given.model, optimizer_of(given),
        precision=precision, order=order, rounding_seed=seed, steps=given.steps, loss=given.loss,
        init=pc.init.explicit(given.start), record=pc.Record(loss=1, parameters=1),
        blowup_factor=given.blowup_factor, coordinates=given.coordinates, engine=engine, **keywords,
    )  # fmt: skip


def assert_same(run, expected):
    """Compare the outcome, the last step, and every step's parameters and loss."""
    states, outcome, last = expected
    assert (run.outcome.value, run.steps) == (outcome, last)
    states = states[: last + 1]
    assert run.loss.step.tolist() == [state.step for state in states]
    texts = run.trajectory.texts
    names = [*texts]
    for t, state in enumerate(states):
        found = [formats.of_text(x) for name in names for x in texts[name][t]]
        wanted = [x for block in state.theta for x in block]
        pairs = zip(found, wanted, strict=True)
        assert all(formats.same(*pair) for pair in pairs), (t, found, wanted)
        loss = formats.to_float(state.loss)
        assert run.loss.value[t] == loss or (math.isnan(run.loss.value[t]) and math.isnan(loss))


def assert_same_runs(given, precision, order="sequential", seed=None, engines=("core",)):
    """Compare the engines with the oracle; returns the oracle's run. A seed may go unused."""
    if not Arithmetic.parse(precision).stochastic:
        seed = None
    elif seed is None:
        seed = 5
    expected = oracle_run(given, precision, order, seed)
    for engine in engines:
        assert_same(package_run(given, precision, order, seed, engine), expected)
    return expected
