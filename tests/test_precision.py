"""Formats by name, and one single rounding into them."""

from __future__ import annotations

import math
import struct
import time
from fractions import Fraction

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numbers_of import number_of, precision_of
from oracles import formats as oracle
from precipice.errors import InvalidArgument
from precipice.exact import exact
from precipice.formats import DEFAULT_PRECISIONS
from precipice.precision import Precision

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


CUSTOM = (
    *(f"{name}{suffix}" for suffix in ("", ":sat") for name in (
        "float8_e4m3fn", "float8_e5m2", "bfloat16", "float16", "tfloat32", "float32", "e2m1")),
    "e4m3", "e3m4:rz", "bfloat16:sr", "float32:ru",
)  # fmt: skip
SHAPES = (
    oracle.Format(4, -8, 9, subnormals=False),
    oracle.Format(2, 0, 3, overflow="saturate"),
    oracle.Format(5, -3, -1, subnormals=False),
    oracle.Format(7, -5, 4, overflow="nan", reserved=30),
    oracle.Format(20, -1090, -1050),
    oracle.Format(3, 1020, 1024, subnormals=False),
    oracle.Format(3, 1020, 1030, overflow="nan"),
    oracle.Format(2, 1024, 1030, subnormals=False),
    oracle.Format(60, -70, 10),
    oracle.Format(53, -70, 10, overflow="nan", reserved=5),
    oracle.Format(53, -60, 10, overflow="saturate", reserved=5),
    oracle.Format(6, -20, 20, overflow="saturate", rounding="ru"),
)
ROUNDED_TO = [*map(oracle.parse, CUSTOM), *SHAPES]


@st.composite
def around(draw, fmt):
    """Draw dyadic numbers on, halfway between and beside the members, at both ends too."""
    exponent = draw(
        st.one_of(
            st.integers(fmt.emin - 5, fmt.emin + fmt.p + 3),
            st.integers(fmt.emax - 2, fmt.emax + 2),
            st.integers(fmt.emin, fmt.emax),
        )
    )
    significand = draw(st.integers(2 ** (fmt.p - 1), 2**fmt.p))
    offset = draw(
        st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1, 4), Fraction(1, 2**40)])
    )
    value = (significand + draw(st.sampled_from([1, -1])) * offset) * oracle.power(exponent - fmt.p)
    return value * draw(st.sampled_from([1, -1]))


def same(number, expected):
    """Say whether a gmpy2 number is the oracle's, signs of zeros included."""
    found = number_of(number if isinstance(number, gmpy2.mpfr) else gmpy2.mpfr(float(number), 53))
    return repr(found) == repr(expected)


@pytest.mark.parametrize("fmt", ROUNDED_TO, ids=lambda fmt: precision_of(fmt).name)
@settings(max_examples=50)
@given(data=st.data())
def test_data_is_rounded_to_nearest_whatever_the_format(fmt, data):
    p = precision_of(fmt)
    values = data.draw(st.lists(around(fmt), min_size=1, max_size=4))
    expected = [oracle.nearest(fmt, value) for value in values]
    for value, wanted in zip(values, expected, strict=True):
        assert same(p.round(gmpy2.mpq(value.numerator, value.denominator)), wanted)
        assert same(p.round(wide_dyadic(value)), wanted)
    exact_numbers = np.array([wide_dyadic(value) for value in values], dtype=object)
    floats = [float(value) for value in values if fits_float64(value)]
    for array in (exact_numbers, np.array(floats)):
        rounded = p.round_array(array)
        assert rounded.shape == array.shape
        if p.within_float64:
            assert rounded.dtype == np.float64
        for entry, given_ in zip(rounded, array, strict=True):
            assert same(entry, oracle.nearest(fmt, number_of(gmpy2.mpfr(given_, 200))))


def wide_dyadic(value):
    with gmpy2.context(precision=200, emin=-(10**6), emax=10**6):
        return gmpy2.mpfr(gmpy2.mpq(value.numerator, value.denominator))


def fits_float64(value):
    try:
        return Fraction(float(value)) == value
    except OverflowError:
        return False


@pytest.mark.parametrize("fmt", ROUNDED_TO, ids=lambda fmt: precision_of(fmt).name)
def test_zeros_and_infinities_of_every_format(fmt):
    p = precision_of(fmt)
    infinity = math.inf if fmt.overflow == "infinity" else math.nan
    array = np.array([0.0, -0.0, math.inf, -math.inf, math.nan])
    for rounded in (p.round_array(array), [p.round(x) for x in array]):
        texts = [repr(float(entry)) for entry in rounded]
        assert texts[:2] == ["0.0", "-0.0"]
        assert texts[2].lstrip("-") == repr(infinity)
        assert texts[3].lstrip("-") == repr(infinity)
        assert texts[4] == "nan"


@pytest.mark.parametrize("fmt", ROUNDED_TO, ids=lambda fmt: precision_of(fmt).name)
def test_ends_of_the_range(fmt):
    p = precision_of(fmt)
    assert number_of(p.largest) == fmt.largest
    assert number_of(p.smallest) == fmt.smallest
    assert p.infinities == (fmt.overflow == "infinity")
    normal = p.smallest_normal
    assert number_of(normal) == fmt.smallest * (2 ** (fmt.p - 1) if fmt.subnormals else 1)
    # A little above it, all p bits are kept; a little below, they are not.
    assert oracle.nearest(fmt, number_of(normal) * (1 + oracle.power(1 - fmt.p))) == number_of(
        normal
    ) * (1 + oracle.power(1 - fmt.p))
    below = number_of(normal) * (1 - oracle.power(-fmt.p))
    assert oracle.nearest(fmt, below) != below


def test_a_carry_at_the_top_of_mpfrs_own_range_saturates():
    p = Precision.parse("mpfr8:sat")
    largest = p.largest
    assert p.round(largest) == largest
    with gmpy2.context(precision=30, emin=-(2**30) + 1, emax=2**30 - 1):
        above = largest + gmpy2.next_above(gmpy2.mpfr(0)) + gmpy2.div_2exp(largest, 9)
    assert above > largest
    assert p.round(above) == largest


@pytest.mark.parametrize("rounding", ["rn", "rz", "ru", "rd", "ra"])
def test_a_context_has_the_rounding(rounding):
    fmt = oracle.parse(f"float16:{rounding}")
    with Precision.parse(f"float16:{rounding}").context():
        third, minus = gmpy2.mpfr(1) / 3, gmpy2.mpfr(-1) / 3
        tiny, huge = gmpy2.mpfr("1e-9"), gmpy2.mpfr("1e9")
        assert number_of(third) == oracle.divide(fmt, Fraction(1), Fraction(3))
        assert number_of(minus) == oracle.divide(fmt, Fraction(-1), Fraction(3))
        assert number_of(tiny) == oracle.convert(fmt, Fraction(1, 10**9))
        assert number_of(huge) == oracle.convert(fmt, Fraction(10**9))


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float32:sat", "bfloat16:sr"])
def test_some_formats_have_no_context(name):
    with pytest.raises(InvalidArgument, match=f"^precision = {name}: .*gmpy2 context"):
        Precision.parse(name).context()


@pytest.mark.parametrize(
    ("fields", "argument", "rule"),
    [
        ({}, "bits", "must be an integer of at least 2"),
        ({"bits": 1}, "bits", "must be an integer of at least 2"),
        ({"bits": 100_001}, "bits", "must be an integer from 2 to 100000"),
        ({"bits": 4.0}, "bits", "must be an integer"),
        ({"bits": 4, "emin": 5, "emax": 3}, "emin", "must not be above emax = 3"),
        ({"bits": 4, "emin": -(2**40)}, "emin", "must be an integer of at least -1073741823"),
        ({"bits": 4, "emax": 2**40}, "emax", "must be an integer from"),
        ({"bits": 9, "emin": 0, "emax": 3, "subnormals": True}, "subnormals", "of all 9 bits"),
        ({"bits": 4, "subnormals": 1}, "subnormals", "must be True or False"),
        ({"bits": 4, "rounding": "up"}, "rounding", "must be rn, rz, ru, rd, ra or sr"),
        ({"bits": 4, "rounding": None}, "rounding", "must be rn"),
        ({"bits": 4, "overflow": "wrap"}, "overflow", "must be infinity, nan or saturate"),
        ({"bits": 4, "reserved": -1}, "reserved", "must be an integer of at least 0"),
        ({"bits": 4, "reserved": 2}, "overflow", "has no infinities"),
        ({"bits": 4, "reserved": 8, "overflow": "nan"}, "reserved", "must be below"),
        ({"name": "float8_e4m3fn", "bits": 4, "emin": -8, "emax": 9, "subnormals": True,
          "reserved": 1}, "overflow", "has no infinities"),
        ({"name": "float32", "bits": 23, "emin": -148, "emax": 128, "subnormals": True},
         "name", "must be p23_emin-148_emax128_sub for these numbers"),
        ({"name": "mine", "bits": 4}, "name", "must be mpfr4"),
    ],
)  # fmt: skip
def test_contradictory_formats_are_refused(fields, argument, rule):
    with pytest.raises(InvalidArgument) as caught:
        Precision(**fields)
    assert caught.value.argument == argument
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def test_custom_formats_name_themselves():
    p = Precision(bits=13, emin=-40, emax=20)
    assert (p.name, str(p), Precision.parse(p.name)) == ("p13_emin-40_emax20",) * 2 + (p,)
    assert Precision(bits=200) == Precision.parse("mpfr200")
    assert Precision(bits=11, emin=-23, emax=16, subnormals=True).name == "float16"
    assert Precision.parse("float32:rn") == Precision.parse("float32")


def test_a_description_says_all():
    described = Precision.parse("float8_e4m3fn:sr").describe()
    assert described == {
        "name": "float8_e4m3fn:sr", "bits": 4, "emin": -8, "emax": 9, "subnormals": True,
        "overflow": "nan", "reserved": 1, "rounding": "stochastic",
    }  # fmt: skip


def test_narrowing_a_large_array_takes_a_few_passes():
    """All of CIFAR-10 is 1.5e8 numbers: no entry may become an object of its own."""
    a = np.random.default_rng(0).normal(size=(300, 3072))
    p = Precision.parse("float8_e4m3fn")
    began = time.thread_time()
    p.round_array(a)
    taken = time.thread_time() - began
    began = time.thread_time()
    p.round_array(a[:10].astype(object))
    assert taken < 30 * (time.thread_time() - began)


def test_members_below_float64s_normal_numbers_keep_their_bits():
    p = Precision(bits=24, emin=-1070, emax=100)  # no subnormals: 24 bits at 2**-1070
    member = gmpy2.mpq(2**20 + 1) / gmpy2.mpq(2) ** 1090
    assert not p.within_float64
    (rounded,) = p.round_array(np.array([member], dtype=object))
    assert gmpy2.mpq(rounded) == member
    assert Precision(bits=24, emin=-1050, emax=100).within_float64
    assert Precision(bits=24, emin=-1070, emax=100, subnormals=True).within_float64
