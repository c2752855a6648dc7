"""Eigenpairs of an exactly known symmetric matrix, to any number of bits, with an error bound.

Starting from float64 eigenvectors, each step of Ogita and Aishima's iteration (2018, "Iterative
refinement for symmetric eigenvalue decomposition") multiplies the error by itself; its matrix
products are exact (`precipice.fixed_point`), its correction is float64, so that a step gains at
most some 45 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from precipice.fixed_point import DIGIT_BITS, FixedPoint, identity

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """Approximate eigenpairs with rigorous bounds.

    Attributes
    ----------
    values : FixedPoint, shape (1, n)
        Rayleigh quotients, in the order of the starting vectors.
    vectors : FixedPoint, shape (n, n)
        Columns of unit norm within `norm_error`.
    value_error : ndarray of float64, shape (n,)
        An eigenvalue lies within this of each value.
    vector_error : ndarray of float64, shape (n,)
        Each column lies within this of a unit eigenvector; inf where another eigenvalue is not
        separated from the column's.
    """

    values: FixedPoint
    vectors: FixedPoint
    value_error: FloatArray
    vector_error: FloatArray


def refine(matrix: FixedPoint, vectors: FixedPoint, bits: int) -> tuple[FixedPoint, float]:
    """Return eigenvectors improved by one step, and the size of the correction.

    Parameters
    ----------
    matrix : FixedPoint, shape (n, n)
        Symmetric, exact.
    vectors : FixedPoint, shape (n, n)
        Nearly orthonormal columns.
    bits : int
        Bits kept after the point.

    Returns
    -------
    vectors : FixedPoint
        Their error is about the square of the correction, or 2^-45 of it if that is more.
    correction : float
        The largest entry's magnitude.
    """
    low = -(bits // DIGIT_BITS + 1)
    lack, projected, values = _projections(matrix, vectors, low)
    gaps = (values - values.T).to_floats()  # gaps[i, j] = lambda_j - lambda_i
    # The two terms cancel where eigenvalues are close: added before they become float64.
    off = (projected + lack.scaled(values)).to_floats()
    np.fill_diagonal(off, 0)
    r = lack.to_floats()
    scale = np.abs(values.to_floats()).max()
    close = 2 * (np.linalg.norm(off) + scale * np.linalg.norm(r))
    with np.errstate(divide="ignore", invalid="ignore"):
        correction = np.where(np.abs(gaps) > close, off / gaps, r / 2)
    # Bits far below the result's would only lengthen the numbers.
    kept = np.ldexp(np.rint(np.ldexp(correction, bits + 8)), -bits - 8)
    step = vectors.product(FixedPoint.from_floats(kept), low)
    return (vectors + step).rounded(low), float(np.abs(correction).max())


def bounded(matrix: FixedPoint, vectors: FixedPoint, bits: int) -> Eigenpairs:
    """Return the eigenpairs of these vectors, `bits` long, with their error bounds.

    With residuals rho_i = ‖K x_i - λ_i x_i‖ and nearly orthonormal columns, an eigenvalue lies
    within rho_i / ‖x_i‖ of λ_i, all eigenvalues within ‖K X - X Λ‖ of the λ, each of one (Kahan),
    and the angle to the eigenvector is at most rho_i over the distance to the others (Davis and
    Kahan 1970). Factors of two cover the norms' own rounding and ‖x_i‖ ≠ 1.
    """
    lack, _, values = _projections(matrix, vectors, -(bits // DIGIT_BITS + 1))
    departure = lack.to_floats()
    residual = (matrix @ vectors - vectors.scaled(values)).to_floats()
    rho = 2 * np.linalg.norm(residual, axis=0)
    spread = 2 * np.linalg.norm(residual)
    if np.linalg.norm(departure) > 0.1:
        unknown = np.full(rho.shape, np.inf)
        return Eigenpairs(values, vectors, unknown, unknown)
    distances = np.abs((values - values.T).to_floats())
    np.fill_diagonal(distances, np.inf)
    gap = distances.min(axis=0, initial=np.inf) - spread
    with np.errstate(divide="ignore"):
        angle = np.where(gap > 0, 2 * rho / np.where(gap > 0, gap, 1), np.inf)
    norm_error = np.abs(np.diag(departure))  # |1 - ‖x‖²| ≥ |1 - ‖x‖|
    return Eigenpairs(values, vectors, rho, 2 * angle + norm_error)


def _projections(
    matrix: FixedPoint, vectors: FixedPoint, low: int
) -> tuple[FixedPoint, FixedPoint, FixedPoint]:
    """Return I - XᵀX, XᵀKX and the Rayleigh quotients (1, n) of the columns of X.

    The quotients are s_ii (1 + r_ii + r_ii²) with r = I - XᵀX, s = XᵀKX: 1/(1 - r) to third order.
    """
    deep = matrix.place + len(matrix.digits) + low  # as far below the matrix as low is below 1
    image = matrix.product(vectors, deep)
    lack = identity(vectors.digits.shape[1]) - vectors.T.product(vectors, low - 1)
    projected = vectors.T.product(image, deep)
    r, s = (_diagonal(product) for product in (lack, projected))
    one = FixedPoint(np.ones((1, 1, 1), np.int64), 0)
    quotients = s.scaled(one + r + r.scaled(r)).rounded(image.place)
    return lack, projected, quotients


def _diagonal(matrix: FixedPoint) -> FixedPoint:
    """Return the diagonal as a row."""
    return FixedPoint(np.diagonal(matrix.digits, axis1=1, axis2=2)[:, None, :], matrix.place)
