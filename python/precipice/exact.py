"""Exact numbers: what a caller may write, the exact value it stands for, and its text.

Two kinds of exact number are enough for everything that enters or leaves a run: a dyadic number
``m * 2**e`` is a `gmpy2.mpfr` (which also knows negative zero), any other rational is a
`gmpy2.mpq`. The choice is canonical, so two equal numbers have one text and one hash.
"""

from __future__ import annotations

import operator
import re
from decimal import Decimal
from numbers import Rational
from typing import Any, TypeAlias

import gmpy2
import numpy as np

from precipice.errors import InvalidArgument

Exact: TypeAlias = gmpy2.mpq | gmpy2.mpfr
"""An exact number: `gmpy2.mpfr` for dyadic values (with -0), `gmpy2.mpq` for the others."""

EXPONENT_LIMIT = 1_073_741_823
"""MPFR's default exponent range is -EXPONENT_LIMIT … EXPONENT_LIMIT."""
_LARGEST_WHOLE_NUMBER = 2**62
# A rational is written out in full: a decimal exponent of a million is already 400 kB of digits.
_LARGEST_DECIMAL_EXPONENT = 1_000_000

_RULE = (
    "must be a finite real number: an int, a float, a fraction, a decimal or hexadecimal string "
    'such as "0.01", "2/50", "1e-3" or "0x1.8p-3", or a gmpy2 or mpmath number'
)
_RULE_RANGE = (
    f"must have a decimal exponent within ±{_LARGEST_DECIMAL_EXPONENT} "
    f"or a binary exponent within ±{EXPONENT_LIMIT}"
)

_FRACTION = re.compile(r"-?[0-9]+/[1-9][0-9]*")
_DECIMAL = re.compile(r"([+-]?)(?=\.?[0-9])([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?")
_HEXADECIMAL = re.compile(
    r"([+-]?)0[xX](?=\.?[0-9a-fA-F])([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]+))?"
)


def exact(value: Any, argument: str = "value") -> Exact:
    """Return the exact number that `value` stands for.

    Parameters
    ----------
    value : int, float, str, Fraction, Decimal, scalar of NumPy or ml_dtypes, gmpy2 number, mpf
        Strings are decimal (``"1e-3"``), hexadecimal (``"-0x1.8p+3"``) or a quotient of two such
        numbers (``"2/50"``). A float is the binary number it holds, not the decimal it prints as.
    argument : str
        The argument's name, for the error message.

    Returns
    -------
    gmpy2.mpfr or gmpy2.mpq
        `mpfr`, with enough bits to be exact, when the value is ``m * 2**e``; `mpq` otherwise. The
        sign of zero of a float, of an `mpfr` and of plain text (``"-0.0"``) is kept.

    Raises
    ------
    InvalidArgument
        If `value` is not a finite real number, or its exponent is out of range.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, str):
        return _from_string(value, argument)
    if isinstance(value, (bool, np.bool_)):
        raise InvalidArgument(argument, value, _RULE)
    if isinstance(value, gmpy2.mpfr):
        return _finite(value, gmpy2.is_finite(value), argument)
    if isinstance(value, (float, np.floating)):
        return _from_float(value, argument)
    if isinstance(value, np.generic) and type(value).__module__ == "ml_dtypes":
        return _from_float(float(value), argument)
    if isinstance(value, Decimal):
        return _from_string(str(_finite(value, value.is_finite(), argument)), argument)
    if isinstance(value, np.integer):
        value = int(value)
    if isinstance(value, (Rational, gmpy2.mpz, gmpy2.mpq)):
        return _quotient(gmpy2.mpz(value.numerator), gmpy2.mpz(value.denominator), argument)
    # mpmath is recognised by its raw tuple, so that it need not be imported here.
    if isinstance(getattr(value, "_mpf_", None), tuple):
        return _from_mpmath(value, argument)
    raise InvalidArgument(argument, value, _RULE)


def text(x: Exact | float) -> str:
    """Return the canonical exact text of a number.

    Parameters
    ----------
    x : gmpy2.mpfr, gmpy2.mpq or float
        Any number a run can hold, non-finite ones included.

    Returns
    -------
    str
        ``"0x1.8p-3"`` for dyadic numbers (leading digit 1, no trailing zeros, ``"-0x0p+0"`` for
        negative zero), ``"p/q"`` for other rationals, ``"inf"``, ``"-inf"`` or ``"nan"``. Dyadic
        text is what `mpfr_strtofr` with base 0 reads back exactly.
    """
    if isinstance(x, gmpy2.mpq):
        if x.denominator & (x.denominator - 1) == 0:
            return _hexadecimal(x.numerator, 1 - x.denominator.bit_length())
        return f"{x.numerator.digits()}/{x.denominator.digits()}"
    if isinstance(x, gmpy2.mpfr):
        if gmpy2.is_nan(x):
            return "nan"
        sign = "-" if gmpy2.is_signed(x) else ""
        if gmpy2.is_infinite(x):
            return sign + "inf"
        if gmpy2.is_zero(x):
            return sign + "0x0p+0"
        mantissa, exponent = x.as_mantissa_exp()
        return _hexadecimal(mantissa, int(exponent))
    return text(gmpy2.mpfr(float(x), 53))


def from_text(s: str, precision: int) -> gmpy2.mpfr:
    """Return the number that `text` wrote, as an `mpfr` of `precision` bits.

    Parameters
    ----------
    s : str
        What `text` returns.
    precision : int
        Bits of the significand, at least 2.

    Returns
    -------
    gmpy2.mpfr
        Exact when `s` is dyadic with at most `precision` bits; otherwise rounded once to nearest.

    Raises
    ------
    InvalidArgument
        If `s` is no such text.
    """
    fraction = _FRACTION.fullmatch(s)
    if fraction is None and not (_HEXADECIMAL.fullmatch(s) or s in ("inf", "-inf", "nan")):
        raise InvalidArgument("text", s, 'must be exact text such as "0x1.8p-3" or "1/3"')
    with _context(precision):
        return gmpy2.mpfr(gmpy2.mpq(s)) if fraction else gmpy2.mpfr(s, 0, 0)


def whole_number(
    value: Any, argument: str, smallest: int, largest: int = _LARGEST_WHOLE_NUMBER
) -> int:
    """Return `value` as an int from `smallest` to `largest`, by default 2^62.

    Raises
    ------
    InvalidArgument
        If it is out of range or no integer; a bool or an integral float is none.
    """
    rule = f"must be an integer of at least {smallest}"
    if isinstance(value, (bool, np.bool_)):
        raise InvalidArgument(argument, value, rule)
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidArgument(argument, value, rule) from None
    # Python refuses to print integers of thousands of digits.
    shown = number if number.bit_length() < 1024 else f"{number.bit_length()} bits"
    if number < smallest:
        raise InvalidArgument(argument, shown, rule)
    if number > largest:
        rule = f"must be an integer from {smallest} to {largest}"
        raise InvalidArgument(argument, shown, rule)
    return number


def _context(precision: int) -> Any:
    """Return the full-range context in which dyadic numbers are built exactly."""
    return gmpy2.context(
        precision=max(2, precision),
        emin=-EXPONENT_LIMIT,
        emax=EXPONENT_LIMIT,
        subnormalize=False,
        round=gmpy2.RoundToNearest,
    )


def _finite(value: Any, finite: bool, argument: str) -> Any:
    if not finite:
        raise InvalidArgument(argument, str(value), "must be finite")
    return value


def _from_float(value: Any, argument: str) -> gmpy2.mpfr:
    """Read a Python or NumPy float of any width, exactly."""
    _finite(value, bool(np.isfinite(value)), argument)
    if isinstance(value, (float, np.float32, np.float16)):
        return gmpy2.mpfr(float(value), 53)
    if value == 0:
        return gmpy2.mpfr(-0.0 if np.signbit(value) else 0.0, 53)
    numerator, denominator = value.as_integer_ratio()
    return _quotient(gmpy2.mpz(numerator), gmpy2.mpz(denominator), argument)


def _from_mpmath(value: Any, argument: str) -> gmpy2.mpfr:
    sign, mantissa, exponent, _ = value._mpf_
    # mpmath writes infinities and NaN as a zero mantissa with a non-zero exponent.
    _finite(value, bool(mantissa) or not exponent, argument)
    return _dyadic(-gmpy2.mpz(mantissa) if sign else gmpy2.mpz(mantissa), int(exponent), argument)


def _from_string(string: str, argument: str) -> Exact:
    """Read decimal or hexadecimal text, or a quotient of two such texts."""
    stripped = string.strip()
    numerator, slash, denominator = stripped.partition("/")
    if not slash:
        return _from_literal(stripped, string, argument)
    over = _as_rational(denominator.strip(), string, argument)
    if over == 0:
        raise InvalidArgument(argument, string, "must not divide by zero")
    quotient = _as_rational(numerator.strip(), string, argument) / over
    return _quotient(quotient.numerator, quotient.denominator, argument)


def _as_rational(literal: str, string: str, argument: str) -> gmpy2.mpq:
    number = _from_literal(literal, string, argument)
    if isinstance(number, gmpy2.mpfr) and number != 0:
        _, exponent = number.as_mantissa_exp()
        if abs(exponent) > 4 * _LARGEST_DECIMAL_EXPONENT:
            raise InvalidArgument(argument, string, _RULE_RANGE)
    return gmpy2.mpq(number)


def _from_literal(literal: str, string: str, argument: str) -> Exact:
    for pattern, base in ((_HEXADECIMAL, 16), (_DECIMAL, 10)):
        match = pattern.fullmatch(literal)
        if match:
            return _from_digits(match, base, string, argument)
    raise InvalidArgument(argument, string, _RULE)


def _from_digits(match: re.Match[str], base: int, string: str, argument: str) -> Exact:
    """Return ±digits scaled by the literal's exponent and its digits after the point."""
    sign, whole, fraction, power = match.groups()
    digits = gmpy2.mpz(whole + fraction, base)
    if digits == 0:
        return gmpy2.mpfr(-0.0 if sign == "-" else 0.0, 53)
    if sign == "-":
        digits = -digits
    # Nobody writes an exponent of twenty digits on purpose, and int() would take it.
    if power and len(power.lstrip("+-0")) > 12:
        raise InvalidArgument(argument, string, _RULE_RANGE)
    exponent = int(power or 0)
    if base == 16:
        return _dyadic(digits, exponent - 4 * len(fraction), argument)
    exponent -= len(fraction)
    if abs(exponent) > _LARGEST_DECIMAL_EXPONENT:
        raise InvalidArgument(argument, string, _RULE_RANGE)
    scale = gmpy2.mpz(10) ** abs(exponent)
    if exponent >= 0:
        return _dyadic(digits * scale, 0, argument)
    quotient = gmpy2.mpq(digits, scale)
    return _quotient(quotient.numerator, quotient.denominator, argument)


def _quotient(numerator: gmpy2.mpz, denominator: gmpy2.mpz, argument: str) -> Exact:
    """Return numerator/denominator (in lowest terms) in its canonical kind."""
    if denominator & (denominator - 1) == 0:
        return _dyadic(numerator, 1 - denominator.bit_length(), argument)
    return gmpy2.mpq(numerator, denominator)


def _dyadic(mantissa: gmpy2.mpz, exponent: int, argument: str) -> gmpy2.mpfr:
    """Return mantissa * 2**exponent with as many bits as its significand has."""
    if mantissa == 0:
        return gmpy2.mpfr(0.0, 53)
    zeros = gmpy2.bit_scan1(mantissa)
    mantissa, exponent = mantissa >> zeros, exponent + zeros
    bits = mantissa.bit_length()
    if not -EXPONENT_LIMIT <= exponent + bits <= EXPONENT_LIMIT:
        raise InvalidArgument(argument, f"a number near 2**{exponent + bits}", _RULE_RANGE)
    with _context(bits):
        number = gmpy2.mpfr(mantissa)
        if exponent < 0:
            return gmpy2.div_2exp(number, -exponent)
        return gmpy2.mul_2exp(number, exponent)


def _hexadecimal(mantissa: gmpy2.mpz, exponent: int) -> str:
    """Return mantissa * 2**exponent as 0x1.…p±e text."""
    if mantissa == 0:
        return "0x0p+0"
    sign, mantissa = ("-" if mantissa < 0 else ""), abs(mantissa)
    zeros = gmpy2.bit_scan1(mantissa)
    mantissa, exponent = mantissa >> zeros, exponent + zeros
    fraction_bits = mantissa.bit_length() - 1
    power = f"p{exponent + fraction_bits:+d}"
    if fraction_bits == 0:
        return f"{sign}0x1{power}"
    padding = -fraction_bits % 4
    fraction = (mantissa - (gmpy2.mpz(1) << fraction_bits)) << padding
    digits = fraction.digits(16).zfill((fraction_bits + padding) // 4)
    return f"{sign}0x1.{digits}{power}"
