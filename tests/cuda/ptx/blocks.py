"""A function as basic blocks: operations in a row, then where the lanes go."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from . import conversions, floats, integers, memory_access
from .exchange import Exchange, exchange
from .integers import Operation
from .operands import Operands
from .parser import Function, Instruction, Module
from .types import DTYPES

FLOAT = {"f32", "f64"}


@dataclass
class Barrier:
    """Of the block; with a reduction of a predicate over its lanes."""

    number: int  # a slot
    threads: int | None  # a slot; None: all of the block
    arrives: bool  # without waiting
    reduce: str | None  # and or popc
    out: int | None
    predicate: int | None
    negated: bool
    what: str


@dataclass
class Call:
    function: str
    arguments: list[str]
    results: list[str]
    what: str


@dataclass
class Block:
    operations: list[Operation] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    end: str = "next"  # next jump branch table return exit pause barrier exchange call
    guard: int | None = None  # of a branch, a return or an exit
    negated: bool = False
    to: int = 0
    table: list[int] = field(default_factory=list)
    index: int = 0
    together: Barrier | Exchange | Call | None = None
    line: int = 0

    def classes(self) -> Counter[str]:
        """How many instructions of each class a lane carries out here."""
        return Counter(class_of(i) for i in self.instructions)


@dataclass
class Code:
    function: Function
    operands: Operands
    blocks: list[Block]


def class_of(i: Instruction) -> str:
    """The unit of the machine that an instruction keeps busy.

    A barrier of a grid is known by the atomic with which a block comes to it.
    """
    if i.opcode == "atom" and i.has("release", "acq_rel"):
        return "grid_barrier"
    if i.opcode in ("ld", "st", "atom", "red"):
        spaces = ("global", "shared", "local", "param", "const")
        space = next((s for s in spaces if i.has(s, f"{s}::cta")), "generic")
        return f"{i.opcode}.{space}"
    if i.opcode == "cvt":
        return "cvt.f64" if i.has("f64") else "cvt"
    if i.opcode in ("bra", "brx", "ret", "exit", "call"):
        return "branch"
    if i.opcode in ("bar", "barrier"):
        return "barrier"
    if i.opcode in ("shfl", "vote", "redux", "match"):
        return "exchange"
    kind = i.modifiers[-1] if i.modifiers else ""
    if kind in FLOAT and i.opcode in floats.DECODERS and i.opcode not in ("mov", "selp"):
        return f"{i.opcode}.{kind}" if i.opcode in ("div", "sqrt", "rcp") else kind
    if i.opcode in ("mov", "cvta"):
        return "mov"
    return "integer64" if kind in ("u64", "s64", "b64") else "integer"


def barrier(i: Instruction, o: Operands) -> Barrier | None:
    if i.opcode not in ("bar", "barrier") or i.has("warp"):
        return None
    kinds = set(i.modifiers) - {"cta", "aligned"}
    if i.guard is not None or i.has("cluster"):
        raise i.unknown()
    given = list(i.operands)
    out = predicate = reduce = None
    negated = False
    if "red" in kinds:
        (reduce,) = kinds & {"and", "or", "popc"}
        out = o.read(i, given.pop(0), "u32" if reduce == "popc" else "pred")
        text = given.pop()
        negated, predicate = text.startswith("!"), o.read(i, text.lstrip("!"), "pred")
    elif kinds not in ({"sync"}, {"arrive"}):
        raise i.unknown()
    number = o.read(i, given[0], "u32")
    threads = o.read(i, given[1], "u32") if len(given) > 1 else None
    return Barrier(
        number, threads, "arrive" in kinds, reduce, out, predicate, negated,
        f"line {i.line}: {i.text}",
    )  # fmt: skip


def guarded(operation: Operation, guard: int, negated: bool) -> Operation:
    def carry_out(R, m):
        p = ~R[guard] if negated else R[guard]
        operation(R, p.copy() if m is True else m & p)

    return carry_out


def decode(i: Instruction, o: Operands) -> Operation:
    """Return the operation of an instruction that neither branches nor waits."""
    kind = i.modifiers[-1] if i.modifiers else ""
    of_floats = kind in FLOAT and i.opcode in floats.DECODERS
    if i.opcode == "setp":
        table = floats.COMPARISONS if kind in FLOAT else integers.COMPARISONS
        operation = integers.compare(i, o, table)
    else:
        found = None
        if of_floats:
            found = floats.DECODERS[i.opcode]
        elif kind not in FLOAT or i.opcode in ("ld", "st", "cvt"):
            tables = (integers.DECODERS, conversions.DECODERS, memory_access.DECODERS)
            found = next((t[i.opcode] for t in tables if i.opcode in t), None)
        if found is None or (kind in DTYPES and kind == "b8" and i.opcode not in ("ld", "st")):
            raise i.unknown()
        operation = found(i, o)
    if i.guard is None:
        return operation
    return guarded(operation, o.read(i, i.guard, "pred"), i.negated)


def call(i: Instruction) -> Call:
    """`call (results), function, (arguments)`."""
    names = [text.strip("()").split(",") if text.startswith("(") else [text] for text in i.operands]
    if len(names) not in (2, 3) or i.guard is not None or i.operands[1].startswith("%"):
        raise i.unknown("a call through a pointer, or under a predicate")
    strip = lambda some: [name.strip() for name in some if name.strip()]  # noqa: E731
    return Call(
        i.operands[1], strip(names[2]) if len(names) == 3 else [], strip(names[0]),
        f"line {i.line}: {i.text}",
    )  # fmt: skip


class Builder:
    """Cuts a function into blocks."""

    def __init__(self, module: Module, function: Function) -> None:
        self.function = function
        self.operands = Operands(module, function)
        self.blocks = [Block()]
        self.at_label: dict[int, int] = {}  # index of body to block
        self.jumps: list[tuple[Block, list[str]]] = []

    def cut(self) -> None:
        if self.blocks[-1].instructions or self.blocks[-1].end != "next":
            self.blocks.append(Block())

    def leave(self, i: Instruction) -> bool:
        """Branches and returns."""
        block, o = self.blocks[-1], self.operands
        if i.opcode not in ("bra", "brx", "ret", "exit"):
            return False
        if i.guard is not None:
            block.guard, block.negated = o.read(i, i.guard, "pred"), i.negated
        if i.opcode == "bra":
            block.end = "jump" if i.guard is None else "branch"
            self.jumps.append((block, [i.operands[0]]))
        elif i.opcode == "brx":
            if i.guard is not None:
                raise i.unknown()
            block.end, block.index = "table", o.read(i, i.operands[0], "u32")
            self.jumps.append((block, self.function.targets[i.operands[1]]))
        else:
            block.end = "exit" if i.opcode == "exit" or self.function.kernel else "return"
        return True

    def gather(self, i: Instruction) -> bool:
        """What lanes do together: a block of its own."""
        o = self.operands
        together = barrier(i, o) or exchange(i, o) or (call(i) if i.opcode == "call" else None)
        if together is None:
            return False
        self.cut()
        block = self.blocks[-1]
        block.together, block.end = together, type(together).__name__.lower()
        return True

    def build(self) -> Code:
        labelled = set(self.function.labels.values())
        for index, i in enumerate(self.function.body):
            if index in labelled:
                self.cut()
                self.at_label[index] = len(self.blocks) - 1
            gathers = self.gather(i)
            block = self.blocks[-1]
            block.instructions.append(i)
            block.line = block.line or i.line
            if gathers or self.leave(i):
                self.cut()
                continue
            block.operations.append(decode(i, self.operands))
            if memory_access.is_strong(i):
                block.end = "pause"
                self.cut()
        self.cut()
        end = len(self.blocks) - 1
        self.blocks[end].end = "exit" if self.function.kernel else "return"
        for block, names in self.jumps:
            found = [self.function.labels[name] for name in names]
            block.table = [self.at_label.get(at, end) for at in found]
            block.to = block.table[0]
        return Code(self.function, self.operands, self.blocks)


def build(module: Module, function: Function) -> Code:
    return Builder(module, function).build()
