"""Gram matrices of the two-layer linear network as dense matrices, for points and small networks.

With F = c X Wᵀ a (samples are the rows of X), D = F - y, c the network's scale and c_L the loss's
curvature factor; for the mean loss and c = 1/√m these are the matrices of Wang et al. (2022,
appendix C.1, equations 8 and 10; there samples are columns). The compiled core knows them by
their products only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def gram_a(X: FloatArray, W: FloatArray, c: float, curvature_factor: float) -> FloatArray:
    """Return M_A = c_L ∂F/∂a ∂F/∂aᵀ = c_L c² X WᵀW Xᵀ.

    Parameters
    ----------
    X : ndarray of float64, shape (N, d)
    W : ndarray of float64, shape (m, d)
    c : float
        The network's scale, 1/√m or 1.
    curvature_factor : float
        c_L: 1/N, 2/N, 1 or 2 by the loss's normalisation.

    Returns
    -------
    ndarray of float64, shape (N, N)
    """
    hidden = X @ W.T
    return np.asarray(curvature_factor * c**2 * (hidden @ hidden.T))


def gram_w(X: FloatArray, a: FloatArray, c: float, curvature_factor: float) -> FloatArray:
    """Return M_W = c_L ∂F/∂W ∂F/∂Wᵀ = c_L c² ‖a‖² X Xᵀ."""
    return np.asarray(curvature_factor * c**2 * (a @ a) * (X @ X.T))


def gram(
    X: FloatArray, W: FloatArray, a: FloatArray, c: float, curvature_factor: float
) -> FloatArray:
    """Return M = M_A + M_W = c_L ∂F/∂θ ∂F/∂θᵀ (equation 8)."""
    return gram_a(X, W, c, curvature_factor) + gram_w(X, a, c, curvature_factor)


def gram_star(
    X: FloatArray,
    y: FloatArray,
    W: FloatArray,
    a: FloatArray,
    c: float,
    curvature_factor: float,
    step_size: float,
) -> FloatArray:
    """Return M* = M - η c_L² c² (D·F) X Xᵀ: gradient descent has D(t+1) = (I - η M*(t)) D(t)."""
    F = c * (X @ (W.T @ a))
    second_order = step_size * (curvature_factor * c) ** 2 * ((F - y) @ F)
    return np.asarray(gram(X, W, a, c, curvature_factor) - second_order * (X @ X.T))


def gamma(
    X: FloatArray, W: FloatArray, c: float, curvature_factor: float, features: int | None = None
) -> FloatArray:
    """Return Γ = M_A - c_L c² (m/d) X Xᵀ, which vanishes at a symmetric start.

    `features` is d of the data where W is given in fewer coordinates.
    """
    m, d = W.shape
    share = m / (d if features is None else features)
    start = curvature_factor * c**2 * share * (X @ X.T)
    return np.asarray(gram_a(X, W, c, curvature_factor) - start)
