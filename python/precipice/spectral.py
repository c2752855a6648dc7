"""A problem in spectral coordinates: its singular values, and labels and start along its vectors.

X = Σ σ_i e_i w_iᵀ turns the minimalist model into the same program with X = diag(σ), y = d and
u = o, where d_i = e_i·y and o_i = w_i·u (Yoo et al. 2025, appendix B.1), and the two-layer linear
network into its own with W = W̃, W̃[q,i] = w_i·W[q,:]. Gradient descent there equals gradient
descent on the parameters in exact arithmetic; in finite precision it is another program, with other
rounding errors. σ, d and o or W̃ are computed to many more digits than the problem's format has,
rounded to it once and then *are* the problem, for every precision.

What of u, or of a row of W, lies outside the row space meets no x: it has no part in F, its
gradient is zero, and it never changes. Of it only the squared length is told.
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
    """X, y and the first layer's start in the basis of X's singular vectors.

    Attributes
    ----------
    sigma, d : ndarray, shape (r,)
        σ_i descending and d_i = e_i·y, each the number of the problem's format that is nearest to
        the exact value: float64, or objects of `gmpy2.mpfr`. The largest entry of e_i (the first,
        if several agree to a part in 2^30) is positive.
    o : ndarray, shape (r,), or (m, r) for m rows
        o_i = w_i·u, likewise, or W̃.
    rank_tolerance : float
        Singular values up to this count as zero: max(N, d) 2^-52 σ_1.
    y_perp_norm2, start_perp_norm2 : float
        ‖y⊥‖², the squared length of y outside the column space; that of the start outside the row
        space, all rows together. 0 where it is only rounding.
    bits : int
        Bits that the decomposition was carried to.
    """

    sigma: npt.NDArray[Any]
    d: npt.NDArray[Any]
    o: npt.NDArray[Any]
    rank_tolerance: float
    y_perp_norm2: float
    start_perp_norm2: float
    bits: int

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the exact texts of σ, d and o, one a line, o by rows."""
        lines = (f"{text(x)}\n" for x in (*self.sigma, *self.d, *self.o.flat))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Return the exact numbers, rank, tolerance, sign rule and hash as JSON-able data."""
        return {
            "rank": int(self.sigma.size),
            "rank_tolerance": self.rank_tolerance,
            "signs": "the largest entry of e_i is positive",
            "y_perp_norm2": self.y_perp_norm2,
            "start_perp_norm2": self.start_perp_norm2,
            "bits": self.bits,
            "sha256": self.sha256,
            **{
                name: [text(x) for x in values.flat]
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
    rows = [[gmpy2.mpfr(x, 1) for x in row] for row in X.tolist()]
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
    X, y : ndarray, shapes (N, d) and (N,)
        float64, or object arrays of `gmpy2.mpfr`: members of the problem's format.
    u : ndarray, shape (d,), or (m, d) for m rows
        The start of the first layer, likewise: u, or W.
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
    Takes about 2 s at (300, 3072), and time proportional to min(N, d)³ beyond; each row of a start
    W adds r numbers, of some 25 µs each (1.3 s for 200 rows).
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
    whose vectors are the w_i. `direct` has the columns that these meet (y, or the rows of the
    start); the others meet them through X.
    """

    def __init__(self, X: npt.NDArray[Any], y: npt.NDArray[Any], u: npt.NDArray[Any]) -> None:
        self.floats = X.astype(np.float64)
        self.wide = X.shape[0] <= X.shape[1]
        self.rows = len(u) if u.ndim == 2 else None
        start = _exact(np.atleast_2d(u).T)
        matrix, labels = _exact(X), _exact(y[:, None])
        short = matrix if self.wide else matrix.T
        self.gram = short @ short.T
        self.direct, other = (labels, start) if self.wide else (start, labels)
        self.through = short @ other
        self.labels_norm2, self.start_norm2 = _norm2(labels), _norm2(start)
        self.y = [gmpy2.mpfr(x, 1) for x in y.tolist()]
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
    direct, through = (_Projected(pairs, block, working) for block in (data.direct, data.through))
    signs = data.signs(pairs.vectors)
    rounding = _Rounding(format_)
    sigma, along, across = [], [], []
    with gmpy2.context(precision=working):
        for i in order:
            s, sign = gmpy2.sqrt(values[i]), int(signs[i])
            s_error = float(pairs.value_error[i]) / float(s)
            error = float(pairs.vector_error[i])
            sigma.append(rounding(s, s_error, float(s)))
            along.append(direct.rounded(i, rounding, error, sign))
            across.append(through.rounded(i, rounding, error, sign * s, s_error))
    if rounding.in_doubt:
        return None
    labels, start = (along, across) if data.wide else (across, along)
    samples, features = data.floats.shape
    return SpectralProblem(
        sigma=_array(format_, sigma),
        d=_array(format_, [d_i for (d_i,) in labels]),
        o=_start(format_, start, data.rows),
        rank_tolerance=data.rank_tolerance,
        y_perp_norm2=_outside(data.labels_norm2, labels, samples, format_),
        start_perp_norm2=_outside(data.start_norm2, start, features, format_),
        bits=bits,
    )


class _Projected:
    """The parts of columns along the eigenvectors, to many bits."""

    def __init__(self, pairs: Eigenpairs, columns: FixedPoint, bits: int) -> None:
        self._count = columns.digits.shape[2]
        self._parts = (pairs.vectors.T @ columns).to_mpfr(bits)
        self._lengths = np.linalg.norm(columns.to_floats(), axis=0).tolist()

    def rounded(
        self, i: int, rounding: _Rounding, error: float, divisor: Any, divisor_error: float = 0.0
    ) -> Numbers:
        """Return the parts along vector i, known to within `error`, over a number."""
        size = abs(float(divisor))
        numbers = []
        for k, length in enumerate(self._lengths):
            part = self._parts[i * self._count + k] / divisor
            slack = (error * length + abs(float(part)) * divisor_error) / size
            numbers.append(rounding(part, slack, length / size))
        return numbers


def _outside(norm2: FixedPoint, parts: list[Numbers], dimension: int, format_: Precision) -> float:
    """Return the squared length that parts along r directions of a space leave; 0 if rounding."""
    if len(parts) == dimension:
        return 0.0
    (total,) = norm2.to_mpfr(2 * format_.bits)
    with gmpy2.context(precision=2 * format_.bits):
        rest = float(total - gmpy2.fsum([x * x for numbers in parts for x in numbers]))
    noise = 4 * len(parts) * 2.0**-format_.bits * float(total)  # of the parts' own rounding
    return 0.0 if rest <= noise else rest


def _start(format_: Precision, parts: list[Numbers], rows: int | None) -> npt.NDArray[Any]:
    """Return the start's parts along the w_i as (r,), or (rows, r)."""
    flat = _array(format_, [x for numbers in parts for x in numbers])
    return flat if rows is None else np.ascontiguousarray(flat.reshape(-1, rows).T)


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


def _norm2(values: FixedPoint) -> FixedPoint:
    """Return the sum of the squares, exactly."""
    column = FixedPoint(values.digits.reshape(len(values.digits), -1, 1), values.place)
    return column.T @ column


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
