"""Sharpness from dense Hessians: the readable versions, for single points and small networks.

The compiled core solves the minimalist model's matrix by its secular equation, and the two-layer
network's by Lanczos, at every step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from precipice.decomposition import Decomposition

FloatArray = npt.NDArray[np.float64]


def minimalist_hessian(
    decomposition: Decomposition, f: FloatArray, v: FloatArray, curvature_factor: float
) -> FloatArray:
    """Return the Hessian of the loss, restricted to row(X) and the scalar layers.

    Parameters
    ----------
    decomposition : Decomposition
        Of the data (X, y), rank r.
    f : ndarray of float64, shape (N,)
        Pre-activations X u.
    v : ndarray of float64, shape (D - 1,)
        The scalar layers.
    curvature_factor : float
        c_L: 1/N, 2/N, 1 or 2 by the loss's normalisation.

    Returns
    -------
    ndarray of float64, shape (r + D - 1, r + D - 1)
        In the basis w_1 … w_r, v_1 … v_{D-1}. Directions of u outside row(X) have curvature 0.

    Notes
    -----
    Second derivatives of L = (c_L / 2) Σ_i (P c_i - d_i)² with c_i = σ_i o_i = e_i·f and
    P = v_1 … v_{D-1} (Yoo et al. 2025, appendix B.1, for D = 2).
    """
    c, sigma, d = decomposition.left.T @ f, decomposition.sigma, decomposition.d
    r, n = sigma.size, v.size

    def product_without(*skipped: int) -> float:
        return float(np.prod([v[q] for q in range(n) if q not in skipped]))

    P = product_without()
    residual = P * c - d
    first = np.array([product_without(j) for j in range(n)])
    hessian = np.zeros((r + n, r + n))
    hessian[:r, :r] = np.diag((P * sigma) ** 2)
    hessian[:r, r:] = np.outer(sigma * (residual + P * c), first)
    hessian[r:, :r] = hessian[:r, r:].T
    hessian[r:, r:] = np.outer(first, first) * (c @ c)
    for j in range(n):
        for k in range(j):
            hessian[r + j, r + k] += product_without(j, k) * (c @ residual)
            hessian[r + k, r + j] = hessian[r + j, r + k]
    return np.asarray(curvature_factor * hessian)


def minimalist_sharpness(
    decomposition: Decomposition, f: FloatArray, v: FloatArray, curvature_factor: float
) -> float:
    """Return λ_max of the loss's Hessian, at least 0; NaN where an entry is not finite.

    Takes the arguments of `minimalist_hessian`. Costs O((r + D)³).
    """
    with np.errstate(all="ignore"):
        hessian = minimalist_hessian(decomposition, f, v, curvature_factor)
    if not np.isfinite(hessian).all():
        return float("nan")
    return max(0.0, float(np.linalg.eigvalsh(hessian)[-1]))


def two_layer_hessian(
    X: FloatArray,
    y: FloatArray,
    W: FloatArray,
    a: FloatArray,
    c: float,
    curvature_factor: float,
    b1: FloatArray | None = None,
    b2: FloatArray | None = None,
) -> FloatArray:
    """Return the Hessian of the two-layer linear network's loss, F = c (X Wᵀ + 1 b₁ᵀ) a + b₂.

    Parameters
    ----------
    X, y : ndarray of float64, shapes (N, d) and (N,)
    W, a : ndarray of float64, shapes (m, d) and (m,)
    c : float
        The network's scale, 1/√m or 1.
    curvature_factor : float
        c_L: 1/N, 2/N, 1 or 2 by the loss's normalisation.
    b1, b2 : ndarray of float64, shapes (m,) and (1,), optional
        Biases: both or neither.

    Returns
    -------
    ndarray of float64, square, of size m d + m, or m d + 2 m + 1 with biases
        In the order W by rows, a, b1, b2: c_L (JᵀJ + Σ_i z_i ∇²F_i).
    """
    m, d = W.shape
    weights, rest = slice(0, m * d), slice(m * d, m * d + m)  # of W and of a
    biased = b1 is not None
    hidden = X @ W.T + (np.zeros(m) if b1 is None else b1)
    z = c * (hidden @ a) + (np.zeros(1) if b2 is None else b2) - y
    ones = np.ones((len(X), 1))
    of_biases = [c * ones * a, ones] if biased else []
    jacobian = np.concatenate([c * np.kron(a, X), c * hidden, *of_biases], axis=1)
    hessian = jacobian.T @ jacobian
    mixed = np.kron(np.eye(m), c * (X.T @ z)[:, np.newaxis])  # dW[q,k] da_q
    hessian[weights, rest] += mixed
    hessian[rest, weights] += mixed.T
    if biased:
        biases = slice(m * d + m, m * d + 2 * m)
        hessian[biases, rest] += c * np.sum(z) * np.eye(m)  # db1_q da_q
        hessian[rest, biases] += c * np.sum(z) * np.eye(m)
    return np.asarray(curvature_factor * hessian)


def two_layer_sharpness(
    X: FloatArray,
    y: FloatArray,
    W: FloatArray,
    a: FloatArray,
    c: float,
    curvature_factor: float,
    b1: FloatArray | None = None,
    b2: FloatArray | None = None,
) -> float:
    """Return λ_max of the loss's Hessian; NaN where an entry is not finite.

    Takes the arguments of `two_layer_hessian`, and the cube of its size in operations.
    """
    with np.errstate(all="ignore"):
        hessian = two_layer_hessian(X, y, W, a, c, curvature_factor, b1, b2)
    return float(np.linalg.eigvalsh(hessian)[-1]) if np.isfinite(hessian).all() else float("nan")
