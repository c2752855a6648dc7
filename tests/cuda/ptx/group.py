"""Lanes that carry out one instruction at a time: their registers, stacks and divergence.

Of lanes at different places those at the lowest go first, so that they meet again after a branch;
or, `alone`, each lane goes as far as it can by itself: what lanes of a warp may do that no barrier
of the warp keeps together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .blocks import Block, Call, Code
from .errors import PtxError, Unknown
from .exchange import WARP
from .memory import LOCAL, PARAM, SHARED, Memory, allow
from .operands import POISON, Slot, constant
from .types import PREDICATE, bits_of

if TYPE_CHECKING:
    from .machine import Machine, ThreadBlock

STACK = 1 << 14  # bytes a lane


class Frame(list):
    """The arrays of a function's slots, of one call."""

    def __init__(self, group: Group, code: Code, places: dict[str, int]) -> None:
        self.group, self.places = group, places
        names = sorted({s.name for s in code.operands.slots if s.kind == "register"})
        registers = np.zeros((len(names), group.size), np.uint64)  # touched when written
        if group.machine.profile is None:
            registers.view(np.uint8)[...] = POISON
        self.rows = {name: registers[k] for k, name in enumerate(names)}
        super().__init__(self.array(slot) for slot in code.operands.slots)

    def array(self, slot: Slot) -> np.ndarray:
        size = self.group.size
        if slot.kind == "register":
            row = self.rows[slot.name].view(bits_of(slot.dtype))[:size]
            if slot.dtype == PREDICATE:
                row[...] = False
            return row.view(slot.dtype)
        if slot.kind == "constant":
            return constant(slot.number, slot.dtype, size)
        if slot.kind == "special":
            return self.group.special(slot.name).astype(slot.dtype)
        return np.broadcast_to(slot.dtype.type(self.places[slot.name] + slot.number), size)


class Group:
    """`size` threads of a block, from thread `first` on."""

    def __init__(self, machine: Machine, block: ThreadBlock, first: int, size: int, alone: bool):
        self.machine, self.block, self.size, self.alone = machine, block, size, alone
        self.thread = np.arange(first, first + size)
        self.lanes = np.arange(size)
        self.everyone = np.ones(size, bool)
        self.live = self.everyone
        self.stack = Memory(size * STACK)
        self.stack_top = 64
        self.frames: dict[tuple[int, int], Frame] = {}  # by function and place on the stack

    # Memory

    def memory_of(self, space: int, lanes: np.ndarray, at: np.ndarray):
        if space == SHARED:
            return self.block.shared, at
        if space == LOCAL:
            if ((at < 0) | (at >= STACK)).any():
                raise PtxError(f"address {at.max():#x} of {STACK} bytes of stack")
            return self.stack, at + lanes * STACK
        if space == PARAM:
            return self.machine.parameters, at
        if space != 0:
            raise PtxError(f"a generic address of no space, {space:#x}")
        return self.machine.memory, at

    def profile_access(self, what, memory, place, lanes, access) -> None:
        if self.machine.profile is not None and memory is not self.stack:
            name = {id(self.machine.memory): "global", id(self.block.shared): "shared"}
            space = name.get(id(memory), "param")
            self.machine.profile.access(what, space, place, self.thread[lanes], access.bytes)

    def enter(self, code: Code) -> Frame:
        """A frame of a function, its variables on the stack."""
        function = code.function
        places = dict(self.block.places)
        own = [] if function.kernel else [*function.parameters, *function.results]
        begin = self.stack_top
        for variable in [*own, *function.variables.values()]:
            if variable.space in ("local", "param"):
                at = -(-self.stack_top // max(16, variable.align)) * max(16, variable.align)
                places[variable.name] = at
                self.stack_top = at + variable.size
        if self.stack_top > STACK:
            raise PtxError(f"{function.name}: {self.stack_top} bytes of stack")
        allow(self.by_lanes(self.stack.rights), begin, self.stack_top - begin)
        key = id(code), begin
        if key not in self.frames:
            self.frames[key] = Frame(self, code, places)
        return self.frames[key]

    def by_lanes(self, bytes_: np.ndarray) -> np.ndarray:
        return bytes_[: self.size * STACK].reshape(self.size, STACK)

    def leave(self, begin: int) -> None:
        self.by_lanes(self.stack.rights)[:, begin:] = 0
        self.by_lanes(self.stack.bytes)[:, begin:] = POISON
        self.stack_top = begin

    def special(self, name: str) -> np.ndarray:
        x, y, _ = self.block.shape
        values = {
            "%tid.x": self.thread % x, "%tid.y": self.thread // x % y,
            "%tid.z": self.thread // (x * y), "%laneid": self.thread % WARP,
            "%lanemask_lt": (1 << self.thread % WARP) - 1,
            "%lanemask_eq": 1 << self.thread % WARP,
            **self.block.special,
        }  # fmt: skip
        if name not in values:
            raise Unknown(f"the register {name}")
        return np.broadcast_to(np.asarray(values[name]), self.size)

    # Control

    def run(self, code: Code) -> Iterator:
        yield from self.carry_out(code, self.enter(code), self.everyone)

    def carry_out(self, code: Code, R: Frame, mask: np.ndarray) -> Iterator:
        """Run lanes to the end of a function. Yields None for a turn of others, or a Barrier."""
        waiting: list[tuple[int, np.ndarray]] = []  # block, lanes
        parked: dict[int, np.ndarray] = {}  # lanes that others must come to
        self.put(waiting, 0, mask)
        while waiting:
            at, lanes = self.take(waiting)
            block = code.blocks[at]
            if block.end in ("barrier", "exchange"):
                lanes = parked[at] = self.whole(parked[at] | lanes) if at in parked else lanes
                if not self.complete(block, R, lanes):
                    continue
                del parked[at]
                self.count(block, lanes)
                if block.end == "barrier":
                    yield from self.meet(block, R, lanes)
                else:
                    block.together.carry_out(R, True if lanes is self.everyone else lanes)
                self.put(waiting, at + 1, lanes)
                continue
            m = True if lanes is self.everyone else lanes
            for operation in block.operations:
                operation(R, m)
            self.count(block, lanes)
            if block.end == "pause":
                yield None
            elif block.end == "call":
                yield from self.call(block.together, R, lanes)
            self.go(waiting, code, block, at, R, lanes)
        if parked:
            where = ", ".join(code.blocks[at].together.what for at in parked)
            raise PtxError(f"not all lanes come to {where}")

    def put(self, waiting: list, at: int, lanes: np.ndarray) -> None:
        if not self.alone:
            waiting.append((at, lanes))
            return
        for lane in np.flatnonzero(lanes)[::-1]:
            waiting.append((at, self.lanes == lane))

    def whole(self, lanes: np.ndarray) -> np.ndarray:
        return self.everyone if lanes.all() else lanes

    def take(self, waiting: list) -> tuple[int, np.ndarray]:
        if self.alone or len(waiting) == 1:
            return waiting.pop()
        at = min(w[0] for w in waiting)
        here = [w[1] for w in waiting if w[0] == at]
        waiting[:] = [w for w in waiting if w[0] != at]
        return at, here[0] if len(here) == 1 else self.whole(np.logical_or.reduce(here))

    def go(self, waiting: list, code: Code, block: Block, at: int, R: Frame, lanes: np.ndarray):
        """Where lanes go at the end of a block."""
        if block.end in ("next", "pause", "call"):
            waiting.append((at + 1, lanes))
        elif block.end == "jump":
            waiting.append((block.to, lanes))
        elif block.end == "table":
            index = R[block.index]
            for number, to in enumerate(block.table):
                here = lanes & (index == number)
                if here.any():
                    waiting.append((to, here))
        else:
            leaves, stays = lanes, None
            if block.guard is not None:
                leaves, stays = self.part(lanes, R[block.guard], block.negated)
            if stays is not None:
                waiting.append((at + 1, stays))
            if block.end == "branch" and leaves is not None:
                waiting.append((block.to, leaves))
            if block.end == "exit" and leaves is not None:
                self.live = self.live & ~leaves

    def part(self, lanes: np.ndarray, holds: np.ndarray, negated: bool) -> tuple:
        """Lanes for which a predicate holds and those for which it does not; None: none."""
        some = lanes & (~holds if negated else holds)
        count = np.count_nonzero(some)
        if count == 0:
            return None, lanes
        rest = lanes & ~some
        return (some, rest) if np.count_nonzero(rest) else (lanes, None)

    def count(self, block: Block, lanes: np.ndarray) -> None:
        machine = self.machine
        machine.budget -= len(block.instructions)
        if machine.budget < 0:
            raise PtxError(f"line {block.line}: more instructions than were thought enough")
        if machine.profile is not None:
            machine.profile.count(self.block.number, np.unique(self.thread[lanes] // WARP), block)

    # Lanes together

    def complete(self, block: Block, R: Frame, lanes: np.ndarray) -> bool:
        """Whether all whom a barrier or an exchange waits for have come."""
        what = block.together.what
        if block.end == "barrier":
            if not self.live.all():
                raise PtxError(f"lanes have left before {what}")
            return bool(lanes.all())
        masks = R[block.together.members][lanes].astype(np.int64)
        warps, bits = self.thread // WARP, self.thread % WARP
        needed = np.zeros(self.size, bool)
        for warp, mask in set(zip(warps[lanes].tolist(), masks.tolist(), strict=True)):
            needed |= (warps == warp) & (mask >> bits & 1 == 1)
        if (lanes & ~needed).any():
            raise PtxError(f"a lane that is no member: {what}")
        if (needed & ~self.live).any():
            raise PtxError(f"a lane has left before {what}")
        return not (needed & ~lanes).any()

    def meet(self, block: Block, R: Frame, lanes: np.ndarray) -> Iterator:
        """Come to a barrier of the block; go on when its other groups have come."""
        barrier = block.together
        values = None
        if barrier.reduce:
            values = R[barrier.predicate] ^ barrier.negated
        number = int(R[barrier.number][0])
        threads = None if barrier.threads is None else int(R[barrier.threads][0])
        result = yield barrier, number, threads, values
        if barrier.out is not None:
            R[barrier.out][...] = result

    def call(self, call: Call, R: Frame, lanes: np.ndarray) -> Iterator:
        code = self.machine.code(call.function)
        begin = self.stack_top
        inner = self.enter(code)
        self.pass_on(R, call.arguments, inner, code.function.parameters, call)
        yield from self.carry_out(code, inner, lanes)
        if (lanes & ~self.live).any():
            raise PtxError(f"a lane ends within {call.what}")
        self.pass_on(inner, [v.name for v in code.function.results], R, call.results, call)
        self.leave(begin)

    def pass_on(self, of: Frame, names: list[str], to: Frame, targets: list, call: Call) -> None:
        if len(names) != len(targets):
            raise PtxError(f"arguments of {call.what}")
        bytes_ = self.by_lanes(self.stack.bytes)
        sizes = [v.size for v in self.machine.code(call.function).function.results]
        for k, (name, target) in enumerate(zip(names, targets, strict=True)):
            size = sizes[k] if isinstance(target, str) else target.size
            goal = target if isinstance(target, str) else target.name
            source = of.places[name]
            bytes_[:, to.places[goal] : to.places[goal] + size] = bytes_[:, source : source + size]
