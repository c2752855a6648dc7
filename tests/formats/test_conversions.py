"""Conversions: 16-bit formats exhaustively, members, midpoints and their float64 neighbours."""

from __future__ import annotations

import gmpy2
import ml_dtypes
import numpy as np
import pytest

from format_subjects import Mpfr, Reference, Staged, mpfr_of, precision_of, text
from oracles import formats
from oracles.formats import Fraction

DTYPES = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
SMALL = {
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "e3m4": ml_dtypes.float8_e3m4,
    "e4m3": ml_dtypes.float8_e4m3,
}


def midpoints(fmt):
    """Return the positive members, and what lies half way to the next one or to overflow."""
    members = [Fraction(0), *formats.positive_members(fmt)]
    beyond = 2 * members[-1] - members[-2]
    return members, [(a + b) / 2 for a, b in zip(members, [*members[1:], beyond], strict=True)]


def around(values, dtype):
    """Return the values and their neighbours in float32 or float64, of either sign."""
    exact = np.array([float(x) for x in values], dtype=dtype)
    assert [*map(Fraction, exact.tolist())] == values
    with np.errstate(under="ignore"):
        near = [np.nextafter(exact, dtype(np.inf)), np.nextafter(exact, dtype(-np.inf))]
    positive = np.concatenate([exact, *near])
    return np.concatenate([positive, -positive])


def nearest_by_neighbours(fmt, members, middles, x):
    """Return x to nearest even, by where it lies among all members and midpoints."""
    i = int(np.searchsorted(middles, abs(x)))
    if i < len(middles) and middles[i] == abs(x):
        i += i % 2  # members[i] is i units from zero in the pattern: even significands are even
    value = members[i] if i < len(members) else np.inf
    return np.copysign(value, x)


@pytest.mark.parametrize("name", DTYPES)
def test_every_midpoint_of_16_bits_to_nearest(name):
    """Precision.round_array and ml_dtypes (or NumPy), on float64's and float32's neighbours."""
    fmt = formats.parse(name)
    members, middles = midpoints(fmt)
    for dtype in (np.float64, np.float32):
        x = np.concatenate([around(members, dtype), around(middles, dtype)])
        x = np.concatenate([x, np.array([np.inf, -np.inf, np.nan], dtype=dtype)])
        as_double = x.astype(np.float64)
        table, ends = np.array([*map(float, members)]), np.array([*map(float, middles)])
        wanted = np.array([nearest_by_neighbours(fmt, table, ends, v) for v in as_double[:-3]])
        wanted = np.concatenate([wanted, as_double[-3:]])
        rounded = precision_of(fmt).round_array(as_double)
        np.testing.assert_array_equal(bits_of(rounded), bits_of(wanted))
        if name == "float16" or dtype == np.float32:  # from float64 bfloat16 rounds twice
            with np.errstate(over="ignore"):
                theirs = x.astype(DTYPES[name]).astype(np.float64)
            np.testing.assert_array_equal(bits_of(theirs), bits_of(wanted))


def bits_of(x):
    """Return the patterns of float64 numbers, with one NaN."""
    return np.where(np.isnan(x), np.nan, x).view(np.uint64)


def test_the_table_of_neighbours_is_the_oracles():
    """The rule of `nearest_by_neighbours` against the oracle, on a part of the numbers."""
    for name in DTYPES:
        fmt = formats.parse(name)
        members, middles = midpoints(fmt)
        x = around(middles[::97], np.float64)
        table, ends = np.array([*map(float, members)]), np.array([*map(float, middles)])
        for value in x.tolist():
            wanted = formats.convert(fmt, formats.of_float(value))
            found = formats.of_float(nearest_by_neighbours(fmt, table, ends, value))
            assert formats.same(found, wanted)


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("name", DTYPES)
def test_every_midpoint_of_16_bits_in_every_rounding(name, rounding):
    fmt = formats.parse(name).with_rounding(rounding)
    members, middles = midpoints(fmt)
    values = [*members[1:], *middles]
    signs = [-x if i % 3 == 0 else x for i, x in enumerate(values)]
    draws = [(2**31 - 1, 2**31, 0, 2**32 - 1)[i % 4] for i in range(len(signs))]
    draws = draws if rounding == "sr" else []
    wanted = [text(formats.convert(fmt, x, lambda i=i: draws[i])) for i, x in enumerate(signs)]
    for subject in (Staged(), Reference()) if rounding == "sr" else (Staged(), Mpfr()):
        assert subject("convert", fmt, signs, draws=draws) == wanted, subject.name


@pytest.mark.parametrize("name", SMALL)
def test_8_bit_conversions_are_those_of_ml_dtypes(name):
    """From every float16 and bfloat16 number, and float32's neighbours of every midpoint."""
    fmt = formats.parse(name)
    patterns = np.arange(2**16, dtype=np.uint16)
    members, middles = midpoints(fmt)
    with np.errstate(invalid="ignore"):  # signalling NaN
        given = [patterns.view(dtype).astype(np.float64) for dtype in DTYPES.values()]
    near = [around(members, np.float32), around(middles, np.float32)]  # float64 rounds twice there
    x = np.concatenate([*given, *near]).astype(np.float64)
    with np.errstate(all="ignore"):
        theirs = x.astype(SMALL[name]).astype(np.float64)
    mine = precision_of(fmt).round_array(x)
    np.testing.assert_array_equal(bits_of(mine), bits_of(theirs))


@pytest.mark.parametrize("name", [*formats.NAMED, "e3m4", "e2m1", "mpfr2", "mpfr77"])
def test_round_is_the_oracles_nearest(name):
    """Of data: to nearest whatever the rounding; of one number and of arrays."""
    rng = np.random.default_rng(7)
    scale = np.ldexp(1.0, rng.integers(-30, 30, 400))
    values = [*(rng.standard_normal(400) * scale).tolist(), 0.0, -0.0, np.inf, -np.inf, np.nan,
              1e300, -1e-300, 5e-324]  # fmt: skip
    for rounding in ("rn", "ru", "sr"):
        fmt = formats.parse(f"{name}:{rounding}")
        precision = precision_of(fmt)
        wanted = [formats.nearest(fmt, formats.of_float(x)) for x in values]
        array = precision.round_array(np.array(values)).tolist()
        for x, entry, number in zip(values, array, wanted, strict=True):
            single = precision.round(gmpy2.mpfr(x))
            for found in (single, entry):
                found = gmpy2.mpfr(found)
                assert gmpy2.is_nan(found) if number != number else found == mpfr_of(number)
                assert number != number or gmpy2.is_signed(found) == formats.is_negative(number)
