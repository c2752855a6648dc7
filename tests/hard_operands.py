"""Operands whose results are hard to round: ties, near-ties, subnormals, the edge of overflow."""

from __future__ import annotations

from fractions import Fraction

from oracles import formats
from oracles.formats import power

SPECIALS = (0.0, -0.0, formats.INFINITY, -formats.INFINITY, formats.NAN)
DRAWS = (0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
#: Exponents beyond these are left to MPFR: rationals of so many bits have no place in a test.
WIDEST = 4000


def lowest(fmt):
    """Return the exponent of the smallest numbers that are asked for."""
    return max(fmt.emin, -WIDEST)


def highest(fmt):
    """Return the exponent of the largest."""
    return min(fmt.emax, WIDEST)


def clamped(fmt, x):
    """Return a member near a real number."""
    return formats.nearest(fmt, Fraction(x)) if x else 0.0


def significand(generator, bits):
    """Return some integer of so many bits, often with long runs of ones or zeros."""
    kind = generator.randrange(4)
    top = 1 << (bits - 1)
    if kind == 0:
        return top | generator.getrandbits(bits)
    if kind == 1:
        return top + generator.randrange(min(4, top))
    if kind == 2:
        return 2 * top - 1 - generator.randrange(min(4, top))
    return top + (1 << generator.randrange(bits)) % top


def member(generator, fmt):
    """Return a finite member, anywhere or at the ends of the range; any sign."""
    low, high = lowest(fmt), highest(fmt)
    exponent = generator.choice(
        [generator.randint(low, high), min(generator.randint(-3, 3), high), low, high, high - 1,
         min(low + fmt.p - 1, high), min(low + generator.randrange(fmt.p + 2), high)]
    )  # fmt: skip
    x = significand(generator, fmt.p) * power(exponent - fmt.p)
    x = -x if generator.random() < 0.5 else x
    full = exponent >= fmt.emin + fmt.p - 1 and exponent < fmt.emax
    return x if full else clamped(fmt, x)


def finite(fmt, x):
    """Return x, or 1 where it is no finite number."""
    return clamped(fmt, 1) if formats.special(x) else x


def partner(generator, fmt, operation, a):
    """Return a second operand that makes the result hard to round."""
    if formats.special(a) or a == 0:
        return member(generator, fmt)
    place = max(formats.Real(abs(a)).binade() - fmt.p, lowest(fmt) - 1)
    kind = generator.randrange(5)
    sign = generator.choice((-1, 1))
    if operation in ("add", "subtract"):
        half = power(place - 1) * sign
        near = half + sign * generator.choice((-1, 1)) * power(place - 1 - fmt.p)
        return clamped(fmt, (half, near, -a + half, half / 2 + half, near * 2)[kind])
    # A result near a midpoint, the largest, the smallest number, or 1.
    target = significand(generator, fmt.p + 1) * power(generator.randint(-2, 2) - fmt.p)
    target = (
        target,
        target,
        power(highest(fmt)) * (1 - power(-fmt.p - 1)),
        power(lowest(fmt) - 2) * generator.choice((1, 2, 3, 5)),
        power(generator.randint(lowest(fmt) - 2, min(lowest(fmt) + fmt.p, highest(fmt))))
        * (1 + power(-fmt.p)),
    )[kind]
    b = sign * (target / a if operation == "multiply" else a / target)
    return finite(fmt, clamped(fmt, b))


def operands(generator, fmt, operation, count, of=None):
    """Return lists of operands; `of`: the formats that they are members of."""
    arity = {"sqrt": 1, "convert": 1, "fma": 3}.get(operation, 2)
    rows = []
    for _ in range(count):
        first = of or fmt
        if generator.random() < 0.04:
            row = [
                generator.choice(SPECIALS) if generator.random() < 0.6 else member(generator, first)
                for _ in range(arity)
            ]
        elif operation == "convert":
            row = [between(generator, fmt)]
        elif operation == "sqrt":
            row = [near_square(generator, first)]
        else:
            a = member(generator, first)
            b = partner(generator, first, operation if arity == 2 else "multiply", a)
            row = [a, b]
            if arity == 3:
                product = formats.exact_product(a, b)
                c = partner(generator, first, "add", product) if product else 0.0
                row.append(generator.choice((c, member(generator, first))))
        rows.append(row if operation == "convert" else [in_format(first, x) for x in row])
    return [*map(list, zip(*rows, strict=True))]


def in_format(fmt, x):
    """Return a member or a special value as the format has it: without infinities, NaN."""
    return formats.convert(fmt, x) if formats.special(x) else x


def near_square(generator, fmt):
    """Return a number whose root lies near a member or a midpoint."""
    root = significand(generator, fmt.p + 1) * power(generator.randint(-4, 4) - fmt.p)
    scale = generator.choice((0, 0, lowest(fmt) // 2, highest(fmt) // 2 - 2))
    x = clamped(fmt, (root * power(scale)) ** 2)
    return x if generator.random() < 0.9 else -x


def between(generator, fmt):
    """Return a number between two members: near a half, a third, or either end."""
    low = abs(member(generator, fmt)) or fmt.smallest
    low = fmt.largest if formats.special(low) else low
    place = max(formats.Real(low).binade() - fmt.p, lowest(fmt) - 1)
    tiny = power(-generator.choice((2, 20, 40, 3 * fmt.p)))
    fraction = generator.choice(
        (Fraction(1, 2), Fraction(1, 2) - tiny, Fraction(1, 2) + tiny, tiny, 1 - tiny, tiny * 3)
    )
    x = low + power(place) * fraction
    return x if generator.random() < 0.5 else -x
