"""A device for the engine that carries out nvcc's PTX of the kernels, a lane at a time in NumPy.

It is a `DeviceTable` like that of the CUDA extension: the engine allocates, uploads, launches and
downloads, and builds what a launch is given. So the kernels are tested as they are used.
"""

from __future__ import annotations

import ctypes
import re
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from cuda.compiled import CPP, kernel_of_launch
from cuda.ptx import Machine
from cuda.ptx.parser import Function, Module
from cuda.ptx.profile import Profile

HEADER = CPP / "device" / "device_table.hpp"
FAILED = 1


class Facts(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char * 256), ("multiprocessors", ctypes.c_uint32),
        ("shared_bytes", ctypes.c_uint32), ("major", ctypes.c_uint32), ("minor", ctypes.c_uint32),
        ("bytes", ctypes.c_uint64),
    )  # fmt: skip


class Launch(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("model", "numbers", "team", "runs", "lanes",
                                               "blocks", "shared_bytes")),
        ("chunk", ctypes.c_void_p), ("chunk_bytes", ctypes.c_size_t),
    )  # fmt: skip


Pointer = ctypes.c_void_p
Size = ctypes.c_size_t
SIGNATURES = {
    "facts": (ctypes.c_int, ctypes.POINTER(Facts)),
    "allocate": (ctypes.c_int, ctypes.POINTER(Pointer), Size),
    "release": (ctypes.c_int, Pointer),
    "upload": (ctypes.c_int, Pointer, Pointer, Size),
    "download": (ctypes.c_int, Pointer, Pointer, Size),
    "most_blocks": (ctypes.c_int, ctypes.POINTER(Launch), ctypes.POINTER(ctypes.c_uint32)),
    "launch": (ctypes.c_int, ctypes.POINTER(Launch)),
    "finished": (ctypes.c_int, ctypes.POINTER(ctypes.c_bool)),
    "wait": (ctypes.c_int,),
    "describe": (ctypes.c_void_p, ctypes.c_int),
}
TYPES = {name: ctypes.CFUNCTYPE(*types) for name, types in SIGNATURES.items()}


class Table(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), *TYPES.items())


# What these classes say of the structs of device_table.hpp, which `members` reads there.
FIELDS = {
    f"Device{kind.__name__}": [name for name, *_ in kind._fields_]
    for kind in (Facts, Launch, Table)
}


def members(structure: str) -> list[str]:
    """The names of the members of a struct of device_table.hpp, in order."""
    (body,) = re.findall(rf"struct {structure} {{(.*?)\n}};", HEADER.read_text(), re.DOTALL)
    body = re.sub(r"//[^\n]*", "", body)
    names = []
    for statement in body.split(";"):
        pointer = re.search(r"\(\*(\w+)\)", statement)
        names += (
            [pointer[1]]
            if pointer
            else re.findall(r"(\w+)(?:\[\d+\])?\s*(?:,|$)", statement.strip())
        )
    return names


class PtxDevice:
    """The table, and what was launched through it.

    `kernel_of` gives the module and the kernel of a launch; `schedule` is that of
    `Machine.launch`. `profile` counts the instructions of all launches if it is wanted.
    """

    def __init__(
        self, *, schedule: str = "block",
        kernel_of: Callable[[Launch], tuple[Module, Function]] = kernel_of_launch,
        memory: int = 1 << 28, budget: int = 10**7, multiprocessors: int = 2,
        shared_bytes: int = 1 << 16, profile: bool = False,
    ) -> None:  # fmt: skip
        self.kernel_of, self.schedule, self.budget = kernel_of, schedule, budget
        self.multiprocessors, self.shared_bytes = multiprocessors, shared_bytes
        self.machine = Machine(Module(), memory)
        self.profile = Profile() if profile else None
        self.modules: dict[int, Machine] = {}
        self.launches: list[dict[str, int]] = []
        self.error: Exception | None = None
        self._text = ctypes.create_string_buffer(b"")
        functions = {name: kind(self._caught(name)) for name, kind in TYPES.items()}
        (version,) = re.findall(r"device_table_version = (\d+)", HEADER.read_text())
        self._table = Table(int(version), **functions)
        KEPT.append(self._table)
        self.capsule = capsule(self._table)

    def _caught(self, name: str) -> Callable[..., Any]:
        of = weakref.ref(self)

        def call(*arguments: Any) -> Any:
            device = of()
            if device is None:  # a run that outlives it gives its memory back
                return 0
            try:
                return getattr(device, f"_{name}")(*arguments)
            except Exception as error:  # nothing must pass through C
                device.error = error
                return FAILED

        return call

    def _facts(self, facts: Any) -> int:
        facts[0] = Facts(
            b"PTX interpreter", self.multiprocessors, self.shared_bytes, 8, 0,
            len(self.machine.memory.bytes),
        )  # fmt: skip
        return 0

    def _allocate(self, place: Any, size: int) -> int:
        place[0] = self.machine.allocate(max(size, 1))
        return 0

    def _release(self, address: int | None) -> int:
        if address:
            self.machine.memory.release(address)
        return 0

    def _within(self, address: int, size: int) -> np.ndarray:
        self.machine.memory.check(np.array([address, address + size - 1]), 1, "a copy")
        return self.machine.memory.bytes[address : address + size]

    def _upload(self, to: int, source: int, size: int) -> int:
        if size:
            self._within(to, size)[:] = np.frombuffer(ctypes.string_at(source, size), np.uint8)
        return 0

    def _download(self, to: int, source: int, size: int) -> int:
        if size:
            ctypes.memmove(to, self._within(source, size).tobytes(), size)
        return 0

    def _most_blocks(self, launch: Any, blocks: Any) -> int:
        blocks[0] = self.multiprocessors
        return 0

    def _launch(self, launch: Any) -> int:
        given = launch[0]
        record = {name: getattr(given, name) for name, _ in Launch._fields_ if "chunk" not in name}
        module, function = self.kernel_of(given)
        if id(module) not in self.modules:
            machine = Machine(module, 0, shares=self.machine)
            self.modules[id(module)] = machine
        machine = self.modules[id(module)]
        machine.profile = self.profile
        blocks = {0: -(-given.runs // given.lanes), 1: given.runs, 2: given.blocks}[given.team]
        machine.launch(
            function, blocks, given.lanes, [ctypes.string_at(given.chunk, given.chunk_bytes)],
            shared=given.shared_bytes, schedule=self.schedule, budget=self.budget,
        )  # fmt: skip
        self.launches.append(
            {**record, "blocks": blocks, "instructions": self.budget - machine.budget}
        )
        return 0

    def _finished(self, done: Any) -> int:
        done[0] = True
        return 0

    def _wait(self) -> int:
        return 0

    def _describe(self, code: int) -> int:
        self._text = ctypes.create_string_buffer(str(self.error).encode() or b"no error")
        return ctypes.addressof(self._text)


def capsule(table: ctypes.Structure) -> Any:
    """A capsule with the table's address."""
    (name,) = re.findall(r'device_capsule = "([^"]+)"', HEADER.read_text())
    create = ctypes.pythonapi.PyCapsule_New
    create.restype, create.argtypes = ctypes.py_object, (Pointer, ctypes.c_char_p, Pointer)
    text = NAMES.setdefault(name, ctypes.create_string_buffer(name.encode()))
    return create(ctypes.addressof(table), ctypes.cast(text, ctypes.c_char_p), None)


# Runs keep pointers to tables, and capsules to their names.
KEPT: list[Table] = []
NAMES: dict[str, Any] = {}
