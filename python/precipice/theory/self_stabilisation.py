"""Damian et al.'s picture of the edge of stability, for the minimalist model in closed form.

Around θ*, the first iterate whose sharpness S reaches 2/η, Damian, Nichani and Lee (2023, section
4; quoted by Yoo et al. 2025, appendix D.3) follow two numbers: x_t = w·(θ_t - θ*), how far the run
is along the unit top eigenvector w of the Hessian at θ*, and y_t = ∇S·(θ_t - θ*), how far S is
from its threshold to first order. With α = -∇L·∇S and β = ‖∇S - (w·∇S) w‖² they move as
y_{t+1} - y_t ≈ η (α - β x_t²/2) and x_{t+1} ≈ -(1 + η y_t) x_t.

All of it lives in the coordinates o_i = w_i·u along the right singular vectors of X, and
v_1 … v_{D-1}: what u has outside the row space of X never moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.sharpness import minimalist_hessian
from precipice.theory.imbalance import check_shapes

if TYPE_CHECKING:
    from precipice.decomposition import Decomposition

FloatArray = npt.NDArray[np.float64]

# Enough that the difference of two exact numbers is rounded once more harmlessly to float64.
_DIFFERENCE_BITS = 128


@dataclass(frozen=True, eq=False)
class StabilisationPoint:
    """The quantities of the picture at one point.

    Attributes
    ----------
    sharpness : float
        S, the largest eigenvalue of the Hessian.
    direction : ndarray of float64, shape (r + D - 1,)
        w, its unit eigenvector, along o_1 … o_r and then v_1 … v_{D-1}; the first entry of
        largest magnitude is positive.
    sharpness_gradient : ndarray of float64, shape (r + D - 1,)
        ∇S.
    alpha, beta : float
        α and β.
    """

    sharpness: float
    direction: FloatArray
    sharpness_gradient: FloatArray
    alpha: float
    beta: float


@dataclass(frozen=True, eq=False)
class Stabilisation:
    """The picture along a recorded trajectory.

    Attributes
    ----------
    index : int
        Which of the T moments is θ*.
    point : StabilisationPoint
        At θ*.
    x, y : ndarray of float64, shape (T,)
        x_t and y_t at every moment, zero at `index`.
    """

    index: int
    point: StabilisationPoint
    x: FloatArray
    y: FloatArray


def self_stabilisation(
    decomposition: Decomposition,
    u: npt.ArrayLike,
    v: npt.ArrayLike,
    *,
    lr: float,
    curvature_factor: float,
    sharpness: npt.ArrayLike | None = None,
) -> Stabilisation | None:
    """Return x_t and y_t along a trajectory, from the first moment with S ≥ 2/η.

    Parameters
    ----------
    decomposition : Decomposition
        Of the data (X, y). In spectral coordinates, that of (diag(σ), d).
    u : array_like, shape (T, d)
        Recorded first-layer weights: floats, or exact numbers such as `gmpy2.mpfr`.
    v : array_like, shape (T, D-1)
        The scalar layers at the same moments.
    lr : float
        η.
    curvature_factor : float
        c_L of the loss.
    sharpness : array_like of float, shape (T,), optional
        S at the same moments as the run recorded it; computed if absent.

    Returns
    -------
    Stabilisation or None
        None if S stays below 2/η.

    Raises
    ------
    InvalidArgument
        If the shapes do not match the data or each other.

    Notes
    -----
    θ_t - θ* is taken from the exact numbers and then rounded to float64, in which all else is
    computed: x_t has an error of about 2⁻⁵² ‖θ_t - θ*‖ through w. Costs O((r + D)³) for θ*, and as
    much for each moment up to it without `sharpness`.
    """
    weights, scalars = check_shapes(decomposition, u, v)
    if weights.ndim != 2:
        rule = f"must have shape (T, {weights.shape[-1]})"
        raise InvalidArgument("u", f"array of shape {weights.shape}", rule)
    index = _first_at_or_above(2 / lr, decomposition, weights, scalars, curvature_factor, sharpness)
    if index is None:
        return None
    point = stabilisation_point(decomposition, weights[index], scalars[index], curvature_factor)
    moved = np.concatenate(
        [_differences(u, index) @ decomposition.right, _differences(v, index)], axis=1
    )
    return Stabilisation(index, point, moved @ point.direction, moved @ point.sharpness_gradient)


def stabilisation_point(
    decomposition: Decomposition, u: npt.ArrayLike, v: npt.ArrayLike, curvature_factor: float
) -> StabilisationPoint:
    """Return S, its eigenvector and gradient, α and β at one point, for any depth.

    Parameters
    ----------
    decomposition : Decomposition
        Of the data (X, y).
    u, v : array_like of float, shapes (d,) and (D-1,)
    curvature_factor : float
        c_L of the loss.

    Raises
    ------
    InvalidArgument
        If the shapes do not match the data or each other.

    Notes
    -----
    float64. ∇S is that of wᵀ H(θ) w with w held fixed: first-order perturbation of a simple
    eigenvalue. Where the two largest eigenvalues are equal, S has no gradient and what is returned
    belongs to one of the eigenvectors.
    """
    weights, scalars = check_shapes(decomposition, u, v)
    if weights.ndim != 1:
        rule = f"must have shape ({weights.shape[-1]},)"
        raise InvalidArgument("u", f"array of shape {weights.shape}", rule)
    c = decomposition.sigma * (weights @ decomposition.right)
    hessian = minimalist_hessian(decomposition, decomposition.left @ c, scalars, curvature_factor)
    values, vectors = np.linalg.eigh(hessian)
    w = vectors[:, -1] * np.sign(vectors[np.argmax(np.abs(vectors[:, -1])), -1])
    gradient = curvature_along(
        decomposition.sigma, decomposition.d, c, scalars, w, curvature_factor
    )
    slope = _loss_gradient(decomposition.sigma, decomposition.d, c, scalars, curvature_factor)
    across = gradient - (w @ gradient) * w
    return StabilisationPoint(
        float(values[-1]), w, gradient, float(-slope @ gradient), float(across @ across)
    )


def curvature_along(sigma: Any, d: Any, c: Any, v: Any, w: Any, curvature_factor: Any) -> Any:
    """Return the gradient of wᵀ H(θ) w for a fixed w: ∇³L(w, w, ·).

    Parameters
    ----------
    sigma, d, c : ndarray, shape (r,)
        Singular values, targets d_i = e_i·y, and c_i = σ_i o_i; of any arithmetic.
    v : ndarray, shape (D-1,)
    w : ndarray, shape (r + D - 1,)
    curvature_factor : number
        c_L.

    Returns
    -------
    ndarray, shape (r + D - 1,)

    Notes
    -----
    L = (c_L/2) ‖z‖² with z = P c - d and P = v_1 … v_{D-1}. Along θ + s w, with c' = σ ⊙ w_o and
    P(s) = P + P' s + P'' s²/2 the product of the v_j + s w_j:
    wᵀHw = c_L (z'·z' + z·z''), z' = P' c + P c', z'' = P'' c + 2 P' c'. Its derivatives by o_i and
    v_l follow, where P_l(s) is the product without the factor l. For D = 2 they are
    c_L (4 w_v w_i σ_i² v + 2 w_v² σ_i² o_i) and c_L (2 v Σ σ_i² w_i² + 4 w_v Σ w_i σ_i² o_i).
    """
    rank = len(sigma)
    along, factors = sigma * w[:rank], w[rank:]
    P, slope, bend = _product(v, factors)
    z, first = P * c - d, slope * c + P * along
    second = bend * c + 2 * slope * along
    by_o = sigma * (2 * slope * first + P * second + bend * z)
    by_v = []
    for left_out in range(len(v)):
        rest = np.arange(len(v)) != left_out
        P_l, slope_l, bend_l = _product(v[rest], factors[rest])
        by_v.append(
            2 * (first @ (slope_l * c + P_l * along))
            + P_l * (c @ second)
            + z @ (bend_l * c + 2 * slope_l * along)
        )
    return curvature_factor * np.concatenate([by_o, by_v])


def _product(v: Any, w: Any) -> tuple[Any, Any, Any]:
    """Return value, first and second derivative at s = 0 of the product of the v_j + s w_j."""
    value, slope, bend = 1, 0, 0
    for a, b in zip(v, w, strict=True):
        value, slope, bend = value * a, slope * a + value * b, bend * a + 2 * slope * b
    return value, slope, bend


def _loss_gradient(
    sigma: FloatArray, d: FloatArray, c: FloatArray, v: FloatArray, curvature_factor: float
) -> FloatArray:
    """Return ∇L along o_1 … o_r and v_1 … v_{D-1}."""
    P = np.prod(v)
    z = P * c - d
    without = np.array([np.prod(np.delete(v, left_out)) for left_out in range(v.size)])
    return np.asarray(curvature_factor * np.concatenate([P * sigma * z, without * (z @ c)]))


def _first_at_or_above(
    threshold: float,
    decomposition: Decomposition,
    u: FloatArray,
    v: FloatArray,
    curvature_factor: float,
    sharpness: npt.ArrayLike | None,
) -> int | None:
    """Return the first moment whose sharpness reaches the threshold."""
    if sharpness is not None:
        recorded = np.asarray(sharpness, dtype=np.float64)
        if recorded.shape != (u.shape[0],):
            rule = f"must have shape ({u.shape[0]},): one for every moment of u"
            raise InvalidArgument("sharpness", f"array of shape {recorded.shape}", rule)
        above = np.flatnonzero(recorded >= threshold)
        return int(above[0]) if above.size else None
    for index, (weights, scalars) in enumerate(zip(u, v, strict=True)):
        f = decomposition.left @ (decomposition.sigma * (weights @ decomposition.right))
        hessian = minimalist_hessian(decomposition, f, scalars, curvature_factor)
        if np.linalg.eigvalsh(hessian)[-1] >= threshold:
            return index
    return None


def _differences(parameters: npt.ArrayLike, index: int) -> FloatArray:
    """Return θ_t - θ* in float64, each difference rounded from the exact numbers."""
    values = np.asarray(parameters)
    with gmpy2.context(precision=_DIFFERENCE_BITS):
        return np.asarray(values - values[index], dtype=np.float64)
