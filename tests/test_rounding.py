"""Rounding to any format, against exact fractions."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import gmpy2
import pytest

from numbers_of import mpfr_of, precision_of
from oracles import formats
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.precision import Precision
from precipice.rounding import Rounder

TINY = {
    "e2m1": formats.parse("e2m1"),
    "e2m1:sat": formats.parse("e2m1:sat"),
    "e3m2": formats.parse("e3m2"),
    "no infinities": formats.Format(3, -2, 3, overflow="nan"),
    "two reserved": formats.Format(3, -2, 3, overflow="nan", reserved=2),
    "reserved, saturates": formats.Format(3, -1, 3, overflow="saturate", reserved=1),
    "no subnormals": formats.Format(3, -2, 3, subnormals=False),
    "no subnormals, saturates": formats.Format(2, -2, 2, subnormals=False, overflow="saturate"),
}
FORMATS = {
    **TINY,
    "float8_e4m3fn": formats.parse("float8_e4m3fn"),
    "float8_e4m3fn:sat": formats.parse("float8_e4m3fn:sat"),
    "float8_e5m2": formats.parse("float8_e5m2"),
    "float16": formats.parse("float16"),
    "bfloat16": formats.parse("bfloat16"),
    "float32": formats.parse("float32"),
    "float64:sat": formats.parse("float64:sat"),
    "e6m70": formats.parse("e6m70"),
}
OPERATIONS = {
    "add": (formats.add, 2),
    "subtract": (formats.subtract, 2),
    "multiply": (formats.multiply, 2),
    "divide": (formats.divide, 2),
    "sqrt": (formats.sqrt, 1),
    "fma": (formats.fma, 3),
    "convert": (formats.convert, 1),
}


class Rounded:
    """One format with a rounding, in the package and in the oracle, on the same draws."""

    def __init__(self, fmt):
        self.fmt, self.draw = fmt, 0
        self.rounder = Rounder(precision_of(fmt), lambda index: self.draw)

    def check(self, name, *operands):
        """Compare an operation's result, its bits and its sign included."""
        oracle, count = OPERATIONS[name]
        used = operands[:count]
        got = getattr(self.rounder, name)(*map(mpfr_of, used))
        want = oracle(self.fmt, *used, lambda: self.draw)
        assert text(got) == formats.to_text(want), (name, self.fmt, used, self.draw)
        assert got.precision == self.fmt.p
        assert self.rounder.context is None or not self.fmt.reserved


def some_number(generator, fmt):
    """Return a member, often of the ends of the range, or a special number."""
    low, high = fmt.emin - fmt.p, fmt.emax - fmt.p
    near_one = (max(low, min(high, -fmt.p)) - 3, max(low, min(high, -fmt.p)) + 3)
    first, last = generator.choice([(low, low + 8), (high - 8, high), near_one])
    n = generator.randrange(2**fmt.p) * generator.choice([-1, 1])
    x = n * formats.power(generator.randint(first, last))
    special = [0.0, -0.0, math.inf, -math.inf, math.nan]
    return generator.choice([formats.nearest(fmt, x) if n else 0.0] * 20 + special)


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("name", TINY)
def test_operations_on_all_members_of_a_tiny_format(name, rounding):
    rounded = Rounded(TINY[name].with_rounding(rounding))
    generator = random.Random(name + rounding)
    members = formats.members(TINY[name])
    for a in members:
        rounded.check("sqrt", a)
        for b in members:
            rounded.draw = generator.getrandbits(32)
            for operation in ("add", "subtract", "multiply", "divide"):
                rounded.check(operation, a, b)
            rounded.check("fma", a, b, generator.choice(members))


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_operations_on_numbers_of_any_format(name, rounding):
    rounded = Rounded(FORMATS[name].with_rounding(rounding))
    generator = random.Random(name + rounding)
    others = list(FORMATS.values())
    for _ in range(300):
        operands = [some_number(generator, generator.choice([rounded.fmt, *others]))] + [
            some_number(generator, generator.choice([rounded.fmt, *others])) for _ in range(2)
        ]
        rounded.draw = generator.choice([0, 2**31 - 1, 2**31, 2**32 - 1, generator.getrandbits(32)])
        for operation in OPERATIONS:
            rounded.check(operation, *operands)


# What 2 L, -2 L, s / 2, -s / 2, 3 s / 4 and -3 s / 4 become, L the largest number and s the least.
ENDS = {
    "rn": ("inf", "-inf", "0", "-0", "s", "-s"),
    "rz": ("L", "-L", "0", "-0", "0", "-0"),
    "ru": ("inf", "-L", "s", "-0", "s", "-0"),
    "rd": ("L", "-inf", "0", "-s", "0", "-s"),
    "ra": ("inf", "-inf", "s", "-s", "s", "-s"),
    "sr": ("inf", "-inf", "0", "-0", "s", "-s"),  # with the draw 2^31, between 1/2 and 3/4
}


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("bits", [2, 53, 130])
def test_ends_of_mpfr_s_range(bits, rounding):
    limit = 1_073_741_823  # too far for fractions
    precision = Precision(bits=bits, emin=-limit, emax=limit, rounding=rounding)
    rounder = Rounder(precision, lambda index: 2**31)
    with gmpy2.context(precision=bits, emin=-limit, emax=limit):
        s = gmpy2.div_2exp(gmpy2.mpfr(1), limit + 1)
        ones = gmpy2.mpfr(1) - gmpy2.div_2exp(gmpy2.mpfr(1), bits)
        L = gmpy2.mul_2exp(gmpy2.mul_2exp(ones, limit - 1), 1)
        known = {"inf": gmpy2.inf(), "-inf": gmpy2.inf(-1), "L": L, "-L": -L, "s": s, "-s": -s}
    known |= {"0": mpfr_of(0.0), "-0": mpfr_of(-0.0)}
    two, half, quarters = (mpfr_of(Fraction(x)) for x in ("2", "1/2", "3/4"))
    factors = (two, two, half, half, quarters, quarters)
    for name, factor, want in zip(
        ("L", "-L", *["s", "-s"] * 2), factors, ENDS[rounding], strict=True
    ):
        got = rounder.multiply(known[name], factor)
        assert (text(got), got.precision) == (text(known[want]), bits)
    least = "s" if rounding in ("ru", "ra") else "0"
    assert text(rounder.multiply(s, s)) == text(known[least])  # 2^30 places further down
    assert text(rounder.multiply(s, L)) == text(rounder.multiply(L, s))
    assert text(rounder.add(L, s)) == text(known["inf" if rounding in ("ru", "ra") else "L"])


def test_a_draw_decides_at_its_threshold():
    fmt = formats.parse("e4m3:sr")
    rounded = Rounded(fmt)
    generator = random.Random(0)
    for _ in range(300):
        x = Fraction(generator.getrandbits(40), 2 ** generator.randint(36, 60))
        if x == 0:
            continue
        below = formats.convert(fmt.with_rounding("rz"), x)
        above = formats.convert(fmt.with_rounding("ra"), x)
        if below == above or above == math.inf:
            rounded.check("convert", x)
            continue
        q = (x - Fraction(below)) / (above - Fraction(below))
        last_up = math.ceil((2**33 * q - 1) / 2) - 1  # the greatest draw that goes up
        for draw, result in ((last_up, above), (last_up + 1, below)):
            if 0 <= draw < 2**32:
                rounded.draw = draw
                rounded.check("convert", x)
                assert text(rounded.rounder.convert(mpfr_of(x))) == formats.to_text(
                    result if result else 0.0
                )


def test_stochastic_rounding_reaches_below_what_it_cuts_off():
    # q = 2^-33 (2 w + 1) + something below 2^-200 goes up, the same without it does not.
    rounder = Rounder(Precision.parse("mpfr8:sr"), lambda index: 5)
    threshold = 1 + Fraction(11, 2**33) * Fraction(1, 2**7)
    assert rounder.convert(mpfr_of(threshold)) == 1
    assert rounder.convert(mpfr_of(threshold + Fraction(1, 2**300))) == 1 + Fraction(1, 2**7)
    tiny = mpfr_of(Fraction(1, 2**300))
    assert rounder.add(mpfr_of(threshold), tiny) == 1 + Fraction(1, 2**7)
    assert rounder.subtract(mpfr_of(threshold), tiny) == 1
    assert rounder.add(mpfr_of(threshold), mpfr_of(0.0)) == 1


def test_members_never_change():
    rounder = Rounder(Precision.parse("float8_e5m2:sr"), lambda index: 0)
    for x in formats.members(formats.parse("float8_e5m2")):
        assert text(rounder.convert(mpfr_of(x))) == formats.to_text(x)


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_data_are_rounded_to_nearest(name, rounding):
    fmt = FORMATS[name].with_rounding(rounding)
    rounder = Rounder(precision_of(fmt), lambda index: 0)
    generator = random.Random(name)
    for _ in range(100):
        x = some_number(generator, generator.choice(list(FORMATS.values())))
        assert text(rounder.nearest(mpfr_of(x, 300))) == formats.to_text(formats.nearest(fmt, x))
        quotient = Fraction(generator.randint(-99, 99), generator.randint(1, 99))
        want = formats.to_text(formats.nearest(fmt, quotient or 0.0))
        assert text(rounder.nearest(gmpy2.mpq(quotient))) == want
        number = generator.uniform(-1, 1) * 2.0 ** generator.randint(-20, 20)
        want = formats.to_text(formats.nearest(fmt, formats.of_float(number)))
        assert text(rounder.nearest(number)) == want
    assert text(rounder.nearest(3)) == formats.to_text(formats.nearest(fmt, Fraction(3)))


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_exact_sums_are_rounded_once(name, rounding):
    fmt = FORMATS[name].with_rounding(rounding)
    generator = random.Random(name + rounding)
    draw = [0]
    rounder = Rounder(precision_of(fmt), lambda index: draw[0])
    for _ in range(100):
        x = [some_number(generator, fmt) for _ in range(generator.randint(1, 5))]
        y = [some_number(generator, FORMATS["float16"]) for _ in x]
        if generator.random() < 0.3:
            x, y = x + [-a for a in x], y + y
        draw[0] = generator.getrandbits(32)
        got = rounder.dot([*map(mpfr_of, x)], [*map(mpfr_of, y)])
        terms = [*map(formats.exact_product, x, y)]
        assert text(got) == formats.to_text(formats.sum_exactly(fmt, terms, lambda: draw[0]))
        assert got.precision == fmt.p


@pytest.mark.parametrize("rounding", ["rn", "ru", "ra", "rd", "sr"])
def test_exact_sums_of_products_that_leave_mpfr_s_range(rounding):
    def two_to(exponent):
        with gmpy2.context(precision=2, emin=-1_073_741_823, emax=1_073_741_823):
            scale = gmpy2.mul_2exp if exponent > 0 else gmpy2.div_2exp
            return scale(gmpy2.mpfr(1), abs(exponent))

    rounder = Rounder(Precision(bits=20, rounding=rounding), lambda index: 2**31)
    one, huge, tiny, small = mpfr_of(1.0), *map(two_to, (10**9, -(10**9), -5 * 10**8))
    with gmpy2.context(precision=2, emin=-1_073_741_823, emax=1_073_741_823):
        less_huge = -huge

    def dot(*pairs):
        return text(rounder.dot(*map(list, zip(*pairs, strict=True))))

    upward = rounding in ("ru", "ra")
    assert dot((huge, huge), (less_huge, huge), (small, small)) == "0x1p-1000000000"
    assert dot((huge, huge), (less_huge, huge)) == ("-0x0p+0" if rounding == "rd" else "0x0p+0")
    assert dot((tiny, tiny)) == ("0x1p-1073741824" if upward else "0x0p+0")
    assert dot((one, one), (tiny, tiny)) == ("0x1.00002p+0" if upward else "0x1p+0")
    below = "0x1.ffffep-1" if rounding == "rd" else "0x1p+0"
    assert dot((mpfr_of(-1.0), tiny), (huge, tiny)) == below
    assert dot((one, one), (mpfr_of(-1.0), tiny), (huge, tiny), (less_huge, tiny)) == below


@pytest.mark.parametrize("name", ["float32", "float32:sr", "float8_e4m3fn", "float32:rd"])
def test_caller_s_context_is_neither_used_nor_changed(name):
    def results():
        rounder = Rounder(Precision.parse(name), lambda index: 12345)
        a, b = mpfr_of(Fraction(1234567, 2**20)), mpfr_of(Fraction(-7654321, 2**40))
        numbers = [
            rounder.add(a, b), rounder.divide(a, b), rounder.subtract(a, a), rounder.nearest(0.1),
            rounder.dot([a, b, a], [b, b, a]), rounder.fma(a, b, b), rounder.sqrt(a),
            rounder.nearest(-0.0),
        ]  # fmt: skip
        return [(text(x), x.precision) for x in numbers]

    expected = results()
    with gmpy2.context(precision=5, round=gmpy2.RoundUp, emin=-3, emax=4) as context:
        assert results() == expected
        assert not context.inexact


def test_the_draw_of_an_index_is_asked_for():
    asked = []

    def draw(index):
        asked.append(index)
        return 0

    rounder = Rounder(Precision.parse("mpfr2:sr"), draw)
    third = mpfr_of(Fraction(11, 32))
    rounder.add(third, mpfr_of(0.0), 7)
    rounder.multiply(third, third, 2**63)
    rounder.dot([third] * 3, [third] * 3, 4)
    rounder.convert(third)
    rounder.add(third, -third)  # exact, but an operation like any other
    rounder.divide(third, mpfr_of(0.0))
    assert asked == [7, 2**63, 4, None, None, None]


def test_stochastic_rounding_needs_draws():
    with pytest.raises(InvalidArgument, match=r"^draw = None: must be given"):
        Rounder(Precision.parse("float32:sr"))
