"""Theorem 5.9 against steps that are taken: in rationals, where an identity is an equality."""

from __future__ import annotations

import itertools
import math

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpq

import precipice as pc
from precipice import theory
from precipice.decomposition import decompose
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES, curvature_factor

LR = mpq(3, 7)


class ExactModel:
    """The two-layer model on small random data of rank N < d, in rational arithmetic."""

    def __init__(self, seed: int, samples: int = 4, features: int = 6) -> None:
        rng = np.random.default_rng(seed)

        def draw(*shape: int) -> np.ndarray:
            return rational(rng.integers(-9, 10, size=shape), rng.integers(1, 6, size=shape))

        self.X, self.y, self.u = draw(samples, features), draw(samples), draw(features)
        self.v = mpq(5, 3)
        self.f = self.X @ self.u
        self.z = self.f * self.v - self.y

    def projected_norm2(self, u: np.ndarray) -> mpq:
        """Return ‖Π_W u‖² by Gram-Schmidt without roots."""
        total, basis = mpq(0), []
        for row in self.X:
            for other in basis:
                row = row - (row @ other) / (other @ other) * other
            if row @ row:
                basis.append(row)
                total += (u @ row) ** 2 / (row @ row)
        return total

    def imbalance(self, u: np.ndarray, v: mpq) -> mpq:
        return self.projected_norm2(u) - v**2

    def change(self, rows: tuple[int, ...], factor: mpq) -> mpq:
        """Return what a step on these rows adds to C, from the updated parameters."""
        rows = list(rows)
        X, z, f = self.X[rows], self.z[rows], self.f[rows]
        u = self.u - LR * factor * self.v * (z @ X)
        v = self.v - LR * factor * (z @ f)
        return self.imbalance(u, v) - self.imbalance(self.u, self.v)

    def terms(self) -> theory.ImbalanceTerms:
        return theory.imbalance_terms(self.X, self.z, self.f, self.projected_norm2(self.u))


def rational(numerators: np.ndarray, denominators: np.ndarray) -> np.ndarray:
    """Return an object array of fractions."""
    out = np.empty(numerators.shape, dtype=object)
    for index in np.ndindex(out.shape):
        out[index] = mpq(int(numerators[index]), int(denominators[index]))
    return out


def exact_factor(name: str, samples: int) -> mpq:
    """Return c_L as a fraction."""
    return mpq(LOSSES[name].numerator, samples if LOSSES[name].averaged else 1)


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("seed", range(3))
def test_theorem_5_9_is_the_change_by_one_exact_step_of_descent(name: str, seed: int) -> None:
    model = ExactModel(seed)
    factor = exact_factor(name, 4)
    imbalance = model.imbalance(model.u, model.v)
    predicted = theory.imbalance_change(model.terms(), imbalance, LR, factor)
    assert predicted == model.change(range(4), factor)
    assert predicted != 0


def test_theorem_5_9_to_seventy_digits_in_mpfr() -> None:
    model = ExactModel(7)
    factor = exact_factor("half_mean", 4)
    exact = model.change(range(4), factor)
    with gmpy2.context(precision=256):
        X, z, f = (gmpy2_array(a) for a in (model.X, model.z, model.f))
        norm2 = gmpy2.mpfr(model.projected_norm2(model.u))
        terms = theory.imbalance_terms(X, z, f, norm2)
        imbalance = norm2 - gmpy2.mpfr(model.v) ** 2
        predicted = theory.imbalance_change(terms, imbalance, gmpy2.mpfr(LR), gmpy2.mpfr(factor))
    assert predicted.precision == 256
    assert abs(mpq(predicted) - exact) < abs(exact) * mpq(1, 10**70)


def gmpy2_array(values: np.ndarray) -> np.ndarray:
    """Return the fractions rounded in the current context."""
    out = np.empty(values.shape, dtype=object)
    for index in np.ndindex(values.shape):
        out[index] = gmpy2.mpfr(values[index])
    return out


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("batch", [1, 2, 3, 4])
def test_expected_change_is_the_mean_over_all_batches(name: str, batch: int) -> None:
    # y has a part outside col(X) at 7 samples of 6 features; nothing here assumes it away.
    for model, samples in ((ExactModel(1), 4), (ExactModel(2, samples=7), 7)):
        factor = exact_factor(name, batch)
        steps = [
            model.change(rows, factor) for rows in itertools.combinations(range(samples), batch)
        ]
        imbalance = model.imbalance(model.u, model.v)
        expected = theory.expected_imbalance_change(
            model.terms(), imbalance, LR, factor, batch=batch, samples=samples
        )
        assert expected == sum(steps) / len(steps)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_averaged_losses_follow_the_papers_difference_to_descent(batch: int) -> None:
    model, samples = ExactModel(3), 4
    terms, imbalance = model.terms(), model.imbalance(model.u, model.v)
    descent = theory.imbalance_change(terms, imbalance, LR, mpq(1, samples))
    expected = theory.expected_imbalance_change(
        terms, imbalance, LR, mpq(1, batch), batch=batch, samples=samples
    )
    papers = LR**2 * mpq(samples - batch, batch * samples**2 * (samples - 1)) * (
        -(terms.psi_2 - terms.psi_1) * imbalance + (terms.omega_2 - terms.omega_1)
    )  # fmt: skip
    assert expected - descent == papers


@pytest.mark.parametrize("seed", range(5))
def test_terms_are_the_papers_sums_over_singular_directions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y, u, v = rng.normal(size=(5, 7)), rng.normal(size=5), rng.normal(size=7), 0.6
    dec = decompose(X, y)
    f = X @ u
    z, o = f * v - y, u @ dec.right
    terms = theory.imbalance_terms(X, z, f, o @ o)
    each = dec.sigma * z[:, np.newaxis] * dec.left  # the columns σ_i (z ⊙ e_i)
    whole = each.sum(axis=0)
    pairs = list(itertools.combinations(range(dec.rank), 2))
    assert terms.psi_1 == pytest.approx(whole @ whole)
    assert terms.psi_2 == pytest.approx(5 * np.sum(each**2))
    omega_1 = sum((whole[i] * o[j] - whole[j] * o[i]) ** 2 for i, j in pairs)
    omega_2 = 5 * sum(np.sum((each[:, i] * o[j] - each[:, j] * o[i]) ** 2) for i, j in pairs)
    assert terms.omega_1 == pytest.approx(omega_1)
    assert terms.omega_2 == pytest.approx(omega_2)
    assert 0 <= terms.psi_1 <= terms.psi_2
    assert 0 <= terms.omega_1 <= terms.omega_2
    assert terms.t_1 == pytest.approx(omega_1 / (whole @ whole))
    assert terms.t_2 == pytest.approx((omega_2 - omega_1) / (terms.psi_2 - terms.psi_1))


def test_thresholds_are_where_the_changes_turn() -> None:
    model = ExactModel(5)
    terms = model.terms()
    around = (-1, 0, 1)
    signs = [
        np.sign(theory.imbalance_change(terms, terms.omega_1 / terms.psi_1 + shift, LR, 1))
        for shift in around
    ]
    assert signs == [1, 0, -1]
    t_2 = (terms.omega_2 - terms.omega_1) / (terms.psi_2 - terms.psi_1)
    assert float(t_2) == pytest.approx(terms.t_2)
    excess = [
        theory.expected_imbalance_change(terms, t_2 + shift, LR, mpq(1, 2), batch=2, samples=4)
        - theory.imbalance_change(terms, t_2 + shift, LR, mpq(1, 4))
        for shift in around
    ]
    assert [np.sign(value) for value in excess] == [1, 0, -1]


def test_a_single_sample_has_no_second_threshold() -> None:
    X, y, u = np.array([[0.3, 0.7]]), np.array([1.1]), np.array([0.2, -0.1])
    f = X @ u
    terms = theory.imbalance_terms(X, f * 0.3 - y, f, (X @ u)[0] ** 2 / (X @ X.T)[0, 0])
    assert math.isnan(terms.t_2)
    assert terms.omega_1 == pytest.approx(0, abs=1e-15)
    assert terms.omega_1 >= 0
    change = theory.imbalance_change(terms, 0.5, 0.1, 1.0)
    alone = theory.expected_imbalance_change(terms, 0.5, 0.1, 1.0, batch=1, samples=1)
    assert change == alone


def test_no_residual_means_no_change_and_no_thresholds() -> None:
    X, f = np.eye(2), np.ones(2)
    terms = theory.imbalance_terms(X, np.zeros(2), f, 2.0)
    assert terms == (0, 0, 0, 0)
    assert math.isnan(terms.t_1)
    assert math.isnan(terms.t_2)
    assert theory.imbalance_change(terms, 3.0, 0.1, 1.0) == 0


def recorded_run(steps: int = 25) -> tuple[pc.Problem, pc.Run]:
    """Return fig6 trained in 256 bits from parameters that are far from balanced."""
    problem = pc.problems.fig6()
    run = pc.simulate(
        problem, pc.Minimalist(), pc.GD("2/50"), precision="mpfr256", steps=steps,
        init=pc.init.explicit({"u": [1.0, -0.5], "v": [0.25]}), loss="mean",
        record=pc.Record(loss=1, parameters=1, layer_imbalance=1), engine="reference",
    )  # fmt: skip
    return problem, run


def test_drift_predicts_the_changes_along_a_recorded_run() -> None:
    problem, run = recorded_run()
    assert run.trajectory is not None
    assert run.layer_imbalance is not None
    u, v = run.trajectory["u"], run.trajectory["v"]
    with gmpy2.context(precision=300):
        # X has full rank, so that W is everything. Differences are taken before rounding.
        exact = [np.sum(a * a) - np.sum(b * b) for a, b in zip(u, v, strict=True)]
        changes = np.array([float(b - a) for a, b in itertools.pairwise(exact)])
    drift = theory.imbalance_drift(
        decompose(problem.X, problem.y), problem.X, problem.y, u, v,
        lr=run.lr, curvature_factor=curvature_factor("mean", 2),
    )  # fmt: skip
    np.testing.assert_allclose(drift.change[:-1], changes, rtol=1e-9, atol=1e-24)
    np.testing.assert_allclose(drift.imbalance, run.layer_imbalance.value, rtol=1e-13)
    assert np.all(drift.terms.psi_2 >= drift.terms.psi_1)
    assert np.all((changes > 0) == (drift.imbalance < drift.terms.t_1)[:-1])


def test_drift_at_many_moments_is_drift_at_each() -> None:
    rng = np.random.default_rng(0)
    X, y, u, v = (rng.normal(size=shape) for shape in ((3, 5), (3,), (4, 5), (4, 1)))
    dec = decompose(X, y)
    keywords = {"lr": 0.1, "curvature_factor": 1 / 3}
    drift = theory.imbalance_drift(dec, X, y, u, v, **keywords)
    np.testing.assert_array_equal(drift.imbalance, theory.layer_imbalance(dec, u, v))
    for t in range(4):
        single = theory.imbalance_drift(dec, X, y, u[t : t + 1], v[t : t + 1], **keywords)
        assert single.change[0] == pytest.approx(drift.change[t], rel=1e-12)
        for series, alone in zip(drift.terms, single.terms, strict=True):
            assert series.shape == (4,)
            assert alone[0] == pytest.approx(series[t], rel=1e-12)


def test_layer_imbalance_by_hand() -> None:
    dec = decompose(np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.array([1.0, 1.0]))
    u = np.array([3.0, 4.0, 100.0])
    assert theory.layer_imbalance(dec, u, [2.0]) == pytest.approx(25 - 4)
    np.testing.assert_allclose(theory.layer_imbalance(dec, u, [2.0, 5.0]), [21, 0], atol=1e-12)
    moments = np.stack([u, 2 * u])
    np.testing.assert_allclose(theory.layer_imbalance(dec, moments, [[2.0], [0.0]]), [21, 100])
    np.testing.assert_allclose(
        theory.layer_imbalance(dec, moments, [[2.0, 5.0], [0.0, 1.0]]),
        [[21, 0], [100, 99]],
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("u", "v", "name"),
    [
        (np.zeros(5), np.zeros(1), "u"),
        (np.zeros(()), np.zeros(1), "u"),
        (np.zeros((2, 2, 6)), np.zeros((2, 2, 1)), "u"),
        (np.zeros(6), np.zeros(()), "v"),
        (np.zeros(6), np.zeros(0), "v"),
        (np.zeros((2, 6)), np.zeros((3, 1)), "v"),
        (np.zeros((2, 6)), np.zeros(2), "v"),
    ],
)
def test_shapes_are_checked(u: np.ndarray, v: np.ndarray, name: str) -> None:
    X = np.random.default_rng(0).normal(size=(3, 6))
    dec = decompose(X, np.ones(3))
    formulas = (
        lambda: theory.layer_imbalance(dec, u, v),
        lambda: theory.sharpness_bounds(dec, u, v, 1.0),
        lambda: theory.imbalance_drift(dec, X, np.ones(3), u, v, lr=0.1, curvature_factor=1.0),
    )
    for formula in formulas:
        with pytest.raises(InvalidArgument, match=rf"^{name} = array of shape .*: must have shape"):
            formula()


def test_deeper_models_and_single_moments_are_refused() -> None:
    X = np.eye(2)
    dec = decompose(X, np.ones(2))
    for formula in (
        lambda: theory.sharpness_bounds(dec, np.ones(2), np.ones(2), 1.0),
        lambda: theory.imbalance_drift(
            dec, X, np.ones(2), np.ones((3, 2)), np.ones((3, 2)), lr=0.1, curvature_factor=1.0
        ),
    ):
        with pytest.raises(InvalidArgument, match=r"^v = .*\): the formula is of depth 2$"):
            formula()
    with pytest.raises(InvalidArgument, match=r"^u = .*: must have shape \(T, 2\)$"):
        theory.imbalance_drift(
            dec, X, np.ones(2), np.ones(2), np.ones(1), lr=0.1, curvature_factor=1.0
        )


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (5, r"^batch = 5: must be at most the number of samples, 4$"),
        (0, r"^batch = 0: must be an integer of at least 1$"),
        (2.0, r"^batch = 2.0: must be an integer of at least 1$"),
    ],
)
def test_a_batch_is_part_of_the_samples(batch: object, message: str) -> None:
    terms = theory.ImbalanceTerms(1.0, 1.0, 2.0, 2.0)
    with pytest.raises(InvalidArgument, match=message):
        theory.expected_imbalance_change(terms, 0.0, 0.1, 1.0, batch=batch, samples=4)  # type: ignore[arg-type]
