"""Number formats, slow and obvious: exact rationals, rounded by comparing them.

A number is a `Fraction` where it is finite and not zero, and a float of Python where it is one of
0.0, -0.0, inf, -inf and nan. A format's members 0 < x are the multiples of a quantum that grows
with x; an operation takes the exact result and rounds it to a neighbour. Nothing here is fast,
and nothing here is shared with what it checks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

Number: TypeAlias = "Fraction | float"
Draw: TypeAlias = "Callable[[], int] | None"
ROUNDINGS = ("rn", "rz", "ru", "rd", "ra", "sr")
NAN, INFINITY = math.nan, math.inf


@dataclass(frozen=True)
class Format:
    """The numbers 0.1xxx * 2^e of p bits, emin <= e <= emax; and how results are rounded to them.

    With subnormals all multiples of 2^(emin-1) below the smallest number of p bits are members.
    The `reserved` greatest significands of the top binade are not. overflow: what lies beyond the
    largest member: infinity, nan or saturate; only the first has infinities.
    """

    p: int
    emin: int
    emax: int
    subnormals: bool = True
    overflow: str = "infinity"
    reserved: int = 0
    rounding: str = "rn"

    @property
    def largest(self) -> Fraction:
        """Return the largest member."""
        return (2**self.p - 1 - self.reserved) * power(self.emax - self.p)

    @property
    def smallest(self) -> Fraction:
        """Return the smallest positive member."""
        return power(self.emin - 1)

    def with_rounding(self, rounding: str) -> Format:
        """Return the same numbers, rounded to otherwise."""
        return replace(self, rounding=rounding)


def ieee(exponent_bits: int, fraction_bits: int) -> Format:
    """Return e<E>m<M>: biased exponents, of which the first is subnormal and the last special."""
    bias = 2 ** (exponent_bits - 1) - 1
    # The smallest positive number is 2^(1 - bias - M), the largest binade ends at 2^(bias + 1).
    return Format(fraction_bits + 1, 2 - bias - fraction_bits, bias + 1)


NAMED = {
    "float16": ieee(5, 10),
    "bfloat16": ieee(8, 7),
    "tfloat32": ieee(8, 10),
    "float32": ieee(8, 23),
    "float64": ieee(11, 52),
    "float80": Format(64, -16444, 16384),
    "float128": ieee(15, 112),
    "float8_e5m2": ieee(5, 2),
    "float8_e4m3fn": Format(4, -8, 9, overflow="nan", reserved=1),
}


def parse(text: str) -> Format:
    """Return NAME[:ROUNDING][:sat]."""
    name, *options = text.split(":")
    if name in NAMED:
        fmt = NAMED[name]
    elif name.startswith("mpfr"):
        fmt = Format(int(name[4:]), -1073741823, 1073741823, subnormals=False)
    elif name.startswith("p"):
        fmt = spelt_out(name)
    else:
        exponent_bits, _, fraction_bits = name.removeprefix("e").partition("m")
        fmt = ieee(int(exponent_bits), int(fraction_bits))
    for option in options:
        if option == "sat":
            fmt = replace(fmt, overflow="saturate")
        elif option in ROUNDINGS:
            fmt = fmt.with_rounding(option)
        else:
            raise ValueError(text)
    return fmt


def spelt_out(name: str) -> Format:
    """Return p<p>_emin<emin>_emax<emax>[_sub][_nan][_reserved<n>]."""
    p, emin, emax, *words = name.split("_")
    reserved = next((int(w[8:]) for w in words if w.startswith("reserved")), 0)
    overflow = "nan" if "nan" in words else "infinity"
    return Format(int(p[1:]), int(emin[4:]), int(emax[4:]), "sub" in words, overflow, reserved)


def power(exponent: int) -> Fraction:
    """Return 2^exponent."""
    return Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)


@dataclass(frozen=True)
class Real:
    """A positive real number that can be compared with rationals: r, or the square root of r."""

    r: Fraction
    root: bool = False

    def floor(self, place: int) -> int:
        """Return the largest n with n 2^place <= this."""
        if self.root:
            return math.isqrt(floor_of(self.r, -2 * place))
        return floor_of(self.r, -place)

    def compare(self, n: int, place: int) -> int:
        """Return the sign of this - n 2^place, n >= 0."""
        n, place = (n * n, 2 * place) if self.root else (n, place)
        left = self.r.numerator << max(-place, 0)
        right = n * self.r.denominator << max(place, 0)
        return (left > right) - (left < right)

    def binade(self) -> int:
        """Return the e with 2^(e-1) <= this < 2^e."""
        e = self.r.numerator.bit_length() - self.r.denominator.bit_length()
        e = e // 2 if self.root else e
        while self.compare(1, e) >= 0:
            e += 1
        while self.compare(1, e - 1) < 0:
            e -= 1
        return e


def floor_of(r: Fraction, exponent: int) -> int:
    """Return the largest integer that is at most r 2^exponent."""
    return (r.numerator << max(exponent, 0)) // (r.denominator << max(-exponent, 0))


def round_real(fmt: Format, negative: bool, x: Real, draw: Draw = None) -> Number:
    """Round -x or x to the format; draw gives the 32 bits of a stochastic rounding."""
    e = x.binade()
    # Members near x are the multiples of 2^place.
    whole = e >= fmt.emin + fmt.p - 1 if fmt.subnormals else e >= fmt.emin
    place = e - fmt.p if whole else fmt.emin - 1
    n = x.floor(place)
    if x.compare(n, place) > 0 and goes_up(fmt.rounding, negative, x, n, place, draw):
        n += 1
    if n == 0:
        return signed(negative, 0.0)
    magnitude: Number = n * power(place)
    if e >= fmt.emax and magnitude > fmt.largest:
        magnitude = beyond(fmt, negative)
    return -magnitude if negative else magnitude


def goes_up(rounding: str, negative: bool, x: Real, n: int, place: int, draw: Draw) -> bool:
    """Say whether x, between n and n + 1 times 2^place, becomes the greater one."""
    if rounding == "rn":
        side = x.compare(2 * n + 1, place - 1)
        return n % 2 == 1 if side == 0 else side > 0
    if rounding == "sr":
        if draw is None:
            raise ValueError("stochastic rounding without a draw")
        # 2w + 1 < 2^33 q with q = x / 2^place - n
        return x.compare((n << 33) + 2 * draw() + 1, place - 33) > 0
    return {"rz": False, "ra": True, "ru": not negative, "rd": negative}[rounding]


def beyond(fmt: Format, negative: bool) -> Number:
    """Return the magnitude of a finite result that is rounded beyond the largest member."""
    towards_zero = fmt.rounding == "rz" or fmt.rounding == ("ru" if negative else "rd")
    if towards_zero or fmt.overflow == "saturate":
        return fmt.largest
    return INFINITY if fmt.overflow == "infinity" else NAN


def special(x: Number) -> bool:
    """Say whether x is infinite or no number."""
    return isinstance(x, float) and not math.isfinite(x)


def is_negative(x: Number) -> bool:
    """Return the sign bit."""
    return math.copysign(1, x) < 0 if isinstance(x, float) else x < 0


def infinite(fmt: Format, x: float) -> float:
    """Return an infinite or undefined exact result in a format."""
    return x if fmt.overflow == "infinity" else NAN


def convert(fmt: Format, x: Number, draw: Draw = None) -> Number:
    """Round a number to the format."""
    if isinstance(x, float):
        return infinite(fmt, x) if special(x) else x
    return round_real(fmt, x < 0, Real(abs(x)), draw)


def nearest(fmt: Format, x: Number) -> Number:
    """Round data: to nearest even whatever the format's rounding."""
    return convert(fmt.with_rounding("rn"), x)


def add(fmt: Format, a: Number, b: Number, draw: Draw = None) -> Number:
    """Return a + b, rounded."""
    if special(a) or special(b):
        # Inf - Inf is NaN; a finite operand does not matter.
        left, right = (x if special(x) else 0.0 for x in (a, b))
        return infinite(fmt, left + right)
    total = Fraction(a) + Fraction(b)
    if total:
        return convert(fmt, total, draw)
    if a == 0 and is_negative(a) == is_negative(b):
        return a
    return -0.0 if fmt.rounding == "rd" else 0.0


def subtract(fmt: Format, a: Number, b: Number, draw: Draw = None) -> Number:
    """Return a - b, rounded."""
    return add(fmt, a, -b, draw)


def signed(negative: bool, x: float) -> float:
    """Return x >= 0 with a sign."""
    return -x if negative else x


def multiply(fmt: Format, a: Number, b: Number, draw: Draw = None) -> Number:
    """Return a * b, rounded."""
    product = exact_product(a, b)
    return convert(fmt, product, draw)


def exact_product(a: Number, b: Number) -> Number:
    """Return a * b."""
    negative = is_negative(a) != is_negative(b)
    if special(a) or special(b):
        undefined = a != a or b != b or a == 0 or b == 0
        return NAN if undefined else signed(negative, INFINITY)
    return a * b if a and b else signed(negative, 0.0)


def divide(fmt: Format, a: Number, b: Number, draw: Draw = None) -> Number:
    """Return a / b, rounded."""
    negative = is_negative(a) != is_negative(b)
    if a != a or b != b or (special(a) and special(b)) or (a == 0 and b == 0):
        return NAN
    if special(a) or b == 0:
        return infinite(fmt, signed(negative, INFINITY))
    if special(b) or a == 0:
        return signed(negative, 0.0)
    return convert(fmt, Fraction(a) / Fraction(b), draw)


def sqrt(fmt: Format, a: Number, draw: Draw = None) -> Number:
    """Return the square root of a, rounded."""
    if a == 0:
        return a
    if a != a or is_negative(a):
        return NAN
    if special(a):
        return infinite(fmt, a)
    return round_real(fmt, False, Real(Fraction(a), root=True), draw)


def fma(fmt: Format, a: Number, b: Number, c: Number, draw: Draw = None) -> Number:
    """Return a * b + c, rounded once."""
    return add(fmt, exact_product(a, b), c, draw)


def sum_exactly(fmt: Format, terms: Sequence[Number], draw: Draw = None) -> Number:
    """Return the sum of exact terms, rounded once; a zero sum has the sign that MPFR gives it."""
    if any(special(x) for x in terms):
        return infinite(fmt, sum((x for x in terms if special(x)), 0.0))
    total = sum((Fraction(x) for x in terms), Fraction(0))
    if total:
        return convert(fmt, total, draw)
    zeros = [x == 0 and is_negative(x) for x in terms]
    if fmt.rounding == "rd":
        return 0.0 if not any(zeros) and not any(terms) else -0.0
    return -0.0 if all(zeros) else 0.0


def positive_members(fmt: Format) -> Iterator[Fraction]:
    """Yield the positive members, ascending."""
    x, quantum = fmt.smallest, fmt.smallest
    if not fmt.subnormals:
        quantum = power(fmt.emin - fmt.p)
    while x <= fmt.largest:
        yield x
        e = Real(x).binade()
        quantum = max(quantum, power(e - fmt.p)) if fmt.subnormals else power(e - fmt.p)
        x += quantum


def members(fmt: Format) -> list[Number]:
    """Return all members: -inf, negative numbers, -0, +0, positive numbers, inf, nan."""
    positive: list[Number] = list(positive_members(fmt))
    if fmt.overflow == "infinity":
        positive.append(INFINITY)
    return [*(-x for x in reversed(positive)), -0.0, 0.0, *positive, NAN]


def of_float(x: float) -> Number:
    """Return a float of Python or NumPy as it is."""
    x = float(x)
    return Fraction(x) if x and math.isfinite(x) else x


def of_text(text: str) -> Number:
    """Read a decimal, a fraction or a hexadecimal floating-point number exactly."""
    text = text.strip().lower()
    negative, digits = text.startswith("-"), text.lstrip("+-")
    if digits in ("inf", "nan"):
        return signed(negative, float(digits))
    if digits.startswith("0x"):
        significand, _, exponent = digits[2:].partition("p")
        whole, _, fraction = significand.partition(".")
        value = int(whole + fraction, 16) * power(int(exponent or 0) - 4 * len(fraction))
    else:
        value = Fraction(digits)
    return signed(negative, 0.0) if value == 0 else -value if negative else value


def to_text(x: Number) -> str:
    """Write a dyadic number as precipice and C do: -0x1.8p-3, 0x0p+0, inf, nan."""
    if isinstance(x, float):
        if x != x:
            return "nan"
        return ("-" if is_negative(x) else "") + ("inf" if x else "0x0p+0")
    scale = x.denominator.bit_length() - 1
    if x.denominator != 2**scale:
        raise ValueError(f"{x} is not dyadic")
    return write(x < 0, abs(x.numerator), -scale)


def write(negative: bool, n: int, exponent: int) -> str:
    """Write -n 2^exponent or n 2^exponent, n > 0, with a leading 1."""
    bits = n.bit_length() - 1
    digits = f"{n << -bits % 4:x}"[1:].rstrip("0")  # the bits after the first, in fours
    return f"{'-' if negative else ''}0x1{'.' if digits else ''}{digits}p{bits + exponent:+d}"


def same(a: Number, b: Number) -> bool:
    """Say whether two numbers are the same, the sign of zero included."""
    if a != a or b != b:
        return a != a and b != b
    return a == b and is_negative(a) == is_negative(b)


def to_float(x: Number) -> float:
    """Round to float64, to nearest even."""
    return float(nearest(NAMED["float64"], x))


def draw_of(seed: int, run: int, step: int, call: int, element: int, index: int) -> int:
    """Return the 32 bits of one rounding: NumPy's Philox at its own key and counter."""
    counter = step | call << 64 | element << 128 | (index // 8) << 192
    # NumPy raises the counter before its first block.
    before = (counter - 1) % 2**256
    philox = np.random.Philox(
        key=np.array([seed, run], dtype=np.uint64),
        counter=np.array([before >> 64 * i & 2**64 - 1 for i in range(4)], dtype=np.uint64),
    )
    word = int(philox.random_raw(4)[index % 8 // 2])
    return word >> 32 if index % 2 else word & 2**32 - 1
