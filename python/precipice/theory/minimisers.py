"""Dataset difficulty, and the sharpness at the global minimisers it implies (Yoo, section 4)."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from precipice.exact import whole_number

FloatArray = npt.NDArray[np.float64]

SMALLEST_SIGMA_SQUARED = 1e-9
"""σ_i² below this counts as this in Q, so that a nearly vanishing direction stays finite."""


class Spectrum(Protocol):
    """What most formulas need of the data; a `Decomposition` has it.

    Attributes
    ----------
    sigma : ndarray of float64, shape (r,)
        The singular values of X, descending, without those that vanish.
    d : ndarray of float64, shape (r,)
        d_i = e_i·y, the targets along the left singular vectors.
    rank : int
        r.
    """

    @property
    def sigma(self) -> FloatArray:
        """Return the singular values."""

    @property
    def d(self) -> FloatArray:
        """Return the targets along the left singular vectors."""

    @property
    def rank(self) -> int:
        """Return the number of singular values."""


class Bounds(NamedTuple):
    """A lower and an upper bound on a sharpness."""

    lower: FloatArray | float
    upper: FloatArray | float


class LayerNorms(NamedTuple):
    """The squared norms of the two layers of a depth-2 model."""

    v_squared: FloatArray
    u_squared: FloatArray


def difficulty(data: Spectrum) -> float:
    """Return the dataset difficulty Q = Σ d_i² / max(σ_i², 1e-9) (Yoo, Definition 4.1)."""
    floored = np.maximum(data.sigma**2, SMALLEST_SIGMA_SQUARED)
    return float(np.sum(data.d**2 / floored))


def predicted_sharpness(data: Spectrum, depth: int, curvature_factor: float) -> float:
    """Return Ŝ_D = c_L σ_1² Q^((D-1)/D), the predicted final sharpness (Yoo, Definition 5.8).

    Parameters
    ----------
    data : Spectrum
        A `Decomposition`, or anything with its σ and d.
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
    return float(curvature_factor * sigma_1_squared(data) * difficulty(data) ** power)


def gap_term(data: Spectrum, depth: int, curvature_factor: float) -> float:
    """Return (D-1) c_L (Σ d_i²) Q^(-1/D), what the upper bound adds to Ŝ_D (Yoo, table 4).

    Raises
    ------
    InvalidArgument
        If `depth` is below 2.
    """
    depth = whole_number(depth, "depth", 2)
    _, norm2 = d_squares(data)
    return _over_difficulty(data, depth, curvature_factor, norm2)


def layer_norms(imbalance: npt.ArrayLike, product: npt.ArrayLike) -> LayerNorms:
    """Return v² and ‖Π_W u‖² of two layers with this difference and this product.

    They are (√(C² + 4q) ∓ C)/2 for C = ‖Π_W u‖² - v² and q = ‖Π_W u‖² v². At a global minimiser q
    is the difficulty Q (Yoo, Theorem 4.3 and eq. 16).

    Parameters
    ----------
    imbalance : float or array_like
        C, of any shape.
    product : float or array_like
        q ≥ 0.

    Returns
    -------
    LayerNorms
        Two arrays of the arguments' common shape, each to a few units in the last place.
    """
    c, q = np.broadcast_arrays(
        np.asarray(imbalance, dtype=np.float64), np.asarray(product, dtype=np.float64)
    )
    larger = (np.hypot(c, 2 * np.sqrt(q)) + np.abs(c)) / 2
    # The smaller one as a difference would cancel; it is q over the larger.
    smaller = np.divide(q, larger, out=np.zeros_like(larger), where=larger > 0)
    return LayerNorms(np.where(c > 0, smaller, larger), np.where(c > 0, larger, smaller))


def minimiser_v_squared(data: Spectrum, imbalance: npt.ArrayLike) -> FloatArray | float:
    """Return (v_1*)² = (√(C² + 4Q) - C)/2 at a minimiser of imbalance C (Yoo, Theorem 4.3).

    Parameters
    ----------
    data : Spectrum
    imbalance : float or array_like
        C(θ*), of any shape.
    """
    return scalar(layer_norms(imbalance, difficulty(data)).v_squared)


def minimiser_bounds(data: Spectrum, imbalance: npt.ArrayLike, curvature_factor: float) -> Bounds:
    """Return the bounds of Yoo's Theorem 4.3 on the sharpness at a minimiser, for depth 2.

    c_L [σ_1² v² + d_1²/v²] ≤ S(θ*) ≤ c_L [σ_1² v² + (Σ d_i²)/v²] with v² = (√(C² + 4Q) - C)/2.

    Parameters
    ----------
    data : Spectrum
        Of a y in the column space of X; what lies outside does not enter.
    imbalance : float or array_like
        C(θ*), of any shape; the bounds have the same shape.
    curvature_factor : float
        c_L of the loss.
    """
    v2 = np.asarray(minimiser_v_squared(data, imbalance))
    first, total = d_squares(data)
    base = sigma_1_squared(data) * v2

    def bound(numerator: float) -> FloatArray | float:
        with np.errstate(divide="ignore"):
            border = numerator / v2 if numerator else np.zeros_like(v2)
        return scalar(curvature_factor * (base + border))

    return Bounds(bound(first), bound(total))


def balanced_minimiser_bounds(data: Spectrum, depth: int, curvature_factor: float) -> Bounds:
    """Return the bounds of Yoo's Theorem 4.6 at a balanced minimiser, for any depth.

    Ŝ_D + (D-1) c_L d_1² Q^(-1/D) ≤ S(θ*) ≤ Ŝ_D + (D-1) c_L (Σ d_i²) Q^(-1/D).

    Raises
    ------
    InvalidArgument
        If `depth` is below 2.
    """
    depth = whole_number(depth, "depth", 2)
    predicted = predicted_sharpness(data, depth, curvature_factor)
    lower, upper = (
        predicted + _over_difficulty(data, depth, curvature_factor, numerator)
        for numerator in d_squares(data)
    )
    return Bounds(lower, upper)


def imbalance_threshold(data: Spectrum) -> float:
    """Return C̃ = σ_1 Q/‖d‖ - ‖d‖/σ_1, up to which sharpness falls with C (Yoo, section 4.1).

    NaN when d or X vanishes: then no minimiser depends on C in this way.
    """
    sigma_1 = float(np.sqrt(sigma_1_squared(data)))
    norm = float(np.linalg.norm(data.d))
    if sigma_1 == 0 or norm == 0:
        return float("nan")
    return sigma_1 * difficulty(data) / norm - norm / sigma_1


def sigma_1_squared(data: Spectrum) -> float:
    """Return σ_1², zero where X vanishes."""
    return float(data.sigma[0] ** 2) if data.rank else 0.0


def d_squares(data: Spectrum) -> tuple[float, float]:
    """Return d_1² and Σ d_i²."""
    d = data.d
    return (float(d[0] ** 2) if d.size else 0.0), float(d @ d)


def scalar(array: FloatArray) -> FloatArray | float:
    """Return an array without axes as the float it holds, any other as it is."""
    return float(array) if np.ndim(array) == 0 else array


def _over_difficulty(
    data: Spectrum, depth: int, curvature_factor: float, numerator: float
) -> float:
    """Return (D-1) c_L numerator Q^(-1/D), zero where d and therefore Q vanish."""
    if numerator == 0:
        return 0.0
    scale = (depth - 1) * curvature_factor * numerator
    return float(scale * difficulty(data) ** (-1 / depth))
