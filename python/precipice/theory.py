"""What the papers predict from the data alone, and the conserved quantity of gradient flow.

Formulas of Yoo et al. 2025 for the minimalist model. The paper writes them for the loss
``half_mean``, with the factor 1/N; here that factor is the loss's curvature factor c_L
(`precipice.losses.curvature_factor`), which is the same formula for every normalisation of the
loss. Everything is float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from precipice.decomposition import Decomposition
from precipice.errors import InvalidArgument
from precipice.exact import whole_number

FloatArray = npt.NDArray[np.float64]

SMALLEST_SIGMA_SQUARED = 1e-9
"""σ_i² below this counts as this in Q, so that a nearly vanishing direction stays finite."""


class Bounds(NamedTuple):
    """A lower and an upper bound on the sharpness at a global minimiser."""

    lower: FloatArray | float
    upper: FloatArray | float


def difficulty(decomposition: Decomposition) -> float:
    """Return the dataset difficulty Q = Σ d_i² / max(σ_i², 1e-9) (Yoo, Definition 4.1)."""
    floored = np.maximum(decomposition.sigma**2, SMALLEST_SIGMA_SQUARED)
    return float(np.sum(decomposition.d**2 / floored))


def predicted_sharpness(decomposition: Decomposition, depth: int, curvature_factor: float) -> float:
    """Return Ŝ_D = c_L σ_1² Q^((D-1)/D), the predicted final sharpness (Yoo, section 5.1, table 3).

    Parameters
    ----------
    decomposition : Decomposition
    depth : int
        D, at least 2.
    curvature_factor : float
        c_L of the loss, 1/N for ``half_mean``.

    Raises
    ------
    InvalidArgument
        If `depth` is below 2.
    """
    power = 1 - 1 / whole_number(depth, "depth", 2)
    return float(
        curvature_factor * _sigma_1_squared(decomposition) * difficulty(decomposition) ** power
    )


def gap_term(decomposition: Decomposition, depth: int, curvature_factor: float) -> float:
    """Return (D-1) c_L (Σ d_i²) Q^(-1/D), what the upper bound adds to Ŝ_D (Yoo, table 4).

    Raises
    ------
    InvalidArgument
        If `depth` is below 2.
    """
    depth = whole_number(depth, "depth", 2)
    _, norm2 = _d_squares(decomposition)
    return _over_difficulty(decomposition, depth, curvature_factor, norm2)


def minimiser_v_squared(
    decomposition: Decomposition, imbalance: npt.ArrayLike
) -> FloatArray | float:
    """Return (v_1*)² = (√(C² + 4Q) - C)/2 at a minimiser of imbalance C (Yoo, Theorem 4.3).

    Parameters
    ----------
    decomposition : Decomposition
    imbalance : float or array_like
        C(θ*), of any shape.
    """
    c = np.asarray(imbalance, dtype=np.float64)
    q = difficulty(decomposition)
    root = np.hypot(c, 2 * np.sqrt(q))
    # For C > 0 the difference cancels; the other root of the quadratic gives the same number.
    stable = np.divide(2 * q, root + np.abs(c), out=np.zeros_like(c), where=root + np.abs(c) > 0)
    return _scalar(np.where(c > 0, stable, (root - c) / 2))


def minimiser_bounds(
    decomposition: Decomposition, imbalance: npt.ArrayLike, curvature_factor: float
) -> Bounds:
    """Return the bounds of Yoo's Theorem 4.3 on the sharpness at a minimiser, for depth 2.

    c_L [σ_1² v² + d_1²/v²] ≤ S(θ*) ≤ c_L [σ_1² v² + (Σ d_i²)/v²] with v² = (√(C² + 4Q) - C)/2.

    Parameters
    ----------
    decomposition : Decomposition
        Of a y in the column space of X; what lies outside does not enter.
    imbalance : float or array_like
        C(θ*), of any shape; the bounds have the same shape.
    curvature_factor : float
        c_L of the loss.
    """
    v2 = np.asarray(minimiser_v_squared(decomposition, imbalance))
    first, total = _d_squares(decomposition)
    base = _sigma_1_squared(decomposition) * v2

    def bound(numerator: float) -> FloatArray | float:
        with np.errstate(divide="ignore"):
            border = numerator / v2 if numerator else np.zeros_like(v2)
        return _scalar(curvature_factor * (base + border))

    return Bounds(bound(first), bound(total))


def balanced_minimiser_bounds(
    decomposition: Decomposition, depth: int, curvature_factor: float
) -> Bounds:
    """Return the bounds of Yoo's Theorem 4.6 at a balanced minimiser, for any depth.

    Ŝ_D + (D-1) c_L d_1² Q^(-1/D) ≤ S(θ*) ≤ Ŝ_D + (D-1) c_L (Σ d_i²) Q^(-1/D).

    Raises
    ------
    InvalidArgument
        If `depth` is below 2.
    """
    depth = whole_number(depth, "depth", 2)
    predicted = predicted_sharpness(decomposition, depth, curvature_factor)
    lower, upper = (
        predicted + _over_difficulty(decomposition, depth, curvature_factor, numerator)
        for numerator in _d_squares(decomposition)
    )
    return Bounds(lower, upper)


def imbalance_threshold(decomposition: Decomposition) -> float:
    """Return C̃ = σ_1 Q/‖d‖ - ‖d‖/σ_1, up to which sharpness falls with C (Yoo, section 4.1).

    NaN when d or X vanishes: then no minimiser depends on C in this way.
    """
    sigma_1 = float(np.sqrt(_sigma_1_squared(decomposition)))
    norm = float(np.linalg.norm(decomposition.d))
    if sigma_1 == 0 or norm == 0:
        return float("nan")
    return sigma_1 * difficulty(decomposition) / norm - norm / sigma_1


def layer_imbalance(
    decomposition: Decomposition, u: npt.ArrayLike, v: npt.ArrayLike
) -> FloatArray | float:
    """Return the layer imbalance ‖Π_W u‖² - v_j² (Yoo, Definition 4.2 and Assumption 4.5).

    Parameters
    ----------
    decomposition : Decomposition
        Its right vectors span W, the row space of X.
    u : array_like of float, shape (d,) or (T, d)
        First-layer weights, at one or at T moments.
    v : array_like of float, shape (D-1,) or (T, D-1)
        The scalar layers at the same moments.

    Returns
    -------
    float or ndarray of float64
        Depth 2: C(θ), a float or shape (T,). More: one difference for every v_j, shape (D-1,) or
        (T, D-1).

    Raises
    ------
    InvalidArgument
        If the shapes do not match the data or each other.
    """
    weights, scalars = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
    features = decomposition.right.shape[0]
    if weights.ndim not in (1, 2) or weights.shape[-1] != features:
        rule = f"must have shape ({features},) or (T, {features})"
        raise InvalidArgument("u", f"array of shape {weights.shape}", rule)
    if scalars.shape[:-1] != weights.shape[:-1] or scalars.ndim == 0 or scalars.shape[-1] == 0:
        rule = f"must have shape {(*weights.shape[:-1], 'D-1')}".replace("'", "")
        raise InvalidArgument("v", f"array of shape {scalars.shape}", rule)
    o = weights @ decomposition.right
    differences = np.sum(o**2, axis=-1, keepdims=True) - scalars**2
    return _scalar(differences[..., 0] if scalars.shape[-1] == 1 else differences)


def _sigma_1_squared(decomposition: Decomposition) -> float:
    return float(decomposition.sigma[0] ** 2) if decomposition.rank else 0.0


def _d_squares(decomposition: Decomposition) -> tuple[float, float]:
    """Return d_1² and Σ d_i²."""
    d = decomposition.d
    return (float(d[0] ** 2) if d.size else 0.0), float(d @ d)


def _over_difficulty(
    decomposition: Decomposition, depth: int, curvature_factor: float, numerator: float
) -> float:
    """Return (D-1) c_L numerator Q^(-1/D), zero where d and therefore Q vanish."""
    if numerator == 0:
        return 0.0
    scale = (depth - 1) * curvature_factor * numerator
    return float(scale * difficulty(decomposition) ** (-1 / depth))


def _scalar(array: FloatArray) -> FloatArray | float:
    return float(array) if array.ndim == 0 else array
