"""Extreme eigenpairs of a symmetric matrix, or of anything that multiplies vectors like one.

The compiled core measures a two-layer network's curvature with the same method at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.errors import InvalidArgument
from precipice.exact import whole_number

FloatArray = npt.NDArray[np.float64]
Product = Callable[[FloatArray], FloatArray]

_BASIS = 24


@dataclass(frozen=True, eq=False)
class Eigenpairs:
    """The k largest eigenpairs of a symmetric operator A, and the smallest if it was asked for.

    Attributes
    ----------
    values : ndarray of float64, shape (k,)
        The algebraically largest, descending, each as often as it is one.
    vectors : ndarray of float64, shape (n, k)
        Unit eigenvectors as columns.
    residuals : ndarray of float64, shape (k,)
        ‖A x - λ x‖, at least the rounding of a product: an eigenvalue lies within it of λ.
    converged : ndarray of bool, shape (k,)
        Whether the residual met the tolerance.
    smallest : float or None
        The algebraically smallest eigenvalue.
    smallest_vector, smallest_residual, smallest_converged : ndarray, float, bool; or None
        The same of it.
    products : int
        Products of the operator with a vector.
    start : tuple of ndarray
        Vectors that save most products when an operator nearby is solved next.
    """

    values: FloatArray
    vectors: FloatArray
    residuals: FloatArray
    converged: npt.NDArray[np.bool_]
    smallest: float | None
    smallest_vector: FloatArray | None
    smallest_residual: float | None
    smallest_converged: bool | None
    products: int
    start: tuple[FloatArray, ...]


def eigenpairs(
    operator: npt.ArrayLike | Product,
    n: int | None = None,
    *,
    largest: int = 1,
    smallest: bool = False,
    start: Sequence[FloatArray] = (),
    tolerance: float = 1e-10,
    products: int = 1000,
) -> Eigenpairs:
    """Return the largest eigenpairs of a symmetric operator, and the smallest.

    Parameters
    ----------
    operator : array_like, shape (n, n), or callable
        A symmetric matrix, or a function that multiplies a vector (n,) by one.
    n : int, optional
        The dimension, for a callable.
    largest : int
        How many of the algebraically largest, k; at most n.
    smallest : bool
        Whether the algebraically smallest is wanted too.
    start : sequence of ndarray, shape (n,)
        `Eigenpairs.start` of an operator nearby.
    tolerance : float
        Of a residual, relative to the largest magnitude of an eigenvalue.
    products : int
        No more products are begun once there have been so many.

    Returns
    -------
    Eigenpairs
        NaN and not converged where a product is not finite.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.

    Notes
    -----
    Rayleigh-Ritz on a block that grows by residuals, fully reorthogonalised and restarted from
    its best Ritz vectors: Lanczos' method for one vector, with thick restarts (Wu and Simon 2000).
    Up to 24 dimensions (3 k + 6 if that is more) the whole space is taken, which is exact to
    rounding. An iterative method cannot exclude an eigenvector that its random start does not
    contain; an eigenvalue within the residual of each value there is.
    """
    product, size = _checked_operator(operator, n)
    found = _core.eigenpairs(
        product=product,
        n=size,
        largest=whole_number(largest, "largest", 1, size),
        smallest=bool(smallest),
        start=[np.asarray(vector, np.float64) for vector in start],
        tolerance=_checked_tolerance(tolerance),
        basis=_BASIS,
        products=whole_number(products, "products", 1),
    )
    pairs, low = found["largest"], found["smallest"]
    return Eigenpairs(
        values=np.array([pair["value"] for pair in pairs]),
        vectors=np.stack([pair["vector"] for pair in pairs], axis=1),
        residuals=np.array([pair["residual"] for pair in pairs]),
        converged=np.array([pair["converged"] for pair in pairs]),
        smallest=low and low["value"],
        smallest_vector=low and low["vector"],
        smallest_residual=low and low["residual"],
        smallest_converged=low and low["converged"],
        products=found["products"],
        start=tuple(found["start"]),
    )


def _checked_operator(operator: npt.ArrayLike | Product, n: int | None) -> tuple[Product, int]:
    """Return what multiplies, and the dimension."""
    if callable(operator):
        if n is None:
            raise InvalidArgument("n", None, "must be given for a callable")
        return _checked_product(operator, whole_number(n, "n", 1))
    matrix = np.asarray(operator, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise InvalidArgument("operator", f"array of shape {matrix.shape}", "must be square")
    if not np.array_equal(matrix, matrix.T, equal_nan=True):
        rule = "must equal its transpose, as (A + A.T) / 2 does"
        raise InvalidArgument("operator", f"array of shape {matrix.shape}", rule)

    def product(vector: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):  # what is not finite is reported as such
            return np.asarray(matrix @ vector)

    return product, matrix.shape[0]


def _checked_product(operator: Product, n: int) -> tuple[Product, int]:
    """Return a product that fails by name where the operator's result has another shape."""

    def product(vector: FloatArray) -> FloatArray:
        image = np.asarray(operator(vector), np.float64)
        if image.shape != (n,):
            raise InvalidArgument("operator", f"image of shape {image.shape}", f"must be ({n},)")
        return image

    return product, n


def _checked_tolerance(tolerance: float) -> float:
    if not 0 < tolerance < 1:
        raise InvalidArgument("tolerance", tolerance, "must be between 0 and 1")
    return float(tolerance)
