"""The reference text in formats, roundings, orders and stages, against the rational oracle."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from numbers_of import number_of
from oracles import formats, programs, staged_space
from precipice import losses
from precipice.arithmetic import ORDERS, Arithmetic
from precipice.batches import Batches
from precipice.models import TwoLayerLinear
from precipice.reference import run_reference
from precipice.reference_minimalist import ReferenceMinimalist
from precipice.reference_optimizers import GradientDescent, Momentum, RungeKutta
from precipice.reference_two_layer import ReferenceTwoLayer
from precipice.stepping import RoundedSchedule

SEED = 20_261_122
ARITHMETICS = [
    ("bfloat16", "kahan"),
    ("bfloat16:sr", "sequential"),
    ("float16:sr/accumulate=float32", "blocked"),
    ("float8_e4m3fn", "fused"),
    ("float8_e5m2:sr:sat", "pairwise"),
    ("e4m3:rz", "exact"),
    ("e5m7:rd/accumulate=mpfr30:ru/measurement=float64", "pairwise"),
    ("bfloat16:sr/parameters=float32:ra/update=mpfr20/gradient=e6m4", "kahan"),
    ("float16/accumulate=bfloat16:sr/forward=mpfr9:ra", "fused"),
    ("mpfr24:sr/forward=float8_e4m3fn:sat/parameters=float32", "exact"),
]
MODELS = [
    "minimalist 2", "minimalist 3", "minimalist 3 spectral",
    "collapsed", "layerwise", "collapsed biased", "layerwise biased",
    "collapsed spectral", "layerwise spectral",
]  # fmt: skip
RULES = ["gd", "schedule", "heavy ball", "nesterov", "batches", "flow"]


def exact(values):
    """Return floats, nested as they are, as the oracle's numbers."""
    return [exact(v) for v in values] if isinstance(values, list) else formats.of_float(values)


class Case:
    """One problem, for the oracle and for the reference text."""

    def __init__(self, model, rule, loss, shape=(5, 3), steps=5):
        self.kind, self.rule, self.loss, self.steps = model, rule, loss, steps
        generator = np.random.default_rng(len(model) + 10 * len(rule))
        N, d = shape
        self.spectral, self.m = "spectral" in model, 2
        samples = 2 * N if self.spectral else N
        self.samples = samples
        self.X = generator.standard_normal(N if self.spectral else (N, d)).tolist()
        self.y = generator.standard_normal(N).tolist()
        d = N if self.spectral else d
        if self.minimalist:
            depth = int(model.split()[1])
            self.blocks = [
                generator.normal(size=d).tolist(),
                generator.normal(size=depth - 1).tolist(),
            ]
        else:
            self.blocks = generator.standard_normal((self.m, d)).tolist()
            self.blocks += [generator.standard_normal(self.m).tolist()]
            if "biased" in model:
                self.blocks += [generator.standard_normal(n).tolist() for n in (self.m, 1)]
        self.lr = 0.1 if "mean" in loss else 0.02

    @property
    def minimalist(self):
        return self.kind.startswith("minimalist")

    def expected(self, text, order):
        """Return the oracle's states and end."""
        space = staged_space.StagedSpace(staged_space.Arithmetic.parse(text, order, SEED))
        args = (space, exact(self.X), exact(self.y), self.loss)
        # As the oracle says it, X is a list of numbers in spectral coordinates.
        samples = {"samples": self.samples} if self.spectral else {}
        if self.minimalist:
            model = programs.Minimalist(*args, **samples)
        else:
            collapsed, biased = "collapsed" in self.kind, "biased" in self.kind
            model = programs.TwoLayer(*args, self.m, True, collapsed, biased, **samples)
        lr = formats.of_float(self.lr)
        rule = {
            "gd": programs.Rule(lambda t: (lr, True)),
            "schedule": programs.Rule(lambda t: (lr if t < 2 else lr / 2, t >= 2)),
            "heavy ball": programs.Rule(lambda t: (lr, True), exact([0.75])[0]),
            "nesterov": programs.Rule(lambda t: (lr, True), exact([0.75])[0], nesterov=True),
            "batches": programs.Rule(lambda t: (lr, True), samples=(2, "reshuffle", 4)),
            "flow": programs.Rule(flow_step=lr),
        }[self.rule]
        states, outcome, last = programs.run(model, exact(self.blocks), rule, self.steps)
        return states, (outcome, last)

    def computed(self, text, order):
        """Return the reference text's states and end."""
        seed = SEED if ":sr" in text else None
        arithmetic = Arithmetic.of(text, order, seed)
        constant = RoundedSchedule((0,), (self.lr,))
        optimizer = {
            "gd": GradientDescent(constant),
            "schedule": GradientDescent(RoundedSchedule((0, 2), (self.lr, self.lr / 2))),
            "heavy ball": Momentum(constant, 0.75, nesterov=False),
            "nesterov": Momentum(constant, 0.75, nesterov=True),
            "batches": GradientDescent(constant),
            "flow": RungeKutta(self.lr),
        }[self.rule]
        batches = Batches(len(self.y), 2, "reshuffle", 4)
        program = run_reference(
            arithmetic=arithmetic,
            X=self.X,
            y=self.y,
            parameters=self._parameters(),
            optimizer=optimizer,
            batches=(lambda t: batches.at(t).tolist()) if self.rule == "batches" else None,
            loss=self.loss,
            steps=self.steps,
            model=self._model(arithmetic),
        )
        states = []
        while True:
            try:
                states.append(next(program))
            except StopIteration as end:
                return states, end.value[:2]

    def _parameters(self):
        if self.minimalist:
            return dict(zip("uv", self.blocks, strict=True))
        rows, others = self.blocks[: self.m], self.blocks[self.m :]
        W = [x for row in rows for x in row]
        return {"W": W, **dict(zip(("a", "b1", "b2"), others, strict=False))}

    def _model(self, arithmetic):
        samples = self.samples if self.spectral else None
        if self.minimalist:
            return partial(ReferenceMinimalist, samples=samples)

        def two_layer(X, y, loss):
            network = TwoLayerLinear(self.m)
            n = samples or len(y)
            c, kappa, kappa_L = network.factors(arithmetic, losses.find(loss), n)
            return ReferenceTwoLayer(
                X, y, loss, samples, c=c, kappa=kappa, kappa_L=kappa_L,
                collapsed="collapsed" in self.kind,
            )  # fmt: skip

        return two_layer


def assert_same(case, text, order):
    """Compare every number of every step."""
    want, end = case.expected(text, order)
    got, got_end = case.computed(text, order)
    assert got_end == end
    assert len(got) == len(want)
    for mine, theirs in zip(got, want, strict=True):
        found = [*(x for values in mine.parameters.values() for x in values)]
        found += [*mine.residuals, mine.loss]
        expected = [*(x for block in theirs.theta for x in block), *theirs.z, theirs.loss]
        for x, y in zip(found, expected, strict=True):
            assert formats.same(number_of(x), y), (theirs.step, x, y)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("at", range(len(ARITHMETICS)), ids=lambda at: "-".join(ARITHMETICS[at]))
def test_equals_the_oracle(model, at):
    loss = list(losses.LOSSES)[(at + MODELS.index(model)) % 4]
    rules = [rule for rule in RULES if rule != "batches" or "spectral" not in model]
    for k in (0, 1, 2):
        rule = rules[(at + k * 2 + MODELS.index(model)) % len(rules)]
        assert_same(Case(model, rule, loss), *ARITHMETICS[at])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("text", ["bfloat16", "float8_e5m2:sr:sat", "e5m7:rd/accumulate=mpfr12:sr"])
def test_equals_the_oracle_in_long_sums(text, order):
    for shape in ((70, 2), (2, 70), (33, 1), (1, 64)):
        assert_same(Case("minimalist 2", "gd", "mean", shape=shape, steps=2), text, order)
    assert_same(Case("layerwise", "gd", "half_mean", shape=(35, 2), steps=1), text, order)


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
def test_equals_the_oracle_in_every_rounding(rounding):
    for format_ in ("float8_e4m3fn", "bfloat16", "e2m1"):
        for order in ("sequential", "exact"):
            case = Case("minimalist 3", "heavy ball", "half_sum")
            assert_same(case, f"{format_}:{rounding}", order)


def test_stochastic_runs_neither_stall_nor_lock():
    case = Case("minimalist 2", "gd", "mean", steps=60)
    case.lr = 3e-5
    assert case.computed("bfloat16", "sequential")[1][0] == "stalled"
    states, end = case.computed("bfloat16:sr", "sequential")
    assert end == ("max_steps", 60)
    stands = [a.parameters == b.parameters for a, b in pairwise(states)]
    assert any(stands)
    assert not all(stands)
