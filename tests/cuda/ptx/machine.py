"""Launches: memory, the blocks of a grid, the groups of a block, barriers, and whose turn it is.

A group keeps its turn until it waits: at a barrier, or after an access that it may wait with for
another (an atomic, a volatile load). `schedule` says who goes in step, which no result of a correct
program depends on:

    block    all threads of a block: the fewest instructions for this machine
    warp     the threads of a warp; one warp after the other, each up to its next barrier
    reverse  the same, the last warp first
    lane     a thread after the other, each up to what its warp does together
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from .blocks import Code, build
from .errors import PtxError, Unknown
from .exchange import WARP
from .group import Group
from .memory import Memory
from .parser import Function, Module
from .profile import Profile

SCHEDULES = ("block", "warp", "reverse", "lane")


class ThreadBlock:
    """A block of threads and its shared memory."""

    def __init__(
        self, machine: Machine, number: int, grid: int, threads: int, dynamic: int
    ) -> None:
        self.machine, self.number, self.shape = machine, number, (threads, 1, 1)
        self.special = {
            "%ctaid.x": number, "%nctaid.x": grid, "%ntid.x": threads, "%ctaid.y": 0,
            "%ctaid.z": 0, "%ntid.y": 1, "%ntid.z": 1, "%nctaid.y": 1, "%nctaid.z": 1,
            "%envreg1": machine.workspace >> 32, "%envreg2": machine.workspace & 0xFFFFFFFF,
            "%smid": number, "%dynamic_smem_size": dynamic,
        }  # fmt: skip
        self.places, size = machine.lay_out_shared()
        self.shared = Memory(size + dynamic + 256)
        for variable in machine.variables():
            if variable.space == "shared" and not variable.dynamic:
                self.shared.allow(self.places[variable.name], variable.size)
        self.shared.allow(size, dynamic)

    def run(self, code: Code, schedule: str) -> Iterator[None]:
        """Yields when only other blocks can help."""
        threads = self.shape[0]
        size = threads if schedule == "block" else WARP
        groups = [
            Group(self.machine, self, first, min(size, threads - first), schedule == "lane")
            for first in range(0, threads, size)
        ]
        if schedule == "reverse":
            groups.reverse()
        ready = deque((group, group.run(code), None) for group in groups)
        at_barrier: dict[int, list] = {}
        running = len(groups)
        while ready:
            for _ in range(len(ready)):
                group, steps, result = ready.popleft()
                try:
                    request = steps.send(result)
                except StopIteration:
                    running -= 1
                    continue
                if request is None:
                    ready.append((group, steps, None))
                else:
                    self.arrive(at_barrier, ready, (group, steps, *request), threads)
            if ready:
                yield
        if at_barrier:
            what = next(iter(at_barrier.values()))[0][2].what
            raise PtxError(f"not all threads come to {what}")

    def arrive(self, at_barrier: dict, ready: deque, who: tuple, threads: int) -> None:
        group, steps, barrier, number, wanted, values = who
        here = at_barrier.setdefault(number, [])
        here.append(who)
        if any(other[2].reduce != barrier.reduce for other in here):
            raise PtxError(f"different barriers meet: {barrier.what}")
        if barrier.arrives:
            ready.append((group, steps, None))
        came = sum(-(-other[0].size // WARP) * WARP if wanted else other[0].size for other in here)
        if came < (wanted or threads):
            return
        del at_barrier[number]
        result = None
        if barrier.reduce:
            all_values = np.concatenate([other[5] for other in here])
            result = {"or": all_values.any(), "and": all_values.all(), "popc": all_values.sum()}[
                barrier.reduce
            ]
        for other in here:
            if not other[2].arrives:
                ready.append((other[0], other[1], result))


class Machine:
    """A module and global memory: of its own, or another machine's."""

    def __init__(
        self, module: Module, memory: int = 1 << 22, shares: Machine | None = None
    ) -> None:
        self.module = module
        self.memory = shares.memory if shares else Memory(memory, fill=0)
        self.parameters = Memory(0)
        self.codes: dict[str, Code] = {}
        self.budget = 0
        self.profile: Profile | None = None
        self.workspace = self.memory.allocate(256)  # of cooperative groups
        self.globals: dict[str, int] = {}
        for variable in self.variables():
            if variable.space in ("global", "const"):
                self.globals[variable.name] = self.memory.allocate(variable.size)
                if variable.values is not None:
                    self.write(self.globals[variable.name], variable.values)

    def variables(self):
        yield from self.module.variables.values()
        for function in self.module.functions.values():
            yield from (v for v in function.variables.values() if v.space == "shared")

    def lay_out_shared(self) -> tuple[dict[str, int], int]:
        """Places of all variables that kernels share or see, and of what a launch adds."""
        places, top = dict(self.globals), 64
        dynamic = []
        for variable in self.variables():
            if variable.space != "shared":
                continue
            if variable.dynamic:
                dynamic.append(variable.name)
                continue
            places[variable.name] = top = -(-top // 16) * 16
            top += variable.size
        top = -(-top // 128) * 128
        places.update(dict.fromkeys(dynamic, top))
        places.update(self.parameter_places)
        return places, top

    def code(self, name: str) -> Code:
        if name not in self.codes:
            if name not in self.module.functions:
                raise Unknown(f"the function {name} is called, its text is not there")
            self.codes[name] = build(self.module, self.module.functions[name])
        return self.codes[name]

    # Memory

    def allocate(self, size: int) -> int:
        return self.memory.allocate(size)

    def write(self, address: int, data: bytes | np.ndarray) -> None:
        raw = np.frombuffer(bytes(data) if isinstance(data, bytes) else data.tobytes(), np.uint8)
        self.memory.bytes[address : address + len(raw)] = raw

    def upload(self, data: bytes | np.ndarray) -> int:
        size = len(data) if isinstance(data, bytes) else data.nbytes
        address = self.allocate(size)
        self.write(address, data)
        return address

    def download(self, address: int, kind: object, count: int) -> np.ndarray:
        kind = np.dtype(kind)
        return self.memory.bytes[address : address + count * kind.itemsize].copy().view(kind)

    # Launches

    def bind(self, function: Function, arguments: list[bytes]) -> None:
        """Place the bytes of the parameters where the kernel looks for them."""
        sizes = [parameter.size for parameter in function.parameters]
        if [len(a) for a in arguments] != sizes:
            raise PtxError(f"parameters of {[len(a) for a in arguments]} bytes, expected {sizes}")
        self.parameters = Memory(sum(sizes) + 64 * len(sizes) + 64)
        self.parameter_places, top = {}, 64
        for parameter, data in zip(function.parameters, arguments, strict=True):
            top = -(-top // 64) * 64
            self.parameter_places[parameter.name] = top
            self.parameters.allow(top, len(data))
            self.parameters.bytes[top : top + len(data)] = np.frombuffer(data, np.uint8)
            top += len(data)

    def launch(
        self, function: Function, blocks: int, threads: int, arguments: list[bytes],
        *, shared: int = 0, schedule: str = "block", budget: int = 10**7,
    ) -> None:  # fmt: skip
        """Run a kernel to its end; all blocks are there at once, as in a cooperative launch."""
        if schedule not in SCHEDULES:
            raise ValueError(schedule)
        self.bind(function, arguments)
        self.budget = budget
        code = self.code(function.name)
        turns = deque(
            ThreadBlock(self, number, blocks, threads, shared).run(code, schedule)
            for number in range(blocks)
        )
        with np.errstate(all="ignore"):
            while turns:
                block = turns.popleft()
                for _ in block:
                    turns.append(block)
                    break
