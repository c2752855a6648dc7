"""The oracles against hardware arithmetic, exact rationals and numerical differentiation."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import gmpy2
import mpmath
import numpy as np
import pytest

from oracles import minimalist, optimizers, sharpness, two_layer

LOSSES = ("half_mean", "mean", "half_sum", "sum")


def correctly_rounded(x: Fraction, precision: int, emin: int) -> Fraction:
    """Round a positive rational to nearest even by integer arithmetic, subnormals included."""
    exponent = 0
    while Fraction(2) ** exponent > x:
        exponent -= 1
    while Fraction(2) ** (exponent + 1) <= x:
        exponent += 1
    quantum = Fraction(2) ** max(exponent + 1 - precision, emin - 1)
    return round(x / quantum) * quantum


@pytest.mark.parametrize("fmt", [minimalist.FLOAT16, minimalist.FLOAT32])
def test_rounding_into_subnormals_happens_once(fmt):
    precision, emin, _, _ = fmt
    generator = random.Random(1)
    for _ in range(500):
        bits = generator.choice([precision, precision + 1, precision + 2, 40, 60])
        x = Fraction(2 * generator.getrandbits(bits) + 1) * Fraction(2) ** (emin - bits)
        for given in (gmpy2.mpq(x), gmpy2.mpfr(gmpy2.mpq(x), 80)):
            got = minimalist.round_to(fmt, given)
            assert Fraction(gmpy2.mpq(got)) == correctly_rounded(x, precision, emin)


def numpy_trajectory(dtype, X, y, u, v, lr, loss, steps):
    """Run depth 2 with NumPy scalars of a hardware (or NumPy-emulated) format."""
    X, y, u, v = (np.asarray(a).astype(dtype) for a in (X, y, u, v))
    eta, N, two_N, two = (dtype(a) for a in (lr, len(X), 2 * len(X), 2))
    found = []
    for _ in range(steps + 1):
        f = [X[i, 0] * u[0] for i in range(len(X))]
        for k in range(1, len(u)):
            f = [f[i] + X[i, k] * u[k] for i in range(len(X))]
        z = [f[i] * v[0] - y[i] for i in range(len(X))]
        squares, s = z[0] * z[0], z[0] * f[0]
        g = [X[0, k] * z[0] for k in range(len(u))]
        for i in range(1, len(X)):
            squares, s = squares + z[i] * z[i], s + z[i] * f[i]
            g = [g[k] + X[i, k] * z[i] for k in range(len(u))]
        g = [g_k * v[0] for g_k in g]
        if loss in ("mean", "sum"):
            g, s = [g_k * two for g_k in g], s * two
        if loss in ("mean", "half_mean"):
            g, s = [g_k / N for g_k in g], s / N
        value = {
            "half_mean": squares / two_N,
            "mean": squares / N,
            "half_sum": squares / two,
            "sum": squares,
        }[loss]
        found.append([*u, *v, *f, *z, value])
        u = np.array([u[k] - eta * g[k] for k in range(len(u))], dtype=dtype)
        v = np.array([v[0] - eta * s], dtype=dtype)
    return np.array(found, dtype=dtype)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("dtype", "fmt"),
    [
        (np.float16, minimalist.FLOAT16),
        (np.float32, minimalist.FLOAT32),
        (np.float64, minimalist.FLOAT64),
    ],
)
@pytest.mark.parametrize("lr", [2.0**-6, 4.0])
def test_equals_hardware_through_overflow_and_nan(loss, dtype, fmt, lr):
    generator = np.random.default_rng(3)
    X, y = generator.normal(size=(5, 3)), generator.normal(size=5)
    u, v = generator.normal(size=3), generator.normal(size=1)
    steps = 40
    with np.errstate(all="ignore"):
        expected = numpy_trajectory(dtype, X, y, u, v, dtype(lr), loss, steps)
    states, outcome, last, blowup = minimalist.run(
        fmt, X, y, u, v, lr, loss, steps, blowup_factor=None
    )
    assert (outcome, last, blowup) == ("max_steps", steps, None)
    got = np.array([[float(x) for x in (*s.u, *s.v, *s.f, *s.z, s.loss)] for s in states])
    np.testing.assert_array_equal(got, expected.astype(np.float64))
    if lr > 1:
        assert np.isnan(got[-1]).all()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_step_is_the_numerical_gradient(loss, depth):
    """At 200 bits one step equals theta - eta grad L with mpmath's derivative."""
    generator = np.random.default_rng(depth)
    X, y = generator.normal(size=(3, 2)), generator.normal(size=3)
    u, v = generator.normal(size=2), generator.normal(size=depth - 1)
    with mpmath.workprec(400):
        factor = {
            "half_mean": mpmath.mpf(1) / 6,
            "mean": mpmath.mpf(1) / 3,
            "half_sum": mpmath.mpf(1) / 2,
            "sum": mpmath.mpf(1),
        }[loss]

        def value(*theta):
            z = [
                sum(mpmath.mpf(X[i, k]) * theta[k] for k in range(2)) * mpmath.fprod(theta[2:])
                - mpmath.mpf(y[i])
                for i in range(3)
            ]
            return factor * sum(z_i**2 for z_i in z)

        theta = [mpmath.mpf(a) for a in (*u, *v)]
        orders = [tuple(int(a == b) for a in range(len(theta))) for b in range(len(theta))]
        expected = [
            t - mpmath.mpf(0.125) * mpmath.diff(value, tuple(theta), n)
            for t, n in zip(theta, orders, strict=True)
        ]
        states, _, _, _ = minimalist.run(minimalist.wide(200), X, y, u, v, 0.125, loss, 1)
        for got, want in zip(states[1].u + states[1].v, expected, strict=True):
            assert abs(mpmath.mpf(got) - want) < mpmath.mpf(2) ** -120
        assert abs(mpmath.mpf(states[0].loss) - value(*theta)) < mpmath.mpf(2) ** -190


def test_integers_are_rounded_once_to_the_format():
    """With 3 bits N = 9 becomes 8 and 2N = 18 becomes 16."""
    X, y = [[1.0]] * 9, [1.0] * 9
    state = next(minimalist.trajectory(minimalist.wide(3), X, y, [0.0], [1.0], 1.0, "half_mean"))
    assert state.loss == 0.5  # the sum of nine ones is 8 in three bits
    state = next(minimalist.trajectory(minimalist.wide(3), X, y, [0.0], [1.0], 1.0, "mean"))
    assert state.loss == 1.0


def outcome_of(*args, **settings):
    return minimalist.run(*args, **settings)[1:]


def test_rules_that_end_a_run():
    f64 = minimalist.FLOAT64
    assert outcome_of(f64, [[1.0]], [1.0], [1.0], [1.0], 0.5, "sum", 9) == ("stalled", 0, None)
    assert outcome_of(f64, [[1.0]], [1.0], [0.5], [0.5], 0.25, "sum", 500, tol=1e-12)[0] == (
        "converged"
    )
    floor = outcome_of(
        f64, [[1.0], [0.0]], [1.0, 3.0], [1.0], [1.0], 0.25, "sum", 5, tol=1e-9, loss_floor=9.0
    )
    assert floor == ("converged", 0, None)
    # u = v = a, y = 2, sum: a -> a - 2 eta a (a^2 - 2); with eta = 1/2, 2 -> -2 -> 2.
    X, u = [[1.0]], [2.0]
    assert outcome_of(f64, X, [2.0], u, [2.0], 0.5, "sum", 9) == ("locked", 2, None)
    assert outcome_of(f64, X, [2.0], u, [2.0], 0.5, "sum", 2) == ("locked", 2, None)
    assert outcome_of(f64, X, [2.0], u, [2.0], 0.5, "sum", 1) == ("max_steps", 1, None)


def test_blowup_rule_and_its_switches():
    case = (minimalist.FLOAT64, [[1.0]], [1.0], [2.0], [2.0], 1.0, "sum", 30)
    states, outcome, last, blowup = minimalist.run(*case)
    assert outcome == "blowup"
    assert last == blowup == states[-1].step
    # Within the first ten steps a loss is part of its own bound: only Inf and NaN can end it.
    assert blowup < 10
    assert not all(gmpy2.is_finite(x) for x in states[-1].u + states[-1].v)
    assert outcome_of(*case, blowup_factor=math.inf) == ("blowup", blowup, blowup)
    assert outcome_of(*case, blowup_factor=None) == ("max_steps", 30, None)


def test_measured_loss_survives_a_narrow_format():
    """In float16 the sum of squares overflows while the parameters are fine."""
    states, outcome, _, _ = minimalist.run(
        minimalist.FLOAT16, [[1.0]], [300.0], [0.5], [0.5], 2.0**-10, "sum", 3
    )
    assert outcome == "max_steps"
    assert gmpy2.is_infinite(states[0].loss)
    assert minimalist.measured("sum", states[0].z) == pytest.approx(299.75**2, rel=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_hessian_against_finite_differences(loss, depth):
    generator = np.random.default_rng(10 * depth)
    X, y = generator.normal(size=(4, 3)), generator.normal(size=4)
    u, v = generator.normal(size=3), generator.normal(size=depth - 1)
    if depth == 4:
        v[1] = 0.0
    theta = [mpmath.mpf(a) for a in (*u, *v)]
    n = len(theta)
    with mpmath.workprec(300):

        def value(t):
            z = [mpmath.fdot(X[i], t[:3]) * mpmath.fprod(t[3:]) - y[i] for i in range(4)]
            return mpmath.mpf(minimalist.kappa(loss, 4)) * mpmath.fdot(z, z)

        step = mpmath.mpf(2) ** -80
        expected = np.empty((n, n))
        for a in range(n):
            for b in range(n):
                total = mpmath.mpf(0)
                for sign_a in (1, -1):
                    for sign_b in (1, -1):
                        moved = list(theta)
                        moved[a] += sign_a * step
                        moved[b] += sign_b * step
                        total += sign_a * sign_b * value(moved)
                expected[a, b] = total / (4 * step**2)
    H = sharpness.hessian(X, y, u, v, loss)
    np.testing.assert_allclose(H, expected, rtol=1e-12, atol=1e-12)
    top = mpmath.eigsy(mpmath.matrix(expected), eigvals_only=True)
    assert sharpness.sharpness(X, y, u, v, loss) == pytest.approx(float(top[n - 1]), rel=1e-12)


def test_sharpness_is_the_algebraic_largest_eigenvalue():
    """At the origin of a depth-3 scalar network the Hessian is -2 kappa y times a permutation."""
    H = sharpness.hessian([[1.0]], [1.0], [0.0], [0.0, 1.0], "sum")
    np.testing.assert_array_equal(np.linalg.eigvalsh(H), [-2.0, 0.0, 2.0])
    H = sharpness.hessian([[1.0]], [4.0], [1.0], [1.0, 1.0], "sum")
    values = np.linalg.eigvalsh(H)
    assert abs(values[0]) < abs(values[-1])
    assert sharpness.sharpness([[1.0]], [4.0], [1.0], [1.0, 1.0], "sum") == values[-1]


@pytest.mark.parametrize("loss", LOSSES)
def test_one_oracle_says_of_gradient_descent_what_the_others_do(loss):
    generator = np.random.default_rng(8)
    X, y = generator.normal(size=(4, 3)), generator.normal(size=4)
    fmt = minimalist.wide(30)
    given = [minimalist.rounded(fmt, a) for a in (X, y)]
    rule = optimizers.Rule(lambda t: ("1/50", True))
    u, v = generator.normal(size=3), generator.normal(size=2)
    states, *_ = minimalist.run(fmt, X, y, u, v, "1/50", loss, 20)
    found, *_ = optimizers.run(optimizers.Minimalist(fmt, *given, loss), [*u, *v], rule, 20)
    assert [state.theta for state in found] == [state.u + state.v for state in states]
    assert [state.loss for state in found] == [state.loss for state in states]
    W, a = generator.normal(size=(2, 3)), generator.normal(size=2)
    for scaled, collapsed in itertools.product((True, False), repeat=2):
        model = optimizers.TwoLayer(fmt, *given, loss, 2, scaled, collapsed)
        found, *_ = optimizers.run(model, [*W.ravel(), *a], rule, 20)
        two = two_layer.trajectory(fmt, X, y, W, a, "1/50", loss, scaled, collapsed)
        for state, expected in zip(found, two, strict=False):
            assert state.theta == [x for row in expected.W for x in row] + expected.a
            assert state.loss == expected.loss


def test_momentum_is_that_of_float64_scalars():
    """The written order of the rules once more, in hardware arithmetic."""
    X, y = [[2.0, 0.5], [0.25, 1.0]], [1.0, -1.0]
    model = optimizers.Minimalist(minimalist.FLOAT64, *minimalist.rounded(
        minimalist.FLOAT64, [X, y]), "half_sum")  # fmt: skip
    eta, beta = 0.1, 0.7
    for nesterov in (False, True):
        theta, velocity = [0.3, -0.2, 0.9], [0.0, 0.0, 0.0]
        rule = optimizers.Rule(lambda t: (0.1, True), beta, nesterov)
        states, *_ = optimizers.run(model, theta, rule, 15)
        for state in states:
            assert [float(p) for p in state.theta] == theta
            f = [row[0] * theta[0] + row[1] * theta[1] for row in X]
            z = [f[i] * theta[2] - y[i] for i in range(2)]
            g = [(X[0][k] * z[0] + X[1][k] * z[1]) * theta[2] for k in range(2)]
            g.append(z[0] * f[0] + z[1] * f[1])
            velocity = [beta * p + q for p, q in zip(velocity, g, strict=True)]
            s = [q + beta * p for p, q in zip(velocity, g, strict=True)] if nesterov else velocity
            theta = [p - eta * q for p, q in zip(theta, s, strict=True)]
