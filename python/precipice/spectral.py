"""A problem in spectral coordinates: its singular values, and labels and start along its vectors.

X = Σ σ_i e_i w_iᵀ turns the minimalist model into the same program with X = diag(σ), y = d and
u = o, where d_i = e_i·y and o_i = w_i·u (Yoo et al. 2025, appendix B.1). Gradient descent there
equals gradient descent on the parameters in exact arithmetic; in finite precision it is another
program, with other rounding errors. σ, d and o are computed to many more digits than the problem's
format has, rounded to it once and then *are* the problem, for every precision.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.eigen_refinement import Eigenpairs, bounded, refine
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.fixed_point import DIGIT_BITS, FixedPoint
from precipice.precision import Precision

_START_BITS = 80  # where LAPACK's vectors, good to some 45 bits, are taken in one step
_STEP_BITS = 40  # what a step of the refinement gains at least
_MOST_BITS = 4096
_ZERO_BITS = 60  # below the format's own bits: what is smaller than this is zero
_MARGIN_BITS = 64
_TIE = 2.0**-30

Numbers: TypeAlias = "list[gmpy2.mpfr]"


@dataclass(frozen=True, eq=False)
class SpectralProblem:
    """X, y and u in the basis of X's singular vectors.

    Attributes
    ----------
    sigma, d, o : ndarray, shape (r,)
        σ_i descending, d_i = e_i·y and o_i = w_i·u, each the number of the problem's format that is
        nearest to the exact value: float64, or objects of `gmpy2.mpfr`. The largest entry of e_i
        (the first, if several agree to a part in 2^30) is positive.
    rank_tolerance : float
        Singular values up to this count as zero: max(N, d) 2^-52 σ_1.
    y_perp_norm2 : float
        ‖y⊥‖², the squared length of y outside the column space.
    bits : int
        Bits that the decomposition was carried to.
    """

    sigma: npt.NDArray[Any]
    d: npt.NDArray[Any]
    o: npt.NDArray[Any]
    rank_tolerance: float
    y_perp_norm2: float
    bits: int

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the exact texts of σ, d and o, one a line."""
        lines = (f"{text(x)}\n" for x in (*self.sigma, *self.d, *self.o))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Return the exact numbers, rank, tolerance, sign rule and hash as JSON-able data."""
        return {
            "rank": int(self.sigma.size),
            "rank_tolerance": self.rank_tolerance,
            "signs": "the largest entry of e_i is positive",
            "y_perp_norm2": self.y_perp_norm2,
            "bits": self.bits,
            "sha256": self.sha256,
            **{
                name: [text(x) for x in values]
                for name, values in (("sigma", self.sigma), ("d", self.d), ("o", self.o))
            },
        }


@dataclass(frozen=True, eq=False)
class Basis:
    """Singular values and vectors of data, and the labels along them, to a number of bits.

    Attributes
    ----------
    sigma, d : list of gmpy2.mpfr, length r
    left : list of list of gmpy2.mpfr, r times N, or None
        The e_i; None where X is diagonal (spectral coordinates) and c_i = σ_i u_i.
    X : list of list of gmpy2.mpfr, N times d, or None
    """

    sigma: Numbers
    d: Numbers
    left: list[Numbers] | None
    X: list[Numbers] | None

    def project(self, u: Numbers) -> Numbers:
        """Return c_i = e_i·(X u), or σ_i u_i, in the current gmpy2 context."""
        if self.left is None or self.X is None:
            return [s * x for s, x in zip(self.sigma, u, strict=True)]
        f = [gmpy2.fsum([a * b for a, b in zip(row, u, strict=True)]) for row in self.X]
        return [gmpy2.fsum([a * b for a, b in zip(e, f, strict=True)]) for e in self.left]


def refined_basis(X: npt.NDArray[Any], y: npt.NDArray[Any], bits: int) -> Basis:
    """Return the singular values and left vectors of X, with errors below 2^-bits of their size.

    Raises
    ------
    InvalidArgument
        If two singular values are equal, or X is zero.
    """
    data = _Data(X, y, np.ones(X.shape[1]))
    vectors, reached = data.start, _START_BITS
    while True:
        vectors, correction = refine(data.gram, vectors, reached)
        if reached >= bits + _MARGIN_BITS and correction < 2.0 ** -min(bits, 1000):
            pairs = bounded(data.gram, vectors, reached)
            if pairs.vector_error.max() < 2.0 ** -min(bits, 1000):
                break
        if reached > bits + _MARGIN_BITS + 20 * _STEP_BITS:
            rule = "X must have distinct singular values for its vectors to be determined"
            raise InvalidArgument("measure_precision", f"{bits} bits", rule)
        reached += _STEP_BITS
    return _basis(data, pairs, X, bits)


def _basis(data: _Data, pairs: Eigenpairs, X: npt.NDArray[Any], bits: int) -> Basis:
    working = bits + _MARGIN_BITS
    columns = pairs.vectors.to_mpfr(working)
    n = pairs.vectors.digits.shape[2]
    values = pairs.values.to_mpfr(working)
    rows = [[gmpy2.mpfr(x, 0) for x in row] for row in X.tolist()]
    sigma, left = [], []
    with gmpy2.context(precision=working):
        for i in _order(data, pairs):
            s, vector = gmpy2.sqrt(values[i]), columns[i::n]
            if not data.wide:  # these are the w_i
                products = [
                    gmpy2.fsum([a * b for a, b in zip(r, vector, strict=True)]) for r in rows
                ]
                vector = [x / s for x in products]
            sigma.append(s)
            left.append(vector)
        d = [gmpy2.fsum([a * b for a, b in zip(e, data.y, strict=True)]) for e in left]
    return Basis(sigma, d, left, rows)


def spectral_problem(
    X: npt.NDArray[Any], y: npt.NDArray[Any], u: npt.NDArray[Any], format_: Precision
) -> SpectralProblem:
    """Return a problem in spectral coordinates, every number correctly rounded.

    Parameters
    ----------
    X, y, u : ndarray, shapes (N, d), (N,) and (d,)
        float64, or object arrays of `gmpy2.mpfr`: members of the problem's format.
    format_ : Precision
        The problem's format, to which σ, d and o are rounded.

    Raises
    ------
    InvalidArgument
        If two singular values are equal (their vectors are then not determined), or X is zero.

    Notes
    -----
    LAPACK's singular vectors, refined with exact matrix products until an error bound says that
    no other rounding is possible. Numbers below 2^-(p + 60) of their vector's length are zero.
    Takes about 2 s at (300, 3072), and time proportional to min(N, d)³ beyond.
    """
    data = _Data(X, y, u)
    vectors, bits = data.start, _START_BITS
    goal = 2 * format_.bits + 60
    while True:
        vectors, correction = refine(data.gram, vectors, bits)
        if correction**2 < 2.0 ** -min(goal, 1000) or bits >= goal + 10 * _STEP_BITS:
            rounded = _rounded(data, bounded(data.gram, vectors, bits), format_, bits)
            if rounded is not None:
                return rounded
            goal *= 2
            if goal > _MOST_BITS:
                raise InvalidArgument(
                    "coordinates", "spectral", "singular vectors of X could not be resolved"
                )
        bits = min(bits + _STEP_BITS, goal)


class _Data:
    """X, y and u as exact fixed-point matrices, on X's shorter side.

    The shorter side's Gram matrix is the one to decompose: XXᵀ, whose vectors are the e_i, or XᵀX,
    whose vectors are the w_i. `direct` is the vector that these meet (y or u); the other one meets
    them through X.
    """

    def __init__(self, X: npt.NDArray[Any], y: npt.NDArray[Any], u: npt.NDArray[Any]) -> None:
        self.floats = X.astype(np.float64)
        self.wide = X.shape[0] <= X.shape[1]
        matrix, labels, start = _exact(X), _exact(y[:, None]), _exact(u[:, None])
        short = matrix if self.wide else matrix.T
        self.gram = short @ short.T
        self.direct, other = (labels, start) if self.wide else (start, labels)
        self.through = short @ other
        self.labels = labels
        self.y = [gmpy2.mpfr(x, 0) for x in y.tolist()]
        left, self.sigma, right = np.linalg.svd(self.floats, full_matrices=False)
        if not self.sigma[0] > 0:
            raise InvalidArgument("X", "zeros", "must not be identically zero")
        self.rank_tolerance = float(max(X.shape) * np.finfo(np.float64).eps * self.sigma[0])
        columns = left if self.wide else right.T
        self.start = FixedPoint.from_floats(np.ldexp(np.rint(np.ldexp(columns, 60)), -60))

    def signs(self, vectors: FixedPoint) -> npt.NDArray[np.float64]:
        """Return the signs that make the largest entry of each e_i positive."""
        columns = vectors.to_floats()
        left = columns if self.wide else self.floats @ columns
        size = np.abs(left)
        first = np.argmax(size >= size.max(axis=0) * (1 - _TIE), axis=0)
        signs: npt.NDArray[np.float64] = np.sign(left[first, np.arange(left.shape[1])])
        return signs


def _order(data: _Data, pairs: Eigenpairs) -> list[int]:
    """Return the columns that count, the largest singular value first."""
    sigma = np.sqrt(np.maximum(pairs.values.to_floats()[0], 0))
    return [int(i) for i in np.argsort(-sigma) if sigma[i] > data.rank_tolerance]


def _rounded(
    data: _Data, pairs: Eigenpairs, format_: Precision, bits: int
) -> SpectralProblem | None:
    """Return the rounded problem, or None while some rounding is in doubt."""
    order = _order(data, pairs)
    if not np.isfinite(pairs.vector_error[order]).all():
        _refuse_equal_values(np.sqrt(pairs.values.to_floats()[0][order]), bits, format_)
        return None
    working = bits + 3 * DIGIT_BITS
    values = pairs.values.to_mpfr(working)
    projections = [
        (pairs.vectors.T @ vector).to_mpfr(working) for vector in (data.direct, data.through)
    ]
    lengths = [float(np.linalg.norm(v.to_floats())) for v in (data.direct, data.through)]
    signs = data.signs(pairs.vectors)
    rounding = _Rounding(format_)
    sigma, direct, through = [], [], []
    with gmpy2.context(precision=working):
        for i in order:
            s = gmpy2.sqrt(values[i])
            s_error = float(pairs.value_error[i]) / float(s)
            error = float(pairs.vector_error[i])
            a, b = (int(signs[i]) * projection[i] for projection in projections)
            sigma.append(rounding(s, s_error, float(s)))
            direct.append(rounding(a, error * lengths[0], lengths[0]))
            quotient = b / s
            q_error = (error * lengths[1] + abs(float(quotient)) * s_error) / float(s)
            through.append(rounding(quotient, q_error, lengths[1] / float(s)))
        along = gmpy2.fsum([x * x for x in (direct if data.wide else through)])
        y_norm2 = (data.labels.T @ data.labels).to_mpfr(working)[0]
        outside = max(0.0, float(y_norm2 - along))
    if rounding.in_doubt:
        return None
    d, o = (direct, through) if data.wide else (through, direct)
    full_rank = len(order) == data.floats.shape[0]
    noise = 4 * len(order) * 2.0**-format_.bits * float(y_norm2)  # of d's own rounding
    return SpectralProblem(
        sigma=_array(format_, sigma),
        d=_array(format_, d),
        o=_array(format_, o),
        rank_tolerance=data.rank_tolerance,
        y_perp_norm2=0.0 if full_rank or outside <= noise else outside,
        bits=bits,
    )


class _Rounding:
    """Rounds numbers that are known to within an error, and notes if one could go two ways."""

    def __init__(self, format_: Precision) -> None:
        self._format = format_
        self.in_doubt = False

    def __call__(self, value: gmpy2.mpfr, error: float, scale: float) -> gmpy2.mpfr:
        if abs(float(value)) + error < scale * 2.0 ** -(self._format.bits + _ZERO_BITS):
            return self._format.round(gmpy2.mpfr(0))
        margin = gmpy2.mpfr(2 * error)
        below, above = self._format.round(value - margin), self._format.round(value + margin)
        self.in_doubt = self.in_doubt or below != above
        return below


def _refuse_equal_values(sigma: npt.NDArray[np.float64], bits: int, format_: Precision) -> None:
    """Raise if two singular values have stayed equal to far more digits than can matter."""
    if bits < 2 * format_.bits + 60:
        return
    closest = int(np.argmin(-np.diff(sigma))) if sigma.size > 1 else 0
    raise InvalidArgument(
        "coordinates",
        "spectral",
        f"X must have distinct singular values; two agree at {sigma[closest]:.6g}",
    )


def _exact(values: npt.NDArray[Any]) -> FixedPoint:
    """Return float64 or mpfr entries as fixed-point numbers."""
    if values.dtype == np.float64:
        return FixedPoint.from_floats(np.ascontiguousarray(values))
    return FixedPoint.from_exact(values)


def _array(format_: Precision, numbers: list[gmpy2.mpfr]) -> npt.NDArray[Any]:
    """Return numbers of a format as float64 where it holds them, else as objects."""
    array = np.empty(len(numbers), dtype=object)
    array[:] = numbers
    narrow = format_.bits <= 53 and format_.name.startswith("float")
    return array.astype(np.float64) if narrow else array
