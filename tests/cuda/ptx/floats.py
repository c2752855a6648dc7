"""Floating-point instructions: IEEE 754's, rounded to nearest, and the signs and comparisons."""

from __future__ import annotations

import numpy as np

from . import integers
from .integers import Operation, elementwise, ufunc
from .operands import Operands
from .parser import Instruction
from .types import dtype

ARITHMETIC = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
              "sqrt": np.sqrt, "rcp": lambda a: np.divide(a.dtype.type(1), a)}  # fmt: skip


def unordered(test: np.ufunc):
    return lambda a, b: test(a, b) | np.isnan(a) | np.isnan(b)


COMPARISONS = {
    "eq": np.equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "ne": lambda a, b: (a != b) & ~np.isnan(a) & ~np.isnan(b),
    "neu": np.not_equal, "equ": unordered(np.equal), "ltu": unordered(np.less),
    "leu": unordered(np.less_equal), "gtu": unordered(np.greater),
    "geu": unordered(np.greater_equal),
    "num": lambda a, b: ~(np.isnan(a) | np.isnan(b)), "nan": lambda a, b: np.isnan(a) | np.isnan(b),
}  # fmt: skip


def sign_bit(kind: np.dtype) -> np.generic:
    return np.dtype(f"u{kind.itemsize}").type(1 << 8 * kind.itemsize - 1)


def least(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A number rather than a NaN; -0 is less than +0."""
    smaller = np.where((a < b) | ((a == b) & np.signbit(a)), a, b)
    return np.where(np.isnan(b), a, np.where(np.isnan(a), b, smaller))


def greatest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    greater = np.where((a > b) | ((a == b) & np.signbit(b)), a, b)
    return np.where(np.isnan(b), a, np.where(np.isnan(a), b, greater))


def arithmetic(i: Instruction, o: Operands) -> Operation:
    *rounding, name = i.modifiers
    if rounding != ["rn"]:
        raise i.unknown("every operation on floats is rounded to nearest, and says so")
    kind = dtype(name)
    slots = [o.read(i, text, kind) for text in i.operands]
    function = ARITHMETIC[i.opcode]
    if isinstance(function, np.ufunc):
        return ufunc(function, *slots)
    return elementwise(function, *slots)


def sign(i: Instruction, o: Operands) -> Operation:
    """`neg`, `abs` change a bit, of a NaN too."""
    (name,) = i.modifiers
    kind = dtype(name)
    bits, mask = np.dtype(f"u{kind.itemsize}"), sign_bit(kind)
    out, a = (o.read(i, text, kind) for text in i.operands)
    if i.opcode == "neg":
        return elementwise(lambda x: (x.view(bits) ^ mask).view(kind), out, a)
    return elementwise(lambda x: (x.view(bits) & ~mask).view(kind), out, a)


def copy_sign(i: Instruction, o: Operands) -> Operation:
    out, a, b = (o.read(i, text, i.modifiers[-1]) for text in i.operands)
    return elementwise(lambda x, y: np.copysign(y, x), out, a, b)


def extreme(i: Instruction, o: Operands) -> Operation:
    if len(i.modifiers) != 1:
        raise i.unknown()
    slots = [o.read(i, text, i.modifiers[0]) for text in i.operands]
    return elementwise(least if i.opcode == "min" else greatest, *slots)


def test_property(i: Instruction, o: Operands) -> Operation:
    tests = {"finite": np.isfinite, "infinite": np.isinf, "notanumber": np.isnan,
             "number": lambda a: ~np.isnan(a)}  # fmt: skip
    which, name = i.modifiers
    if which not in tests:
        raise i.unknown()
    return elementwise(
        tests[which], o.read(i, i.operands[0], "pred"), o.read(i, i.operands[1], name)
    )


def fused(i: Instruction, o: Operands) -> Operation:
    raise i.unknown("a product and a sum with one rounding")


DECODERS = {
    **dict.fromkeys(ARITHMETIC, arithmetic),
    "neg": sign, "abs": sign, "copysign": copy_sign, "min": extreme, "max": extreme,
    "testp": test_property, "fma": fused, "mad": fused, "selp": integers.select,
    "mov": integers.move,
}  # fmt: skip
