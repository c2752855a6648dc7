"""Names of formats: the table, the grammar, and the dtypes of other packages."""

from __future__ import annotations

from dataclasses import astuple

import ml_dtypes
import numpy as np
import pytest

from oracles import formats as oracle
from precipice.errors import InvalidArgument
from precipice.exact import EXPONENT_LIMIT
from precipice.formats import NAMED, ROUNDINGS, Fields, fields_of, ieee, name_of
from precipice.precision import Precision

SPELT = {
    "p4_emin-8_emax9_sub_nan_reserved2": Fields(4, -8, 9, True, "nan", 2),
    "p4_emin-8_emax9_sub_reserved2:sat": Fields(4, -8, 9, True, "saturate", 2),
    "p13_emin-40_emax20": Fields(13, -40, 20, False),
    "p2_emin0_emax3_sub:sat": Fields(2, 0, 3, True, "saturate"),
    "p24_emin-148_emax128:rd": Fields(24, -148, 128, False, rounding="rd"),
    "p3_emin-5_emax-1_nan:sr": Fields(3, -5, -1, False, "nan", rounding="sr"),
}
SHORT = {
    "float8_e4m3fn": Fields(4, -8, 9, True, "nan", 1),
    "float8_e4m3fn:sat": Fields(4, -8, 9, True, "saturate", 1),
    "float8_e5m2:sat": Fields(3, -15, 16, True, "saturate"),
    "float32:rz": Fields(24, -148, 128, True, rounding="rz"),
    "tfloat32:sr": Fields(11, -135, 128, True, rounding="sr"),
    "e4m3": Fields(4, -8, 8, True),
    "e3m4:ra:sat": Fields(5, -5, 4, True, "saturate", rounding="ra"),
    "mpfr40:ru:sat": Fields(40, -EXPONENT_LIMIT, EXPONENT_LIMIT, False, "saturate", rounding="ru"),
}


def test_the_table_is_the_written_one():
    assert {name: astuple(fields) for name, fields in NAMED.items()} == {
        "float16": (11, -23, 16, True, "infinity", 0, "rn"),
        "bfloat16": (8, -132, 128, True, "infinity", 0, "rn"),
        "tfloat32": (11, -135, 128, True, "infinity", 0, "rn"),
        "float32": (24, -148, 128, True, "infinity", 0, "rn"),
        "float64": (53, -1073, 1024, True, "infinity", 0, "rn"),
        "float80": (64, -16444, 16384, True, "infinity", 0, "rn"),
        "float128": (113, -16493, 16384, True, "infinity", 0, "rn"),
        "float8_e5m2": (3, -15, 16, True, "infinity", 0, "rn"),
        "float8_e4m3fn": (4, -8, 9, True, "nan", 1, "rn"),
    }


@pytest.mark.parametrize("name", [*NAMED, "e2m1", "e4m3", "e6m9", "e11m52"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("saturating", ["", ":sat"])
def test_names_mean_what_the_oracle_reads(name, rounding, saturating):
    text = f"{name}:{rounding}{saturating}"
    assert astuple(fields_of(text)) == astuple(oracle.parse(text))
    assert Precision.parse(text).name == text.replace(":rn", "")


@pytest.mark.parametrize(("name", "fields"), [*SPELT.items(), *SHORT.items()])
def test_a_format_has_one_name(name, fields):
    assert fields_of(name) == fields
    assert name_of(fields) == name
    assert Precision.parse(name).name == name


def test_a_short_name_is_preferred():
    assert name_of(ieee(5, 10)) == "float16"
    assert name_of(fields_of("e8m7:sr")) == "bfloat16:sr"
    assert name_of(ieee(30, 99_999)) == "e30m99999"
    assert fields_of("e5m10") == fields_of("float16")
    assert Precision.parse("e5m10").name == "e5m10"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("", "must be one of float8_e4m3fn, "),
        ("float", "must be one of"),
        ("mpfr1", "2 to 100000"),
        ("mpfr053", "must be one of"),
        ("float32:up", "not in :up"),
        ("float32:sat:rz", "not in :sat:rz"),
        ("float32:rz:ru", "not in :ru"),
        ("float32:", "not in :"),
        ("float8_e4m3fn:inf", "not in :inf"),
        (":rz", "must be one of"),
        ("e1m3", "2 to 30 bits of exponent"),
        ("e31m3", "2 to 30 bits of exponent"),
        ("e5m100000", "1 to 99999 of fraction"),
        ("e5m0", "must be one of"),
        ("e05m2", "must be one of"),
        ("p1_emin0_emax3", "bits must be an integer of at least 2"),
        ("p4_emin9_emax3", "emin must not be above emax = 3"),
        ("p4_emin-0_emax3", "must be one of"),
        ("p9_emin0_emax3_sub", "emin + bits - 1 = 8 is above emax = 3"),
        ("p4_emin0_emax3_reserved3", "has no infinities"),
        ("p4_emin0_emax3_nan_reserved8", "below 2**(bits - 1)"),
        (f"p{'9' * 5000}_emin0_emax3", "bits must be an integer from 2 to 100000"),
        (f"p4_emin-{'9' * 5000}_emax3", "emin must be an integer"),
        ("bfloat16/accumulate=float32", "must be one of"),
    ],
)
def test_names_that_mean_nothing_are_refused_in_one_line(name, rule):
    with pytest.raises(InvalidArgument) as caught:
        Precision.parse(name)
    assert str(caught.value).startswith("precision = ")
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (np.float16, "float16"),
        (np.float32, "float32"),
        (np.float64, "float64"),
        (np.double, "float64"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (ml_dtypes.float8_e4m3fn, "float8_e4m3fn"),
        (ml_dtypes.float8_e5m2, "float8_e5m2"),
        (ml_dtypes.float8_e4m3, "e4m3"),
        (ml_dtypes.float8_e3m4, "e3m4"),
    ],
)
def test_a_dtype_is_the_format_of_its_numbers(dtype, name):
    assert Precision.parse(dtype).name == name
    assert Precision.parse(np.dtype(dtype)) == Precision.parse(name)
    format_, limits = Precision.parse(dtype), ml_dtypes.finfo(dtype)
    assert format_.largest == float(limits.max)
    assert format_.smallest == float(limits.smallest_subnormal)
    assert format_.smallest_normal == float(limits.smallest_normal)
    assert format_.epsilon == float(limits.eps)


def test_longdouble_is_what_it_is_here():
    limits = np.finfo(np.longdouble)
    known = {52: "float64", 63: "float80", 112: "float128"}
    if limits.nmant not in known:
        pytest.skip("long double is a pair of doubles here")
    assert Precision.parse(np.longdouble).name == known[limits.nmant]
    assert Precision.parse(np.dtype(np.longdouble)).bits == limits.nmant + 1


@pytest.mark.parametrize(
    "dtype",
    [
        ml_dtypes.float8_e4m3fnuz,
        ml_dtypes.float8_e5m2fnuz,
        ml_dtypes.float8_e4m3b11fnuz,
        ml_dtypes.float8_e8m0fnu,
        ml_dtypes.float4_e2m1fn,
        ml_dtypes.float6_e2m3fn,
        ml_dtypes.int4,
        np.int32,
        np.complex64,
        np.bool_,
        np.dtype("V8"),
        np.dtype([("a", "f4")]),
    ],
)
def test_other_dtypes_are_refused_with_the_rule(dtype):
    with pytest.raises(InvalidArgument, match="^precision = .*: must ") as caught:
        Precision.parse(dtype)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:Converting:DeprecationWarning")  # of older NumPy
@pytest.mark.parametrize(
    "given", [None, 24, 1.5, float, object(), ["float32"], np.floating, np.generic]
)
def test_what_names_no_format_is_refused(given):
    with pytest.raises(InvalidArgument, match="^precision = .*must be one of"):
        Precision.parse(given)
