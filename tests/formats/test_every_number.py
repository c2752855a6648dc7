"""Formats of 8 bits exhaustively: every pair of members, every operation, every rounding."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest

from format_subjects import (
    ML_DTYPES,
    Carried,
    MlDtypes,
    Mpfr,
    Reference,
    Space,
    Staged,
    expected,
    text,
)
from hard_operands import DRAWS
from oracles import formats

NAMES = ["float8_e4m3fn", "float8_e5m2", "e4m3", "e3m4", "float8_e4m3fn:sat"]
EXACT = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}


def pairs_of(fmt):
    """Return every pair of members, in two lists."""
    members = formats.members(fmt)
    return [*map(list, zip(*itertools.product(members, members), strict=True))]


def draws_for(n):
    return [DRAWS[i % len(DRAWS)] for i in range(n)]


def wanted(operation, fmt, a, b, draws):
    """Return the oracle's results; equal exact results of one draw are rounded once."""
    known, found = {}, []
    for x, y, draw in zip(a, b, draws, strict=True):
        exact = None
        if isinstance(x, Fraction) and isinstance(y, Fraction):
            exact = EXACT[operation](x, y)
        if not exact:  # signs of zero, infinities and NaN
            found.extend(expected(operation, fmt, [x], [y], draws=[draw]))
            continue
        key = (exact.numerator, exact.denominator, draw if fmt.rounding == "sr" else 0)
        if key not in known:
            known[key] = text(formats.convert(fmt, exact, lambda draw=draw: draw))
        found.append(known[key])
    return found


def assert_equal(subject, operation, fmt, columns, draws, results):
    found = subject(operation, fmt, *columns, draws=draws if fmt.rounding == "sr" else ())
    if found != results:
        wrong = [i for i in range(len(results)) if found[i] != results[i]]
        i = wrong[0]
        raise AssertionError(
            f"{subject.name}: {operation} {[column[i] for column in columns]} in {fmt}: "
            f"{found[i]}, not {results[i]} ({len(wrong)} wrong)"
        )


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("operation", EXACT)
@pytest.mark.parametrize("name", NAMES)
def test_every_pair(name, operation, rounding):
    fmt = formats.parse(name).with_rounding(rounding)
    columns = pairs_of(fmt)
    draws = draws_for(len(columns[0]))
    results = wanted(operation, fmt, *columns, draws)
    subjects = [Staged()]
    if rounding == "rn":
        subjects += [Carried("carried32"), Carried("carried64")]
        subjects += [Space(), Space("a"), Space("b")] if operation != "divide" else []
    if fmt in ML_DTYPES:
        subjects.append(MlDtypes())
    if name == "float8_e4m3fn":
        subjects.append(Reference())
    if name == "float8_e5m2" and rounding != "sr":
        subjects.append(Mpfr())
    for subject in subjects:
        assert subject.supports(fmt, operation)
        assert_equal(subject, operation, fmt, columns, draws, results)


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_every_square_root(name, rounding):
    fmt = formats.parse(name).with_rounding(rounding)
    members = formats.members(fmt)
    for draw in DRAWS if rounding == "sr" else (0,):
        draws = [draw] * len(members)
        results = expected("sqrt", fmt, members, draws=draws)
        subjects = [Staged(), Reference()]
        subjects += [Carried("carried32"), Carried("carried64")] if rounding == "rn" else []
        subjects += [MlDtypes()] if fmt in ML_DTYPES else []
        subjects += [Mpfr()] if Mpfr().supports(fmt, "sqrt") else []
        for subject in subjects:
            assert_equal(subject, "sqrt", fmt, [members], draws, results)
