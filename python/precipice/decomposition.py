"""The singular value decomposition of the data, in the papers' notation.

X = Σ σ_i e_i w_iᵀ and d_i = e_i·y (Yoo et al. 2025, eqs. 2 and 3); the squared loss depends on u
only through o_i = w_i·u.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decomposition:
    """X = left · diag(sigma) · rightᵀ, without the directions in which X vanishes.

    Parameters
    ----------
    sigma : ndarray of float64, shape (r,)
        The singular values above `tolerance`, descending; r is the rank, possibly 0.
    left : ndarray of float64, shape (N, r)
        The columns are e_1 … e_r. In each, the first entry of largest magnitude is positive.
    right : ndarray of float64, shape (d, r)
        The columns are w_1 … w_r.
    d : ndarray of float64, shape (r,)
        d_i = e_i·y.
    tolerance : float
        max(N, d) · 2⁻⁵² · σ_1; singular values at or below it count as zero.
    y_perp_norm2 : float
        ‖y⊥‖², the squared norm of what y has outside the column space of X.
    """

    sigma: FloatArray
    left: FloatArray
    right: FloatArray
    d: FloatArray
    tolerance: float
    y_perp_norm2: float

    @property
    def rank(self) -> int:
        """Return r, the number of singular values above the tolerance."""
        return int(self.sigma.size)


def decompose(X: FloatArray, y: FloatArray) -> Decomposition:
    """Return the decomposition of a data set.

    Parameters
    ----------
    X : ndarray of float64, shape (N, d)
    y : ndarray of float64, shape (N,)
        May lie outside the column space of X, even entirely.

    Returns
    -------
    Decomposition

    Raises
    ------
    InvalidArgument
        If an array is not float64, or the shapes do not match.

    Notes
    -----
    Computed by LAPACK in float64, O(N d min(N, d)) time: a relative error of about 1e-16 σ_1, with
    last bits that depend on the BLAS in use.
    """
    for name, array, dimensions in (("X", X, 2), ("y", y, 1)):
        if array.dtype != np.float64 or array.ndim != dimensions:
            shown = f"{array.dtype} array of shape {array.shape}"
            raise InvalidArgument(
                name, shown, f"must be a float64 array in {dimensions} dimensions"
            )
    if y.shape[0] != X.shape[0]:
        raise InvalidArgument("y", f"array of shape {y.shape}", f"must have shape ({X.shape[0]},)")
    left, sigma, right_transposed = np.linalg.svd(X, full_matrices=False)
    tolerance = float(max(X.shape) * np.finfo(np.float64).eps * sigma[0])
    rank = int(np.count_nonzero(sigma > tolerance))
    left, sigma, right = left[:, :rank], sigma[:rank], right_transposed[:rank].T
    signs = np.sign(left[np.argmax(np.abs(left), axis=0), np.arange(rank)])
    left, right = left * signs, right * signs
    d = left.T @ y
    outside = y - left @ d
    return Decomposition(sigma, left, right, d, tolerance, float(outside @ outside))
