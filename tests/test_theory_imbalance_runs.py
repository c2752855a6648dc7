"""Theorem 5.9 to seventy digits, on what the core does with 256 bits: descent, and every batch."""

from __future__ import annotations

import itertools
import math

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpq

import precipice as pc
from precipice import theory
from precipice.losses import LOSSES

BITS, DIGITS = 400, 70
LR = "3/70"


def make_problem(samples: int, features: int) -> pc.Problem:
    rng = np.random.default_rng((samples, features))
    X = rng.normal(size=(samples, features)) / math.sqrt(samples)
    return pc.problems.from_arrays(X, rng.normal(size=samples))


def start(features: int) -> pc.init.Initialiser:
    rng = np.random.default_rng(features)
    return pc.init.explicit({"u": rng.normal(size=features), "v": rng.normal(size=1)})


def train(problem: pc.Problem, loss: str, init: pc.init.Initialiser, steps: int) -> pc.Run:
    return pc.simulate(
        problem, pc.Minimalist(), pc.GD(LR), precision="mpfr256", steps=steps, init=init,
        loss=loss, record=pc.Record(loss=1, parameters=1), blowup_factor=math.inf,
        problem_dtype="exact",
    )  # fmt: skip


def numbers(values: np.ndarray) -> np.ndarray:
    """Return exact numbers as gmpy2 ones of `BITS` bits, which hold them all."""
    out = [gmpy2.mpfr(x, BITS) for x in np.asarray(values).ravel().tolist()]
    return np.array(out, dtype=object).reshape(np.shape(values))


def projected_norm2(X: np.ndarray, u: np.ndarray) -> gmpy2.mpfr:
    """Return ‖Π_W u‖² from the normal equations of the rows, by Gauss elimination."""
    rows = X if X.shape[0] <= X.shape[1] else np.diag(numbers(np.ones(X.shape[1])))
    A, b = rows @ rows.T, rows @ u
    solution = b.copy()
    n = len(b)
    for i in range(n):
        for j in range(i + 1, n):
            factor = A[j, i] / A[i, i]
            A[j] = A[j] - factor * A[i]
            solution[j] = solution[j] - factor * solution[i]
    for i in reversed(range(n)):
        solution[i] = (solution[i] - A[i, i + 1 :] @ solution[i + 1 :]) / A[i, i]
    return b @ solution


def imbalance(X: np.ndarray, u: np.ndarray, v: np.ndarray) -> gmpy2.mpfr:
    return projected_norm2(X, u) - v[0] * v[0]


def terms_at(X: np.ndarray, y: np.ndarray, u: np.ndarray, v: np.ndarray) -> theory.ImbalanceTerms:
    f = X @ u
    return theory.imbalance_terms(X, f * v[0] - y, f, projected_norm2(X, u))


def rounded_lr() -> gmpy2.mpfr:
    """η as the run has it: 3/70 rounded once, to 256 bits."""
    return gmpy2.mpfr(mpq(LR), 256)


def factor(loss: str, samples: int) -> gmpy2.mpfr:
    """c_L as the run divides: exactly, rounded nowhere."""
    return gmpy2.mpfr(mpq(LOSSES[loss].numerator, samples if LOSSES[loss].averaged else 1))


# Both sides of N = d; with more samples than features y has a part outside col(X).
@pytest.mark.parametrize(("samples", "features"), [(5, 3), (3, 5), (4, 4)])
@pytest.mark.parametrize("loss", list(LOSSES))
def test_every_step_of_descent_changes_c_by_the_formula(
    loss: str, samples: int, features: int
) -> None:
    problem = make_problem(samples, features)
    run = train(problem, loss, start(features), steps=12)
    assert run.trajectory is not None
    with gmpy2.context(precision=BITS):
        X, y = numbers(problem.X), numbers(problem.y)
        moments = list(zip(*(map(numbers, run.trajectory[name]) for name in "uv"), strict=True))
        for (u, v), (u_next, v_next) in itertools.pairwise(moments):
            before = imbalance(X, u, v)
            actual = imbalance(X, u_next, v_next) - before
            predicted = theory.imbalance_change(
                terms_at(X, y, u, v), before, rounded_lr(), factor(loss, samples)
            )
            # 256 bits are 77 digits, of the parameters' squares that C is a difference of.
            size = projected_norm2(X, u) + v[0] * v[0]
            assert abs(actual - predicted) < size * gmpy2.mpfr(10) ** -DIGITS
        assert len(moments) == 13


@pytest.mark.parametrize("loss", ["half_mean", "sum"])
def test_the_first_steps_change_has_seventy_digits_of_its_own(loss: str) -> None:
    problem = make_problem(5, 3)
    run = train(problem, loss, start(3), steps=1)
    assert run.trajectory is not None
    with gmpy2.context(precision=BITS):
        X, y = numbers(problem.X), numbers(problem.y)
        (u, v), (u_next, v_next) = zip(
            *(map(numbers, run.trajectory[name]) for name in "uv"), strict=True
        )
        before = imbalance(X, u, v)
        actual = imbalance(X, u_next, v_next) - before
        predicted = theory.imbalance_change(
            terms_at(X, y, u, v), before, rounded_lr(), factor(loss, 5)
        )
        assert abs(actual - predicted) < abs(actual) * gmpy2.mpfr(10) ** -DIGITS


@pytest.mark.parametrize("batch", [1, 2, 3, 5])
@pytest.mark.parametrize("loss", ["half_mean", "mean", "half_sum"])
def test_the_mean_over_every_batch_is_the_expected_change(loss: str, batch: int) -> None:
    """A step on a batch is a step of descent on the problem of its rows: the core takes each."""
    samples, features = 5, 4
    problem = make_problem(samples, features)
    init = start(features)
    with gmpy2.context(precision=BITS):
        X, y = numbers(problem.X), numbers(problem.y)
        changes = []
        for rows in itertools.combinations(range(samples), batch):
            part = pc.problems.from_arrays(problem.X[list(rows)], problem.y[list(rows)])
            run = train(part, loss, init, steps=1)
            assert run.trajectory is not None
            (u, v), (u_next, v_next) = zip(
                *(map(numbers, run.trajectory[name]) for name in "uv"), strict=True
            )
            changes.append(imbalance(X, u_next, v_next) - imbalance(X, u, v))
        expected = theory.expected_imbalance_change(
            terms_at(X, y, u, v), imbalance(X, u, v), rounded_lr(), factor(loss, batch),
            batch=batch, samples=samples,
        )  # fmt: skip
        mean = sum(changes) / len(changes)
        assert len(changes) == math.comb(samples, batch)
        assert abs(mean - expected) < abs(expected) * gmpy2.mpfr(10) ** -DIGITS
        assert max(changes) > min(changes) or batch == samples
