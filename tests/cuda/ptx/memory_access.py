"""Loads, stores, addresses of other spaces, atomics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .integers import Operation, elementwise
from .memory import LOCAL, PARAM, SPACES, WINDOW
from .operands import Address, Operands
from .parser import Instruction
from .types import bits_of, dtype

STRONG = {"volatile", "relaxed", "acquire", "release", "acq_rel", "mmio"}
SCOPES = {"cta", "cluster", "gpu", "sys"}
CACHES = {"nc", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "weak"}


@dataclass(frozen=True)
class Access:
    space: int | None  # None: generic addresses
    count: int  # of a vector
    kind: np.dtype
    rest: tuple[str, ...]  # of an atomic: its operation

    @property
    def bytes(self) -> int:
        return self.count * self.kind.itemsize


def access(i: Instruction) -> Access:
    space, count, rest = None, 1, []
    for name in i.modifiers[:-1]:
        if name.partition("::")[0] in SPACES:
            space = SPACES[name.partition("::")[0]]
        elif name in ("v2", "v4"):
            count = int(name[1])
        elif name not in STRONG | SCOPES | CACHES and not name.startswith(("L1::", "L2::")):
            rest.append(name)
    return Access(space, count, dtype(i.modifiers[-1]), tuple(rest))


def is_strong(i: Instruction) -> bool:
    """Whether other threads may be waited for with it: what a group gives up its turn after."""
    return i.opcode in ("atom", "red") or (i.opcode == "ld" and i.has(*STRONG))


def locate(i: Instruction, o: Operands, text: str, space: int | None):
    """Return a function of (R, m): the lanes that access, the memory, their places in it."""
    address: Address = o.address(i, text)
    variable = address.variable
    kernels = o.function.kernel
    if space == PARAM and not (kernels and (variable is None or variable in o.function.parameters)):
        space = LOCAL  # what a call passes on is on the stack

    def find(R, m):
        group = R.group
        if address.base is None:
            at = np.zeros(group.size, np.int64)
        else:
            base = R[address.base]
            at = base.view(np.int64) if base.dtype.itemsize == 8 else base.astype(np.int64)
        lanes = group.lanes
        if m is not True:
            lanes = np.flatnonzero(m)
            at = at[lanes]
        if address.offset:
            at = at + address.offset
        return lanes, at

    return space, find


def parts(memory_of, space, lanes, at):
    """Split by spaces: yield which of the lanes (None: all), a memory and places in it."""
    if space is not None:
        yield None, *memory_of(space, lanes, at)
        return
    windows = at >> WINDOW
    if len(at) == 0:
        return
    if (windows == windows[0]).all():
        yield None, *memory_of(int(windows[0]), lanes, at & ((1 << WINDOW) - 1))
        return
    for window in np.unique(windows):
        here = np.flatnonzero(windows == window)
        yield here, *memory_of(int(window), lanes[here], at[here] & ((1 << WINDOW) - 1))


def vector(text: str) -> list[str]:
    return [t.strip() for t in text[1:-1].split(",")] if text.startswith("{") else [text]


def load(i: Instruction, o: Operands) -> Operation:
    a = access(i)
    if a.rest:
        raise i.unknown()
    names = vector(i.operands[0])
    if len(names) != a.count:
        raise i.unknown()
    outs = [(k, o.raw(i, name), o.width(name)) for k, name in enumerate(names) if name != "_"]
    space, find = locate(i, o, i.operands[1], a.space)
    what, size = f"line {i.line}: {i.text}", a.kind.itemsize

    def carry_out(R, m):
        lanes, at = find(R, m)
        group = R.group
        for some, memory, place in parts(group.memory_of, space, lanes, at):
            if a.count > 1:
                memory.check(place, a.bytes, what)
            group.profile_access("load", memory, place, lanes if some is None else lanes[some], a)
            for k, out, wide in outs:
                values = memory.load(a.kind, place + k * size if k else place, what)
                values = values.view(wide) if wide.itemsize == size else values.astype(wide)
                if m is True and some is None:
                    R[out][...] = values
                else:
                    R[out][lanes if some is None else lanes[some]] = values

    return carry_out


def store(i: Instruction, o: Operands) -> Operation:
    a = access(i)
    if a.rest:
        raise i.unknown()
    names = vector(i.operands[1])
    if len(names) != a.count:
        raise i.unknown()
    narrow = bits_of(a.kind)
    sources = [o.raw(i, name) if o.is_register(name) else o.read(i, name, narrow) for name in names]
    space, find = locate(i, o, i.operands[0], a.space)
    what, size = f"line {i.line}: {i.text}", a.kind.itemsize

    def carry_out(R, m):
        lanes, at = find(R, m)
        group = R.group
        for some, memory, place in parts(group.memory_of, space, lanes, at):
            which = lanes if some is None else lanes[some]
            if a.count > 1:
                memory.check(place, a.bytes, what)
            group.profile_access("store", memory, place, which, a)
            for k, source in enumerate(sources):
                values = R[source] if m is True and some is None else R[source][which]
                memory.store(narrow, place + k * size if k else place, values.astype(narrow), what)

    return carry_out


def to_address(i: Instruction, o: Operands) -> Operation:
    """`cvta`: a generic address is a window's number above the address within the space."""
    to, name, kind = i.modifiers if i.modifiers[0] == "to" else ("", *i.modifiers)
    if kind != "u64" or name.partition("::")[0] not in SPACES:
        raise i.unknown()
    window = np.uint64(SPACES[name.partition("::")[0]] << WINDOW)
    out, a = (o.read(i, text, "u64") for text in i.operands)
    if to:
        return elementwise(lambda x: x & np.uint64((1 << WINDOW) - 1), out, a)
    return elementwise(lambda x: x | window, out, a)


def is_space(i: Instruction, o: Operands) -> Operation:
    """`isspacep`."""
    window = np.uint64(SPACES[i.modifiers[0].partition("::")[0]])
    out, a = o.read(i, i.operands[0], "pred"), o.read(i, i.operands[1], "u64")
    return elementwise(lambda x: x >> np.uint64(WINDOW) == window, out, a)


ATOMICS = {
    "add": lambda old, b: old + b, "and": lambda old, b: old & b, "or": lambda old, b: old | b,
    "xor": lambda old, b: old ^ b, "exch": lambda old, b: b, "min": min, "max": max,
    "inc": lambda old, b: 0 if old >= b else old + 1,
    "dec": lambda old, b: b if old == 0 or old > b else old - 1,
}  # fmt: skip


def atomic(i: Instruction, o: Operands) -> Operation:
    """Lane after lane. Sums of floats are not known: their order is nobody's."""
    a = access(i)
    if len(a.rest) != 1 or a.kind.kind == "f":
        raise i.unknown()
    (name,) = a.rest
    if name not in ATOMICS and name != "cas":
        raise i.unknown()
    reads = i.opcode == "atom"
    out = o.read(i, i.operands[0], a.kind) if reads and i.operands[0] != "_" else None
    where, *values = i.operands[1:] if reads else i.operands
    slots = [o.read(i, text, a.kind) for text in values]
    space, find = locate(i, o, where, a.space)
    what, size = f"line {i.line}: {i.text}", a.kind.itemsize

    def once(R, memory, place, lane):
        memory.check(place, size, what)
        view, at = memory.view(a.kind), int(place[0]) // size
        old, given = int(view[at]), [int(R[s][lane]) for s in slots]
        if name == "cas":
            new = given[1] if old == given[0] else old
        else:
            new = ATOMICS[name](old, *given)
        memory.view(bits_of(a.kind))[at] = new % (1 << 8 * size)
        if out is not None:
            R[out][lane] = old

    def carry_out(R, m):
        lanes, at = find(R, m)
        for lane, address in zip(lanes, at, strict=True):
            one = np.array([lane]), np.array([address])
            for _, memory, place in parts(R.group.memory_of, space, *one):
                R.group.profile_access("atomic", memory, place, one[0], a)
                once(R, memory, place, lane)

    return carry_out


def nothing(i: Instruction, o: Operands) -> Operation:
    """Fences: accesses happen in the order of the text here."""
    return lambda R, m: None


DECODERS = {
    "ld": load, "ldu": load, "st": store, "cvta": to_address, "isspacep": is_space,
    "atom": atomic, "red": atomic,
    **dict.fromkeys(["membar", "fence", "nanosleep"], nothing),
}  # fmt: skip
