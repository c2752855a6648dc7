"""Sharpness and its eigenvector in any number format, from exact parameters.

The core measures in float64 at every step. Where its digits are not enough, the same bordered
matrix is set up here with gmpy2: the singular vectors come refined to the measuring format, and
Rayleigh quotient iteration triples the digits of the float64 answer with each step, which solves
with the matrix in O(r + D³).
"""

from __future__ import annotations

from dataclasses import dataclass

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.exact import from_text
from precipice.losses import Loss
from precipice.precision import Precision
from precipice.spectral import Basis, Numbers

GUARD_BITS = 64


@dataclass(frozen=True, eq=False)
class Sharpness:
    """λ_max of the loss's Hessian at a point, with its eigenvector.

    Attributes
    ----------
    value : gmpy2.mpfr
        The algebraically largest eigenvalue (0 if that is negative: X has null directions),
        rounded to the measuring format.
    along_data : list of gmpy2.mpfr, length r
        The unit eigenvector's components along w_1 … w_r, the right singular vectors of X.
    along_factors : list of gmpy2.mpfr, length D - 1
        Its components along v_1 … v_{D-1}. The vector's sign makes the first of the largest
        components of all positive. Both are empty for a two-layer network.
    residual : float
        ‖H w - λ w‖, in the guard digits that the measurement was carried to.
    """

    value: gmpy2.mpfr
    along_data: Numbers
    along_factors: Numbers
    residual: float


@dataclass(frozen=True, eq=False)
class SharpnessMeter:
    """Measures the minimalist model's sharpness in one format.

    Parameters
    ----------
    basis : Basis
        σ, d and the singular vectors of the surface, to at least the format's bits.
    loss : Loss
    samples : int
        N of the loss's normalisation.
    format_ : Precision
        The measuring format.
    """

    basis: Basis
    loss: Loss
    samples: int
    format_: Precision

    def measure(self, u: list[str], v: list[str]) -> Sharpness:
        """Return the sharpness at exact parameters, given as text.

        NaN where a parameter is not finite, or beyond float64's range. If the two largest
        eigenvalues agree to float64, the value may be the second one. Costs N d multiply-adds of
        gmpy2 for f = X u in primal coordinates, and O(r + D³) for each of a few steps.
        """
        bits = self.format_.bits + GUARD_BITS
        with gmpy2.context(precision=bits):
            c = self.basis.project([from_text(x, bits) for x in u])
            matrix = _Bordered(self, c, [from_text(x, bits) for x in v])
            if not np.isfinite(matrix.dense()).all():
                return Sharpness(gmpy2.nan(), [], [], float("nan"))
            value = matrix.largest_eigenvalue()
            along_data, along_factors = matrix.eigenvector()
            residual = matrix.residual(value)
            at_least_zero = max(value, gmpy2.mpfr(0))
        return Sharpness(self.format_.round(at_least_zero), along_data, along_factors, residual)


class _Bordered:
    """H = [diag(δ) b pᵀ; p bᵀ A] at a point, in the current gmpy2 context."""

    def __init__(self, meter: SharpnessMeter, c: Numbers, v: Numbers) -> None:
        factor = gmpy2.mpfr(
            gmpy2.mpq(meter.loss.numerator, meter.samples if meter.loss.averaged else 1)
        )
        sigma, d = meter.basis.sigma, meter.basis.d
        P = _product(v)
        residual = [P * c_i - d_i for c_i, d_i in zip(c, d, strict=True)]
        self.delta = [factor * (P * s) ** 2 for s in sigma]
        self.b = [factor * s * (z + P * x) for s, z, x in zip(sigma, residual, c, strict=True)]
        self.p = [_product(v[:j] + v[j + 1 :]) for j in range(len(v))]
        F = _dot(c, c)
        G = _dot(c, residual)
        self.A = [
            [factor * self.p[j] * self.p[k] * F for k in range(len(v))] for j in range(len(v))
        ]
        for j in range(len(v)):
            for k in range(j):
                rest = _product([x for q, x in enumerate(v) if q not in (j, k)])
                self.A[j][k] += factor * rest * G
                self.A[k][j] = self.A[j][k]

    def dense(self) -> npt.NDArray[np.float64]:
        """Return the matrix as float64, infinite where it is beyond."""
        r, n = len(self.delta), len(self.p)
        H = np.zeros((r + n, r + n))
        H[:r, :r] = np.diag([float(x) for x in self.delta])
        with np.errstate(over="ignore", invalid="ignore"):
            H[:r, r:] = np.outer([float(x) for x in self.b], [float(x) for x in self.p])
        H[r:, :r] = H[:r, r:].T
        H[r:, r:] = [[float(x) for x in row] for row in self.A]
        return H

    def apply(self, x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
        """Return H times a vector."""
        along, across = _dot(self.p, w), _dot(self.b, x)
        top = [d * x_i + b * along for d, x_i, b in zip(self.delta, x, self.b, strict=True)]
        bottom = [_dot(row, w) + p * across for row, p in zip(self.A, self.p, strict=True)]
        return top, bottom

    def largest_eigenvalue(self) -> gmpy2.mpfr:
        """Return λ_max: Rayleigh quotient iteration from the float64 eigenvector."""
        values, vectors = np.linalg.eigh(self.dense())
        x = [gmpy2.mpfr(float(a)) for a in vectors[: len(self.delta), -1]]
        w = [gmpy2.mpfr(float(a)) for a in vectors[len(self.delta) :, -1]]
        value = gmpy2.mpfr(float(values[-1]))
        for _ in range(64):
            top, bottom = self.apply(x, w)
            quotient = (_dot(x, top) + _dot(w, bottom)) / (_dot(x, x) + _dot(w, w))
            last_bits = gmpy2.exp2(6 - gmpy2.get_context().precision)
            settled = abs(quotient - value) <= abs(quotient) * last_bits
            value = quotient
            if settled:
                break
            x, w = self._solved(value, x, w)
        self._vector = _normalised(x, w)
        return value

    def eigenvector(self) -> tuple[Numbers, Numbers]:
        """Return the eigenvector that `largest_eigenvalue` ended with."""
        return self._vector

    def residual(self, value: gmpy2.mpfr) -> float:
        """Return ‖H w - λ w‖ of that eigenvector."""
        x, w = self._vector
        top, bottom = self.apply(x, w)
        left = [a - value * b for a, b in zip([*top, *bottom], [*x, *w], strict=True)]
        return float(gmpy2.sqrt(_dot(left, left)))

    def _solved(self, shift: gmpy2.mpfr, x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
        """Return (H - shift)⁻¹ (x, w), normalised: the diagonal block is eliminated first."""
        smallest = abs(shift) * gmpy2.exp2(-gmpy2.get_context().precision)
        gaps = [d - shift for d in self.delta]
        gaps = [gap if gap != 0 else smallest for gap in gaps]
        beta = gmpy2.fsum([b * b / gap for b, gap in zip(self.b, gaps, strict=True)])
        through = gmpy2.fsum([b * a / gap for b, a, gap in zip(self.b, x, gaps, strict=True)])
        n = range(len(self.p))
        schur = [
            [self.A[j][k] - (shift if j == k else 0) - beta * self.p[j] * self.p[k] for k in n]
            for j in n
        ]
        w = _gaussian(schur, [w[j] - through * self.p[j] for j in n], smallest)
        along = _dot(self.p, w)
        x = [(a - b * along) / gap for a, b, gap in zip(x, self.b, gaps, strict=True)]
        return _normalised(x, w)


def _gaussian(matrix: list[Numbers], right: Numbers, smallest: gmpy2.mpfr) -> Numbers:
    """Solve a small system by elimination with row pivoting; a zero pivot becomes `smallest`."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    n = len(rows)
    for j in range(n):
        best = max(range(j, n), key=lambda i: abs(rows[i][j]))
        rows[j], rows[best] = rows[best], rows[j]
        pivot = rows[j][j] if rows[j][j] != 0 else smallest
        rows[j] = [x / pivot for x in rows[j]]
        for i in range(n):
            if i != j:
                factor = rows[i][j]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[j], strict=True)]
    return [row[n] for row in rows]


def _normalised(x: Numbers, w: Numbers) -> tuple[Numbers, Numbers]:
    """Return the unit vector whose largest component (the first of them) is positive."""
    length = gmpy2.sqrt(_dot(x, x) + _dot(w, w))
    largest = max([*x, *w], key=abs)
    length = -length if largest < 0 else length
    return [a / length for a in x], [a / length for a in w]


def _dot(a: Numbers, b: Numbers) -> gmpy2.mpfr:
    return gmpy2.fsum([x * y for x, y in zip(a, b, strict=True)])


def _product(factors: Numbers) -> gmpy2.mpfr:
    result = gmpy2.mpfr(1)
    for factor in factors:
        result *= factor
    return result
