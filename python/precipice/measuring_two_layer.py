"""Sharpness of a two-layer linear network in any number format, from exact parameters.

With dF the change of the predictions along a direction (V, α), s = Xᵀ dF, and μ = c_L c, the
Hessian's image is μ (a sᵀ + α gᵀ, W s + V g) (`cpp/models/two_layer_hessian.hpp`). Whatever V was,
it has become a pᵀ + β gᵀ: eigenvectors of other eigenvalues than 0 are such, and d + 2m numbers
(p, β, α), β orthogonal to a, take the place of m d + m; a length is |a|²|p|² + |g|²|β|² + |α|².

In float64 all eigenpairs on these directions are computed. The largest is then refined: its
residual in the measuring format, divided by the float64 gaps to the other eigenvalues, corrects it
by up to some 45 bits a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import mul
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.exact import from_text
from precipice.losses import Loss
from precipice.measuring import GUARD_BITS, Sharpness
from precipice.precision import Precision
from precipice.spectral import Numbers

FloatArray = npt.NDArray[np.float64]

_SPARE_BITS = 24  # of a value's error bound, below the format's last bit
_FLOAT64_ERROR = 1e-12  # of a float64 eigenvalue, over the matrix's norm: generous


@dataclass(frozen=True, eq=False)
class TwoLayerMeter:
    """Measures a two-layer linear network's sharpness in one format.

    Parameters
    ----------
    X : list of list of gmpy2.mpfr, N times d, or list of gmpy2.mpfr, length r
        The data that is measured on, or σ in spectral coordinates.
    y : list of gmpy2.mpfr
    loss : Loss
    samples : int
        N of the loss's normalisation.
    scaled : bool
        Whether c = 1/√m, taken as exactly as the measurement, or 1.
    format_ : Precision
        The measuring format.
    """

    X: Any
    y: Numbers
    loss: Loss
    samples: int
    scaled: bool
    format_: Precision

    def measure(
        self,
        W: Sequence[str],
        a: Sequence[str],
        b1: Sequence[str] = (),
        b2: Sequence[str] = (),
    ) -> Sharpness:
        """Return the sharpness at exact parameters, given as text; W by rows.

        The residual bounds the error of the value; so does its square over the gap to the next
        eigenvalue, if float64 sees a gap. The value is refined until one of them lies below the
        format's last bit; it is NaN if that fails (the largest eigenvalue is not alone), or where
        a parameter is not finite or beyond float64's range. The eigenvector is not given.

        Costs (r + 2m)³ float64 operations, and for every 20 to 90 bits 2 (m d + N d) multiply-adds
        of gmpy2, 2 m r in spectral coordinates: at m = 200 and 300 images of 3072 pixels 5 s for
        256 bits, there 0.5 s.
        """
        bits = self.format_.bits + GUARD_BITS
        unknown = Sharpness(gmpy2.nan(), [], [], float("nan"))
        with gmpy2.context(precision=bits):
            numbers = [[from_text(x, bits) for x in values] for values in (W, a, b1, b2)]
            if not all(gmpy2.is_finite(x) for values in numbers for x in values):
                return unknown
            hessian = _Hessian(self, *numbers)
            eigenpairs = _Float64Eigenpairs.of(hessian, self.right)
            if eigenpairs is None:
                return unknown
            refined = _refined(hessian, eigenpairs, self.format_.bits + _SPARE_BITS)
            if refined is None:
                return unknown
            value, residual = refined
        return Sharpness(self.format_.round(value), [], [], residual)

    @cached_property
    def data(self) -> list[Numbers] | None:
        """The rows of X, None where it is diagonal."""
        return self.X if isinstance(self.X[0], list) else None

    @cached_property
    def right(self) -> FloatArray | None:
        """The right singular vectors of X, (d, r), of [X 1] if that is given; None if diagonal."""
        if self.data is None:
            return None
        X = _floats(self.data)
        _, sigma, right = np.linalg.svd(X, full_matrices=False)
        kept = sigma > max(X.shape) * np.finfo(np.float64).eps * sigma[0]
        return np.asarray(right[kept].T)

    @cached_property
    def columns(self) -> list[Numbers]:
        """The columns of a dense X."""
        return _columns(self.X)


@dataclass
class _Direction:
    """V = a pᵀ + β gᵀ with β orthogonal to a, α, and the part along b2."""

    p: Numbers
    beta: Numbers
    alpha: Numbers
    shift: Numbers = field(default_factory=list)  # one number, or none

    def plus(self, factor: gmpy2.mpfr, other: _Direction) -> _Direction:
        """Return self + factor · other."""
        pairs = zip(self.parts(), other.parts(), strict=True)
        return _Direction(*([x + factor * y for x, y in zip(*p, strict=True)] for p in pairs))

    def parts(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Return all numbers."""
        return self.p, self.beta, self.alpha, self.shift


class _Hessian:
    """The Hessian on these directions at a point, in the current gmpy2 context.

    b1 is a last column of W, and X has a column of ones.
    """

    def __init__(
        self, meter: TwoLayerMeter, W: Numbers, a: Numbers, b1: Numbers, b2: Numbers
    ) -> None:
        d = len(W) // len(a)
        biases = [[bias] for bias in b1] or [[]] * len(a)
        self.meter, self.a, self.biased = meter, a, bool(b2)
        self.W = [W[q * d : (q + 1) * d] + bias for q, bias in enumerate(biases)]
        self.W_columns = _columns(self.W)
        self.c_L = gmpy2.mpfr(
            gmpy2.mpq(meter.loss.numerator, meter.samples if meter.loss.averaged else 1)
        )
        self.c = 1 / gmpy2.sqrt(gmpy2.mpfr(len(a))) if meter.scaled else gmpy2.mpfr(1)
        self.mu = self.c_L * self.c
        F = self.times([_dot(column, a) for column in self.W_columns])
        shift = b2[0] if b2 else 0
        z = [self.c * f + shift - y for f, y in zip(F, meter.y, strict=True)]
        self.g = self.transposed_times(z)
        self.a2, self.g2 = _dot(a, a), _dot(self.g, self.g)

    def times(self, u: Numbers) -> Numbers:
        """Return X u."""
        rows = self.meter.data
        return _scaled(self.meter.X, u) if rows is None else [_dot(row, u) for row in rows]

    def transposed_times(self, z: Numbers) -> Numbers:
        """Return Xᵀ z."""
        if self.meter.data is None:
            return _scaled(self.meter.X, z)
        return [_dot(column, z) for column in self.meter.columns]

    def apply(self, x: _Direction) -> _Direction:
        """Return H x."""
        mu, along_a = self.mu, self.along_a(x.alpha)
        u = [self.a2 * p + _dot(w, x.alpha) for p, w in zip(x.p, self.W_columns, strict=True)]
        shift = sum(x.shift)
        dF = [self.c * f + shift for f in self.times(u)]
        s = self.transposed_times(dF)
        p_g = _dot(x.p, self.g)
        rows = zip(self.W, self.a, x.beta, strict=True)
        return _Direction(
            [mu * (s_k + along_a * g_k) for s_k, g_k in zip(s, self.g, strict=True)],
            [mu * (q - along_a * a_q) for q, a_q in zip(x.alpha, self.a, strict=True)],
            [mu * (_dot(w, s) + p_g * a_q + self.g2 * beta) for w, a_q, beta in rows],
            [self.c_L * sum(dF)] if self.biased else [],
        )

    def along_a(self, values: Numbers) -> gmpy2.mpfr:
        """Return the factor of a in the part of a vector along it."""
        return _dot(self.a, values) / self.a2 if self.a2 else gmpy2.mpfr(0)

    def inner(self, x: _Direction, y: _Direction) -> gmpy2.mpfr:
        """Return the inner product of two directions."""
        p, beta, alpha, shift = (_dot(u, v) for u, v in zip(x.parts(), y.parts(), strict=True))
        return self.a2 * p + self.g2 * beta + alpha + shift


@dataclass(frozen=True)
class _Float64Eigenpairs:
    """All eigenpairs on the directions, and the orthonormal frame in which they are given."""

    hessian: _Hessian
    right: FloatArray | None
    values: FloatArray  # ascending
    vectors: FloatArray

    @classmethod
    def of(cls, hessian: _Hessian, right: FloatArray | None) -> _Float64Eigenpairs | None:
        """Compute them; None if the matrix is beyond float64's range."""
        with np.errstate(all="ignore"):
            matrix = _float64_matrix(hessian, right)
        if not np.isfinite(matrix).all():
            return None
        return cls(hessian, right, *np.linalg.eigh(matrix))

    def gap(self) -> float:
        """Return a lower bound of the gap between the largest eigenvalue and all others."""
        slack = _FLOAT64_ERROR * float(np.abs(self.values).max())
        return float(self.values[-1] - max(self.values[-2], 0.0)) - slack

    def largest(self) -> _Direction:
        """Return the eigenvector of the largest eigenvalue."""
        return self._lifted(self.vectors[:, -1])

    def correction(self, value: gmpy2.mpfr, residual: _Direction) -> _Direction:
        """Return -(H - value)⁻¹ of a residual of length 1, without the largest eigenvector."""
        inside = self._frame(residual)
        gaps = float(value) - self.values[:-1]
        along = self.vectors[:, :-1].T @ inside
        close = np.abs(gaps) <= 1e-15 * np.abs(self.values).max()
        along = np.where(close, 0, along / np.where(close, 1, gaps))
        # What the frame does not hold has curvature 0.
        outside = residual.plus(gmpy2.mpfr(-1), self._lifted(inside))
        return self._lifted(self.vectors[:, :-1] @ along).plus(1 / value, outside)

    def _frame(self, x: _Direction) -> FloatArray:
        a_length, g_length = gmpy2.sqrt(self.hessian.a2), gmpy2.sqrt(self.hessian.g2)
        p = _floats([a_length * value for value in x.p])
        beta = [g_length * value for value in x.beta]
        p = p if self.right is None else self.right.T @ p
        return np.concatenate([p, _floats([*beta, *x.alpha, *x.shift])])

    def _lifted(self, coordinates: FloatArray) -> _Direction:
        hessian, m = self.hessian, len(self.hessian.a)
        r = coordinates.size - 2 * m - hessian.biased
        p, beta, alpha, shift = np.split(coordinates, [r, r + m, r + 2 * m])
        p = p if self.right is None else self.right @ p
        beta_numbers = _over(beta, gmpy2.sqrt(hessian.g2))
        along_a = hessian.along_a(beta_numbers)
        return _Direction(
            _over(p, gmpy2.sqrt(hessian.a2)),
            [x - along_a * a_q for x, a_q in zip(beta_numbers, hessian.a, strict=True)],
            _over(alpha, gmpy2.mpfr(1)),
            _over(shift, gmpy2.mpfr(1)),
        )


def _float64_matrix(hessian: _Hessian, right: FloatArray | None) -> FloatArray:
    """Return the Hessian in the frame (|a| Rᵀp, |g| β, α, shift) with R the columns of `right`."""
    X, W = _floats(hessian.meter.X), _floats(hessian.W)
    a, g = _floats(hessian.a), _floats(hessian.g)
    X, W, g = (np.diag(X), W, g) if right is None else (X @ right, W @ right, right.T @ g)
    c, c_L, mu = float(hessian.c), float(hessian.c_L), float(hessian.mu)
    a_length, g_length = float(gmpy2.sqrt(hessian.a2)), float(gmpy2.sqrt(hessian.g2))
    along = a / a_length if a_length else a
    m, r = W.shape
    ones = [np.ones((len(X), 1))] if hessian.biased else []
    J = np.concatenate([c * a_length * X, np.zeros((len(X), m)), c * X @ W.T, *ones], axis=1)
    matrix = c_L * (J.T @ J)
    mixed = np.zeros_like(matrix)
    mixed[:r, r + m : r + 2 * m] = mu * np.outer(g, along)
    mixed[r : r + m, r + m : r + 2 * m] = mu * g_length * (np.eye(m) - np.outer(along, along))
    return np.asarray(matrix + mixed + mixed.T)


def _refined(
    hessian: _Hessian, eigenpairs: _Float64Eigenpairs, bits: int
) -> tuple[gmpy2.mpfr, float] | None:
    """Return λ_max with an error below 2^-bits of it, and its residual; None if it will not."""
    x, last, gap = eigenpairs.largest(), None, eigenpairs.gap()
    while True:
        length2 = hessian.inner(x, x)
        image = hessian.apply(x)
        value = hessian.inner(x, image) / length2
        residual = image.plus(-value, x)
        rho = gmpy2.sqrt(max(hessian.inner(residual, residual), 0) / length2)
        error = min(rho, rho * rho / gap) if gap > 0 else rho
        if error <= abs(value) * gmpy2.exp2(-bits):
            return max(value, gmpy2.mpfr(0)), float(rho)
        if last is not None and not 2 * rho <= last:
            return None
        last, length = rho, gmpy2.sqrt(length2)
        zero = _Direction(*([gmpy2.mpfr(0)] * len(part) for part in x.parts()))
        unit = zero.plus(1 / (rho * length), residual)
        x = x.plus(rho * length, eigenpairs.correction(value, unit))


def _over(values: FloatArray, divisor: gmpy2.mpfr) -> Numbers:
    """Return numbers over a length; zeros over none, as nothing depends on them."""
    return [gmpy2.mpfr(x) / divisor if divisor else divisor for x in values.tolist()]


def _floats(values: Any) -> FloatArray:
    return np.array(values, dtype=object).astype(np.float64)


def _columns(rows: list[Numbers]) -> list[Numbers]:
    return [list(column) for column in zip(*rows, strict=True)]


def _scaled(a: Numbers, b: Numbers) -> Numbers:
    return list(map(mul, a, b))


def _dot(a: Sequence[gmpy2.mpfr], b: Sequence[gmpy2.mpfr]) -> gmpy2.mpfr:
    return sum(map(mul, a, b), gmpy2.mpfr(0))
