"""Whatever rounds a number to a format: asked for operations on the oracle's numbers.

A subject takes an operation's name, a format of the oracle and lists of operands, and returns the
results as text, exact and one way of writing each number (`oracles.formats.to_text`).
"""

from __future__ import annotations

import math
from functools import lru_cache

import gmpy2
import ml_dtypes
import numpy as np

from oracles import formats
from precipice import _core
from precipice.precision import Precision
from precipice.rounding import Rounder

OPERATIONS = ("add", "subtract", "multiply", "divide", "sqrt", "fma", "convert")
DIRECTIONS = {
    "rn": gmpy2.RoundToNearest,
    "rz": gmpy2.RoundToZero,
    "ru": gmpy2.RoundUp,
    "rd": gmpy2.RoundDown,
    "ra": gmpy2.RoundAwayZero,
}
METHODS = {"subtract": "sub", "multiply": "mul", "divide": "div"}  # of gmpy2
ML_DTYPES = {
    formats.parse("float8_e4m3fn"): ml_dtypes.float8_e4m3fn,
    formats.parse("float8_e5m2"): ml_dtypes.float8_e5m2,
    formats.parse("e3m4"): ml_dtypes.float8_e3m4,
    formats.parse("e4m3"): ml_dtypes.float8_e4m3,
    formats.parse("bfloat16"): ml_dtypes.bfloat16,
    formats.parse("float16"): np.float16,
}


def text(x):
    """Write a number."""
    return formats.to_text(x) if isinstance(x, float) else _text(x)  # 0.0 and -0.0 are equal


_text = lru_cache(maxsize=20_000)(formats.to_text)


@lru_cache(maxsize=1000)
def precision_of(fmt):
    """Return the package's format."""
    return Precision(
        bits=fmt.p, emin=fmt.emin, emax=fmt.emax, subnormals=fmt.subnormals,
        overflow=fmt.overflow, reserved=fmt.reserved, rounding=fmt.rounding,
    )  # fmt: skip


def mpfr_of(x):
    """Return a dyadic number exactly, of as many bits as it needs."""
    return gmpy2.mpfr(x, 2) if isinstance(x, float) else _mpfr_of(x)


@lru_cache(maxsize=2000)
def _mpfr_of(x):
    bits = max(2, abs(x.numerator).bit_length())
    with gmpy2.context(precision=bits, emin=gmpy2.get_emin_min(), emax=gmpy2.get_emax_max()):
        return gmpy2.div_2exp(gmpy2.mpfr(x.numerator), x.denominator.bit_length() - 1)


def text_of_mpfr(x):
    """Write a gmpy2 number."""
    if gmpy2.is_nan(x):
        return "nan"
    if gmpy2.is_infinite(x) or gmpy2.is_zero(x):
        return text(math.copysign(float(x), -1.0 if gmpy2.is_signed(x) else 1.0))
    mantissa, exponent = map(int, x.as_mantissa_exp())
    return formats.write(mantissa < 0, abs(mantissa), exponent)


class Staged:
    """The core's rounding of MPFR numbers."""

    name = "staged"
    carrier = "staged"

    def supports(self, fmt, operation):
        """Say whether it has an operation in a format."""
        return True

    def __call__(self, operation, fmt, *operands, draws=()):
        """Carry an operation out."""
        texts = [[*map(text, values)] for values in operands]
        third = {"c": texts.pop()} if len(texts) == 3 else {}
        return _core.operate(
            operation, precision_of(fmt).core_format(), *texts, **third,
            draws=[*draws], carrier=self.carrier,
        )  # fmt: skip


class Carried(Staged):
    """float32 or float64 holding the format's numbers; operands are members."""

    def __init__(self, carrier):
        self.name = self.carrier = carrier

    def supports(self, fmt, operation):
        """Say whether it has an operation in a format."""
        core = precision_of(fmt).core_format()
        return operation not in ("fma", "convert") and _core.carries(core, self.carrier)


class Space(Staged):
    """The Space that trains in the format here; its result may replace an operand."""

    def __init__(self, onto=""):
        self.name, self.onto = f"space{onto and ', onto '}{onto}", onto

    def supports(self, fmt, operation):
        """Say whether it has an operation in a format."""
        return operation in ("add", "subtract", "multiply") and fmt.rounding == "rn"

    def __call__(self, operation, fmt, *operands, draws=()):
        """Carry an operation out."""
        texts = [[*map(text, values)] for values in operands]
        core = precision_of(fmt).core_format()
        return _core.operate(operation, core, *texts, carrier="space", onto=self.onto)


class Reference:
    """The reference engine's Rounder."""

    name = "Rounder"

    def supports(self, fmt, operation):
        """Say whether it has an operation in a format."""
        return True

    def __call__(self, operation, fmt, *operands, draws=()):
        """Carry an operation out."""
        draws = list(draws)
        rounder = Rounder(precision_of(fmt), draws.__getitem__)
        method = getattr(rounder, operation)
        numbers = [[*map(mpfr_of, values)] for values in operands]
        return [
            text_of_mpfr(method(*values, i)) for i, values in enumerate(zip(*numbers, strict=True))
        ]


class Mpfr:
    """MPFR itself with (p, emin, emax) and subnormalize, through gmpy2."""

    name = "MPFR"

    def supports(self, fmt, operation):
        """Say whether it has an operation in a format."""
        return fmt.overflow == "infinity" and fmt.rounding in DIRECTIONS

    def __call__(self, operation, fmt, *operands, draws=()):
        """Carry an operation out."""
        context = gmpy2.context(
            precision=fmt.p, emin=fmt.emin, emax=fmt.emax, subnormalize=fmt.subnormals,
            round=DIRECTIONS[fmt.rounding],
        )  # fmt: skip
        numbers = [[*map(mpfr_of, values)] for values in operands]
        if operation == "convert":
            one = mpfr_of(formats.Fraction(1))
            return [text_of_mpfr(context.mul(one, x)) for x in numbers[0]]
        method = getattr(context, METHODS.get(operation, operation))
        return [text_of_mpfr(method(*values)) for values in zip(*numbers, strict=True)]


class MlDtypes:
    """ml_dtypes and NumPy's float16: every operation is one of float32, rounded once more.

    Two roundings are one here: these formats have p <= 11 bits, and for + - * / and square roots
    of numbers of p bits a rounding to 2p + 2 <= 24 bits first changes nothing (Figueroa 1995).
    Where float32's own range ends, with bfloat16's subnormal numbers: sums are exact, and a
    product or quotient of 8-bit significands is no closer to a midpoint than float32's quantum
    unless it lies on it.
    """

    name = "ml_dtypes"

    def supports(self, fmt, operation):
        """Say whether it has an operation in a format."""
        return fmt in ML_DTYPES and operation not in ("fma", "convert")

    def __call__(self, operation, fmt, *operands, draws=()):
        """Carry an operation out."""
        dtype = ML_DTYPES[fmt]
        arrays = [np.array([*map(float, values)], dtype=np.float32).astype(dtype)
                  for values in operands]  # fmt: skip
        with np.errstate(all="ignore"):
            results = getattr(np, operation)(*arrays).astype(np.float64)
        return [text(formats.of_float(x)) for x in results.tolist()]


SUBJECTS = [
    Staged(), Carried("carried32"), Carried("carried64"), Space(), Space("a"), Space("b"),
    Reference(), Mpfr(), MlDtypes(),
]  # fmt: skip


def expected(operation, fmt, *operands, draws=()):
    """Return the oracle's results as text."""
    method = getattr(formats, operation)
    found = []
    for i, values in enumerate(zip(*operands, strict=True)):
        found.append(text(method(fmt, *values, (lambda i=i: draws[i]) if draws else None)))
    return found
