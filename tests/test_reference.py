"""The package's reference engine against the oracle, which shares no line with it."""

from __future__ import annotations

import math
import sys
import threading

import gmpy2
import numpy as np
import pytest

from oracles import minimalist
from precipice.arithmetic import Arithmetic
from precipice.errors import InvalidArgument
from precipice.precision import Precision
from precipice.reference import ReferenceState, run_reference, to_float
from precipice.reference_model import Evaluation
from precipice.rounding import Rounder

FORMATS = {
    "mpfr2": minimalist.wide(2),
    "mpfr3": minimalist.wide(3),
    "float16": minimalist.FLOAT16,
    "bfloat16": minimalist.BFLOAT16,
    "float32": minimalist.FLOAT32,
    "float64": minimalist.FLOAT64,
    "float80": minimalist.FLOAT80,
    "mpfr200": minimalist.wide(200),
}


def reference(fmt, X, y, u, v, lr, loss, steps, **settings):
    """Run the reference engine from unrounded inputs: (states, (outcome, steps, blow-up))."""
    bits, emin, emax, subnormals = fmt
    precision = Precision(bits=bits, emin=emin, emax=emax, subnormals=subnormals)
    program = run_reference(
        arithmetic=Arithmetic.of(precision),
        X=X,
        y=y,
        parameters={"u": u, "v": v},
        lr=lr,
        loss=loss,
        steps=steps,
        **settings,
    )
    return exhaust(program)


def exhaust(program) -> tuple[list[ReferenceState], tuple[str, int, int | None]]:
    """Return what a generator yielded, and what it returned."""
    states = []
    while True:
        try:
            states.append(next(program))
        except StopIteration as end:
            return states, end.value


def bits(numbers):
    """Return the numbers' bits as text, with their precision and the sign of zero."""
    return [
        (x.precision, "nan") if gmpy2.is_nan(x) else (x.precision, gmpy2.is_signed(x), x.digits(2))
        for x in numbers
    ]


def assert_same(case, **settings):
    """Run both programs and compare every number of every step."""
    expected, *expected_end = minimalist.run(*case, **settings)
    states, end = reference(*case, **settings)
    assert list(end) == expected_end
    assert len(states) == len(expected)
    for got, want in zip(states, expected, strict=True):
        assert got.step == want.step
        assert bits(got.parameters["u"] + got.parameters["v"]) == bits(want.u + want.v)
        assert bits([*got.preactivations, *got.residuals]) == bits([*want.f, *want.z])
        assert bits([got.loss]) == bits([want.loss])
    return end


def draw(seed, depth, N=4, d=3):
    generator = np.random.default_rng(seed)
    return (
        generator.normal(size=(N, d)),
        generator.normal(size=N),
        generator.normal(size=d),
        generator.normal(size=depth - 1),
    )


@pytest.mark.parametrize("fmt", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("loss", ["half_mean", "mean", "half_sum", "sum"])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_equals_the_oracle_bit_for_bit(fmt, loss, depth):
    outcome, steps, _ = assert_same((fmt, *draw(depth, depth), "1/64", loss, 25))
    assert steps == 25 or outcome in ("stalled", "locked", "blowup")
    # A step size that explodes, through infinity into NaN.
    end = assert_same((fmt, *draw(7, depth), 16.0, loss, 12), blowup_factor=None)
    assert end[0] in ("max_steps", "stalled", "locked")


def test_equals_the_oracle_through_overflow_and_nan():
    for fmt in (minimalist.FLOAT16, minimalist.FLOAT32, minimalist.FLOAT64):
        case = (fmt, *draw(3, 2), 4.0, "sum", 20)
        assert assert_same(case, blowup_factor=None) == ("max_steps", 20, None)
        states, _ = reference(*case, blowup_factor=None)
        assert all(gmpy2.is_nan(p) for p in states[-1].parameters["u"])
        assert assert_same(case)[0] == "blowup"
        assert assert_same(case, blowup_factor=math.inf)[0] == "blowup"


def test_equals_the_oracle_where_a_run_ends():
    one, f64 = [[1.0]], minimalist.FLOAT64
    assert assert_same((f64, one, [1.0], [1.0], [1.0], 0.5, "sum", 9)) == ("stalled", 0, None)
    for steps in (9, 2):
        case = (f64, one, [2.0], [2.0], [2.0], 0.5, "sum", steps)
        assert assert_same(case) == ("locked", 2, None)
    case = (f64, one, [1.0], [0.5], [0.5], 0.25, "sum", 500)
    outcome, converged_at, _ = assert_same(case, tol=1e-12)
    assert outcome == "converged"
    assert assert_same(case, tol=1e-6)[1] < converged_at
    floored = (f64, [[1.0], [0.0]], [1.0, 3.0], [1.0], [1.0], 0.25, "sum", 5)
    assert assert_same(floored, tol=1e-9, loss_floor=9.0) == ("converged", 0, None)
    # Curvature 2 (u^2 + v^2) = 32 > 2 / 0.1: a small error grows 2.2-fold a step, and the run ends
    # by its loss long before anything overflows.
    case = (f64, one, [1.0], [4.0], [0.25 + 1e-9], 0.1, "sum", 200)
    outcome, _, blowup = assert_same(case, blowup_factor=1e-3)
    assert outcome == "blowup"
    assert 15 < blowup < 25


def test_a_run_can_be_cancelled():
    answers = iter([False, False, True])
    case = (minimalist.FLOAT64, *draw(0, 2), 0.01, "mean", 100)
    states, end = reference(*case, stop=lambda: next(answers))
    assert end == ("cancelled", 2, None)
    assert [state.step for state in states] == [0, 1, 2]


def test_callers_context_is_neither_used_nor_changed():
    case = (minimalist.FLOAT32, *draw(2, 3), "1/10", "mean", 10)
    expected, _ = reference(*case)
    with gmpy2.context(precision=5, round=gmpy2.RoundUp, emin=-3, emax=4):
        states, _ = reference(*case)
        assert gmpy2.get_context().precision == 5
        assert gmpy2.get_context().round == gmpy2.RoundUp
    for got, want in zip(states, expected, strict=True):
        assert bits([got.loss]) == bits([want.loss])
        assert got.measured_loss == want.measured_loss
        assert bits(got.parameters["u"]) == bits(want.parameters["u"])


def test_context_does_not_leak_between_steps():
    program = run_reference(
        arithmetic=Arithmetic.of("mpfr7"),
        X=np.ones((1, 1)),
        y=np.ones(1),
        parameters={"u": np.full(1, 0.5), "v": np.full(1, 0.5)},
        lr=0.25,
        loss="sum",
        steps=3,
    )
    outside = gmpy2.get_context().precision
    for state in program:
        assert gmpy2.get_context().precision == outside
        assert state.loss.precision == 7


def test_a_new_model_is_one_small_class():
    class Linear:
        """f(x) = x.w with the loss ||z||^2 / 2."""

        def __init__(self, X, y, loss):
            self.X, self.y, self.samples = X, y, len(y)

        def evaluate(self, space, parameters, *, loss, gradient):
            f = space.matvec("forward", self.X, parameters["w"])
            z = space.map("forward", Rounder.subtract, f, self.y)
            squares = space.dot("measurement", z, z)
            return Evaluation(f, z, space.map_number("measurement", Rounder.divide, squares, 2))

        def gradient(self, space, parameters, evaluation):
            yield "w", space.matvec_transposed("gradient", self.X, evaluation.residuals)

    X, y = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([4.0, -3.0])
    states, end = exhaust(
        run_reference(
            arithmetic=Arithmetic.of("mpfr100"),
            X=X,
            y=y,
            parameters={"w": np.zeros(2)},
            lr=0.25,
            loss="half_sum",
            steps=2000,
            model=Linear,
        )
    )
    assert end[0] == "stalled"
    assert float(states[-1].parameters["w"][0]) == 2.0
    assert float(states[-1].parameters["w"][1]) == pytest.approx(-3.0, rel=1e-15)
    assert float(states[1].parameters["w"][1]) == -0.75


def test_an_unknown_loss_is_named():
    with pytest.raises(InvalidArgument, match=r"^loss = "):
        reference(minimalist.FLOAT64, *draw(0, 2), 0.1, "mse", 1)


def test_runs_in_threads_do_not_share_a_context():
    errors = []

    def convert():
        x = gmpy2.mpfr("0.1", 300)
        try:
            for _ in range(5000):
                assert to_float(x) == 0.1
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=convert) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
