"""Gradient flow: its order, what it conserves, and the guard that keeps it stable."""

from __future__ import annotations

import threading
from fractions import Fraction
from itertools import pairwise

import gmpy2
import numpy as np
import pytest

import precipice as pc
from interruptions import run_in_pieces
from precipice.simulation import prepare

FIG6 = {"init": pc.init.constant("0.01"), "loss": "half_mean"}


def run(optimizer, steps, problem=None, model=None, **changed):
    keywords = {**FIG6, "steps": steps, "record": pc.Record(loss=1), **changed}
    return pc.simulate(
        problem or pc.problems.fig6(), model or pc.Minimalist(), optimizer, **keywords
    )


def imbalance(run, row=-1):
    """C = |u|^2 - v^2 in 400 bits; X of fig. 6 is square, so all of u is in its row space."""
    with gmpy2.context(precision=400):
        u, v = run.trajectory["u"][row], run.trajectory["v"][row]
        return sum(x * x for x in u) - sum(x * x for x in v)


def test_the_imbalance_is_conserved_to_the_order_of_the_method():
    """Yoo lemma 5.2: C is constant along the flow. Over a fixed time the method's error is
    O(h^4), so halving h divides what C changes by 16."""
    changes = []
    for halvings in range(4):
        h, steps = Fraction(1, 64 * 2**halvings), 1920 * 2**halvings
        result = run(
            pc.GradientFlow(step=h), steps, precision="mpfr300", record=pc.Record(parameters=steps)
        )
        changes.append(abs(imbalance(result) - imbalance(result, 0)))
    slopes = [float(gmpy2.log2(a / b)) for a, b in pairwise(changes)]
    assert changes[-1] > 1e-40  # discretisation, not rounding
    assert slopes[-1] == pytest.approx(4, abs=0.2), slopes


def test_a_step_is_the_classical_method_s():
    """Against the method written in float64 by hand, on the spectral program's own gradient."""
    problem = pc.problems.fig6()
    X, y = problem.X.astype(float), problem.y.astype(float)

    def gradient(u, v):
        z = (X @ u) * v - y
        return X.T @ z * v / 2, z @ (X @ u) / 2

    u, v, h = np.full(2, 0.01), 0.01, 0.125
    for _ in range(50):
        k1 = gradient(u, v)
        k2 = gradient(u - h / 2 * k1[0], v - h / 2 * k1[1])
        k3 = gradient(u - h / 2 * k2[0], v - h / 2 * k2[1])
        k4 = gradient(u - h * k3[0], v - h * k3[1])
        u = u - h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0])
        v = v - h / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1])
    result = run(pc.GradientFlow(step="1/8"), 50, precision="mpfr100")
    np.testing.assert_allclose(result.parameters()["u"].astype(float), u, rtol=1e-12)
    np.testing.assert_allclose(result.parameters()["v"].astype(float), v, rtol=1e-12)
    np.testing.assert_allclose(result.time.value, 0.125 * np.arange(51))


def limit(problem):
    """Return the sharpness where flow from u = (0.01, 0.01), v = 0.01 ends: the minimum with
    the start's imbalance C, at which v^2 solves sum_i (d_i/sigma_i)^2 / v^2 - v^2 = C."""
    left, sigma, _ = np.linalg.svd(problem.X.astype(float))
    d, C = left.T @ problem.y.astype(float), 0.01**2
    Q = np.sum((d / sigma) ** 2)
    v = np.sqrt((-C + np.sqrt(C**2 + 4 * Q)) / 2)
    jacobian = np.column_stack([problem.X.astype(float) * v, left @ d / v])
    return np.linalg.eigvalsh(jacobian.T @ jacobian / 2)[-1]


@pytest.mark.parametrize(
    ("precision", "tol", "accuracy"),
    [("float32", 1e-6, 0.2), ("float64", 1e-14, 0.01), ("mpfr128", 1e-14, 0.01)],
)
def test_with_the_guard_flow_ends_at_the_minimum(precision, tol, accuracy):
    result = run(
        pc.GradientFlow(), 20000, precision=precision, tol=tol,
        record=pc.Record(loss=1, sharpness=1),
    )  # fmt: skip
    assert result.outcome is pc.Outcome.CONVERGED
    assert result.sharpness.value[-1] == pytest.approx(limit(pc.problems.fig6()), abs=accuracy)
    assert np.all(np.diff(result.loss.value) <= 0)  # no step raises the loss
    assert np.all(np.diff(result.time.value) > 0)


def test_float32_ends_where_no_step_lowers_the_loss():
    result = run(pc.GradientFlow(), 20000, precision="float32", tol=1e-12)
    assert result.outcome is pc.Outcome.STALLED
    assert np.all(np.diff(result.loss.value) <= 0)
    rarely = pc.Record(loss=5000, layer_imbalance=5000)
    seldom = run(pc.GradientFlow(), 20000, precision="float32", tol=1e-12, record=rarely)
    assert seldom.loss.step.tolist() == [0, result.steps]
    assert seldom.loss.value[-1] == result.loss.value[-1]


def test_without_the_guard_the_paper_s_rule_explodes():
    """S measured every 50 steps is out of date here."""
    result = run(pc.GradientFlow(guard=False), 20000, precision="float64")
    assert result.outcome is pc.Outcome.BLOWUP
    assert 50 < result.steps < 100


@pytest.mark.parametrize(
    "model", [pc.Minimalist(3), pc.TwoLayerLinear(6), pc.TwoLayerLinear(4, contraction="layerwise")]
)
def test_other_models_flow_down(model):
    result = run(
        pc.GradientFlow(), 3000, model=model, precision="mpfr80", tol=1e-10,
        init=pc.init.normal("0.3", "0.3", seed=1),
    )  # fmt: skip
    assert result.loss.value[-1] < 1e-3 * result.loss.value[0]
    assert np.all(np.diff(result.loss.value) <= 0)


def test_stopped_and_taken_up_again_it_is_the_same(tmp_path):
    keywords = {
        **FIG6,
        "steps": 2000,
        "precision": "mpfr200",
        "record": pc.Record(loss=1, sharpness=5),
    }
    positional = (pc.problems.fig6(), pc.Minimalist(), pc.GradientFlow(factor=2.0))
    expected = pc.simulate(*positional, **keywords)
    result = run_in_pieces(tmp_path / "run", positional, keywords)
    assert (result.outcome, result.steps) == (expected.outcome, expected.steps)
    assert result.exact_texts() == expected.exact_texts()
    for name in ("loss", "sharpness", "time"):
        one, other = getattr(result, name), getattr(expected, name)
        np.testing.assert_array_equal(one.step, other.step)
        np.testing.assert_array_equal(one.value, other.value)


def test_a_step_that_does_not_move_takes_no_time():
    """Stalled between two records of the loss: the last time is that of the last step taken."""
    problem, init = pc.problems.fig6(), pc.init.constant("0.01")
    keywords = {"precision": "mpfr6", "steps": 500, "init": init, "record": pc.Record(loss=100)}
    runs = [
        pc.simulate(problem, pc.Minimalist(), pc.GradientFlow("1/32"), engine=engine, **keywords)
        for engine in ("core", "reference")
    ]
    for run in runs:
        assert run.outcome is pc.Outcome.STALLED
        assert run.steps % 100
        assert run.time.value[-1] == run.steps / 32


@pytest.mark.parametrize("blowup_factor", [1e6, None])
def test_a_guard_ends_where_no_step_is_short_enough(blowup_factor):
    """The gradient is infinite: even a step of length 0 leads to NaN."""
    problem = pc.Problem("overflow", [[1.0, 1.0], [1.0, -1.0]], [1.0, -1.0])
    init = pc.init.explicit({"u": [3e38, -3e38], "v": [3.0]})
    keywords = {"precision": "float32", "steps": 20, "init": init, "blowup_factor": blowup_factor}
    stop = threading.Event()
    timer = threading.Timer(20, stop.set)
    timer.start()
    run = prepare(problem, pc.Minimalist(), pc.GradientFlow(), **keywords).run(stop)
    timer.cancel()
    assert run.outcome is (pc.Outcome.MAX_STEPS if blowup_factor is None else pc.Outcome.BLOWUP)
