"""Number formats by name: the table of named ones, and the grammar of all others' names.

A name is ``BASE[:ROUNDING][:sat]``. BASE is a name of the table, ``mpfr<bits>``, ``e<E>m<M>`` of
IEEE 754's style, or a format's numbers spelt out, as in ``p4_emin-8_emax9_sub_nan_reserved1``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from precipice import double_double
from precipice.errors import InvalidArgument
from precipice.exact import EXPONENT_LIMIT

SMALLEST_BITS = 2
LARGEST_BITS = 100_000
LARGEST_EXPONENT_BITS = 30
LARGEST_RESERVED = 2**62
OVERFLOWS = ("infinity", "nan", "saturate")
ROUNDINGS = {
    "rn": "to nearest, ties to even",
    "rz": "toward zero",
    "ru": "upward",
    "rd": "downward",
    "ra": "away from zero",
    "sr": "stochastic",
}
"""Roundings of an operation, and what they are in words."""


@dataclass(frozen=True)
class Fields:
    """What a name stands for; the attributes are those of `precipice.Precision`."""

    bits: int
    emin: int
    emax: int
    subnormals: bool
    overflow: str = "infinity"
    reserved: int = 0
    rounding: str = "rn"


def check_fields(fields: Fields) -> None:
    """Refuse fields that contradict one another.

    Raises
    ------
    InvalidArgument
        Naming the field.
    """
    if fields.emin > fields.emax:
        raise InvalidArgument("emin", fields.emin, f"must not be above emax = {fields.emax}")
    normal = fields.emin + fields.bits - 1
    if fields.subnormals and normal > fields.emax:
        rule = (
            f"must leave a number of all {fields.bits} bits: emin + bits - 1 = {normal} is "
            f"above emax = {fields.emax}"
        )
        raise InvalidArgument("subnormals", True, rule)
    if fields.reserved and fields.overflow == "infinity":
        rule = "must be nan or saturate: a format with reserved significands has no infinities"
        raise InvalidArgument("overflow", fields.overflow, rule)
    if fields.reserved.bit_length() >= fields.bits:
        rule = f"must be below 2**(bits - 1), bits = {fields.bits}"
        raise InvalidArgument("reserved", fields.reserved, rule)


def ieee(exponent_bits: int, fraction_bits: int) -> Fields:
    """Return the IEEE 754 style format with so many bits of exponent and of fraction."""
    emax = 2 ** (exponent_bits - 1)
    return Fields(fraction_bits + 1, 3 - emax - fraction_bits, emax, subnormals=True)


NAMED = {
    "float8_e4m3fn": Fields(4, -8, 9, subnormals=True, overflow="nan", reserved=1),
    "float8_e5m2": ieee(5, 2),
    "bfloat16": ieee(8, 7),
    "float16": ieee(5, 10),
    "tfloat32": ieee(8, 10),
    "float32": ieee(8, 23),
    "float64": ieee(11, 52),
    "float80": ieee(15, 63),
    "float128": ieee(15, 112),
}
"""Formats with a name of their own."""

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

_GRAMMAR = (
    f"{', '.join(NAMED)}, mpfr<bits> with {SMALLEST_BITS} to {LARGEST_BITS} bits or "
    f"e<exponent bits>m<fraction bits>, then a rounding if wanted (:{', :'.join(ROUNDINGS)}), "
    f"then :sat if wanted; or {double_double.NAME}, which has neither"
)
RULE = f"must be one of {_GRAMMAR}"
_MPFR = re.compile(r"mpfr([1-9][0-9]*|0)")
_IEEE = re.compile(r"e([1-9][0-9]*)m([1-9][0-9]*)")
_INTEGER = "(0|-?[1-9][0-9]*)"
_SPELT = re.compile(
    f"p([1-9][0-9]*)_emin{_INTEGER}_emax{_INTEGER}(_sub)?(_nan)?(?:_reserved([1-9][0-9]*))?"
)
_LONGEST_NUMBER = 20  # digits, more than any number may have; Python refuses int() of thousands


def fields_of(name: str) -> Fields:
    """Return what a name stands for; whether such a format can be is not looked at.

    Raises
    ------
    InvalidArgument
        If it is no name of a format.
    """
    base, *suffixes = name.split(":")
    fields = _base(base)
    if fields is None:
        raise InvalidArgument("precision", name, RULE)
    if base == double_double.NAME and suffixes not in ([], ["rn"]):
        rule = "must have neither a rounding nor :sat behind it: its operations are programs"
        raise InvalidArgument("precision", name, rule)
    if suffixes and suffixes[0] in ROUNDINGS:
        fields = replace(fields, rounding=suffixes.pop(0))
    if suffixes == ["sat"]:
        return replace(fields, overflow="saturate")
    if suffixes:
        rule = (
            f"must end in at most one rounding (:{', :'.join(ROUNDINGS)}) and then :sat, "
            f"not in :{':'.join(suffixes)}"
        )
        raise InvalidArgument("precision", name, rule)
    return fields


def name_of(fields: Fields) -> str:
    """Return the one name that a format has; `fields_of` reads it back."""
    plain = replace(fields, rounding="rn")
    rounding = "" if fields.rounding == "rn" else f":{fields.rounding}"
    saturating = ":sat" if fields.overflow == "saturate" else ""
    for overflow in ("infinity", "nan") if saturating else (fields.overflow,):
        base = _short_name(replace(plain, overflow=overflow))
        if base is not None:
            return base + rounding + saturating
    spelt = f"p{fields.bits}_emin{fields.emin}_emax{fields.emax}"
    spelt += "_sub" * fields.subnormals + "_nan" * (fields.overflow == "nan")
    spelt += f"_reserved{fields.reserved}" if fields.reserved else ""
    return spelt + rounding + saturating


def of_dtype(dtype: np.dtype[Any]) -> Fields:
    """Return the format of a dtype of NumPy or ml_dtypes.

    Raises
    ------
    InvalidArgument
        If it is no binary floating-point format, or one with other numbers than any of ours: a
        single zero that has no sign, no NaN, or no significand.
    """
    name = dtype.name
    if dtype.type is np.longdouble:
        name = {52: "float64", 63: "float80", 112: "float128"}.get(np.finfo(dtype).nmant, name)
    elif dtype.type.__module__ == "ml_dtypes" and name in ("float8_e3m4", "float8_e4m3"):
        name = name.removeprefix("float8_")  # of IEEE 754's style, with infinities
    elif dtype.kind in "fV" and name not in NAMED and dtype.type.__module__ == "ml_dtypes":
        rule = "must have both zeros, NaN and a significand, as float8_e4m3fn and bfloat16 do"
        raise InvalidArgument("precision", name, rule)
    fields = _base(name)
    if fields is None:
        raise InvalidArgument("precision", f"dtype {name}", "must be of binary floating point")
    return fields


def meaning(name: Any) -> Fields | None:
    """Return what a name stands for, None if it is none."""
    if not isinstance(name, str):
        return None
    try:
        return fields_of(name)
    except InvalidArgument:
        return None


def as_dtype(given: Any) -> np.dtype[Any] | None:
    """Return a dtype or scalar type of NumPy or ml_dtypes as a dtype, None if it is none."""
    if isinstance(given, np.dtype):
        return given
    if not (isinstance(given, type) and issubclass(given, np.generic)):
        return None
    try:
        dtype = np.dtype(given)
    except TypeError:  # of an abstract type, such as np.floating; older NumPy takes a child of it
        return None
    return dtype if dtype.type is given else None


def _base(name: str) -> Fields | None:
    """Return what the part of a name before its suffixes stands for, None if it is none."""
    if name in NAMED:
        return NAMED[name]
    if name == double_double.NAME:
        return Fields(double_double.NOMINAL_BITS, -1073, 1024, subnormals=True)
    if match := _MPFR.fullmatch(name):
        bits = int(match[1][:_LONGEST_NUMBER])
        if not SMALLEST_BITS <= bits <= LARGEST_BITS:
            return None
        return Fields(bits, -EXPONENT_LIMIT, EXPONENT_LIMIT, subnormals=False)
    if match := _IEEE.fullmatch(name):
        exponent_bits, fraction_bits = (int(part[:_LONGEST_NUMBER]) for part in match.groups())
        if not (2 <= exponent_bits <= LARGEST_EXPONENT_BITS and fraction_bits < LARGEST_BITS):
            rule = (
                f"must have 2 to {LARGEST_EXPONENT_BITS} bits of exponent and 1 to "
                f"{LARGEST_BITS - 1} of fraction"
            )
            raise InvalidArgument("precision", name, rule)
        return ieee(exponent_bits, fraction_bits)
    if match := _SPELT.fullmatch(name):
        digits, least, most, subnormals, nan, reserved = match.groups()
        return Fields(
            int(digits[:_LONGEST_NUMBER]),
            int(least[:_LONGEST_NUMBER]),
            int(most[:_LONGEST_NUMBER]),
            subnormals=subnormals is not None,
            overflow="infinity" if nan is None else "nan",
            reserved=int(reserved[:_LONGEST_NUMBER]) if reserved else 0,
        )
    return None


def _short_name(fields: Fields) -> str | None:
    """Return the name of a format that need not be spelt out; without suffixes."""
    for name, named in NAMED.items():
        if fields == named:
            return name
    bits = fields.bits
    if fields == Fields(bits, -EXPONENT_LIMIT, EXPONENT_LIMIT, subnormals=False):
        return f"mpfr{bits}"
    exponent_bits = fields.emax.bit_length()
    if 2 <= exponent_bits <= LARGEST_EXPONENT_BITS and fields == ieee(exponent_bits, bits - 1):
        return f"e{exponent_bits}m{bits - 1}"
    return None
