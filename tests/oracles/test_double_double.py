"""The double-double oracle keeps the published bounds, and means what it says at the ends."""

from __future__ import annotations

import math
import os
import random
from fractions import Fraction

import pytest

from oracles import double_double as dd
from oracles.double_double import Pair, U

PAIRS = int(os.environ.get("PRECIPICE_SOAK", "1")) * 100_000 // 4
MAX = math.nextafter(math.inf, 0)
TINY = 5e-324

BOUNDS = {
    "add": (dd.add, Fraction.__add__, 3 * U**2 + 13 * U**3),
    "subtract": (dd.subtract, Fraction.__sub__, 3 * U**2 + 13 * U**3),
    "multiply": (dd.multiply, Fraction.__mul__, 7 * U**2),
    "divide": (dd.divide, Fraction.__truediv__, 15 * U**2 + 56 * U**3),
}


def word(draw: random.Random) -> float:
    """A float64 whose significand is random, or has long runs of equal bits."""
    bits = draw.getrandbits(53)
    if draw.random() < 0.5:
        ones = draw.getrandbits(53) >> draw.randrange(53)
        bits = draw.choice([2**53 - 1 - ones, 2**52 + ones % 2**52, 2**53 - 1, 2**52, 2**52 + 1])
    return math.ldexp(draw.choice([-1, 1]) * (bits | 2**52), -53)


def pair(draw: random.Random) -> Pair:
    """A number of order one; its low part is random, as large as it may be, tiny or zero."""
    hi = math.ldexp(word(draw), draw.randint(-3, 3))
    half_ulp = math.ulp(hi) / 2
    kind = draw.randrange(4)
    if kind == 0:
        return Pair(hi, 0.0)
    if kind == 1:
        lo = draw.choice([-1, 1]) * math.nextafter(half_ulp, 0)
    else:
        lo = word(draw) * half_ulp * 2.0 ** (0 if kind == 2 else -draw.randrange(60))
    hi, lo = dd.fast_two_sum(hi, lo)
    return Pair(hi, lo)


def near(draw: random.Random, a: Pair) -> Pair:
    """A number that cancels most of another."""
    b = pair(draw)
    scale = 2.0 ** -draw.randrange(110)
    return dd.add(a, Pair(b.hi * scale, b.lo * scale))


@pytest.mark.parametrize("operation", BOUNDS)
def test_every_operation_is_within_its_published_bound(operation):
    computed, exact, bound = BOUNDS[operation]
    draw = random.Random(f"double-double {operation}")
    for _ in range(PAIRS):
        a = pair(draw)
        b = near(draw, a) if draw.random() < 0.4 else pair(draw)
        if draw.random() < 0.5:
            b = Pair(-b.hi, -b.lo)
        if operation == "divide" and b.hi == 0:
            continue
        result, true = computed(a, b), exact(a.exact(), b.exact())
        assert abs(result.exact() - true) <= bound * abs(true), (a, b, result)
        assert result.hi == dd.nearest(result.exact())


def test_a_quotient_by_one_word_is_within_the_bound_of_that_algorithm():
    draw = random.Random("integers")
    for _ in range(PAIRS):
        a, n = pair(draw), Fraction(draw.choice([draw.randint(1, 200), draw.randint(1, 2**53)]))
        result, true = dd.divide(a, dd.from_exact(n)), a.exact() / n
        assert abs(result.exact() - true) <= Fraction(7, 2) * U**2 * abs(true), (a, n)


def test_an_exact_number_becomes_its_two_nearest_words():
    third = dd.from_exact("1/3")
    assert third.hi == 1 / 3
    assert third.lo == dd.nearest(Fraction(1, 3) - Fraction(1 / 3))
    assert dd.from_exact(2**53 + 1) == Pair(2.0**53, 1.0)  # a tie, to even
    assert dd.from_exact(Fraction(1, 2**1075)) == Pair(0.0, 0.0)
    assert dd.from_exact(Fraction(3, 2**1076)) == Pair(TINY, 0.0)
    assert dd.from_exact(2**1025) == Pair(math.inf, 0.0)
    assert dd.from_exact(math.inf) == Pair(math.inf, 0.0)


def same(a: Pair, b: Pair) -> bool:
    return str(a) == str(b)  # tells zeros apart, and knows NaN


@pytest.mark.parametrize(
    ("operation", "a", "b", "result"),
    [
        (dd.add, Pair(MAX, 0.0), Pair(MAX, 0.0), Pair(math.inf, 0.0)),
        (dd.subtract, Pair(-MAX, 0.0), Pair(MAX, 0.0), Pair(-math.inf, 0.0)),
        (dd.add, Pair(math.inf, 0.0), Pair(1.0, 0.0), Pair(math.inf, 0.0)),
        (dd.subtract, Pair(math.inf, 0.0), Pair(math.inf, 0.0), Pair(math.nan, 0.0)),
        # The leading parts stay within the range, the sum does not.
        (
            dd.add,
            Pair(MAX, math.ulp(MAX) / 4),
            Pair(math.ulp(MAX) / 4, 0.0),
            Pair(math.inf, 0.0),
        ),
        (dd.multiply, Pair(1e200, 0.0), Pair(-1e200, 0.0), Pair(-math.inf, 0.0)),
        (dd.multiply, Pair(math.inf, 0.0), Pair(0.0, 0.0), Pair(math.nan, 0.0)),
        (dd.multiply, Pair(math.inf, 0.0), Pair(-2.0, 1e-20), Pair(-math.inf, 0.0)),
        (dd.multiply, Pair(1e-200, 0.0), Pair(-1e-200, 0.0), Pair(0.0, 0.0)),
        (dd.multiply, Pair(-1.0, 0.0), Pair(0.0, 0.0), Pair(0.0, 0.0)),
        (dd.divide, Pair(-math.inf, 0.0), Pair(3.0, 0.0), Pair(-math.inf, 0.0)),
        (dd.divide, Pair(math.nan, 0.0), Pair(3.0, 0.0), Pair(math.nan, 0.0)),
        (dd.divide, Pair(-TINY, 0.0), Pair(3.0, 0.0), Pair(0.0, 0.0)),
        # Beyond 2^996, where Dekker's splitting would overflow.
        (dd.multiply, Pair(2.0**1000, 1.0), Pair(0.5, 0.0), Pair(2.0**999, 0.5)),
    ],
)
def test_the_ends_of_the_range(operation, a, b, result):
    assert same(operation(a, b), result)


def test_only_equal_numbers_differ_by_zero():
    draw = random.Random("differences")
    for _ in range(2000):
        a = pair(draw)
        b = Pair(a.hi, draw.choice([a.lo, math.nextafter(a.lo, draw.choice([-1, 1]))]))
        assert (dd.subtract(a, b) == Pair(0.0, 0.0)) == (a == b)
    x = Pair(TINY * 4, 0.0)
    assert dd.subtract(x, Pair(TINY * 3, 0.0)) == Pair(TINY, 0.0)


def test_a_sum_may_start_from_zero():
    draw = random.Random("zero")
    for _ in range(2000):
        a = pair(draw)
        assert same(dd.add(Pair(0.0, 0.0), a), Pair(a.hi, a.lo + 0.0))
