"""The laws of numbers, of every format, rounding and subject alike."""

from __future__ import annotations

import random

import pytest

from format_subjects import SUBJECTS, Carried, Reference, Space, Staged, precision_of, text
from hard_operands import SPECIALS, member, operands
from oracles import formats
from oracles.formats import Format

FORMATS = {
    **{name: formats.parse(name) for name in formats.NAMED},
    **{name: formats.parse(name) for name in ("e3m4", "e2m1", "float8_e4m3fn:sat", "bfloat16:sat",
                                              "e5m10:sat", "mpfr2", "mpfr24", "mpfr150")},
    "no subnormals": Format(5, -6, 7, subnormals=False),
    "no subnormals, NaN": Format(3, -3, 5, subnormals=False, overflow="nan"),
    "reserved": Format(4, -5, 6, overflow="saturate", reserved=3),
    "beside a carrier": Format(12, -70, 60),
    "wide": Format(100, -300, 400),
    "one binade": Format(6, 1, 1, subnormals=False),
}  # fmt: skip
COUNT = 60
OPPOSITE = {"ru": "rd", "rd": "ru"}


def subjects_of(fmt, operation="add"):
    """Return who has the operation in the format, one kind each."""
    kinds = (Staged(), Reference(), Carried("carried32"), Carried("carried64"), Space())
    return [subject for subject in kinds if subject.supports(fmt, operation)]


def number(x):
    return formats.of_text(x)


@pytest.fixture(params=FORMATS)
def fmt(request):
    return FORMATS[request.param]


@pytest.fixture(params=formats.ROUNDINGS)
def rounding(request):
    return request.param


def some_members(fmt, seed=0):
    generator = random.Random(seed)
    found = [member(generator, fmt) for _ in range(COUNT)]
    return [x for x in found if not formats.special(x)]


def draws_for(fmt, values):
    generator = random.Random(1)
    return [generator.getrandbits(32) for _ in values] if fmt.rounding == "sr" else []


def apply(subject, operation, fmt, *columns):
    return subject(operation, fmt, *columns, draws=draws_for(fmt, columns[0]))


def test_identities(fmt, rounding):
    """x + 0 = x, x - x = 0, x 1 = x, x / 1 = x, x / x = 1: a member is never changed."""
    fmt = fmt.with_rounding(rounding)
    one = formats.Fraction(1)
    x = [a for a in some_members(fmt) if a]
    texts = [*map(text, x)]
    zeros, ones = [0.0] * len(x), [one] * len(x)
    nothing = "-0x0p+0" if rounding == "rd" else "0x0p+0"
    for subject in subjects_of(fmt):
        assert apply(subject, "add", fmt, x, zeros) == texts
        assert apply(subject, "subtract", fmt, x, x) == [nothing] * len(x)
        if formats.nearest(fmt, one) == one:
            assert apply(subject, "multiply", fmt, x, ones) == texts
            if subject.supports(fmt, "divide"):
                assert apply(subject, "divide", fmt, x, ones) == texts
                assert apply(subject, "divide", fmt, x, x) == ["0x1p+0"] * len(x)
    for subject in (Staged(), Reference()):
        assert apply(subject, "convert", fmt, x) == texts


def test_signed_zeros(fmt, rounding):
    """0 + -0 is -0 downward alone; products and quotients take the sign of both."""
    fmt = fmt.with_rounding(rounding)
    plus, minus = "0x0p+0", "-0x0p+0"
    for subject in subjects_of(fmt):
        sums = apply(subject, "add", fmt, [0.0, 0.0, -0.0, -0.0], [0.0, -0.0, 0.0, -0.0])
        mixed = minus if rounding == "rd" else plus
        assert sums == [plus, mixed, mixed, minus]
        products = apply(subject, "multiply", fmt, [0.0, 0.0, -0.0, -0.0], [0.0, -0.0, 0.0, -0.0])
        assert products == [plus, minus, minus, plus]
        if subject.supports(fmt, "sqrt"):
            assert apply(subject, "sqrt", fmt, [0.0, -0.0]) == [plus, minus]


def test_infinities_and_nan(fmt, rounding):
    """What is exactly infinite is NaN in a format without infinities; what is undefined is NaN."""
    fmt = fmt.with_rounding(rounding)
    inf, nan = formats.INFINITY, formats.NAN
    beyond = "inf" if fmt.overflow == "infinity" else "nan"
    x = some_members(fmt)[0] or fmt.largest
    for subject in (Staged(), Reference()):
        assert apply(subject, "add", fmt, [inf, inf, nan], [x, -inf, x]) == [beyond, "nan", "nan"]
        assert apply(subject, "multiply", fmt, [inf, inf], [0.0, inf]) == ["nan", beyond]
        quotients = apply(subject, "divide", fmt, [abs(x), 0.0, inf], [0.0, 0.0, inf])
        assert quotients == [beyond, "nan", "nan"]
        assert apply(subject, "sqrt", fmt, [-abs(x), inf]) == ["nan", beyond]
        assert apply(subject, "convert", fmt, [inf, nan]) == [beyond, "nan"]


def test_overflow_goes_where_the_rounding_points(fmt, rounding):
    """2 times the largest number: infinity, or what stands for it, or the largest itself."""
    if fmt.emax > 20000:
        pytest.skip("the largest number has too many bits for a rational")
    fmt = fmt.with_rounding(rounding)
    largest = text(fmt.largest)
    infinite = {"infinity": "inf", "nan": "nan", "saturate": largest}[fmt.overflow]
    stays = {"rz": (True, True), "ru": (False, True), "rd": (True, False)}
    above, below = (largest if stay else infinite for stay in stays.get(rounding, (False, False)))
    below = below if below == "nan" else f"-{below}"
    x = [fmt.largest, -fmt.largest]
    for subject in subjects_of(fmt):
        assert apply(subject, "add", fmt, x, x) == [above, below]


def test_results_lie_between_those_of_the_directions(fmt):
    """rd <= rn, rz, ra, sr <= ru, of which each is one of the two; ru x = -rd(-x)."""
    generator = random.Random(3)
    for operation in ("add", "multiply", "divide"):
        columns = operands(generator, fmt, operation, COUNT)
        for subject in (Staged(), Reference()):
            found = {
                mode: apply(subject, operation, fmt.with_rounding(mode), *columns)
                for mode in formats.ROUNDINGS
            }
            for i in range(COUNT):
                ends = {found["rd"][i], found["ru"][i]}
                if "nan" in ends or (fmt.overflow == "nan" and len(ends) == 2):
                    continue  # beyond the largest number NaN takes infinity's place
                bounds = [number(x) for x in (found["rd"][i], found["ru"][i])]
                assert bounds[0] <= bounds[1]
                for mode in ("rn", "rz", "ra", "sr"):
                    x = found[mode][i]
                    assert x in ends or x == "nan" or number(x) == 0 in bounds
    negated = [[-x for x in columns[0]], columns[1]]
    for mode in ("ru", "rd"):
        up = apply(Staged(), "divide", fmt.with_rounding(mode), *columns)
        down = apply(Staged(), "divide", fmt.with_rounding(OPPOSITE[mode]), *negated)
        for x, y in zip(up, down, strict=True):
            assert formats.same(number(x), -number(y)) or x == "nan"


def test_sums_and_products_commute(fmt, rounding):
    fmt = fmt.with_rounding(rounding)
    generator = random.Random(4)
    for operation in ("add", "multiply"):
        a, b = operands(generator, fmt, operation, COUNT)
        for subject in subjects_of(fmt):
            assert apply(subject, operation, fmt, a, b) == apply(subject, operation, fmt, b, a)


def test_a_result_may_replace_an_operand(fmt):
    """Through the Space that trains in the format here."""
    generator = random.Random(5)
    for operation in ("add", "subtract", "multiply"):
        a, b = operands(generator, fmt, operation, COUNT)
        apart = Space()(operation, fmt, a, b)
        assert Space("a")(operation, fmt, a, b) == apart
        assert Space("b")(operation, fmt, a, b) == apart
        assert apart == Staged()(operation, fmt, a, b)


def test_text_comes_back(fmt):
    """Members and specials, written and read by the core; by the package to nearest."""
    x = [*some_members(fmt), *(s for s in SPECIALS if fmt.overflow == "infinity")]
    precision = precision_of(fmt)
    assert type(precision).parse(str(precision)) == precision
    texts = Staged()("convert", fmt, x)
    assert texts == [*map(text, x)]
    for written, member_ in zip(texts, x, strict=True):
        assert formats.same(number(written), member_)


def test_every_subject_is_asked_somewhere():
    """That no law passes because nobody has the operation."""
    asked = {s.name for f in FORMATS.values() for s in SUBJECTS if s.supports(f, "add")}
    assert asked == {s.name for s in SUBJECTS}
