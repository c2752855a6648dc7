"""Formats by name, and one single rounding into them."""

from __future__ import annotations

import struct
from fractions import Fraction

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from precipice.errors import InvalidArgument
from precipice.exact import exact
from precipice.precision import DEFAULT_PRECISIONS, Precision

NATIVE = ("float32", "float64", "float80", "float128")


def nearest(value: Fraction, bits: int, emin: int, emax: int, subnormals: bool) -> Fraction | None:
    """Round by integer arithmetic, ties to even; None beyond the range. An oracle."""
    magnitude = abs(value)
    if magnitude == 0:
        return Fraction(0)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    exponent += 1 if Fraction(2) ** exponent <= magnitude else 0  # magnitude = 0.1… * 2**exponent
    ulp_exponent = exponent - bits
    if subnormals:
        ulp_exponent = max(ulp_exponent, emin - 1)
    ulp = Fraction(2) ** ulp_exponent
    quotient, remainder = divmod(magnitude, ulp)
    if remainder > ulp / 2 or (remainder == ulp / 2 and quotient % 2):
        quotient += 1
    rounded = quotient * ulp
    if rounded >= Fraction(2) ** emax:
        return None
    return rounded if value > 0 else -rounded


def as_fraction(number: gmpy2.mpfr) -> Fraction | None:
    if gmpy2.is_infinite(number):
        return None
    return Fraction(*map(int, number.as_integer_ratio()))


def wide(value: Fraction) -> gmpy2.mpfr:
    """Return a dyadic fraction as an mpfr with bits and range to spare."""
    with gmpy2.context(precision=400, emin=-(10**6), emax=10**6):
        return gmpy2.mpfr(gmpy2.mpq(value.numerator, value.denominator))


@st.composite
def near_a_grid(draw: st.DrawFn, name: str, dyadic: bool) -> Fraction:
    """Draw numbers on, between and beside the format's grid, at the ends of its range too."""
    precision = Precision.parse(name)
    bottom = precision.emin - 1
    exponent = draw(
        st.one_of(
            st.integers(bottom - 4, bottom + precision.bits + 4),
            st.integers(precision.emax - precision.bits - 4, precision.emax + 2),
            st.integers(-80, 80),
        )
    )
    mantissa = draw(st.one_of(st.integers(1, 64), st.integers(1, 2 ** (precision.bits + 3))))
    offset = draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1, 2**70)]))
    if not dyadic:
        offset = draw(st.sampled_from([Fraction(1, 3), Fraction(1, 2) + Fraction(1, 3**40)]))
    sign = draw(st.sampled_from([1, -1]))
    return sign * (mantissa + draw(st.sampled_from([1, -1])) * offset) * Fraction(2) ** exponent


@pytest.mark.parametrize("name", NATIVE)
@settings(max_examples=300)
@given(data=st.data())
def test_a_rational_is_rounded_once(name: str, data: st.DataObject) -> None:
    value = data.draw(near_a_grid(name, dyadic=False))
    p = Precision.parse(name)
    rounded = p.round(gmpy2.mpq(value.numerator, value.denominator))
    assert as_fraction(rounded) == nearest(value, p.bits, p.emin, p.emax, p.subnormals)


@pytest.mark.parametrize("name", NATIVE)
@settings(max_examples=300)
@given(data=st.data())
def test_a_dyadic_number_is_rounded_once(name: str, data: st.DataObject) -> None:
    value = data.draw(near_a_grid(name, dyadic=True))
    p = Precision.parse(name)
    expected = nearest(value, p.bits, p.emin, p.emax, p.subnormals)
    assert as_fraction(p.round(wide(value))) == expected
    assert as_fraction(p.round(gmpy2.mpq(value.numerator, value.denominator))) == expected


@given(st.floats(allow_nan=False))
def test_float32_rounding_is_that_of_the_hardware(x: float) -> None:
    with np.errstate(over="ignore", under="ignore"):
        expected = np.float32(x)
    rounded = Precision.parse("float32").round(x)
    assert float(rounded).hex() == float(expected).hex()
    try:
        packed = struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        packed = np.copysign(np.inf, x)
    assert float(rounded) == packed


@settings(max_examples=300)
@given(near_a_grid("float64", dyadic=False))
def test_float64_rounding_is_that_of_pythons_division(value: Fraction) -> None:
    try:
        expected = value.numerator / value.denominator
    except OverflowError:
        expected = np.copysign(np.inf, float(value > 0) - 0.5)
    rounded = Precision.parse("float64").round(gmpy2.mpq(value.numerator, value.denominator))
    assert float(rounded) == expected


def test_a_number_is_not_rounded_twice_among_the_subnormals() -> None:
    # Half of the smallest float32 and a little: 24 bits first would give a tie, and then zero.
    value = Fraction(1, 2**150) * (1 + Fraction(1, 2**60))
    rounded = Precision.parse("float32").round(gmpy2.mpq(value.numerator, value.denominator))
    assert float(rounded) == 2.0**-149
    assert Precision.parse("float32").round(gmpy2.mpq(1, 2**150)) == 0


@pytest.mark.parametrize("name", ["float32", "float64", "mpfr2", "mpfr53", "mpfr256"])
def test_zeros_infinities_and_nan_stay(name: str) -> None:
    p = Precision.parse(name)
    assert gmpy2.is_signed(p.round(-0.0))
    assert gmpy2.is_signed(p.round(exact("-0")))
    assert not gmpy2.is_signed(p.round(0.0))
    assert p.round(float("-inf")) == float("-inf")
    assert gmpy2.is_nan(p.round(float("nan")))
    assert p.round(exact("1/3")).precision == p.bits


@pytest.mark.parametrize(
    ("name", "bits", "emin", "emax"),
    [
        ("float32", 24, -148, 128),
        ("float64", 53, -1073, 1024),
        ("float80", 64, -16444, 16384),
        ("float128", 113, -16493, 16384),
        ("mpfr2", 2, -1073741823, 1073741823),
        ("mpfr100000", 100000, -1073741823, 1073741823),
    ],
)
def test_known_names(name: str, bits: int, emin: int, emax: int) -> None:
    p = Precision.parse(name)
    assert (p.name, p.bits, p.emin, p.emax) == (name, bits, emin, emax)
    assert p.subnormals == name.startswith("float")
    assert str(p) == name
    assert Precision.parse(p) is p
    assert Precision.parse(name) == p


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_the_range_is_that_of_the_native_type(name: str) -> None:
    p, limits = Precision.parse(name), np.finfo(name)
    assert Fraction(2) ** (p.emin - 1) == Fraction(float(limits.smallest_subnormal))
    assert Fraction(2) ** (p.emin + p.bits - 2) == Fraction(float(limits.smallest_normal))
    assert Fraction(2) ** p.emax * (1 - Fraction(1, 2**p.bits)) == Fraction(float(limits.max))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "double",
        "Float32",
        "mpfr",
        "mpfr0",
        "mpfr1",
        "mpfr100001",
        "mpfr" + "9" * 5000,
        "mpfr064",
        "mpfr-3",
        "mpfr53 ",
        64,
        None,
    ],
)
def test_unknown_precisions_are_refused_with_the_known_names(name: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Precision.parse(name)  # type: ignore[arg-type]
    assert caught.value.argument == "precision"
    assert str(caught.value).startswith("precision = ")
    for known in (*NATIVE, "mpfr<bits>", "2 to 100000"):
        assert known in str(caught.value)
    assert "\n" not in str(caught.value)


def test_default_precisions_are_known() -> None:
    assert [str(Precision.parse(name)) for name in DEFAULT_PRECISIONS] == list(DEFAULT_PRECISIONS)


def test_which_formats_contain_float64() -> None:
    for name in ("float64", "float80", "float128", "mpfr53", "mpfr1024"):
        assert Precision.parse(name).contains_float64
    for name in ("float32", "mpfr2", "mpfr52"):
        assert not Precision.parse(name).contains_float64


def test_a_float64_array_passes_unchanged_into_wider_formats() -> None:
    array = np.array([[0.1, -0.0], [5e-324, 1e308]])
    for name in ("float64", "float80", "float128", "mpfr53", "mpfr512"):
        assert Precision.parse(name).round_array(array) is array


@pytest.mark.parametrize("name", ["float32", "mpfr2", "mpfr11", "mpfr24", "mpfr52"])
@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=5))
def test_narrowing_an_array_is_rounding_its_entries(name: str, values: list[float]) -> None:
    p = Precision.parse(name)
    rounded = p.round_array(np.array(values))
    expected = [p.round(x) for x in values]
    assert rounded.shape == (len(values),)
    for entry, wanted in zip(rounded, expected, strict=True):
        assert entry == wanted
        assert gmpy2.is_signed(gmpy2.mpfr(entry)) == gmpy2.is_signed(wanted)


def test_a_carry_beyond_float64_is_kept_by_formats_with_more_range() -> None:
    largest = np.array([np.finfo(np.float64).max, 1.0])
    assert Precision.parse("mpfr11").round_array(largest)[0] == gmpy2.mpfr(2) ** 1024
    assert Precision.parse("float32").round_array(largest)[0] == np.inf


def test_exact_arrays_are_rounded_entry_by_entry() -> None:
    array = np.array([exact("0.1"), exact("1/3")], dtype=object)
    assert Precision.parse("float64").round_array(array).dtype == np.float64
    np.testing.assert_array_equal(Precision.parse("float64").round_array(array), [0.1, 1 / 3])
    np.testing.assert_array_equal(
        Precision.parse("float32").round_array(array), np.float32([0.1, 1 / 3]).astype(np.float64)
    )
    wider = Precision.parse("mpfr113").round_array(array)
    assert [entry.precision for entry in wider] == [113, 113]
    assert wider[0] != 0.1


def test_the_callers_context_changes_nothing() -> None:
    p, third = Precision.parse("mpfr200"), exact("1/3")
    expected = p.round(third)
    with gmpy2.context(precision=4, emin=-2, emax=2, round=gmpy2.RoundUp, trap_inexact=True):
        assert p.round(third) == expected
        assert Precision.parse("float32").round(0.1) == np.float32(0.1)
        assert gmpy2.get_context().precision == 4


def test_availability_gives_a_reason_either_way() -> None:
    here, sentence = Precision.parse("float64").availability()
    assert isinstance(here, bool)
    assert len(sentence) > 3
