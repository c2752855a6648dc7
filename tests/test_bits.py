"""Whole runs of the compiled core equal the gmpy2 oracle, bit for bit."""

from __future__ import annotations

import math
import os

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import precipice as pc
from oracles import minimalist as oracle
from precipice.losses import LOSSES

NATIVE = {
    "float32": oracle.FLOAT32,
    "float64": oracle.FLOAT64,
    "float80": oracle.FLOAT80,
    "float128": oracle.FLOAT128,
}
CASES = int(os.environ.get("PRECIPICE_SOAK", "1")) * 200


def oracle_format(precision: str) -> tuple[int, int, int, bool]:
    return NATIVE.get(precision) or oracle.wide(int(precision.removeprefix("mpfr")))


def skip_if_absent(precision: str) -> None:
    available, sentence = pc.Precision.parse(precision).availability()
    if not available:
        pytest.skip(f"{precision}: {sentence}")


def assert_same_run(precision, X, y, u, v, lr, loss, steps, **keywords):
    """Every parameter and loss of every step, the outcome and the last step."""
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.Minimalist(depth=len(v) + 1),
        pc.GD(lr),
        precision=precision,
        steps=steps,
        init=pc.init.explicit({"u": u, "v": v}),
        loss=loss,
        record=pc.Record(loss=1, parameters=1),
        **keywords,
    )
    problem = [oracle.rounded(oracle.FLOAT64, values) for values in (X, y, u, v, lr)]
    states, outcome, last, _ = oracle.run(
        oracle_format(precision), *problem, loss, steps, **keywords
    )
    assert (run.outcome.value, run.steps) == (outcome, last)
    states = states[: last + 1]
    assert run.loss.step.tolist() == [state.step for state in states]
    texts = run.trajectory.texts
    for t, state in enumerate(states):
        for name, values in (("u", state.u), ("v", state.v)):
            for text, expected in zip(texts[name][t], values, strict=True):
                assert_same_number(text, expected)
        assert_same_float(run.loss.value[t], float(state.loss))
        assert run.loss.log2[t] == pytest.approx(log2(state.loss), rel=1e-15, nan_ok=True)


def assert_same_number(text, expected):
    """Exact equality, the sign of zero included; NaN equals NaN."""
    with gmpy2.context(precision=max(2, expected.precision), emin=-(2**30) + 1, emax=2**30 - 1):
        actual = gmpy2.mpfr(text, 0, 0)
    if gmpy2.is_nan(expected):
        assert gmpy2.is_nan(actual)
    else:
        assert actual == expected
        assert gmpy2.is_signed(actual) == gmpy2.is_signed(expected)


def assert_same_float(actual, expected):
    assert actual == expected or (math.isnan(actual) and math.isnan(expected))


def log2(loss):
    if not gmpy2.is_finite(loss) or loss == 0:
        return float(gmpy2.log2(loss))
    exponent, significand = gmpy2.frexp(loss)
    return math.log2(significand) + exponent


def random_run(depth, seed=0, samples=5, features=7):
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((samples, features)).tolist(),
        rng.standard_normal(samples).tolist(),
        rng.uniform(-0.4, 0.4, features).tolist(),
        rng.uniform(-1, 1, depth - 1).tolist(),
    )


@pytest.mark.parametrize("bits", [2, 3, 11, 24, 53, 64, 113, 128, 200, 1024])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_runs_equal_the_oracle(depth, loss, bits):
    lr = "0.2" if LOSSES[loss].averaged else "0.03"
    assert_same_run(f"mpfr{bits}", *random_run(depth, seed=depth), lr, loss, steps=80)


@pytest.mark.parametrize("precision", NATIVE)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_native_runs_equal_the_oracle(precision, depth, loss):
    skip_if_absent(precision)
    lr = "0.2" if LOSSES[loss].averaged else "0.03"
    assert_same_run(precision, *random_run(depth, seed=depth), lr, loss, steps=80)


@pytest.mark.parametrize("precision", NATIVE)
@pytest.mark.parametrize("depth", [2, 3])
def test_overflow_and_nan_equal_the_oracle(precision, depth):
    skip_if_absent(precision)
    X, y, u, v = random_run(depth, seed=1)
    assert_same_run(precision, X, y, u, v, "50", "sum", steps=40, blowup_factor=None)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_subnormal_numbers_equal_the_oracle(precision):
    X, y, u, v = random_run(2, seed=2)
    tiny = {"float32": 2.0**-75, "float64": 2.0**-535}[precision]
    X, u, y = (np.asarray(values) * tiny for values in (X, u, y))
    assert_same_run(precision, X.tolist(), y.tolist(), u.tolist(), v, "0.5", "sum", steps=20)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 100), (3, 4), (8, 33), (9, 64), (17, 5)])
@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr53"])
def test_every_block_shape_equals_the_oracle(precision, shape):
    run = random_run(2, seed=3, samples=shape[0], features=shape[1])
    assert_same_run(precision, *run, "0.01", "half_mean", steps=12)


@pytest.mark.parametrize("factor", [1e6, 3.0, math.inf])
@pytest.mark.parametrize("precision", ["float64", "mpfr24", "mpfr150"])
def test_blow_ups_end_where_the_oracle_says(precision, factor):
    X, y, u, v = random_run(3, seed=4)
    assert_same_run(precision, X, y, u, v, "0.9", "sum", steps=60, blowup_factor=factor)


@pytest.mark.parametrize("tol", [1e-3, 1e-12])
def test_convergence_ends_where_the_oracle_says(tol):
    X, y, u, v = random_run(2, seed=5, samples=3)
    assert_same_run("mpfr90", X, y, u, v, "0.1", "half_mean", steps=500, tol=tol)


@pytest.mark.parametrize("bits", [4, 8, 10, 11, 12])
def test_stalled_and_locked_runs_end_where_the_oracle_says(bits):
    problem = pc.problems.fig6()
    run = (problem.X.tolist(), problem.y.tolist(), [0.01, 0.01], [0.01])
    assert_same_run(f"mpfr{bits}", *run, "2/50", "half_mean", steps=3500)


numbers = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 2.0**-60, -(2.0**40), 1 + 2.0**-52]),
    st.floats(-4, 4, allow_nan=False),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)


@st.composite
def runs(draw):
    samples, features, factors = (draw(st.integers(1, n)) for n in (6, 6, 4))

    def vector(n):
        return draw(st.lists(numbers, min_size=n, max_size=n))

    X = [vector(features) for _ in range(samples)]
    y = vector(samples)
    if not any(y):
        y[0] = 1.0
    return X, y, vector(features), vector(factors)


@settings(max_examples=CASES, deadline=None)
@given(
    run=runs(),
    precision=st.one_of(
        st.sampled_from(["float64", "float80", "float128"]),
        st.integers(2, 300).map(lambda bits: f"mpfr{bits}"),
    ),
    loss=st.sampled_from(list(LOSSES)),
    lr=st.sampled_from([1e-3, 0.1, 1.0, 7.0]),
    blowup_factor=st.sampled_from([None, 1e6, math.inf]),
)
def test_any_run_equals_the_oracle(run, precision, loss, lr, blowup_factor):
    if not pc.Precision.parse(precision).availability()[0]:
        precision = "mpfr113"
    assert_same_run(precision, *run, lr, loss, steps=8, blowup_factor=blowup_factor)
