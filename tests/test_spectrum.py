"""Extreme eigenpairs by products, against LAPACK's dense ones."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice.errors import InvalidArgument
from precipice.sharpness import two_layer_sharpness

EPSILON = np.finfo(np.float64).eps
TOLERANCE = 1e-10
SIZES = (1, 2, 3, 5, 8, 13, 24, 25, 30, 40, 60, 90)
SEEDS = 84  # times the twelve spectra: 1,008 cases


def spectra(n, rng):
    """Return spectra of size n that eigensolvers find hard, by name."""
    normal = rng.standard_normal
    low_rank, repeated, cluster, near = np.zeros(n), normal(n), normal(n), normal(n)
    rank = rng.integers(0, min(n, 6) + 1)
    low_rank[:rank] = normal(rank)
    repeated[:3] = repeated.max() + 1
    cluster[:5] = 4 + 1e-8 * normal(min(n, 5))
    near[:3] = 4 + 1e-3 * normal(min(n, 3))
    return {
        "random": normal(n),
        "negative": -np.abs(normal(n)),
        "rank-deficient": low_rank,
        "repeated at the top": repeated,
        "all repeated": np.repeat(normal((n + 3) // 4), 4)[:n],
        "graded": 10.0 ** -np.arange(n) * rng.choice([-1, 1], n),
        "clustered at the top": cluster,
        "nearly repeated": near,
        "identity": np.full(n, 2.0),
        "dense at the bottom": np.linspace(0, 1, n) ** 2,
        "huge": 1e200 * normal(n),
        "tiny": 1e-200 * normal(n),
    }


def symmetric(values, rng):
    """Return a matrix with these eigenvalues and random eigenvectors."""
    Q = np.linalg.qr(rng.standard_normal((values.size, values.size)))[0]
    A = (Q * values) @ Q.T
    return (A + A.T) / 2


def assert_is_an_eigenpair(A, reference, vectors, value, x, residual):
    """Within its residual of an eigenvalue, at an angle of at most residual / gap."""
    n, scale = reference.size, np.abs(reference).max()
    rounding = n * EPSILON * scale  # LAPACK's and this test's
    assert np.linalg.norm(x) == pytest.approx(1, abs=1e-13)
    unit = scale if scale > 0 else 1.0  # squares of tiny numbers vanish
    true = np.linalg.norm((A @ x - value * x) / unit) * unit
    assert true <= residual + rounding
    assert np.abs(reference - value).min() <= residual + rounding
    near = np.abs(reference - value) <= max(1e-6 * scale, 4 * residual)
    if near.all():
        return
    gap = np.abs(reference[~near] - value).min()
    assert np.linalg.norm(vectors[:, ~near].T @ x) <= (residual + rounding) / gap + 1e-13


@pytest.mark.parametrize("seed", range(SEEDS))
def test_pairs_are_those_of_lapack(seed):
    rng = np.random.default_rng(seed)
    n = SIZES[seed % len(SIZES)]
    for name, values in spectra(n, rng).items():
        A = symmetric(values, rng)
        reference, vectors = np.linalg.eigh(A)
        scale = np.abs(reference).max()
        for k in {1, min(5, n), int(rng.integers(1, min(5, n) + 1))}:
            found = pc.eigenpairs(A, largest=k, smallest=True, tolerance=TOLERANCE, products=2000)
            assert found.converged.all(), name
            assert found.smallest_converged, name
            expected = [*reference[::-1][:k], reference[0]]
            pairs = [
                *zip(found.values, found.vectors.T, found.residuals, strict=True),
                (found.smallest, found.smallest_vector, found.smallest_residual),
            ]
            for (value, x, residual), wanted in zip(pairs, expected, strict=True):
                assert_is_an_eigenpair(A, reference, vectors, value, x, residual)
                assert residual <= max(TOLERANCE, 32 * EPSILON) * scale * (1 + 1e-12)
                # The right one: as often as it is an eigenvalue. What lies below the tolerance
                # cannot be told from zero.
                assert abs(value - wanted) <= max(residual, 2 * TOLERANCE * scale), name
            overlaps = found.vectors.T @ found.vectors
            np.testing.assert_allclose(overlaps, np.eye(k), atol=1e-12)


def test_a_repeated_eigenvalue_is_found_as_often():
    rng = np.random.default_rng(1)
    A = symmetric(np.array([7.0, 7, 7, 7, *rng.uniform(-1, 1, 196)]), rng)
    found = pc.eigenpairs(A, largest=5)
    np.testing.assert_allclose(found.values[:4], 7, atol=1e-12)
    assert found.values[4] < 1.1


def test_small_operators_are_solved_densely():
    rng = np.random.default_rng(2)
    A = symmetric(rng.standard_normal(24), rng)
    found = pc.eigenpairs(A, largest=3, smallest=True)
    assert found.products == 24
    assert np.all(found.residuals <= 64 * EPSILON * np.abs(A).sum())
    assert pc.eigenpairs([[-2.0]], smallest=True).smallest == -2


def test_a_value_is_never_trusted_beyond_its_residual():
    """Cut short: not converged, and the residual says how much is known."""
    rng = np.random.default_rng(3)
    A = symmetric(np.linspace(0, 1, 300), rng)
    reference = np.linalg.eigvalsh(A)
    found = pc.eigenpairs(A, largest=3, smallest=True, products=12)
    assert not found.converged.any()
    assert not found.smallest_converged
    assert found.products <= 13
    for value, residual in zip(found.values, found.residuals, strict=True):
        assert residual > 1e-6
        assert np.abs(reference - value).min() <= residual


def test_a_start_nearby_saves_products_and_finds_the_same():
    rng = np.random.default_rng(4)
    A = symmetric(np.array([50.0, 9, 8, *rng.uniform(-1, 4, 297)]), rng)
    E = symmetric(rng.standard_normal(300), rng)
    cold = pc.eigenpairs(A, largest=3, smallest=True)
    warm = pc.eigenpairs(A + 1e-4 * E, largest=3, smallest=True, start=cold.start)
    assert warm.products < 0.75 * cold.products
    reference = np.linalg.eigvalsh(A + 1e-4 * E)
    np.testing.assert_allclose(warm.values, reference[::-1][:3], atol=1e-8)
    assert warm.smallest == pytest.approx(reference[0], abs=1e-8)


def test_an_eigenvalue_that_overtakes_is_noticed():
    """Two blocks that know nothing of each other: the start is an exact eigenvector of one."""
    rng = np.random.default_rng(5)
    first, second = (symmetric(rng.uniform(0, 1, 60), rng) for _ in range(2))
    one, other = (np.linalg.eigh(block)[1][:, -1] for block in (first, second))
    start, worst = (), 0.0
    for t in range(41):
        A = np.zeros((120, 120))
        A[:60, :60] = first + (4 - 0.05 * t) * np.outer(one, one)
        A[60:, 60:] = second + (2 + 0.05 * t) * np.outer(other, other)
        A = (A + A.T) / 2
        found = pc.eigenpairs(A, start=start)
        start = found.start
        worst = max(worst, abs(found.values[0] - np.linalg.eigvalsh(A)[-1]))
    assert worst < 1e-8


def test_along_a_path_few_products_are_needed():
    rng = np.random.default_rng(6)
    A = symmetric(np.array([50.0, 5, *rng.uniform(-1, 4, 298)]), rng)
    E = symmetric(rng.standard_normal(300), rng)
    found = pc.eigenpairs(A)
    for t in range(1, 30):
        found = pc.eigenpairs(A + 1e-4 * t * E, start=found.start)
        assert found.products <= 12
        assert found.converged.all()


def test_zero_is_an_operator():
    found = pc.eigenpairs(lambda v: 0 * v, 100, largest=3, smallest=True)
    np.testing.assert_array_equal(found.values, 0)
    assert found.smallest == 0
    assert found.converged.all()


@pytest.mark.parametrize("n", [10, 100])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_has_no_eigenvalues(n, value):
    A = np.eye(n)
    A[3, 3] = value
    found = pc.eigenpairs(A, largest=2, smallest=True)
    assert np.isnan(found.values).all()
    assert np.isnan(found.residuals).all()
    assert np.isnan(found.smallest)
    assert not found.converged.any()


def test_starts_that_are_of_no_use_do_no_harm():
    rng = np.random.default_rng(7)
    A = symmetric(rng.standard_normal(50), rng)
    wrong = [np.zeros(50), np.full(50, np.nan), np.ones(49), np.ones(50), np.ones(50)]
    found = pc.eigenpairs(A, largest=4, start=wrong)
    np.testing.assert_allclose(found.values, np.linalg.eigvalsh(A)[::-1][:4], atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((np.eye(3),), {"largest": 4}, "largest = 4: must be an integer from 1 to 3"),
        ((np.eye(3),), {"largest": 0}, "largest = 0: must be"),
        ((np.ones((2, 3)),), {}, r"operator = array of shape \(2, 3\): must be square"),
        (([[1, 2], [3, 4]],), {}, "operator = .*: must equal its transpose"),
        ((lambda v: v,), {}, "n = None: must be given"),
        ((lambda v: v[:2], 30), {}, r"operator = image of shape \(2,\): must be \(30,\)"),
        ((np.eye(3),), {"tolerance": 0}, "tolerance = 0: must be between 0 and 1"),
        ((np.eye(3),), {"products": 0}, "products = 0: must be"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, keywords, message):
    with pytest.raises(InvalidArgument, match=f"^{message}") as error:
        pc.eigenpairs(*arguments, **keywords)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("seed", [344, 581, 871, 1127])
def test_eigenvalues_that_cross_along_a_run_are_noticed(seed):
    """One sample: eigenvalues of different invariant subspaces cross between two steps, and the
    last step's vector is an eigenvector still, of a lower one."""
    rng = np.random.default_rng(seed)
    N, d, m = (int(rng.integers(*bounds)) for bounds in ((1, 5), (6, 10), (3, 6)))
    X, y = rng.standard_normal((N, d)), rng.standard_normal(N)
    W, a = 0.3 * rng.standard_normal((m, d)), 0.3 * rng.standard_normal(m)
    lr = float(10 ** rng.uniform(-1.3, 0.3))
    run = pc.simulate(
        pc.problems.from_arrays(X, y), pc.TwoLayerLinear(m), pc.GD(lr), steps=80,
        init=pc.init.explicit({"W": W, "a": a}), record=pc.Record(sharpness=1, parameters=1),
    )  # fmt: skip
    for i in range(run.sharpness.step.size):
        W = run.trajectory["W"][i].astype(float).reshape(m, d)
        a = run.trajectory["a"][i].astype(float)
        exact = two_layer_sharpness(X, y, W, a, 1 / np.sqrt(m), 1 / N)
        assert run.sharpness.value[i] == pytest.approx(exact, rel=1e-8, abs=1e-12)
