"""The rounding of one operation to any format: five directions, stochastic, every overflow.

A gmpy2 context rounds by itself where the format has infinities and the rounding is a direction,
and without infinities up to the largest number. Anything else starts from the exact result, or as
much of it as matters: cut off 34 bits below the format's last place, with whether something was
cut off. Neighbours, midpoints and stochastic thresholds are multiples of that place, so that it is
known on which side of each the result lies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import gmpy2

from precipice.dyadic import Cut, dyadic, exact_result, product, quotient, total
from precipice.errors import InvalidArgument
from precipice.exact import EXPONENT_LIMIT
from precipice.precision import CONTEXT_ROUNDINGS, Precision

Number: TypeAlias = "gmpy2.mpfr"
Draw: TypeAlias = "Callable[[int | None], int]"
"""Gives a 32-bit draw by its index within the element that is computed; None is the next one."""

_THRESHOLD_BITS = 33  # a stochastic threshold is an odd multiple of 2**-33 of the last place
_ONE = gmpy2.mpfr(1, 2)
_MPFR = type(_ONE)


class Rounder:
    """Operations on `gmpy2.mpfr` numbers, each rounded once to one format.

    Parameters
    ----------
    precision : Precision
        The format, and the rounding of its operations.
    draw : callable, optional
        The draws of stochastic rounding.

    Attributes
    ----------
    precision : Precision
    context : gmpy2.context or None
        One that rounds every operation as this object does, or None.

    Raises
    ------
    InvalidArgument
        If the rounding is stochastic and there are no draws.

    Notes
    -----
    Operands may be of any precision and range, and are never rounded. Results have the format's
    bits. The caller's own gmpy2 context is neither used nor changed. An operation's `index` is
    that of its draw, for stochastic rounding: the magnitude becomes the upper one of its two
    neighbours where ``2 w + 1 < 2**33 q``, with w the draw and q how far it lies above the lower
    one, as a fraction of their distance. An operation costs 0.2 µs where there is a context, 0.6 µs
    in other formats and 5 µs where it is stochastic.
    """

    def __init__(self, precision: Precision, draw: Draw | None = None) -> None:
        if precision.rounding == "sr" and draw is None:
            raise InvalidArgument("draw", draw, "must be given for stochastic rounding")
        self.precision, self._draw = precision, draw
        bits, infinite = precision.bits, precision.overflow == "infinity"
        mode = CONTEXT_ROUNDINGS.get(precision.rounding)
        context = None if mode is None else _context(precision, mode, unbounded=not infinite)
        self.context: Any = context if infinite else None
        self._within: Any = None if infinite else context  # up to the largest number
        self._of_data = _context(precision, gmpy2.RoundToNearest) if infinite else None
        self._bits = bits + _THRESHOLD_BITS + 1
        self._downward = precision.rounding == "rd"  # where x - x is -0
        # Gives what MPFR says of zeros, infinities and NaN.
        self._special = _wide(bits, gmpy2.RoundDown if self._downward else gmpy2.RoundToZero)
        self._zeros = self._number(0, 0), self._special.mul(_ONE, gmpy2.zero(-1))
        self._nan = self._special.mul(_ONE, gmpy2.nan())
        self._infinities = (self._nan, self._nan)
        if infinite:
            infinity = self._special.mul(_ONE, gmpy2.inf())
            self._infinities = infinity, self._special.minus(infinity)
        greatest = (gmpy2.mpz(1) << bits) - 1 - precision.reserved
        place = precision.emax - bits
        self._largest = self._number(greatest, place), self._number(-greatest, place)
        saturates = precision.overflow == "saturate"
        self._overflow = self._largest if saturates else self._infinities

    def add(self, a: Number, b: Number, index: int | None = None) -> Number:
        """Return a ⊕ b."""
        return self.context.add(a, b) if self.context else self._operate("add", index, a, b)

    def subtract(self, a: Number, b: Number, index: int | None = None) -> Number:
        """Return a ⊖ b."""
        return self.context.sub(a, b) if self.context else self._operate("sub", index, a, b)

    def multiply(self, a: Number, b: Number, index: int | None = None) -> Number:
        """Return a ⊗ b."""
        return self.context.mul(a, b) if self.context else self._operate("mul", index, a, b)

    def divide(self, a: Number, b: Number, index: int | None = None) -> Number:
        """Return a ⊘ b."""
        return self.context.div(a, b) if self.context else self._operate("div", index, a, b)

    def sqrt(self, a: Number, index: int | None = None) -> Number:
        """Return the rounded square root."""
        return self.context.sqrt(a) if self.context else self._operate("sqrt", index, a)

    def fma(self, a: Number, b: Number, c: Number, index: int | None = None) -> Number:
        """Return a b + c, rounded once."""
        return self.context.fma(a, b, c) if self.context else self._operate("fma", index, a, b, c)

    def convert(self, x: Number, index: int | None = None) -> Number:
        """Return x in this format, rounded as an operation is."""
        return self.multiply(_ONE, x, index)

    def dot(self, x: Sequence[Number], y: Sequence[Number], index: int | None = None) -> Number:
        """Return the exact sum of one or more products x_k y_k, rounded once."""
        word = self._word(index)
        bits = max(a.precision for a in x) + max(b.precision for b in y)
        products = [*map(_wide(bits, gmpy2.RoundToNearest).mul, x, y)]
        if self.context and not any(t.rc for t in products):
            return self.context.fsum(products)
        pairs = [*zip(x, y, strict=True)]
        finite = [gmpy2.is_finite(a) and gmpy2.is_finite(b) for a, b in pairs]
        if not all(finite):
            others = [t for t, is_finite in zip(products, finite, strict=True) if not is_finite]
            return self._member(self._special.fsum(others))
        terms = [product(dyadic(a), dyadic(b)) for a, b in pairs]
        exact = total(self._bits, terms)
        if exact.m:
            return self._rounded(exact, self.precision.rounding, word)
        if any(m for m, _ in terms):
            return self._zeros[self._downward]
        return self._special.fsum(products)

    def nearest(self, x: Any) -> Number:
        """Return x in this format, rounded to nearest even whatever the rounding.

        Parameters
        ----------
        x : gmpy2.mpfr, gmpy2.mpq, float or int
        """
        if self._of_data is not None:
            with self._of_data:  # whose methods might round a float more than once
                return gmpy2.mpfr(x)
        if x == 0 or not gmpy2.is_finite(x):
            return self._member(self._special.mul(_ONE, x))
        if isinstance(x, _MPFR):
            return self._rounded(Cut(*dyadic(x)), "rn")
        ratio = gmpy2.mpq(x)
        cut = quotient(self._bits, (ratio.numerator, 0), (ratio.denominator, 0))
        return self._rounded(cut, "rn")

    def _operate(self, operation: str, index: int | None, *operands: Number) -> Number:
        if self._within is not None:
            result = getattr(self._within, operation)(*operands)
            if self._largest[True] <= result <= self._largest[False]:
                return result
        word = self._word(index)
        exact = exact_result(operation, self._bits, operands)
        if exact is None:
            return self._member(getattr(self._special, operation)(*operands))
        return self._rounded(exact, self.precision.rounding, word)

    def _word(self, index: int | None) -> int:
        """Return the operation's draw: results that are members have one too, which goes unused."""
        return 0 if self._draw is None or self.precision.rounding != "sr" else self._draw(index)

    def _rounded(self, exact: Cut, rounding: str, word: int = 0) -> Number:
        """Round a number that is not zero."""
        negative = exact.m < 0
        magnitude = abs(exact.m)
        place = self._last_place(magnitude.bit_length() + exact.e)
        shift = max(place - exact.e, 0)
        if shift > magnitude.bit_length() + _THRESHOLD_BITS:  # below all thresholds, perhaps far
            lower, above = 0, _Above(0, 0, cut_off=True)
        else:
            lower = magnitude >> shift << max(exact.e - place, 0)
            above = _Above(magnitude & ((1 << shift) - 1), shift, cut_off=exact.cut_off)
        if above and self._goes_up(above, lower, negative, rounding, word):
            lower += 1
        if lower == 0:
            return self._zeros[negative]
        if lower.bit_length() + place > self.precision.emax:
            return self._beyond(negative, rounding)
        result = self._number(-lower if negative else lower, place)
        beyond = not self._largest[True] <= result <= self._largest[False]
        return self._beyond(negative, rounding) if beyond else result

    def _last_place(self, top: int) -> int:
        """Return the exponent of the last place of a number below 2**top."""
        precision = self.precision
        if top < precision.emin:
            return precision.emin - 1  # the smallest number, above zero
        place = top - precision.bits
        return max(place, precision.emin - 1) if precision.subnormals else place

    @staticmethod
    def _goes_up(above: _Above, lower: int, negative: bool, rounding: str, word: int) -> bool:
        """Say whether a magnitude that is no member becomes its upper neighbour."""
        if rounding == "rn":
            side = above.compared(1, 1)
            return side > 0 or (side == 0 and lower % 2 == 1)
        if rounding == "sr":
            return above.compared(2 * word + 1, _THRESHOLD_BITS) > 0
        return rounding == "ra" or rounding == ("rd" if negative else "ru")

    def _beyond(self, negative: bool, rounding: str) -> Number:
        """Return what an operation gives beyond the largest number."""
        towards_zero = rounding == "rz" or rounding == ("ru" if negative else "rd")
        return (self._largest if towards_zero else self._overflow)[negative]

    def _member(self, x: Number) -> Number:
        """Return a zero, an infinity or NaN as this format has it."""
        if gmpy2.is_nan(x):
            return self._nan
        return (self._zeros if gmpy2.is_zero(x) else self._infinities)[gmpy2.is_signed(x)]

    def _number(self, significand: int, exponent: int) -> Number:
        """Return significand · 2**exponent, a member."""
        scale = self._special.mul_2exp if exponent >= 0 else self._special.div_2exp
        return scale(gmpy2.mpz(significand), abs(exponent))


class _Above:
    """How far a number lies above its lower neighbour, as a fraction of the neighbours' distance.

    It is (`rest` + ε) / 2**shift, with 0 < ε < 1 where something was cut off, else ε = 0.
    """

    def __init__(self, rest: int, shift: int, *, cut_off: bool) -> None:
        self._rest, self._shift, self._cut_off = rest, shift, cut_off

    def __bool__(self) -> bool:
        return self._rest != 0 or self._cut_off

    def compared(self, numerator: int, bits: int) -> int:
        """Return the sign of the fraction less numerator / 2**bits, which ε does not reach."""
        difference = (self._rest << bits) - (numerator << self._shift)
        if difference == 0:
            return 1 if self._cut_off else 0
        return 1 if difference > 0 else -1


def _context(precision: Precision, mode: int, *, unbounded: bool = False) -> Any:
    """Return a context of the format's bits and range, whose upper end may be left out."""
    return gmpy2.context(
        precision=precision.bits,
        emin=precision.emin,
        emax=EXPONENT_LIMIT if unbounded else precision.emax,
        subnormalize=precision.subnormals,
        round=mode,
    )


@lru_cache(maxsize=64)
def _wide(bits: int, mode: int) -> Any:
    """Return a context of MPFR's own range."""
    return gmpy2.context(
        precision=bits,
        emin=-EXPONENT_LIMIT,
        emax=EXPONENT_LIMIT,
        subnormalize=False,
        round=mode,
    )
