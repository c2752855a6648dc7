"""Products with the Hessian and the Gram matrices of a two-layer network against dense ones."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice import _core
from precipice.errors import InvalidArgument
from precipice.gram import gamma, gram, gram_a, gram_star, gram_w
from precipice.losses import LOSSES, curvature_factor
from precipice.operators import TwoLayerOperators
from precipice.sharpness import two_layer_hessian

# N, d, m: more samples than features, fewer, one of each, one neuron.
SHAPES = [(9, 4, 3), (5, 8, 6), (40, 30, 12), (3, 1, 5), (1, 6, 2), (4, 6, 1)]


def point(N, d, m, seed=0):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((N, d)), rng.standard_normal(N)
    return X, y, rng.standard_normal((m, d)), rng.standard_normal(m)


def scale_of(model):
    return 1.0 if model.scale == "none" else 1 / np.sqrt(model.width)


def dense(product, size):
    return np.stack([product(unit) for unit in np.eye(size)], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", ["1/sqrt(m)", "none"])
@pytest.mark.parametrize("loss", LOSSES)
def test_gram_products_are_those_of_the_matrices(loss, scale, shape):
    N, d, m = shape
    X, y, W, a = point(*shape)
    model = pc.TwoLayerLinear(m, scale)
    operators = TwoLayerOperators(model, X, y, W, a, loss=loss)
    c, factor, lr = scale_of(model), curvature_factor(loss, N), 0.3
    expected = {
        "M": gram(X, W, a, c, factor),
        "M_A": gram_a(X, W, c, factor),
        "M_W": gram_w(X, a, c, factor),
        "M*": gram_star(X, y, W, a, c, factor, lr),
        "Gamma": gamma(X, W, c, factor),
    }
    for name, matrix in expected.items():
        step_size = lr if name == "M*" else None
        found = dense(lambda v, n=name, s=step_size: operators.gram(n, v, s), N)
        np.testing.assert_allclose(found, matrix, atol=1e-13 * np.abs(matrix).sum())
    np.testing.assert_allclose(expected["M"], expected["M_A"] + expected["M_W"])


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gram_matrix_is_that_of_the_jacobian(loss):
    """M = c_L ∂F/∂θ ∂F/∂θᵀ, by differences of F (bilinear: exact to rounding at any step)."""
    X, y, W, a = point(7, 4, 3)
    model = pc.TwoLayerLinear(3)

    def output(theta):
        return X @ (theta[:12].reshape(3, 4).T @ theta[12:]) / np.sqrt(3)

    theta = np.concatenate([W.ravel(), a])
    J = np.stack([(output(theta + e) - output(theta - e)) / 2 for e in np.eye(15)], axis=1)
    operators = TwoLayerOperators(model, X, y, W, a, loss=loss)
    found = dense(lambda v: operators.gram("M", v), 7)
    factor = curvature_factor(loss, 7)
    np.testing.assert_allclose(found, factor * J @ J.T, atol=1e-13 * factor * np.sum(J * J))
    only_a = dense(lambda v: operators.gram("M_A", v), 7)
    expected = factor * J[:, 12:] @ J[:, 12:].T
    np.testing.assert_allclose(only_a, expected, atol=1e-13 * factor * np.sum(J * J))
    gauss_newton = dense(operators.gauss_newton, 15)
    np.testing.assert_allclose(gauss_newton, factor * J.T @ J, atol=1e-13 * factor * np.sum(J * J))


def test_a_symmetric_start_has_no_gamma():
    """What Γ is for (Wang et al., C.1): it starts from zero."""
    X, y = np.random.default_rng(0).standard_normal((2, 20, 5))[0], np.ones(20)
    model = pc.TwoLayerLinear(14)
    start = pc.init.symmetric(1).draw(model, pc.problems.from_arrays(X, y))
    operators = TwoLayerOperators(model, X, y, start["W"], start["a"], loss="mean")
    matrix = dense(lambda v: operators.gram("Gamma", v), 20)
    np.testing.assert_allclose(matrix, 0, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("scale", ["1/sqrt(m)", "none"])
def test_hessian_products_are_those_of_the_matrix(scale, shape):
    N, d, m = shape
    X, y, W, a = point(*shape)
    model = pc.TwoLayerLinear(m, scale)
    operators = TwoLayerOperators(model, X, y, W, a, loss="mean")
    H = two_layer_hessian(X, y, W, a, scale_of(model), 2 / N)
    found = dense(operators.hessian, operators.size)
    np.testing.assert_allclose(found, H, atol=1e-13 * np.abs(H).sum())


def core_operators(X, y, W, a):
    return _core.TwoLayerOperators(
        rows=len(X), features=X.shape[1], X=X.ravel(), y=y, W=W.ravel(), a=a, b1=np.empty(0),
        b2=np.empty(0), scale=1 / np.sqrt(a.size), curvature_factor=2 / y.size,
    )  # fmt: skip


@pytest.mark.parametrize("shape", [(9, 4, 3), (5, 8, 6), (40, 30, 12), (20, 9, 30)])
def test_the_reduced_hessian_has_the_hessian_s_spectrum(shape):
    """The same eigenvalues but for zeros, and eigenvectors that go over into eigenvectors."""
    X, y, W, a = point(*shape)
    H = two_layer_hessian(X, y, W, a, 1 / np.sqrt(a.size), 2 / y.size)
    operators = core_operators(X, y, W, a)
    reduced = dense(operators.reduced_hessian, operators.reduced_size)
    scale = np.abs(np.linalg.eigvalsh(H)).max()
    np.testing.assert_allclose(reduced, reduced.T, atol=1e-13 * scale)

    def nonzero(values):
        return np.sort(values[np.abs(values) > 1e-10 * scale])

    values, vectors = np.linalg.eigh(reduced)
    expected = nonzero(np.linalg.eigvalsh(H))
    assert expected.size > 3
    np.testing.assert_allclose(nonzero(values), expected, atol=1e-12 * scale)
    for value, vector in zip(values, vectors.T, strict=True):
        if abs(value) > 1e-10 * scale:
            full = operators.direction(vector)
            assert np.linalg.norm(full) == pytest.approx(1, abs=1e-10)
            np.testing.assert_allclose(H @ full, value * full, atol=1e-12 * scale)


@pytest.mark.parametrize("what", ["a", "residual"])
def test_the_reduced_hessian_bears_directions_that_vanish(what):
    """a = 0, and X^T D = 0: the frame has one direction less."""
    X, y, W, a = point(9, 4, 6)
    a = np.zeros(6) if what == "a" else a
    y = X @ (W.T @ a) / np.sqrt(6) if what == "residual" else y
    H = two_layer_hessian(X, y, W, a, 1 / np.sqrt(6), 2 / 9)
    operators = core_operators(X, y, W, a)
    values = np.linalg.eigvalsh(dense(operators.reduced_hessian, operators.reduced_size))
    expected = np.linalg.eigvalsh(H)
    scale = np.abs(expected).max()
    for found, other in ((values, expected), (expected, values)):
        assert all(np.abs(other - x).min() < 1e-12 * scale for x in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda o: o.gram("N", np.ones(9)), r"name = N: must be one of M, M_A"),
        (lambda o: o.gram("M*", np.ones(9)), "step_size = None: must be given for M"),
        (lambda o: o.gram("M", np.ones(9), 0.1), "step_size = 0.1: must be given for M"),
        (lambda o: o.gram("M", np.ones(8)), r"v = array of shape \(8,\): must be \(9,\)"),
        (lambda o: o.hessian(np.ones(8)), r"v = array of shape \(8,\): must be \(15,\)"),
        (
            lambda o: TwoLayerOperators(pc.TwoLayerLinear(3), np.ones(9), 1, 1, 1),
            r"X = array of shape \(9,\): must be two-dim",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(call, message):
    operators = TwoLayerOperators(pc.TwoLayerLinear(3), *point(9, 4, 3))
    with pytest.raises(InvalidArgument, match=f"^{message}") as error:
        call(operators)
    assert "\n" not in str(error.value)


def biased_point(N, d, m, seed=0):
    rng = np.random.default_rng(seed + 100)
    return {"b1": rng.standard_normal(m), "b2": rng.standard_normal(1)}


@pytest.mark.parametrize("shape", [(9, 4, 3), (5, 8, 6), (40, 30, 12), (1, 6, 2)])
@pytest.mark.parametrize("scale", ["1/sqrt(m)", "none"])
def test_biases_have_their_parts(scale, shape):
    N, d, m = shape
    X, y, W, a = point(*shape)
    biases = biased_point(*shape)
    model = pc.TwoLayerLinear(m, scale, bias=True)
    operators = TwoLayerOperators(model, X, y, W, a, **biases, loss="mean")
    c, factor = scale_of(model), 2 / N
    H = two_layer_hessian(X, y, W, a, c, factor, **biases)
    assert operators.size == len(H)
    found = dense(operators.hessian, operators.size)
    np.testing.assert_allclose(found, H, atol=1e-13 * np.abs(H).sum())

    wide, inner = np.column_stack([X, np.ones(N)]), np.column_stack([W, biases["b1"]])
    ones = np.full((N, N), factor)
    D_dot_F = (c * wide @ (inner.T @ a) + biases["b2"] - y) @ (c * wide @ (inner.T @ a))
    M_A, M_W = gram_a(wide, inner, c, factor) + ones, gram_w(wide, a, c, factor)
    expected = {
        "M": M_A + M_W,
        "M_A": M_A,
        "M_W": M_W,
        "M*": M_A + M_W - 0.3 * factor**2 * c**2 * D_dot_F * (wide @ wide.T),
        "Gamma": gamma(wide, inner, c, factor, d),
    }
    for name, matrix in expected.items():
        step_size = 0.3 if name == "M*" else None
        products = dense(lambda v, n=name, s=step_size: operators.gram(n, v, s), N)
        np.testing.assert_allclose(products, matrix, atol=1e-13 * np.abs(matrix).sum())
    values, others = (np.linalg.eigvalsh(matrix) for matrix in (M_A + M_W, dense(
        operators.gauss_newton, operators.size)))  # fmt: skip
    assert values[-1] == pytest.approx(others[-1], rel=1e-12)


@pytest.mark.parametrize("shape", [(9, 4, 6), (5, 8, 6), (40, 30, 12)])
def test_the_reduced_hessian_knows_biases(shape):
    X, y, W, a = point(*shape)
    biases = biased_point(*shape)
    operators = _core.TwoLayerOperators(
        rows=len(X), features=X.shape[1], X=X.ravel(), y=y, W=W.ravel(), a=a, **biases,
        scale=1 / np.sqrt(a.size), curvature_factor=2 / y.size,
    )  # fmt: skip
    H = two_layer_hessian(X, y, W, a, 1 / np.sqrt(a.size), 2 / y.size, **biases)
    values, vectors = np.linalg.eigh(dense(operators.reduced_hessian, operators.reduced_size))
    expected = np.linalg.eigvalsh(H)
    scale = np.abs(expected).max()
    one, other = (x[np.abs(x) > 1e-10 * scale] for x in (values, expected))
    np.testing.assert_allclose(one, other, atol=1e-12 * scale)
    for value, vector in zip(values, vectors.T, strict=True):
        if abs(value) > 1e-10 * scale:
            full = operators.direction(vector)
            np.testing.assert_allclose(H @ full, value * full, atol=1e-12 * scale)
