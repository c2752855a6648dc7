"""Spectral coordinates: correctly rounded σ, d, o; runs that equal their oracle; bad input."""

from __future__ import annotations

import gmpy2
import mpmath
import numpy as np
import pytest

import precipice as pc
from oracles import minimalist, spectral
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES
from precipice.precision import Precision
from precipice.spectral import spectral_problem

FLOAT64 = Precision.parse("float64")


def singular_triplets(X, y, u, digits=60):
    """Return σ, d and o by mpmath, with the sign rule applied."""
    with mpmath.workdps(digits):
        U, S, V = mpmath.svd_r(mpmath.matrix(X.tolist()), full_matrices=False)
        sigma, d, o = [], [], []
        for i in range(len(S)):
            e = [U[n, i] for n in range(X.shape[0])]
            size = [abs(x) for x in e]
            first = next(
                n for n, x in enumerate(size) if x >= max(size) * (1 - mpmath.mpf(2) ** -30)
            )
            sign = mpmath.sign(e[first])
            sigma.append(S[i])
            d.append(sign * mpmath.fdot(e, y.tolist()))
            o.append(sign * mpmath.fdot([V[i, k] for k in range(X.shape[1])], u.tolist()))
        return [[float(x) for x in values] for values in (sigma, d, o)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 1), (4, 6), (6, 4), (5, 5), (8, 20)])
@pytest.mark.parametrize("spread", [0, 6])
def test_numbers_are_correctly_rounded(shape, spread):
    rng = np.random.default_rng(shape[0] * 100 + shape[1])
    X = rng.standard_normal(shape) * 10.0 ** rng.uniform(-spread, 0, shape)
    y, u = rng.standard_normal(shape[0]), rng.standard_normal(shape[1])
    problem = spectral_problem(X, y, u, FLOAT64)
    expected = singular_triplets(X, y, u)
    for numbers, exact in zip((problem.sigma, problem.d, problem.o), expected, strict=True):
        assert numbers.dtype == np.float64
        assert numbers.tolist() == exact


def test_rank_deficient_data():
    rng = np.random.default_rng(0)
    # Products of small integers are exact: the rank is 2, not nearly 2.
    X = rng.integers(-9, 9, (5, 2)).astype(float) @ rng.integers(-9, 9, (2, 7)).astype(float)
    y, u = rng.standard_normal(5), rng.standard_normal(7)
    problem = spectral_problem(X, y, u, FLOAT64)
    assert problem.sigma.size == 2
    projector = X @ np.linalg.pinv(X)
    assert problem.y_perp_norm2 == pytest.approx(np.sum((y - projector @ y) ** 2), rel=1e-12)


def test_labels_in_the_column_space_leave_nothing_outside():
    X = np.array([[2.0, 1.0], [0.0, 3.0], [0.0, 0.0]])
    problem = spectral_problem(X, np.array([1.0, 2.0, 0.0]), np.ones(2), FLOAT64)
    assert problem.y_perp_norm2 == 0.0


def test_exact_zeros_are_zero():
    problem = spectral_problem(np.diag([3.0, 1.0]), np.array([0.0, 0.5]), np.zeros(2), FLOAT64)
    assert problem.sigma.tolist() == [3.0, 1.0]
    assert problem.d.tolist() == [0.0, 0.5]
    assert problem.o.tolist() == [0.0, 0.0]


def test_wide_problem_formats_are_rounded_to_their_own_bits():
    wide = Precision.parse("mpfr200")
    X = wide.round_array(np.array([[gmpy2.mpq(1, 3), gmpy2.mpq(2, 7)]], dtype=object))
    y, u = (wide.round_array(np.array(x, dtype=object)) for x in ([gmpy2.mpq(1, 9)], [1, 0]))
    problem = spectral_problem(X, y, u, wide)
    with gmpy2.context(precision=500):
        sigma = gmpy2.sqrt(X[0, 0] ** 2 + X[0, 1] ** 2)
        assert problem.sigma[0] == wide.round(sigma)
        assert problem.o[0] == wide.round(X[0, 0] / sigma)
    assert problem.d[0] == y[0]


def test_equal_singular_values_are_refused():
    with pytest.raises(InvalidArgument, match="coordinates = spectral: .*distinct singular values"):
        spectral_problem(np.eye(3), np.ones(3), np.ones(3), FLOAT64)


def test_zero_data_are_refused():
    with pytest.raises(InvalidArgument, match="X = zeros"):
        spectral_problem(np.zeros((2, 2)), np.ones(2), np.ones(2), FLOAT64)


def test_exact_problems_are_refused():
    with pytest.raises(InvalidArgument, match="problem_dtype = exact"):
        fig6("float64", problem_dtype="exact")


def fig6(precision, **keywords):
    arguments = {
        "steps": 3000,
        "loss": "half_mean",
        "coordinates": "spectral",
        "init": pc.init.constant("0.01"),
        **keywords,
    }
    return pc.simulate(
        pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"), precision=precision, **arguments
    )


@pytest.mark.parametrize(
    ("precision", "fmt"),
    [
        ("float32", minimalist.FLOAT32),
        ("float64", minimalist.FLOAT64),
        ("mpfr2", minimalist.wide(2)),
        ("mpfr24", minimalist.wide(24)),
        ("mpfr113", minimalist.wide(113)),
        ("mpfr256", minimalist.wide(256)),
    ],
)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("engine", ["core", "reference"])
def test_runs_equal_the_oracle(precision, fmt, loss, depth, engine):
    rng = np.random.default_rng(depth)
    X, y = rng.standard_normal((5, 9)), rng.standard_normal(5)
    start = {"u": rng.uniform(-0.4, 0.4, 9), "v": rng.uniform(-1, 1, depth - 1)}
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.Minimalist(depth),
        pc.GD("0.05"),
        precision=precision,
        steps=40,
        init=pc.init.explicit(start),
        loss=loss,
        coordinates="spectral",
        record=pc.Record(loss=1, parameters=1),
        blowup_factor=None,
        engine=engine,
    )
    problem = spectral_problem(X, y, start["u"], FLOAT64)
    states = spectral.trajectory(
        fmt, problem.sigma, problem.d, problem.o, start["v"], 0.05, loss, samples=5, steps=run.steps
    )
    assert run.loss.step.size == len(states)
    for t, (o, v, loss_value) in enumerate(states):
        assert run.trajectory["u"][t].tolist() == o
        assert run.trajectory["v"][t].tolist() == v
        assert run.loss.value[t] == float(loss_value)


def test_events_move_little_against_primal_coordinates():
    """science: on fig. 6 spectral coordinates move drops by up to 10 steps."""
    primal = {"float32": 1437, "float64": 1493, "mpfr113": 1587, "mpfr256": 1764, "mpfr1024": 2425}
    for precision, drop in primal.items():
        events = fig6(precision).events()
        assert events.crossing == 1335
        assert abs(events.catapults[0].drop_step - drop) <= 10


@pytest.mark.parametrize("precision", ["float64", "float32", "mpfr20"])
def test_sharpness_is_that_of_the_diagonal_problem(precision):
    from oracles.sharpness import sharpness

    run = fig6(precision, steps=30, record=pc.Record(sharpness=10, parameters=10))
    problem = spectral_problem(
        pc.problems.fig6().X, pc.problems.fig6().y, np.full(2, 0.01), FLOAT64
    )
    working = Precision.parse(precision)
    sigma, d = (working.round_array(a).astype(float) for a in (problem.sigma, problem.d))
    measured = dict(zip(run.sharpness.step, run.sharpness.value, strict=True))
    for t, step in enumerate(run.trajectory.step):
        u, v = (run.trajectory[name][t].astype(float) for name in ("u", "v"))
        assert measured[step] == pytest.approx(
            sharpness(np.diag(sigma), d, u, v, "half_mean"), rel=1e-13
        )


def test_settings_state_the_decomposition():
    stated = fig6("float64", steps=1).settings["spectral"]
    assert stated["rank"] == 2
    assert len(stated["sha256"]) == 64
    u = np.full(2, 0.01)
    problem = spectral_problem(pc.problems.fig6().X, pc.problems.fig6().y, u, FLOAT64)
    assert [float.fromhex(x) for x in stated["sigma"]] == problem.sigma.tolist()
    assert [float.fromhex(x) for x in stated["o"]] == problem.o.tolist()


def test_the_first_parameter_that_is_not_finite_ends_a_run():
    """Each f_i sees its own o_i only: every parameter has to be looked at.

    Here o_2 overflows in the first update, while o_1, f_1 and v stay what they were.
    """
    run = pc.simulate(
        pc.problems.from_arrays(np.diag([2.0, 1.0]), [0.0, 1e30]),
        pc.Minimalist(),
        pc.GD("1e9"),
        precision="float32",
        steps=10,
        init=pc.init.explicit({"u": [0.0, 0.0], "v": [1.0]}),
        loss="sum",
        coordinates="spectral",
        record=pc.Record(loss=1),
        blowup_factor=np.inf,
    )
    assert (run.outcome, run.steps) == (pc.Outcome.BLOWUP, 1)
    assert [float(x) for x in run.parameters()["u"]] == [0.0, np.inf]
    assert float(run.parameters()["v"][0]) == 1.0
