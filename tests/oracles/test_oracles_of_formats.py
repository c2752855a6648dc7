"""The rational oracle of formats and runs against MPFR, NumPy and the other oracles."""

from __future__ import annotations

import random
from fractions import Fraction

import gmpy2
import numpy as np
import pytest

from oracles import formats, minimalist, optimizers, programs, staged_space

MPFR = {
    "float16": minimalist.FLOAT16,
    "bfloat16": minimalist.BFLOAT16,
    "float32": minimalist.FLOAT32,
    "float64": minimalist.FLOAT64,
    "mpfr2": minimalist.wide(2),
    "mpfr53": minimalist.wide(53),
}
LOSSES = ("half_mean", "mean", "half_sum", "sum")


@pytest.mark.parametrize("name", [*MPFR, "float80", "float128"])
def test_named_formats_are_those_of_the_other_oracles(name):
    fmt = formats.parse(name)
    known = {**MPFR, "float80": minimalist.FLOAT80, "float128": minimalist.FLOAT128}[name]
    assert (fmt.p, fmt.emin, fmt.emax, fmt.subnormals) == known


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_members_are_those_of_numpy(dtype):
    info = np.finfo(dtype)
    fmt = formats.parse(info.dtype.name)
    assert (fmt.p, fmt.largest, fmt.smallest) == (
        info.nmant + 1, Fraction(float(info.max)), Fraction(float(info.smallest_subnormal))
    )  # fmt: skip


def test_all_float16_are_the_members():
    patterns = np.arange(2**16, dtype=np.uint16).view(np.float16)
    numbers = np.sort(patterns[np.isfinite(patterns) & (patterns > 0)]).astype(float)
    assert list(formats.positive_members(formats.parse("float16"))) == [*map(Fraction, numbers)]


def test_float8_extremes():
    e4m3fn, e5m2 = formats.parse("float8_e4m3fn"), formats.parse("float8_e5m2")
    assert (e4m3fn.largest, e4m3fn.smallest) == (448, Fraction(1, 512))
    assert (e5m2.largest, e5m2.smallest) == (57344, Fraction(1, 65536))
    assert len(formats.members(e4m3fn)) == 256 - 1  # two patterns are NaN
    assert len(formats.members(e5m2)) == 256 - 5  # six patterns are


@pytest.mark.parametrize(
    ("x", "rounding", "expected"),
    [
        (464, "rn", 448), (465, "rn", None), (479, "rz", 448), (10**9, "rz", 448),
        (449, "ru", None), (449, "rd", 448), (-449, "ru", -448), (-449, "rd", None),
        (449, "ra", None), (Fraction(1, 1024), "rn", 0),
        (Fraction(3, 1024), "rn", Fraction(1, 256)), (Fraction(1, 10**9), "ra", Fraction(1, 512)),
    ],
)  # fmt: skip
def test_the_edges_of_e4m3fn(x, rounding, expected):
    got = formats.convert(formats.parse(f"float8_e4m3fn:{rounding}"), Fraction(x))
    assert got != got if expected is None else got == expected


def test_a_draw_decides_exactly_at_its_odd_fraction():
    fmt = formats.parse("float8_e4m3fn:sr")
    # 1 + q/8 between 1 and 9/8; w = 2^31 turns up at q > (2^32 + 1) / 2^33
    at = Fraction(2**32 + 1, 2**33)
    tiny = Fraction(1, 2**60)
    for q, expected in ((at - tiny, 1), (at, 1), (at + tiny, Fraction(9, 8))):
        assert formats.convert(fmt, 1 + q / 8, lambda: 2**31) == expected
        assert formats.convert(fmt, -1 - q / 8, lambda: 2**31) == -expected


def to_mpfr(x, bits=200):
    """The number in so many bits, exactly."""
    with gmpy2.context(precision=bits, emin=-(2**30) + 1, emax=2**30 - 1):
        if isinstance(x, float):
            return gmpy2.mpfr(x)
        return gmpy2.mpfr(gmpy2.mpq(x.numerator, x.denominator))


def of_mpfr(x):
    if gmpy2.is_finite(x) and x != 0:
        numerator, denominator = x.as_integer_ratio()
        return Fraction(int(numerator), int(denominator))
    return float(x)


@pytest.mark.parametrize("name", MPFR)
@pytest.mark.parametrize("mode", ["rn", "rz", "ru", "rd", "ra"])
def test_operations_are_those_of_mpfr(name, mode):
    fmt = formats.parse(f"{name}:{mode}")
    generator = random.Random(name + mode)
    context = minimalist.make_context(MPFR[name])
    context.round = {
        "rn": gmpy2.RoundToNearest, "rz": gmpy2.RoundToZero, "ru": gmpy2.RoundUp,
        "rd": gmpy2.RoundDown, "ra": gmpy2.RoundAwayZero,
    }[mode]  # fmt: skip
    specials = [0.0, -0.0, formats.INFINITY, -formats.INFINITY, formats.NAN]
    scale = min(fmt.emax, 1000)

    def number():
        if generator.random() < 0.1:
            return generator.choice(specials)
        significand = generator.getrandbits(fmt.p) | 1
        return (
            (-1) ** generator.randrange(2)
            * significand
            * formats.power(
                generator.choice(
                    [0, 1, 2, -fmt.p, max(fmt.emin, -scale), scale - fmt.p, -scale // 2]
                )
            )
        )

    for _ in range(600):
        a, b, c = (formats.nearest(fmt, number()) for _ in range(3))
        x, y, z = (to_mpfr(value) for value in (a, b, c))
        for mine, theirs, operands in (
            (formats.add(fmt, a, b), context.add, (x, y)),
            (formats.subtract(fmt, a, b), context.sub, (x, y)),
            (formats.multiply(fmt, a, b), context.mul, (x, y)),
            (formats.divide(fmt, a, b), context.div, (x, y)),
            (formats.fma(fmt, a, b, c), context.fma, (x, y, z)),
            (formats.sqrt(fmt, a), context.sqrt, (x,)),
        ):
            assert formats.same(mine, of_mpfr(theirs(*operands))), (theirs, operands)


def test_text_is_read_and_written():
    for x in (1.0, -1.5, 0.1, 2.0**-1074, 1.7e308, -0.0, float("inf"), float("nan")):
        number = formats.of_float(x)
        assert formats.same(formats.of_text(formats.to_text(number)), number)
        if x - x == 0:
            assert float.fromhex(formats.to_text(number)) == x
            assert formats.same(formats.of_text(x.hex()), number)
    assert formats.to_text(Fraction(17, 4)) == "0x1.1p+2"
    assert formats.of_text("2/50") == Fraction(1, 25)


def number(x):
    return formats.of_float(x)


def nested(values):
    return [nested(v) for v in values] if isinstance(values, list) else number(values)


def same_runs(states, expected):
    """Compare parameters, residuals and losses of the rational and the MPFR oracle."""
    assert len(states) == len(expected)
    for mine, theirs in zip(states, expected, strict=True):
        found = [*(x for block in mine.theta for x in block), *mine.z, mine.loss]
        wanted = [*theirs.theta, *theirs.z, theirs.loss]
        assert all(formats.same(x, of_mpfr(y)) for x, y in zip(found, wanted, strict=True))


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "mpfr11"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["gd", "heavy ball", "nesterov", "flow", "batches"])
@pytest.mark.parametrize("model", ["minimalist", "collapsed", "layerwise"])
def test_plain_runs_are_those_of_the_other_oracle(name, loss, kind, model):
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((5, 3)).tolist(), rng.choice([-1.0, 1.0], 5).tolist()
    fmt = {**MPFR, "mpfr11": minimalist.wide(11)}[name]
    space = staged_space.StagedSpace(staged_space.Arithmetic.parse(name))
    if model == "minimalist":
        blocks = [rng.standard_normal(3).tolist(), rng.standard_normal(2).tolist()]
        mine = programs.Minimalist(space, nested(X), nested(y), loss)
        theirs = optimizers.Minimalist(
            fmt, minimalist.rounded(fmt, X), minimalist.rounded(fmt, y), loss
        )
    else:
        blocks = [*rng.standard_normal((2, 3)).tolist(), rng.standard_normal(2).tolist()]
        collapsed = model == "collapsed"
        mine = programs.TwoLayer(space, nested(X), nested(y), loss, 2, True, collapsed)
        theirs = optimizers.TwoLayer(
            fmt, minimalist.rounded(fmt, X), minimalist.rounded(fmt, y), loss, 2, True, collapsed
        )
    lr = 2.0 ** (-6 if name == "mpfr11" else -3)  # of which runs in narrow ranges overflow
    lr = lr if loss.endswith("mean") else lr / 4
    keywords = {
        "gd": {},
        "heavy ball": {"momentum": 0.75},
        "nesterov": {"momentum": 0.75, "nesterov": True},
        "batches": {"samples": (2, "reshuffle", 4)},
    }.get(kind)
    if keywords is None:
        mine_rule, their_rule = programs.Rule(flow_step=number(lr)), optimizers.Rule(flow_step=lr)
    else:
        momentum = keywords.get("momentum")
        mine_rule = programs.Rule(
            lambda t: (number(lr), True),
            **{**keywords, "momentum": None if momentum is None else number(momentum)},
        )
        their_rule = optimizers.Rule(lambda t: (lr, True), **keywords)
    states, outcome, last = programs.run(mine, [nested(b) for b in blocks], mine_rule, 12)
    expected = optimizers.run(theirs, [x for b in blocks for x in b], their_rule, 12)
    assert (outcome, last) == expected[1:3]
    same_runs(states, expected[0])
