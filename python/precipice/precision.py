"""A number format: significand, exponent range, what lies beyond it, and rounding to it."""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice import double_double
from precipice.errors import InvalidArgument
from precipice.exact import EXPONENT_LIMIT, Exact, exact, whole_number
from precipice.formats import (
    LARGEST_BITS,
    LARGEST_RESERVED,
    NAMED,
    OVERFLOWS,
    ROUNDINGS,
    RULE,
    SMALLEST_BITS,
    Fields,
    as_dtype,
    check_fields,
    fields_of,
    meaning,
    name_of,
    of_dtype,
)
from precipice.narrowing import narrowed

if TYPE_CHECKING:
    from precipice.mixed import WorkingPrecision

CONTEXT_ROUNDINGS = {
    "rn": gmpy2.RoundToNearest,
    "rz": gmpy2.RoundToZero,
    "ru": gmpy2.RoundUp,
    "rd": gmpy2.RoundDown,
    "ra": gmpy2.RoundAwayZero,
}
"""Roundings that a gmpy2 context has."""

_FLOAT64 = NAMED["float64"]


@dataclass(frozen=True)
class Precision:
    """A binary floating-point format, and the rounding of operations whose results it takes.

    Parameters
    ----------
    name : str
        The format's name; ``str(precision)`` gives it back. Left out, it is made: a short one
        where there is one, else the numbers spelt out, ``"p5_emin-10_emax12_sub"``. One that is
        given must mean this format.
    bits : int
        p, the length of the significand, the leading bit included (float64: 53); 2 to 100000.
    emin, emax : int
        Exponent range in MPFR's convention, in which a number is ``0.1… * 2**e``: the smallest
        positive number is ``2**(emin - 1)``, the largest is just below ``2**emax``. Left out, the
        range of ``mpfr<bits>``.
    subnormals : bool, default False
        Whether numbers below ``2**(emin + bits - 2)`` lose bits gradually, as in IEEE 754.
        Without, as in ``mpfr<bits>``, the smallest number has all p bits too.
    overflow : {"infinity", "nan", "saturate"}
        What lies beyond the largest number: an infinity, or, in a format that has none, NaN or
        the largest number itself. Results that are exactly infinite (x ⊘ 0) are NaN in the latter.
    reserved : int, default 0
        So many of the greatest significands at `emax` are no numbers: the largest number is
        ``(2**bits - 1 - reserved) * 2**(emax - bits)``. Only without infinities.
    rounding : {"rn", "rz", "ru", "rd", "ra", "sr"}
        Of operations: to nearest with ties to even, toward zero, upward, downward, away from
        zero, or stochastic. Beyond the largest number, "infinity" in the sense of `overflow` is
        the result of rn, ra and sr, of ru above and of rd below; else the largest number is.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule, or two contradict each other.

    Notes
    -----
    A stochastic rounding takes the neighbour further from zero with a probability of the distance
    to the nearer one in units of theirs, by a 32-bit draw of a generator keyed by seed, step and
    operation; a result that is a member is never changed.

    Conversions of data (`round`, `round_array`: X, y, the start, η, …) are to nearest whatever
    the rounding: they make the problem, and rounding is what differs between two runs.
    """

    name: str = ""
    bits: int = 0
    emin: int = -EXPONENT_LIMIT
    emax: int = EXPONENT_LIMIT
    subnormals: bool = False
    overflow: str = "infinity"
    reserved: int = 0
    rounding: str = "rn"

    def __post_init__(self) -> None:
        limit = EXPONENT_LIMIT
        for name, least, most in (
            ("bits", SMALLEST_BITS, LARGEST_BITS),
            ("emin", -limit, limit),
            ("emax", -limit, limit),
            ("reserved", 0, LARGEST_RESERVED),
        ):
            number = whole_number(getattr(self, name), name, least, most)
            object.__setattr__(self, name, number)
        if not isinstance(self.subnormals, bool):
            raise InvalidArgument("subnormals", self.subnormals, "must be True or False")
        for name, allowed in (("overflow", OVERFLOWS), ("rounding", tuple(ROUNDINGS))):
            if getattr(self, name) not in allowed:
                rule = f"must be {', '.join(allowed[:-1])} or {allowed[-1]}"
                raise InvalidArgument(name, getattr(self, name), rule)
        check_fields(self._fields)
        if self.name == "":
            object.__setattr__(self, "name", name_of(self._fields))
        elif meaning(self.name) != self._fields:
            rule = f"must be {name_of(self._fields)} for these numbers, or be left out"
            raise InvalidArgument("name", self.name, rule)

    @property
    def _fields(self) -> Fields:
        return Fields(**{field.name: getattr(self, field.name) for field in fields(Fields)})

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, precision: Any) -> Precision:
        """Return the format that is meant.

        Parameters
        ----------
        precision : str, Precision, or dtype
            ``BASE[:ROUNDING][:sat]``, where BASE is a name of `precipice.formats.NAMED`,
            ``mpfr<bits>``, ``e<exponent bits>m<fraction bits>`` (IEEE 754's style) or a custom
            format's; ROUNDING is rn (as without), rz, ru, rd, ra or sr; ``:sat`` makes the
            overflow saturate. A dtype or scalar type of NumPy or ml_dtypes is the format of its
            numbers. A `Precision` is returned as it is.

        Raises
        ------
        InvalidArgument
            If the name is unknown, contradicts itself, or the dtype's numbers are no format's.
        """
        if isinstance(precision, Precision):
            return precision
        if isinstance(precision, str):
            meant = fields_of(precision)
            name = precision.replace(":rn", "")
        elif (dtype := as_dtype(precision)) is not None:
            meant = of_dtype(dtype)
            name = ""
        else:
            raise InvalidArgument("precision", precision, RULE)
        try:
            return cls(name, **asdict(meant))
        except InvalidArgument as error:
            rule = f"{error.argument} {error.rule}"
            raise InvalidArgument("precision", str(precision), rule) from None

    @staticmethod
    def mixed(base: Any, *, order: str | None = None, **stages: Any) -> WorkingPrecision:
        """Return a format for each stage of a step: `base`, but for the stages that are named.

        Parameters
        ----------
        base : str, Precision or dtype
        order : str, optional
            Of the sums (`precipice.mixed.ORDERS`); without, the run's argument says it.
        **stages : str, Precision or dtype
            For any of parameters, forward, accumulate, gradient, update and measurement
            (`precipice.mixed.MixedPrecision`).
        """
        from precipice.mixed import mixed

        return mixed(base, stages, order)

    def describe(self) -> dict[str, Any]:
        """Return the format as JSON-able data."""
        beyond = {} if self.infinities else {"overflow": self.overflow, "reserved": self.reserved}
        return {
            "name": self.name,
            "bits": self.bits,
            "emin": self.emin,
            "emax": self.emax,
            "subnormals": self.subnormals,
            **beyond,
            "rounding": double_double.PROGRAM if self.pairs else ROUNDINGS[self.rounding],
        }

    @property
    def pairs(self) -> bool:
        """Whether it is double_double, whose numbers are pairs of float64; `bits` is nominal."""
        return self.name == double_double.NAME

    @property
    def width(self) -> int:
        """Bits of a significand that holds each number of the format."""
        return double_double.WIDTH if self.pairs else self.bits

    @property
    def infinities(self) -> bool:
        """Whether the format has infinities."""
        return self.overflow == "infinity"

    @property
    def stochastic(self) -> bool:
        """Whether operations draw random numbers."""
        return self.rounding == "sr"

    @property
    def largest(self) -> gmpy2.mpfr:
        """The largest number, ``(2**bits - 1 - reserved) * 2**(emax - bits)``."""
        significand = (gmpy2.mpz(1) << self.bits) - 1 - self.reserved
        return self._scaled(significand, self.emax - self.bits)

    @property
    def smallest(self) -> gmpy2.mpfr:
        """The smallest positive number, ``2**(emin - 1)``."""
        return self._scaled(1, self.emin - 1)

    @property
    def smallest_normal(self) -> gmpy2.mpfr:
        """The smallest positive number from which on all have `bits` bits."""
        return self._scaled(1, self.emin - 1 + (self.bits - 1) * self.subnormals)

    @property
    def epsilon(self) -> gmpy2.mpfr:
        """The distance from 1 to the next number, ``2**(1 - bits)``; the range is not looked at."""
        return self._scaled(1, 1 - self.bits)

    def _scaled(self, significand: Any, exponent: int) -> gmpy2.mpfr:
        with Precision.parse(f"mpfr{self.bits}").context():
            number = gmpy2.mpfr(significand)
            scale = gmpy2.mul_2exp if exponent >= 0 else gmpy2.div_2exp
            return scale(number, abs(exponent))

    def context(self) -> Any:
        """Return a new `gmpy2.context` of this format.

        Every operation done inside ``with precision.context():``, constructors included, is
        rounded once to the format with its rounding, overflow and subnormal numbers included.

        Raises
        ------
        InvalidArgument
            If gmpy2 has none: of a format without infinities, or rounded stochastically.
        """
        if self.stochastic or not self.infinities:
            rule = "must have infinities and no stochastic rounding for a gmpy2 context"
            raise InvalidArgument("precision", self.name, rule)
        return self._context(self.emax, CONTEXT_ROUNDINGS[self.rounding])

    def _context(self, emax: int, rounding: Any) -> Any:
        return gmpy2.context(
            precision=self.bits,
            emin=self.emin,
            emax=emax,
            subnormalize=self.subnormals,
            round=rounding,
        )

    def _data_context(self) -> Any:
        """Return the context that rounds to nearest; what overflows is left to `_in_range`."""
        emax = self.emax if self.infinities else EXPONENT_LIMIT
        return self._context(emax, gmpy2.RoundToNearest)

    def round(self, x: Exact | float) -> gmpy2.mpfr:
        """Return `x` rounded once into the format: to nearest, ties to even, whatever `rounding`.

        Parameters
        ----------
        x : gmpy2.mpfr, gmpy2.mpq or float
            An exact number, an infinity or NaN.

        Returns
        -------
        gmpy2.mpfr
            Of `width` bits; what `overflow` says when `x` is beyond the range.
        """
        if self.pairs:
            return double_double.nearest_pair(x)
        with self._data_context():
            return self._in_range(x, gmpy2.mpfr(x))

    def _in_range(self, x: Any, rounded: gmpy2.mpfr) -> gmpy2.mpfr:
        """Return a number rounded in the data's context as `overflow` has it; in that context."""
        if self.infinities or not abs(rounded) > self._largest:
            return rounded
        if self.overflow == "nan" or abs(x) == float("inf"):
            return gmpy2.nan()
        return self._largest if rounded > 0 else -self._largest

    @cached_property
    def _largest(self) -> gmpy2.mpfr:
        return self.largest

    @property
    def contains_float64(self) -> bool:
        """Whether every float64 number, infinities included, is a member of the format."""
        return (
            self.infinities
            and self.bits >= _FLOAT64.bits
            and self.emin <= _FLOAT64.emin
            and self.emax >= _FLOAT64.emax
        )

    @property
    def within_float64(self) -> bool:
        """Whether every member is a float64 number."""
        last_place = self.emin - 1 if self.subnormals else self.emin - self.bits
        return (
            self.bits <= _FLOAT64.bits
            and last_place >= _FLOAT64.emin - 1
            and self.emax <= _FLOAT64.emax
        )

    def round_array(self, a: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array with every entry rounded once into the format, as `round` does.

        Parameters
        ----------
        a : ndarray
            float64, or an object array of `Exact`, of any shape.

        Returns
        -------
        ndarray
            float64 wherever that is certain to hold the members: the argument itself if it is
            float64 and the format contains float64, a rounded float64 array if it is float64 and
            the format is narrower, and always for formats within float64. Otherwise an object
            array of `gmpy2.mpfr`.

        Notes
        -----
        float64 arrays cost a few passes over the buffer, other entries about 3 µs each.
        """
        if a.dtype == np.float64:
            if self.contains_float64:
                return a
            if self.name == "float32":
                with np.errstate(over="ignore", under="ignore"):
                    return a.astype(np.float32).astype(np.float64)
            if self.bits < _FLOAT64.bits:
                rounded = narrowed(a, self._fields)
                if rounded is not None:
                    return rounded
        numbers = np.empty(a.shape, dtype=object)
        if self.pairs:
            numbers[...] = np.frompyfunc(double_double.nearest_pair, 1, 1)(a)
            return numbers
        with self._data_context():
            for index, entry in np.ndenumerate(a):
                numbers[index] = self._in_range(entry, gmpy2.mpfr(entry))
        return numbers.astype(np.float64) if self.within_float64 else numbers

    def core_format(self) -> Any:
        """Return the format as the compiled core has it."""
        core = importlib.import_module("precipice._core")
        return core.Format(
            name=self.name,
            precision=self.bits,
            emin=self.emin,
            emax=self.emax,
            subnormals=self.subnormals,
            overflow=self.overflow,
            reserved=self.reserved,
            rounding=self.rounding,
        )

    def availability(self) -> tuple[bool, str]:
        """Return whether this installation can run the format, and how or why not.

        See `precipice.arithmetic.Arithmetic.availability`.
        """
        from precipice.arithmetic import Arithmetic

        return Arithmetic.of(self, rounding_seed=0 if self.stochastic else None).availability()


def nearest_float64(value: Any, argument: str) -> float:
    """Return the float64 nearest to a number written in any way that `exact` reads.

    Raises
    ------
    InvalidArgument
        If the number is not finite, or float64 would be.
    """
    nearest = float(Precision.parse("float64").round(exact(value, argument)))
    if abs(nearest) == float("inf"):
        raise InvalidArgument(argument, value, "must be within float64's range")
    return nearest
