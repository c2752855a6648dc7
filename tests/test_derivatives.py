"""Gradients and Hessian-vector products against high-precision finite differences."""

from __future__ import annotations

import gmpy2
import numpy as np
import pytest

import precipice as pc
from oracles import derivatives
from precipice.decomposition import decompose
from precipice.losses import LOSSES
from precipice.operators import TwoLayerOperators
from precipice.sharpness import minimalist_hessian, two_layer_hessian

SAMPLES, FEATURES, WIDTH = 5, 4, 3


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((SAMPLES, FEATURES)), rng.standard_normal(SAMPLES)


def oracle(model, loss):
    """Return the loss as a function of all parameters, in the order of their names' sizes."""
    X, y = data()
    normalisation = (LOSSES[loss].numerator, LOSSES[loss].averaged)
    if isinstance(model, pc.Minimalist):
        return derivatives.minimalist_loss(X, y, *normalisation)
    return derivatives.two_layer_loss(X, y, model.width, model.scale != "none", *normalisation)


MODELS = [
    *(pc.Minimalist(depth) for depth in (2, 3, 5)),
    *(
        pc.TwoLayerLinear(WIDTH, scale, contraction)
        for scale in ("1/sqrt(m)", "none")
        for contraction in ("collapsed", "layerwise")
    ),
]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_step_is_along_the_gradient(model, loss):
    """θ(0) - θ(1) = η ∇L at 256 bits: within the program's rounding, some 2^-250 of its terms."""
    lr = 2.0**-4
    run = pc.simulate(
        pc.problems.from_arrays(*data()),
        model,
        pc.GD(lr),
        precision="mpfr256",
        steps=1,
        init=pc.init.normal(0.7, 0.6, seed=3)
        if isinstance(model, pc.Minimalist)
        else pc.init.pytorch(seed=3),
        loss=loss,
        record=pc.Record(parameters=1),
    )
    names = list(run.trajectory.texts)
    before, after = (np.concatenate([run.trajectory[name][t] for name in names]) for t in (0, 1))
    expected = derivatives.gradient(oracle(model, loss), before)
    with derivatives.wide():
        largest = max(abs(x) for x in expected)
        for old, new, slope in zip(before, after, expected, strict=True):
            taken = (gmpy2.mpfr(old) - gmpy2.mpfr(new)) / gmpy2.mpfr(lr)
            assert abs(taken - slope) <= largest * gmpy2.exp2(-240)
        assert largest > 1e-3


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_the_minimalist_hessian_is_the_loss_s(depth, loss):
    """In the basis of X's singular vectors; directions that X does not see have no curvature."""
    X, y = data()
    X[:, 3] = X[:, 0] - 2 * X[:, 1]  # rank 3
    rng = np.random.default_rng(1)
    u, v = rng.standard_normal(FEATURES), rng.standard_normal(depth - 1)
    normalisation = (LOSSES[loss].numerator, LOSSES[loss].averaged)
    function = derivatives.minimalist_loss(X, y, *normalisation)
    decomposition = decompose(X, y)
    factor = LOSSES[loss].curvature_factor(SAMPLES)
    hessian = minimalist_hessian(decomposition, X @ u, v, factor)
    right = decomposition.right
    for _ in range(3):
        p, q = rng.standard_normal(FEATURES), rng.standard_normal(depth - 1)
        product = derivatives.hessian_product(function, [*u, *v], [*p, *q])
        product = np.array([float(x) for x in product])
        image = hessian @ np.concatenate([right.T @ p, q])
        expected = np.concatenate(
            [right @ image[: decomposition.rank], image[decomposition.rank :]]
        )
        np.testing.assert_allclose(product, expected, atol=1e-13 * np.abs(hessian).sum())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("scale", ["1/sqrt(m)", "none"])
def test_the_two_layer_hessian_is_the_loss_s(scale, loss):
    X, y = data()
    model = pc.TwoLayerLinear(WIDTH, scale)
    rng = np.random.default_rng(2)
    W, a = rng.standard_normal((WIDTH, FEATURES)), rng.standard_normal(WIDTH)
    operators = TwoLayerOperators(model, X, y, W, a, loss=loss)
    c = 1.0 if scale == "none" else 1 / np.sqrt(WIDTH)
    hessian = two_layer_hessian(X, y, W, a, c, LOSSES[loss].curvature_factor(SAMPLES))
    for _ in range(3):
        direction = rng.standard_normal(operators.size)
        theta = [*W.ravel(), *a]
        product = derivatives.hessian_product(oracle(model, loss), theta, direction)
        product = np.array([float(x) for x in product])
        tolerance = 1e-13 * np.abs(hessian).sum()
        np.testing.assert_allclose(operators.hessian(direction), product, atol=tolerance)
        np.testing.assert_allclose(hessian @ direction, product, atol=tolerance)


def test_differences_are_as_good_as_their_bound():
    """On L = (u v)² / 2, whose derivatives are known: within 2^-280."""
    function = derivatives.minimalist_loss([[1.0]], [0.0], 1, False)
    found = derivatives.gradient(function, [0.3, 0.7])
    with derivatives.wide():
        u, v = gmpy2.mpfr(0.3), gmpy2.mpfr(0.7)
        for slope, exact in zip(found, (u * v * v, u * u * v), strict=True):
            assert abs(slope - exact) <= gmpy2.exp2(-280)
        across = derivatives.hessian_product(function, [0.3, 0.7], [1.0, 0.0])[1]
        assert abs(across - 2 * u * v) <= gmpy2.exp2(-280)
