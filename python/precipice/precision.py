"""Number formats by name: significand, exponent range, and rounding to them."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.exact import EXPONENT_LIMIT, Exact, exact

SMALLEST_BITS = 2
LARGEST_BITS = 100_000
DEFAULT_PRECISIONS = (
    "float32",
    "float64",
    "mpfr113",
    "mpfr128",
    "mpfr256",
    "mpfr512",
    "mpfr1024",
)
"""What `precipice compare` runs when no precision is named."""

# name: (significand bits, emin, emax) in MPFR's convention, 0.1… * 2**e.
_NATIVE = {
    "float32": (24, -148, 128),
    "float64": (53, -1073, 1024),
    "float80": (64, -16444, 16384),
    "float128": (113, -16493, 16384),
}
_RULE = (
    f"must be one of {', '.join(_NATIVE)} or mpfr<bits> with {SMALLEST_BITS} to {LARGEST_BITS} bits"
)
_MPFR_NAME = re.compile(r"mpfr([1-9][0-9]*|0)")


@dataclass(frozen=True)
class Precision:
    """A binary floating-point format, rounded to nearest with ties to even.

    Parameters
    ----------
    name : str
        The format's name; ``str(precision)`` gives it back.
    bits : int
        Length of the significand, the leading bit included (float64: 53).
    emin, emax : int
        Exponent range in MPFR's convention, in which a number is ``0.1… * 2**e``: the smallest
        positive number is ``2**(emin - 1)``, the largest is just below ``2**emax``.
    subnormals : bool
        Whether numbers below ``2**(emin + bits - 2)`` lose bits gradually, as in IEEE 754.
        ``mpfr<bits>`` has no subnormal numbers.
    """

    name: str
    bits: int
    emin: int
    emax: int
    subnormals: bool

    def __str__(self) -> str:
        return self.name

    @classmethod
    def parse(cls, precision: str | Precision) -> Precision:
        """Return the format with this name.

        Parameters
        ----------
        precision : str or Precision
            ``"float32"``, ``"float64"``, ``"float80"``, ``"float128"`` or ``"mpfr<bits>"``; a
            `Precision` is returned as it is.

        Raises
        ------
        InvalidArgument
            If the name is unknown, or the bits are below 2 or above 100000.
        """
        if isinstance(precision, Precision):
            return precision
        if not isinstance(precision, str):
            raise InvalidArgument("precision", precision, _RULE)
        if precision in _NATIVE:
            bits, emin, emax = _NATIVE[precision]
            return cls(precision, bits, emin, emax, subnormals=True)
        match = _MPFR_NAME.fullmatch(precision)
        # The length is looked at first: int() of a million digits is refused by Python.
        if match is None or len(match[1]) > len(str(LARGEST_BITS)):
            raise InvalidArgument("precision", precision, _RULE)
        bits = int(match[1])
        if not SMALLEST_BITS <= bits <= LARGEST_BITS:
            raise InvalidArgument("precision", precision, _RULE)
        return cls(precision, bits, -EXPONENT_LIMIT, EXPONENT_LIMIT, subnormals=False)

    def describe(self) -> dict[str, Any]:
        """Return the format as JSON-able data."""
        return {
            "name": self.name,
            "bits": self.bits,
            "emin": self.emin,
            "emax": self.emax,
            "subnormals": self.subnormals,
            "rounding": "to nearest, ties to even",
        }

    def context(self) -> Any:
        """Return a new `gmpy2.context` of this format.

        Every operation done inside ``with precision.context():``, constructors included, is
        rounded once to the format, overflow and subnormal numbers included.
        """
        return gmpy2.context(
            precision=self.bits,
            emin=self.emin,
            emax=self.emax,
            subnormalize=self.subnormals,
            round=gmpy2.RoundToNearest,
        )

    def round(self, x: Exact | float) -> gmpy2.mpfr:
        """Return `x` rounded once, to nearest even, into the format.

        Parameters
        ----------
        x : gmpy2.mpfr, gmpy2.mpq or float
            An exact number; infinities and NaN stay what they are.

        Returns
        -------
        gmpy2.mpfr
            Of `bits` bits; infinite when `x` is beyond the range.
        """
        with self.context():
            return gmpy2.mpfr(x)

    @property
    def contains_float64(self) -> bool:
        """Whether every float64 number is a member of the format."""
        _, emin, emax = _NATIVE["float64"]
        return self.bits >= 53 and self.emin <= emin and self.emax >= emax

    def round_array(self, a: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return an array with every entry rounded once into the format.

        Parameters
        ----------
        a : ndarray
            float64, or an object array of `Exact`, of any shape.

        Returns
        -------
        ndarray
            float64 wherever that is certain to hold the members: the argument itself if it is
            float64 and the format contains float64, a rounded float64 array if it is float64 and
            the format is narrower, and always for the formats float32 and float64. Otherwise an
            object array of `gmpy2.mpfr`.

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
            if self.bits < 53 and self.emin == -EXPONENT_LIMIT and self.emax == EXPONENT_LIMIT:
                shorter = _shorten(a, self.bits)
                if np.isfinite(shorter).all():
                    return shorter
        rounded = np.empty(a.shape, dtype=object)
        with self.context():
            for index, entry in np.ndenumerate(a):
                rounded[index] = gmpy2.mpfr(entry)
        return rounded.astype(np.float64) if self.name in ("float32", "float64") else rounded

    def availability(self) -> tuple[bool, str]:
        """Return whether this installation can run the format, and how or why not.

        Returns
        -------
        tuple of bool and str
            ``(True, how it is carried out)`` or ``(False, why it is not)``.
        """
        try:
            core = importlib.import_module("precipice._core")
        except ImportError as error:
            return False, f"the compiled core is not installed ({error})"
        here, sentence = core.format_availability(self.name)
        return bool(here), str(sentence)


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


def _shorten(a: npt.NDArray[np.float64], bits: int) -> npt.NDArray[np.float64]:
    """Round float64 entries to fewer bits; infinite where the carry leaves float64's range.

    Scaling by powers of two is exact here: a multiple of float64's smallest number stays one when
    it is rounded to fewer bits, so nothing is lost among the subnormal numbers.
    """
    mantissa, exponent = np.frexp(a)
    with np.errstate(over="ignore"):
        rounded: npt.NDArray[np.float64] = np.ldexp(
            np.rint(np.ldexp(mantissa, bits)), exponent - bits
        )
    return rounded
