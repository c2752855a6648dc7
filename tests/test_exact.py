"""Exact numbers: reading, canonical kinds, text and back."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import gmpy2
import ml_dtypes
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from precipice.errors import InvalidArgument
from precipice.exact import exact, from_text, text, whole_number
from precipice.exact_arrays import exact_array

ONE_TENTH_FLOAT = float.fromhex("0x1.999999999999ap-4")


def as_fraction(number: object) -> Fraction:
    """Return a gmpy2 number as a Fraction, without precipice."""
    ratio = gmpy2.mpq(number)
    return Fraction(int(ratio.numerator), int(ratio.denominator))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2/50", Fraction(1, 25)),
        (" 2 / 50 ", Fraction(1, 25)),
        ("-1.5/0.25", Fraction(-6)),
        ("0x1p-1/3", Fraction(1, 6)),
        ("0.01", Fraction(1, 100)),
        ("1e-3", Fraction(1, 1000)),
        ("+.5E+2", Fraction(50)),
        ("5.", Fraction(5)),
        ("1e400", Fraction(10**400)),
        ("-0x1.8p+3", Fraction(-12)),
        ("0x.8", Fraction(1, 2)),
        ("0xFF", Fraction(255)),
        (0.1, Fraction(ONE_TENTH_FLOAT)),
        (2**200 + 1, Fraction(2**200 + 1)),
        (Fraction(3, 7), Fraction(3, 7)),
        (Decimal("1.10"), Fraction(11, 10)),
        (gmpy2.mpq(6, 4), Fraction(3, 2)),
        (gmpy2.mpz(-7), Fraction(-7)),
        (gmpy2.mpfr("0.1", 20), as_fraction(gmpy2.mpfr("0.1", 20))),
        (mpmath.mpf("-1.25"), Fraction(-5, 4)),
        (mpmath.mpf(0), Fraction(0)),
        (np.float32(0.1), Fraction(float(np.float32(0.1)))),
        (np.float16(0.1), Fraction(float(np.float16(0.1)))),
        (np.longdouble("0.1"), Fraction(*np.longdouble("0.1").as_integer_ratio())),
        (np.int64(-5), Fraction(-5)),
        (np.uint64(2**64 - 1), Fraction(2**64 - 1)),
        (np.array(2.5), Fraction(5, 2)),
    ],
)
def test_exact_reads_every_kind_without_rounding(value: object, expected: Fraction) -> None:
    assert as_fraction(exact(value)) == expected


@pytest.mark.parametrize(
    "value",
    [-0.0, "-0", "-0.0", "-0x0p+0", "-0e5", np.float32(-0.0), np.longdouble("-0.0"), Decimal("-0")],
)
def test_negative_zero_survives(value: object) -> None:
    zero = exact(value)
    assert gmpy2.is_zero(zero)
    assert gmpy2.is_signed(zero)
    assert text(zero) == "-0x0p+0"
    assert gmpy2.is_signed(from_text(text(zero), 53))


@pytest.mark.parametrize("value", [0, "0", 0.0, "0/5", Fraction(0), gmpy2.mpq(0), "+0.0"])
def test_plain_zero_is_positive(value: object) -> None:
    assert text(exact(value)) == "0x0p+0"


@pytest.mark.parametrize("value", ["0.5", "2/4", Fraction(1, 2), 0.5, gmpy2.mpq(1, 2), "0x1p-1"])
def test_a_dyadic_number_has_one_kind_and_one_text(value: object) -> None:
    assert isinstance(exact(value), gmpy2.mpfr)
    assert text(exact(value)) == "0x1p-1"


@pytest.mark.parametrize(
    "value",
    ["", ".", "e5", "0x", "0xp3", "nan", "inf", "abc", "1/2/3", "1,5", "1_0", "١", "--1", "0x1e+2"],
)
def test_unparsable_text_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^lr = .*: must be a finite real number"):
        exact(value, "lr")


@pytest.mark.parametrize("value", [None, True, np.True_, 1j, [], b"1", object()])
def test_other_objects_are_refused(value: object) -> None:
    with pytest.raises(InvalidArgument, match="must be a finite real number"):
        exact(value)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("-inf"),
        np.float32("inf"),
        np.longdouble("nan"),
        Decimal("Infinity"),
        gmpy2.mpfr("nan"),
        gmpy2.mpfr("-inf"),
        mpmath.mpf("inf"),
        mpmath.mpf("nan"),
    ],
)
def test_non_finite_numbers_are_refused(value: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^u = .*: must be finite$"):
        exact(value, "u")


@pytest.mark.parametrize(
    "value",
    ["1e1000001", "1e-1000001", "0x1p+1073741824", "1e99999999999999999999", "0x1p+5000000/3"],
)
def test_exponents_out_of_range_are_refused(value: str) -> None:
    with pytest.raises(InvalidArgument, match="exponent within"):
        exact(value)


def test_division_by_zero_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"^lr = 1/0: must not divide by zero$"):
        exact("1/0", "lr")


def test_a_huge_exponent_that_mpfr_holds_is_read() -> None:
    assert text(exact("0x1.8p+500000000")) == "0x1.8p+500000000"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.1, "0x1.999999999999ap-4"),
        (1.0, "0x1p+0"),
        (-12.0, "-0x1.8p+3"),
        (5e-324, "0x1p-1074"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (float("nan"), "nan"),
        (-0.0, "-0x0p+0"),
        (gmpy2.mpq(-1, 3), "-1/3"),
        (gmpy2.mpq(-3, 8), "-0x1.8p-2"),
        (gmpy2.mpq(0), "0x0p+0"),
    ],
)
def test_text_is_canonical(number: object, expected: str) -> None:
    assert text(number) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_text_of_a_float_is_what_python_reads_back(x: float) -> None:
    assert text(x) == text(exact(x))
    assert float.fromhex(text(x)).hex() == x.hex()


@given(st.integers(-(2**300), 2**300), st.integers(-2000, 2000))
def test_text_and_back_is_exact(mantissa: int, exponent: int) -> None:
    value = Fraction(mantissa) * Fraction(2) ** exponent
    number = exact(value)
    back = from_text(text(number), max(2, mantissa.bit_length()))
    assert as_fraction(back) == value
    # mpfr_strtofr with base 0 is what the compiled core reads with.
    assert gmpy2.mpfr(text(number), 400, 0) == number


@given(st.fractions())
def test_text_of_a_rational_is_read_back_by_exact(value: Fraction) -> None:
    assert as_fraction(exact(text(exact(value)))) == value


def test_from_text_rounds_once_to_nearest() -> None:
    assert from_text("1/3", 53) == 1 / 3
    assert from_text("0x1.00000000000008p+0", 53) == 1.0
    assert from_text("0x1.000000000000081p+0", 53) == 1.0 + 2**-52


@pytest.mark.parametrize("special", ["inf", "-inf", "nan"])
def test_from_text_reads_non_finite_numbers(special: str) -> None:
    assert text(from_text(special, 24)) == special


@pytest.mark.parametrize("bad", ["", "abc", "1/0", "1/x", "0.1", "0x", "0x1p", "1e5", " 0x1p+0"])
def test_from_text_refuses_other_text(bad: str) -> None:
    with pytest.raises(InvalidArgument, match="exact text"):
        from_text(bad, 53)


def test_the_callers_context_changes_nothing() -> None:
    hostile = gmpy2.context(precision=5, emin=-3, emax=3, round=gmpy2.RoundUp, trap_inexact=True)
    values = [0.1, "0.1", "1e50", 2**70 + 1, mpmath.mpf("0.1"), np.longdouble("0.1"), "0x1.23p-9"]
    expected = [text(exact(value)) for value in values]
    with hostile:
        assert [text(exact(value)) for value in values] == expected
        assert text(from_text("0x1.123456789p+40", 64)) == "0x1.123456789p+40"


def test_a_float64_array_passes_as_a_buffer() -> None:
    array = np.random.default_rng(0).normal(size=(50, 40))
    assert exact_array(array, "X") is array


def test_arrays_of_exact_float64_values_become_float64() -> None:
    for values in (
        np.array([[1, 2], [3, 4]], dtype=np.uint8),
        np.array([0.1, 1e-40], dtype=np.float32),
        [1, 0.1, "0.5", Fraction(1, 4)],
        [gmpy2.mpfr("0.5"), mpmath.mpf(2), gmpy2.mpz(3)],
        np.array(["0.25", "1e3"]),
        np.array([1.5], dtype=np.longdouble),
        [0.1, 0.2],
    ):
        array = exact_array(values, "X")
        assert array.dtype == np.float64
        assert [Fraction(float(x)) for x in array.flat] == [
            as_fraction(exact(x)) for x in np.array(values, dtype=object).flat
        ]


def test_one_entry_beyond_float64_keeps_all_entries_exact() -> None:
    array = exact_array([[2**60 + 1, 0.5], ["0.1", -0.0]], "X")
    assert array.dtype == object
    assert [text(x) for x in array.flat] == [
        "0x1.000000000000001p+60",
        "0x1p-1",
        "1/10",
        "-0x0p+0",
    ]
    assert exact_array(np.array([2**60 + 1]), "X").dtype == object
    assert exact_array(["1e400"], "X").dtype == object
    assert exact_array(["1e-400"], "X").dtype == object
    assert exact_array([np.longdouble(1) + np.longdouble(2) ** -60], "X").dtype == object
    assert exact_array(np.array(["0.1"], dtype=np.longdouble), "X").dtype == object


def test_negative_zero_survives_in_an_array() -> None:
    assert np.signbit(exact_array(["-0", 1], "v")).tolist() == [True, False]


def test_non_contiguous_and_big_endian_arrays_keep_their_values() -> None:
    array = np.arange(12.0).reshape(3, 4)
    for other in (array.T, array[::2, ::-1], array.astype(">f8")):
        read = exact_array(other, "X")
        assert read.dtype == np.dtype("=f8")
        assert read.flags.c_contiguous
        np.testing.assert_array_equal(read, other)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1.0, 2.0], [3.0]], r"^X = ragged rows: must be a rectangular array$"),
        ([[1.0, float("nan")]], r"^X\[0, 1\] = nan: must be finite$"),
        (np.array([np.inf, 1.0], dtype=np.float32), r"^X\[0\] = inf: must be finite$"),
        ([1.0, "abc"], r"^X\[1\] = abc: must be a finite real number"),
        ([1.0, None], r"^X\[1\] = None: must be a finite real number"),
        (np.array([True, False]), r"^X\[0\] = .*True.*: must be a finite real number"),
        (np.array([1 + 2j]), r"^X\[0\] = .*: must be a finite real number"),
        ([gmpy2.mpfr("nan")], r"^X\[0\] = nan: must be finite$"),
    ],
)
def test_broken_arrays_are_refused_by_name_and_index(values: object, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        exact_array(values, "X")


def test_a_required_shape_is_checked() -> None:
    assert exact_array([[1.0, 2.0]], "X", (None, 2)).shape == (1, 2)
    with pytest.raises(InvalidArgument, match=r"^v = array of shape \(1,\): must have shape \(2,"):
        exact_array([1.0], "v", (2,))
    with pytest.raises(InvalidArgument, match=r"must have shape \(any, 3\)$"):
        exact_array([[1.0, 2.0]], "X", (None, 3))


@pytest.mark.parametrize("value", [True, 1.0, "3", None, -1])
def test_whole_number_refuses_what_is_no_index(value: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^n = .*: must be an integer of at least 0$"):
        whole_number(value, "n", 0)
    assert whole_number(np.int32(4), "n", 0) == 4


@pytest.mark.parametrize("value", [2**62 + 1, 10**20, 10**5000], ids=["2^62", "20", "5000"])
def test_whole_number_refuses_what_64_bits_do_not_hold(value: int) -> None:
    """Also where Python itself would refuse to print the digits."""
    assert whole_number(2**62, "n", 0) == 2**62
    with pytest.raises(InvalidArgument, match=r"^n = .+: must be an integer from 0 to 4611686018"):
        whole_number(value, "n", 0)


def test_whole_number_may_have_a_smaller_bound() -> None:
    assert whole_number(9, "n", 2, 9) == 9
    with pytest.raises(InvalidArgument, match=r"^n = 10: must be an integer from 2 to 9$"):
        whole_number(10, "n", 2, 9)


@pytest.mark.parametrize(
    "values",
    [
        np.ma.array([1.0, 2.0], mask=[False, True]),
        np.ma.array([1, 2], mask=True),
        [np.ma.array([1.0, 2.0]), np.ma.array([3.0, 4.0], mask=[True, False])],
        (1.0, np.ma.masked),
        np.ma.masked,
        np.ma.array([2**60 + 1, 1], mask=[False, True], dtype=object),
    ],
)
def test_masked_entries_are_refused(values: object) -> None:
    """What lies under a mask is no data, and the mask would be lost without a word."""
    with pytest.raises(InvalidArgument, match=r"^X = masked entries: must have no masked entry$"):
        exact_array(values, "X")


def test_a_masked_array_without_masked_entries_is_an_array() -> None:
    for values in (np.ma.array([1.0, 2.0]), [np.ma.array([1.0, 2.0], mask=False)]):
        array = exact_array(values, "X")
        assert type(array) is np.ndarray
        assert array.ravel().tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "kind", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3b11fnuz", "int4"]
)
def test_scalars_and_arrays_of_ml_dtypes_are_what_they_hold(kind):
    scalar = getattr(ml_dtypes, kind)(3)
    assert exact(scalar) == 3
    array = exact_array(np.array([3, -1], dtype=getattr(ml_dtypes, kind)), "X")
    assert array.dtype == np.float64
    assert array.tolist() == [3.0, -1.0]


def test_infinities_of_ml_dtypes_are_refused():
    with pytest.raises(InvalidArgument, match="^lr = inf: must be finite"):
        exact(ml_dtypes.bfloat16(math.inf), "lr")
    with pytest.raises(InvalidArgument, match=r"^X\[1\] = nan: must be finite"):
        exact_array(np.array([1, math.nan], dtype=ml_dtypes.float8_e5m2), "X")
