"""Bounds on the sharpness of any parameters, and of those that start at random (Yoo, section 5.1).

All of them are of the two-layer model, f(x) = (x·u) v.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.decomposition import Decomposition
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.precision import nearest_float64
from precipice.theory.imbalance import check_shapes
from precipice.theory.minimisers import (
    Bounds,
    Spectrum,
    d_squares,
    difficulty,
    layer_norms,
    minimiser_bounds,
    scalar,
    sigma_1_squared,
)


def sharpness_bounds(
    decomposition: Decomposition, u: npt.ArrayLike, v: npt.ArrayLike, curvature_factor: float
) -> Bounds:
    """Return the bounds of Yoo's Lemma B.3 on the sharpness of any parameters, for depth 2.

    With o_i = w_i·u and z̃_i = σ_i o_i v - d_i:

    c_L [σ_1² (v² + o_1²) + 2 σ_1 o_1 v z̃_1/(v² + o_1²)] ≤ S(θ)
    ≤ c_L [σ_1² v² + Σ σ_i² o_i² + √(Σ σ_i² z̃_i²)].

    Parameters
    ----------
    decomposition : Decomposition
    u : array_like of float, shape (d,) or (T, d)
        First-layer weights, at one or at T moments.
    v : array_like of float, shape (1,) or (T, 1)
        The second layer at the same moments.
    curvature_factor : float
        c_L of the loss.

    Returns
    -------
    Bounds
        Two floats, or two arrays of shape (T,).

    Raises
    ------
    InvalidArgument
        If the shapes do not match the data or each other, or `v` is not of depth 2.

    Notes
    -----
    The lemma divides by σ_1² (v² + o_1²). Where v = o_1 = 0 the second term is taken as 0, which
    keeps the lower bound true: S is never negative. The paper's proof writes S as a spectral norm;
    for depth 2 the largest eigenvalue is also the one of largest magnitude.
    """
    weights, scalars = check_shapes(decomposition, u, v, depth=2)
    second = scalars[..., 0]
    if not decomposition.rank:
        zero = scalar(np.zeros_like(second))
        return Bounds(zero, zero)
    o = weights @ decomposition.right
    sigma, first = decomposition.sigma, o[..., 0]
    residual = sigma * o * second[..., np.newaxis] - decomposition.d
    length2 = second**2 + first**2
    twist = 2 * sigma[0] * first * second * residual[..., 0]
    twist = np.divide(twist, length2, out=np.zeros_like(length2), where=length2 > 0)
    lower = sigma[0] ** 2 * length2 + twist
    upper = sigma[0] ** 2 * second**2 + np.sum((sigma * o) ** 2, axis=-1)
    upper = upper + np.linalg.norm(sigma * residual, axis=-1)
    return Bounds(scalar(curvature_factor * lower), scalar(curvature_factor * upper))


def initial_sharpness_bounds(
    data: Spectrum, alpha: Any, beta: Any, curvature_factor: float, depth: int = 2
) -> Bounds:
    """Return the bounds of Yoo's Theorem 5.6 on the mean sharpness of a normal start.

    c_L σ_1² (α² + β²) ≤ E S(θ(0)) ≤ c_L [α² Σ σ_i² + β² σ_1² + √(Σ σ_i² (α² β² σ_i² + d_i²))].

    Parameters
    ----------
    data : Spectrum
        A `Decomposition`, or anything with its σ and d.
    alpha, beta : number
        Standard deviations of u and v, at least 0, as in `precipice.init.normal`.
    curvature_factor : float
        c_L of the loss.
    depth : int
        The theorem is of depth 2; any other is refused.

    Raises
    ------
    InvalidArgument
        If a standard deviation is negative or not finite, or `depth` is not 2.
    """
    alpha2, beta2 = _variances(alpha, beta, depth)
    sigma2, first = data.sigma**2, sigma_1_squared(data)
    noise = float(np.sqrt(np.sum(sigma2 * (alpha2 * beta2 * sigma2 + data.d**2))))
    lower = first * (alpha2 + beta2)
    upper = alpha2 * float(np.sum(sigma2)) + beta2 * first + noise
    return Bounds(curvature_factor * lower, curvature_factor * upper)


def converged_sharpness_bounds(
    data: Spectrum, alpha: Any, beta: Any, curvature_factor: float, depth: int = 2
) -> Bounds:
    """Return the bounds of Yoo's Theorem 5.7 on the mean sharpness at which gradient flow ends.

    With C = E C(θ*) = r α² - β²: the lower one is that of Theorem 4.3 at C, the upper one
    (c_L/2) [(σ_1² + Σ d_i²/Q) √(C² + 2 r α⁴ + 2 β⁴ + 4Q) + (Σ d_i²/Q - σ_1²) C].

    Takes the arguments of `initial_sharpness_bounds`, and raises what it raises.

    Notes
    -----
    Of a flow that reaches zero loss from a normal start (Assumptions 5.1 and 5.5). Where y is
    orthogonal to all of X, Q = 0 and the terms in d vanish.
    """
    alpha2, beta2 = _variances(alpha, beta, depth)
    mean, q = data.rank * alpha2 - beta2, difficulty(data)
    lower = minimiser_bounds(data, mean, curvature_factor).lower
    # √(C² + 4q') with q' = Q + var(C)/4: the paper's bound is that of Theorem 4.3 with these norms.
    norms = layer_norms(mean, q + (data.rank * alpha2**2 + beta2**2) / 2)
    _, total = d_squares(data)
    border = float(norms.u_squared) * total / q if q else 0.0
    upper = curvature_factor * (sigma_1_squared(data) * float(norms.v_squared) + border)
    return Bounds(lower, upper)


def _variances(alpha: Any, beta: Any, depth: int) -> tuple[float, float]:
    """Return α² and β² of a start that the two-layer theorems cover."""
    if whole_number(depth, "depth", 2) != 2:
        raise InvalidArgument("depth", depth, "must be 2: the theorem is of the two-layer model")
    for name, value in (("alpha", alpha), ("beta", beta)):
        if nearest_float64(value, name) < 0:
            raise InvalidArgument(name, value, "must be at least 0")
    return nearest_float64(alpha, "alpha") ** 2, nearest_float64(beta, "beta") ** 2
