"""Operations on numbers as nvcc compiles them, carried out: soft ones against exact rationals."""

from __future__ import annotations

import random
import re
import struct

import numpy as np
import pytest

from cuda.compiled import HERE, NO_NVCC, NVCC, module_of, ptx_of
from cuda.ptx import Machine
from oracles import formats as oracle

pytestmark = pytest.mark.skipif(NVCC is None, reason=NO_NVCC)

SOURCE = HERE / "lane_numbers.cu"
OPERATIONS = [oracle.add, oracle.subtract, oracle.multiply, oracle.divide]
SEED, RUN, STEP, CALL = 2**63 + 17, 3, 1000, 12

# SoftRounding::Constants; a kernel's launch checks the size.
CONSTANTS = np.dtype(
    [*[(name, np.int32) for name in ("direction", "precision", "full", "greatest", "place")],
     *[(name, np.float64) for name in ("largest", "beyond", "infinite")]], align=True
)  # fmt: skip

FORMATS = {
    "float8_e4m3fn": oracle.NAMED["float8_e4m3fn"],
    "e4m3fn saturating": oracle.parse("float8_e4m3fn:sat"),
    "bfloat16": oracle.NAMED["bfloat16"],
    "float32": oracle.NAMED["float32"],
    "25 bits, to float64's ends": oracle.Format(25, -1073, 1024),
    "25 bits, no subnormals": oracle.Format(25, -1049, 1024, subnormals=False),
    "2 bits, few exponents": oracle.Format(2, -3, 4, subnormals=False, overflow="nan", reserved=1),
}


def constants(fmt):
    full = fmt.emin + fmt.p - 1 if fmt.subnormals else fmt.emin
    infinite = np.inf if fmt.overflow == "infinity" else np.nan
    largest = float(fmt.largest)
    beyond = largest if fmt.overflow == "saturate" else infinite
    direction = oracle.ROUNDINGS.index(fmt.rounding)
    row = (direction, fmt.p, full, fmt.emax, fmt.emin - 1, largest, beyond, infinite)
    return np.array([row], CONSTANTS)


def operands(fmt, count):
    """Members near each other, near the ends of the range and anywhere; zeros, infinities, NaN."""
    draw = random.Random(count)
    special = [0.0, -0.0, np.nan, *([np.inf, -np.inf] if fmt.overflow == "infinity" else [])]

    def member(exponent):
        significand = draw.choice([draw.randrange(2 ** (fmt.p - 1), 2**fmt.p), 2 ** (fmt.p - 1),
                                   2**fmt.p - 1])  # fmt: skip
        x = oracle.nearest(fmt, significand * oracle.power(exponent - fmt.p))
        return float(x) * draw.choice([-1, 1])

    def exponent():
        anywhere = draw.randint(fmt.emin, fmt.emax)
        return draw.choice([anywhere, fmt.emin + draw.randrange(fmt.p), fmt.emax])

    def pair():
        e = exponent()
        near = e + draw.randint(-fmt.p - 2, fmt.p + 2)
        mirrored = draw.choice([fmt.emin, fmt.emax]) - e + draw.randint(-2, fmt.p)
        a, b = member(e), member(draw.choice([near, mirrored, exponent()]))
        return [draw.choice(special) if draw.random() < 0.05 else x for x in (a, b)]

    return np.array([pair() for _ in range(count)]).T


@pytest.mark.parametrize("rounding", oracle.ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_soft_numbers_round_as_defined(name, rounding):
    fmt = FORMATS[name].with_rounding(rounding)
    a, b = operands(fmt, 64)
    module = module_of(SOURCE)
    machine = Machine(module, 1 << 16)
    pointers = [machine.upload(x) for x in (a, b, np.zeros(4 * a.size))]
    draws = struct.pack("<4Q", SEED, RUN, STEP, CALL)
    arguments = [constants(fmt).tobytes(), draws, *(struct.pack("<Q", p) for p in pointers)]
    machine.launch(module.kernel("SoftNumbers"), 2, 32, arguments)
    got = machine.download(pointers[2], float, 4 * a.size)
    for i in range(got.size):
        x, y = oracle.of_float(a[i // 4]), oracle.of_float(b[i // 4])
        expected = OPERATIONS[i % 4](
            fmt, x, y, lambda i=i: oracle.draw_of(SEED, RUN, STEP, CALL, i // 4, i % 4)
        )
        assert oracle.same(oracle.of_float(got[i]), expected), (i % 4, x, y, got[i], expected)


def test_every_floating_point_operation_rounds_once_to_nearest():
    text = ptx_of(SOURCE)
    operations = re.findall(r"^\s*((?:add|sub|mul|div|fma|mad)\.\S*f(?:32|64))", text, re.MULTILINE)
    assert {operation.split(".")[1] for operation in operations} == {"rn"}
    assert {operation.split(".")[0] for operation in operations} == {"add", "sub", "mul", "div"}
    assert ".ftz" not in text
    assert ".approx" not in text
    assert text.count(".entry") == 5
