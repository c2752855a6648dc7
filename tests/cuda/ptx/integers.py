"""Integer, logical and bit instructions; moves, selections and comparisons of integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import PtxError
from .operands import Operands
from .parser import Instruction
from .types import PREDICATE, dtype

# (R, m): R the arrays of the slots, m the lanes: True or an array.
Operation = Callable[[list, object], None]


def elementwise(function: Callable, out: int, *inputs: int) -> Operation:
    """`out = function(inputs)` by a function that is no ufunc."""

    def carry_out(R, m):
        np.copyto(R[out], function(*(R[i] for i in inputs)), where=m)

    return carry_out


def ufunc(function: np.ufunc, out: int, *inputs: int) -> Operation:
    if len(inputs) == 1:
        (a,) = inputs

        def one(R, m):
            function(R[a], out=R[out], where=m)

        return one
    a, b = inputs

    def two(R, m):
        function(R[a], R[b], out=R[out], where=m)

    return two


def wide(kind: np.dtype) -> np.dtype:
    return np.dtype(f"{kind.kind}{2 * kind.itemsize}")


def multiply_high(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The upper half of a product."""
    kind = a.dtype
    if kind.itemsize < 8:
        return (a.astype(wide(kind)) * b.astype(wide(kind)) >> 8 * kind.itemsize).astype(kind)
    x, y = a.view(np.uint64), b.view(np.uint64)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    x0, x1, y0, y1 = x & low, x >> half, y & low, y >> half
    middle = (x0 * y0 >> half) + (x1 * y0 & low) + (x0 * y1 & low)
    high = x1 * y1 + (x1 * y0 >> half) + (x0 * y1 >> half) + (middle >> half)
    if kind.kind == "i":  # of two's complement
        high = high - np.where(a < 0, y, np.uint64(0)) - np.where(b < 0, x, np.uint64(0))
    return high.view(kind)


def divide(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Toward zero; what division by zero gives is not defined: 0 here."""
    safe = np.where(b == 0, b.dtype.type(1), b)
    if a.dtype.kind == "u":
        return np.where(b == 0, a.dtype.type(0), a // safe)
    quotient = a // safe
    return np.where(
        b == 0, a.dtype.type(0), quotient + ((a - quotient * safe != 0) & (quotient < 0))
    )


def remainder(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a - divide(a, b) * b


def shift_left(a: np.ndarray, s: np.ndarray) -> np.ndarray:
    bits = 8 * a.dtype.itemsize
    return np.where(s < bits, a << np.minimum(s, bits - 1).astype(a.dtype), a.dtype.type(0))


def shift_right(a: np.ndarray, s: np.ndarray) -> np.ndarray:
    bits = 8 * a.dtype.itemsize
    shifted = a >> np.minimum(s, bits - 1).astype(a.dtype)
    return shifted if a.dtype.kind == "i" else np.where(s < bits, shifted, a.dtype.type(0))


def funnel(left: bool, wraps: bool) -> Callable:
    def shift(a, b, c):
        n = (c & np.uint32(31) if wraps else np.minimum(c, np.uint32(32))).astype(np.uint64)
        both = b.astype(np.uint64) << np.uint64(32) | a
        if left:
            return ((both << n) >> np.uint64(32)).astype(np.uint32)
        return (both >> n).astype(np.uint32)

    return shift


def permute_bytes(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    both = b.astype(np.uint64) << np.uint64(32) | a
    out = np.zeros_like(a)
    for i in range(4):
        select = (c >> np.uint32(4 * i)) & np.uint32(15)
        byte = (both >> (8 * (select & np.uint32(7))).astype(np.uint64)).astype(np.uint32) & 255
        sign = np.where(byte & 128, np.uint32(255), np.uint32(0))
        out |= np.where(select & 8, sign, byte).astype(np.uint32) << np.uint32(8 * i)
    return out


def extract_field(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    bits = 8 * a.dtype.itemsize
    out = np.empty_like(a)
    for i, (value, start, length) in enumerate(
        zip(a.tolist(), b.tolist(), c.tolist(), strict=True)
    ):
        start, length = start & 255, length & 255
        field = (value >> start) & ((1 << length) - 1) if a.dtype.kind == "u" else None
        if field is None:  # signed: above the number its sign
            whole = value >> min(start, bits - 1)
            field = whole & ((1 << length) - 1) if length else 0
            last = min(start + length - 1, bits - 1)
            if length and value >> last & 1:
                field -= 1 << min(length, bits)
            field = (field + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
        out[i] = field & (1 << bits) - 1 if a.dtype.kind == "u" else field
    return out


def insert_field(a, b, c, d):
    bits = 8 * a.dtype.itemsize
    out = np.empty_like(a)
    for i in range(len(a)):
        start, length = int(c[i]) & 255, int(d[i]) & 255
        mask = (((1 << length) - 1) << start) & ((1 << bits) - 1)
        out[i] = int(b[i]) & ~mask | (int(a[i]) << start) & mask
    return out


def count(function: Callable[[int, int], int]) -> Callable:
    def counted(a):
        bits = 8 * a.dtype.itemsize
        return np.array([function(int(v), bits) for v in a], np.uint32)

    return counted


def find_leading(a: np.ndarray) -> np.ndarray:
    """The place of the most significant bit (of a negative number: that is not the sign)."""
    return np.array([(~int(v) if v < 0 else int(v)).bit_length() - 1 for v in a]).astype(np.uint32)


COUNTS = {
    "popc": lambda v, bits: v.bit_count() if hasattr(v, "bit_count") else bin(v).count("1"),
    "clz": lambda v, bits: bits - v.bit_length(),
}
SIMPLE = {"add": np.add, "sub": np.subtract, "and": np.bitwise_and, "or": np.bitwise_or,
          "xor": np.bitwise_xor, "not": np.invert, "min": np.minimum, "max": np.maximum,
          "neg": np.negative, "abs": np.absolute}  # fmt: skip
PLAIN = {"div": divide, "rem": remainder}
COMPARISONS = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
               "gt": np.greater, "ge": np.greater_equal, "lo": np.less, "ls": np.less_equal,
               "hi": np.greater, "hs": np.greater_equal}  # fmt: skip


def multiply(i: Instruction, o: Operands) -> Operation:
    """`mul` and `mad` with .lo, .hi or .wide."""
    part, kind = i.modifiers[0], dtype(i.modifiers[-1])
    if len(i.modifiers) != 2 or part not in ("lo", "hi", "wide"):
        raise i.unknown()
    product = {
        "lo": np.multiply,
        "hi": multiply_high,
        "wide": lambda a, b: a.astype(wide(kind)) * b.astype(wide(kind)),
    }[part]
    result = wide(kind) if part == "wide" else kind
    out = o.read(i, i.operands[0], result)
    a, b = (o.read(i, name, kind) for name in i.operands[1:3])
    if i.opcode == "mul":
        return elementwise(product, out, a, b)
    c = o.read(i, i.operands[3], result)
    return elementwise(lambda x, y, z: product(x, y) + z, out, a, b, c)


def shift(i: Instruction, o: Operands) -> Operation:
    (name,) = i.modifiers
    kind = dtype(name)
    if name.startswith("b"):
        kind = np.dtype(f"u{kind.itemsize}")
    function = shift_left if i.opcode == "shl" else shift_right
    out, a = (o.read(i, text, kind) for text in i.operands[:2])
    return elementwise(function, out, a, o.read(i, i.operands[2], "u32"))


def by_table(i: Instruction, o: Operands) -> Operation:
    """`lop3`: the function of three bits that a table of eight bits is."""
    if i.modifiers != ("b32",):
        raise i.unknown()
    out, a, b, c = (o.read(i, text, "u32") for text in i.operands[:4])
    table = int(i.operands[4], 0)

    def carry_out(R, m):
        result = np.zeros_like(R[a])
        for entry in range(8):
            if table >> entry & 1:
                x = R[a] if entry & 4 else ~R[a]
                y = R[b] if entry & 2 else ~R[b]
                z = R[c] if entry & 1 else ~R[c]
                result |= x & y & z
        np.copyto(R[out], result, where=m)

    return carry_out


def select(i: Instruction, o: Operands) -> Operation:
    out, a, b = (o.read(i, text, i.modifiers[-1]) for text in i.operands[:3])
    return elementwise(
        lambda x, y, p: np.where(p, x, y), out, a, b, o.read(i, i.operands[3], "pred")
    )


def compare(i: Instruction, o: Operands, comparisons: dict[str, Callable]) -> Operation:
    """`setp`, with a second predicate of the opposite and a third that is combined with."""
    name, kind = i.modifiers[0], i.modifiers[-1]
    combine = {(): None, ("and",): np.logical_and, ("or",): np.logical_or, ("xor",): np.logical_xor}
    if name not in comparisons or i.modifiers[1:-1] not in combine:
        raise i.unknown()
    test, combined = comparisons[name], combine[i.modifiers[1:-1]]
    outs = [o.read(i, text.strip(), "pred") for text in i.operands[0].split("|")]
    a, b = (o.read(i, text, kind) for text in i.operands[1:3])
    if combined is None and len(outs) == 1 and isinstance(test, np.ufunc):
        return ufunc(test, outs[0], a, b)
    negated = combined is not None and i.operands[3].startswith("!")
    c = o.read(i, i.operands[3].lstrip("!"), "pred") if combined is not None else None

    def carry_out(R, m):
        holds = test(R[a], R[b])
        third = None if c is None else (~R[c] if negated else R[c].copy())
        for out, value in zip(outs, (holds, ~holds), strict=False):
            np.copyto(R[out], value if third is None else combined(value, third), where=m)

    return carry_out


def funnel_shift(i: Instruction, o: Operands) -> Operation:
    direction, mode, kind = i.modifiers
    if direction not in "lr" or mode not in ("wrap", "clamp") or kind != "b32":
        raise i.unknown()
    slots = [o.read(i, text, "u32") for text in i.operands]
    return elementwise(funnel(direction == "l", mode == "wrap"), *slots)


def with_carry(i: Instruction, o: Operands) -> Operation:
    """`add.cc`, `addc`, `sub.cc`, `subc`: the carry is a register that no text names."""
    kind = np.dtype(f"u{dtype(i.modifiers[-1]).itemsize}")
    keeps, takes = i.has("cc"), i.opcode in ("addc", "subc")
    if set(i.modifiers[:-1]) - {"cc"}:
        raise i.unknown()
    o.function.registers.setdefault("carry flag", "pred")
    flag = o.slot("register", "carry flag", 0, np.dtype(bool))
    out, a, b = (o.read(i, text, kind) for text in i.operands)
    subtracts = i.opcode.startswith("sub")

    def carry_out(R, m):
        x, y = R[a].copy(), R[b].copy()
        carried = R[flag].astype(kind) if takes else np.zeros_like(x)
        result = x - y - carried if subtracts else x + y + carried
        if keeps:
            out_of = (x < y) | ((x == y) & (carried != 0))
            over = (result < x) | ((result == x) & (carried != 0))
            np.copyto(R[flag], out_of if subtracts else over, where=m)
        np.copyto(R[out], result, where=m)

    return carry_out


def move(i: Instruction, o: Operands) -> Operation:
    """`mov`, which packs and unpacks vectors too."""
    (name,) = i.modifiers
    to, of = i.operands
    if to.startswith("{"):
        return unpack(i, o, [t.strip() for t in to[1:-1].split(",")], of)
    if of.startswith("{"):
        return pack(i, o, to, [t.strip() for t in of[1:-1].split(",")])
    kind = dtype(name)
    out, a = o.read(i, to, kind), o.read(i, of, kind)
    return elementwise(lambda x: x, out, a)


def unpack(i: Instruction, o: Operands, to: list[str], of: str) -> Operation:
    whole = dtype(i.modifiers[0])
    part = np.dtype(f"u{whole.itemsize // len(to)}")
    source = o.read(i, of, np.dtype(f"u{whole.itemsize}"))
    outs = [(k, o.read(i, name, part)) for k, name in enumerate(to) if name != "_"]

    def carry_out(R, m):
        parts = np.ascontiguousarray(R[source]).view(part).reshape(-1, len(to)).copy()
        for k, out in outs:
            np.copyto(R[out], parts[:, k], where=m)

    return carry_out


def pack(i: Instruction, o: Operands, to: str, of: list[str]) -> Operation:
    whole = np.dtype(f"u{dtype(i.modifiers[0]).itemsize}")
    part = np.dtype(f"u{whole.itemsize // len(of)}")
    out = o.read(i, to, whole)
    parts = [o.read(i, name, part) for name in of]
    return elementwise(lambda *p: np.stack(p, axis=1).reshape(-1).view(whole), out, *parts)


def fields(function: Callable, sizes: int) -> Callable:
    """`bfe`, `bfi`: the last two operands are of 32 bits."""

    def decode(i: Instruction, o: Operands) -> Operation:
        (name,) = i.modifiers
        slots = [o.read(i, text, dtype(name)) for text in i.operands[:sizes]]
        return elementwise(function, *slots, *(o.read(i, t, "u32") for t in i.operands[sizes:]))

    return decode


def counted(i: Instruction, o: Operands) -> Operation:
    (name,) = i.modifiers
    function = find_leading if i.opcode == "bfind" else count(COUNTS[i.opcode])
    return elementwise(function, o.read(i, i.operands[0], "u32"), o.read(i, i.operands[1], name))


def reverse(i: Instruction, o: Operands) -> Operation:
    kind = dtype(i.modifiers[0])
    bits = 8 * kind.itemsize
    function = lambda a: np.array([int(f"{int(v):0{bits}b}"[::-1], 2) for v in a], kind)  # noqa: E731
    return elementwise(function, *(o.read(i, text, kind) for text in i.operands))


def permute(i: Instruction, o: Operands) -> Operation:
    if i.modifiers != ("b32",):
        raise i.unknown()
    return elementwise(permute_bytes, *(o.read(i, text, "u32") for text in i.operands))


def simple(i: Instruction, o: Operands) -> Operation:
    if i.has("cc"):
        return with_carry(i, o)
    if len(i.modifiers) != 1:
        raise i.unknown()
    kind = dtype(i.modifiers[0])
    slots = [o.read(i, text, kind) for text in i.operands]
    if i.opcode in PLAIN:
        return elementwise(PLAIN[i.opcode], *slots)
    if kind == PREDICATE and i.opcode == "not":
        return ufunc(np.logical_not, *slots)
    return ufunc(SIMPLE[i.opcode], *slots)


def trap(i: Instruction, o: Operands) -> Operation:
    def carry_out(R, m):
        raise PtxError(f"line {i.line}: trap")

    return carry_out


DECODERS = {
    **dict.fromkeys([*SIMPLE, *PLAIN], simple),
    **dict.fromkeys(["addc", "subc"], with_carry),
    **dict.fromkeys(["popc", "clz", "bfind"], counted),
    "mul": multiply, "mad": multiply, "shl": shift, "shr": shift, "lop3": by_table,
    "selp": select, "shf": funnel_shift, "prmt": permute, "brev": reverse, "mov": move,
    "bfe": fields(extract_field, 2), "bfi": fields(insert_field, 3), "trap": trap,
}  # fmt: skip
