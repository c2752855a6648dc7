"""Exact arithmetic on matrices of fixed-point numbers, through float64 matrix products.

A number is a row of balanced digits in base 2^20. The product of two matrices of digits has
entries below 2^53, so that BLAS computes it without rounding whatever its order; a product of long
numbers is a few dozen such products and a carry. This gives a singular value decomposition its
hundred correct digits at the speed of float64.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

DIGIT_BITS = 20
_HALF = 1 << (DIGIT_BITS - 1)
# Sums of this many products of two digits, each at most 2^38, are exact in float64.
_EXACT_TERMS = 1 << (53 - 2 * (DIGIT_BITS - 1))


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """A matrix of numbers Σ_k digits[k] · 2^(20 (place + k)), |digits| ≤ 2^19.

    Parameters
    ----------
    digits : ndarray of int64, shape (length, rows, columns)
        Least significant first.
    place : int
        Place of the last digit; numbers are multiples of 2^(20 place).
    """

    digits: npt.NDArray[np.int64]
    place: int

    @classmethod
    def from_floats(cls, values: npt.NDArray[np.float64]) -> FixedPoint:
        """Return a float64 matrix, exactly."""
        _, exponents = np.frexp(values)
        nonzero = values != 0
        if not nonzero.any():
            return cls(np.zeros((1, *values.shape), np.int64), 0)
        lowest = int(exponents[nonzero].min()) - 53
        highest = int(exponents[nonzero].max())
        place, top = lowest // DIGIT_BITS, highest // DIGIT_BITS + 1
        digits = np.zeros((top - place + 1, *values.shape), np.int64)
        rest = values.copy()
        for k in range(top, place - 1, -1):
            # Scaling by a power of two and taking off leading bits are both exact.
            digit = np.trunc(np.ldexp(rest, -DIGIT_BITS * k))
            rest -= np.ldexp(digit, DIGIT_BITS * k)
            digits[k - place] = digit.astype(np.int64)
        return _carried(digits, place)

    @classmethod
    def from_exact(cls, values: npt.NDArray[Any]) -> FixedPoint:
        """Return a matrix of dyadic `gmpy2.mpfr` numbers (an object array), exactly."""
        pairs = [x.as_mantissa_exp() for x in values.flat]
        powers = [int(exponent) for mantissa, exponent in pairs if mantissa]
        place = min(powers, default=0) // DIGIT_BITS
        low = DIGIT_BITS * place
        integers = [int(m) << (int(e) - low) if m else 0 for m, e in pairs]
        length = max((abs(i).bit_length() for i in integers), default=1) // DIGIT_BITS + 2
        digits = np.zeros((length, values.size), np.int64)
        mask = (1 << DIGIT_BITS) - 1
        for column, integer in enumerate(integers):
            for k in range(length):
                digits[k, column] = integer & mask if k < length - 1 else integer
                integer >>= DIGIT_BITS
        return _carried(digits.reshape(length, *values.shape), place)

    @property
    def T(self) -> FixedPoint:  # noqa: N802
        """The transpose."""
        return FixedPoint(self.digits.transpose(0, 2, 1), self.place)

    def __matmul__(self, other: FixedPoint) -> FixedPoint:
        """Return the exact product."""
        return self.product(other, self.place + other.place)

    def product(self, other: FixedPoint, place: int) -> FixedPoint:
        """Return the product as multiples of 2^(20 place), off by at most two of them.

        Products of digits three places and more below are left out: n pairs of numbers with fewer
        than 2^20 / n digits.
        """
        a, b = self.digits.astype(np.float64), other.digits.astype(np.float64)
        lowest = self.place + other.place
        first = max(0, place - 3 - lowest)
        shape = (max(len(a) + len(b) - 1 - first, 1), a.shape[1], b.shape[2])
        total = np.zeros(shape, np.int64)
        for start in range(0, a.shape[2], _EXACT_TERMS):
            inner = slice(start, start + _EXACT_TERMS)
            for i in range(len(a)):
                for j in range(max(0, first - i), len(b)):
                    total[i + j - first] += (a[i][:, inner] @ b[j][inner]).astype(np.int64)
        return _carried(total, lowest + first).rounded(place)

    def __add__(self, other: FixedPoint) -> FixedPoint:
        """Return the exact sum."""
        place = min(self.place, other.place)
        top = max(self.place + len(self.digits), other.place + len(other.digits))
        shape = np.broadcast_shapes(self.digits.shape[1:], other.digits.shape[1:])
        total = np.zeros((top - place, *shape), np.int64)
        for term in (self, other):
            total[term.place - place : term.place - place + len(term.digits)] += term.digits
        return _carried(total, place)

    def __neg__(self) -> FixedPoint:
        return FixedPoint(-self.digits, self.place)

    def __sub__(self, other: FixedPoint) -> FixedPoint:
        """Return the exact difference."""
        return self + -other

    def scaled(self, factors: FixedPoint) -> FixedPoint:
        """Return the exact product, entry by entry, with a matrix or a row (1, columns)."""
        shape = np.broadcast_shapes(self.digits.shape[1:], factors.digits.shape[1:])
        total = np.zeros((len(self.digits) + len(factors.digits) - 1, *shape), np.int64)
        for i, a in enumerate(self.digits):
            for j, b in enumerate(factors.digits):
                total[i + j] += a * b
        return _carried(total, self.place + factors.place)

    def rounded(self, place: int) -> FixedPoint:
        """Return multiples of 2^(20 place), off by at most as much."""
        dropped = place - self.place
        if dropped <= 0:
            return self
        kept = self.digits[dropped:]
        return FixedPoint(kept if len(kept) else np.zeros((1, *self.digits.shape[1:]), np.int64),
                          place)  # fmt: skip

    def to_floats(self) -> npt.NDArray[np.float64]:
        """Return the numbers as float64, within two units in the last place."""
        total = np.zeros(self.digits.shape[1:])
        for k, digit in enumerate(self.digits):
            total += np.ldexp(digit.astype(np.float64), DIGIT_BITS * (self.place + k))
        return total

    def to_mpfr(self, bits: int) -> list[gmpy2.mpfr]:
        """Return the entries, row by row, rounded once to a number of bits."""
        flat = self.digits.reshape(len(self.digits), -1)
        with gmpy2.context(precision=bits):
            return [
                gmpy2.mul_2exp(gmpy2.mpfr(number), DIGIT_BITS * self.place)
                if self.place >= 0
                else gmpy2.div_2exp(gmpy2.mpfr(number), -DIGIT_BITS * self.place)
                for number in (_integer(column) for column in flat.T)
            ]


def identity(n: int) -> FixedPoint:
    """Return the identity matrix."""
    return FixedPoint(np.eye(n, dtype=np.int64)[None], 0)


def _integer(digits: Iterable[np.int64]) -> int:
    """Return the integer whose digits these are, least significant first."""
    return sum(int(digit) << (DIGIT_BITS * k) for k, digit in enumerate(digits))


def _carried(digits: npt.NDArray[np.int64], place: int) -> FixedPoint:
    """Return the same numbers with balanced digits and no empty leading ones."""
    balanced = []
    carry = np.zeros(digits.shape[1:], np.int64)
    for digit in digits:
        number = digit + carry
        carry = (number + _HALF) >> DIGIT_BITS
        balanced.append(number - (carry << DIGIT_BITS))
    while carry.any():
        number, carry = carry, (carry + _HALF) >> DIGIT_BITS
        balanced.append(number - (carry << DIGIT_BITS))
    while len(balanced) > 1 and not balanced[-1].any():
        balanced.pop()
    return FixedPoint(np.stack(balanced), place)
