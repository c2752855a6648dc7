"""`cvt`: between integers, between floats, and from one to the other."""

from __future__ import annotations

import numpy as np

from .integers import Operation
from .operands import Operands, constant_bits
from .parser import Instruction
from .types import bits_of, dtype

TO_INTEGRAL = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


def float_to_integer(values: np.ndarray, kind: np.dtype, rounding: str) -> np.ndarray:
    """Out of range the nearest there is; a NaN gives 0, or of 64 bits the greatest bit."""
    limits = np.iinfo(kind)
    whole = TO_INTEGRAL[rounding](values.astype(np.float64))
    above, below = whole >= float(limits.max), whole <= float(limits.min)
    nan = np.isnan(whole)
    result = np.where(above | below | nan, 0, whole).astype(kind)
    wide = kind.itemsize == 8 or values.dtype.itemsize == 8
    of_nan = np.array([1 << 8 * kind.itemsize - 1 if wide else 0], bits_of(kind)).view(kind)
    return np.where(above, limits.max, np.where(below, limits.min, np.where(nan, of_nan, result)))


def integer_to_float(values: np.ndarray, kind: np.dtype) -> np.ndarray:
    return values.astype(kind)  # rounded once, to nearest


def conversion(i: Instruction, to: np.dtype, of: np.dtype, rounding: str | None):
    """Return the function of an array of type `of`."""
    if to.kind != "f" and of.kind != "f":
        if rounding is not None:
            raise i.unknown()
        return lambda a: a.astype(to)
    if to.kind != "f":
        if rounding not in TO_INTEGRAL:
            raise i.unknown()
        return lambda a: float_to_integer(a, to, rounding)
    if of.kind != "f":
        if rounding != "rn":
            raise i.unknown("not to nearest")
        return lambda a: integer_to_float(a, to)
    if of == to:
        if rounding is not None and rounding not in TO_INTEGRAL:
            raise i.unknown()
        return TO_INTEGRAL[rounding] if rounding else lambda a: a
    if to.itemsize > of.itemsize:
        if rounding is not None:
            raise i.unknown()
        return lambda a: a.astype(to)
    if rounding != "rn":
        raise i.unknown("not to nearest")
    return lambda a: a.astype(to)


def convert(i: Instruction, o: Operands) -> Operation:
    """Of a wider register its lower bits; into a wider one extended by its sign, if it has one."""
    *rounding, to_name, of_name = i.modifiers
    if len(rounding) > 1:
        raise i.unknown()
    to, of = dtype(to_name), dtype(of_name)
    function = conversion(i, to, of, rounding[0] if rounding else None)
    out = o.raw(i, i.operands[0])
    wide = o.width(i.operands[0])
    if o.is_register(i.operands[1]):
        a = o.raw(i, i.operands[1])
    else:
        if constant_bits(i.operands[1], of) is None:
            raise i.unknown()
        a = o.read(i, i.operands[1], of)
    narrow = bits_of(of)

    def carry_out(R, m):
        values = R[a] if R[a].dtype == of else R[a].astype(narrow).view(of)
        result = function(values)
        if result.dtype != to:
            result = result.astype(to)
        extended = result.view(wide) if to.itemsize == wide.itemsize else result.astype(wide)
        np.copyto(R[out], extended, where=m)

    return carry_out


DECODERS = {"cvt": convert}
