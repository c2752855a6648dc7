"""Operations on hard operands in any format: every subject gives the oracle's results.

An example is a batch of operands in all six roundings, so that 500 examples are 120000 cases;
PRECIPICE_SOAK multiplies their number: 100 is a soak of 1.2 10^7.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from format_subjects import OPERATIONS, SUBJECTS, expected
from hard_operands import DRAWS, operands
from oracles import formats
from oracles.formats import Format

BATCH = 40
SOAK = int(os.environ.get("PRECIPICE_SOAK", "1"))
EXAMPLES = 500 * SOAK
#: Narrow formats first: wide ones take the rationals long.
NAMES = [
    "float8_e4m3fn", "float8_e5m2", "e3m4", "e4m3", "e2m1", "float16", "bfloat16", "tfloat32",
    "float32", "float32", "float64", "e8m16", "mpfr2", "mpfr11", "mpfr53", "mpfr128", "mpfr300",
    "float80", "float128",
]  # fmt: skip
counted = Counter()


@st.composite
def custom_formats(draw):
    """A format of any kind, its range at least as wide as its subnormals need."""
    p = draw(st.sampled_from([2, 3, 4, 5, 8, 11, 12, 23, 24, 25, 26, 53, 54, 64, 113, 200]))
    subnormals = draw(st.booleans())
    emin = draw(st.integers(-300, 40))
    span = draw(st.integers(p - 1 if subnormals else 0, 2 * p + 200))
    overflow = draw(st.sampled_from(["infinity", "nan", "saturate"]))
    reserved = 0 if overflow == "infinity" else draw(st.integers(0, min(5, 2 ** (p - 1) - 1)))
    return Format(p, emin, emin + span, subnormals, overflow, reserved)


@st.composite
def named_formats(draw):
    name = draw(st.sampled_from(NAMES))
    saturates = draw(st.booleans()) and draw(st.booleans())
    return formats.parse(name + (":sat" if saturates else ""))


@settings(max_examples=EXAMPLES, deadline=None, derandomize=SOAK == 1, database=None)
@given(
    fmt=st.one_of(named_formats(), named_formats(), custom_formats()),
    of=st.one_of(st.none(), st.none(), st.none(), custom_formats()),
    operation=st.sampled_from(OPERATIONS),
    seed=st.integers(0, 2**64 - 1),
)
def test_every_subject_rounds_as_the_oracle(fmt, of, operation, seed):
    generator = random.Random(seed)
    columns = operands(generator, fmt, operation, BATCH, of)
    draws = [generator.choice((*DRAWS, generator.getrandbits(32))) for _ in range(BATCH)]
    for rounding in formats.ROUNDINGS:
        check(fmt.with_rounding(rounding), operation, columns, draws, of is None)


def check(fmt, operation, columns, draws, members):
    """Compare every subject with the oracle; some take `members` of their own format alone."""
    wanted = expected(operation, fmt, *columns, draws=draws)
    counted["cases"] += BATCH
    for subject in SUBJECTS:
        takes = members or subject.name in ("staged", "Rounder", "MPFR")
        if not takes or not subject.supports(fmt, operation):
            continue
        found = subject(operation, fmt, *columns, draws=draws if fmt.rounding == "sr" else ())
        counted[subject.name] += BATCH
        if found != wanted:
            i = next(i for i in range(BATCH) if found[i] != wanted[i])
            values = [column[i] for column in columns]
            pytest.fail(
                f"{subject.name}: {operation} {values} with {draws[i]} in {fmt}: {found[i]}, "
                f"not {wanted[i]}"
            )


def test_so_many_cases_were_compared():
    """Runs after the batches, in this file's order."""
    print(dict(counted))
    assert counted["cases"] >= 100_000 * SOAK
    assert all(counted[subject.name] >= 400 * SOAK for subject in SUBJECTS)
