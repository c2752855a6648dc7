"""Operands of the instructions of a function as numbered slots: arrays, a number a lane.

A group of lanes keeps each register as unsigned integers of its width. A slot is a view of one
with an instruction's type, or a constant, a special register or an address of a variable.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import numpy as np

from .errors import Unknown
from .parser import Function, Instruction, Module, Variable
from .types import PREDICATE, bits_of, dtype

NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|\d+)U?$")
SYMBOL = re.compile(r"([$%\w][\w$.]*)\s*(?:\+\s*(-?\d+))?$")
POISON = 0xA5  # what nobody has written


@dataclass(frozen=True)
class Slot:
    kind: str  # register constant special address
    name: str
    number: int  # a constant's bits; an address' offset
    dtype: np.dtype


@dataclass(frozen=True)
class Address:
    base: int | None  # a slot
    variable: Variable | None
    offset: int


class Operands:
    """The slots of a function; instructions name them by number."""

    def __init__(self, module: Module, function: Function) -> None:
        self.module, self.function = module, function
        self.slots: list[Slot] = []
        self.numbers: dict[Slot, int] = {}
        self.variables = {
            **module.variables,
            **{v.name: v for v in [*function.parameters, *function.results]},
            **function.variables,
        }

    def slot(self, kind: str, name: str, number: int, of: np.dtype) -> int:
        slot = Slot(kind, name, number, of)
        if slot not in self.numbers:
            self.numbers[slot] = len(self.slots)
            self.slots.append(slot)
        return self.numbers[slot]

    def width(self, name: str) -> np.dtype:
        """The unsigned integers that a register is kept as."""
        return bits_of(dtype(self.function.registers[name]))

    def register(self, instruction: Instruction, name: str, of: np.dtype) -> int:
        if name not in self.function.registers:
            raise instruction.unknown(f"no register {name}")
        if self.width(name) != bits_of(of):
            raise instruction.unknown(f"{name} is not of the type's width")
        return self.slot("register", name, 0, of)

    def raw(self, instruction: Instruction, name: str) -> int:
        """A register as it is kept, whatever the instruction's type."""
        if name not in self.function.registers:
            raise instruction.unknown(f"no register {name}")
        return self.slot("register", name, 0, self.width(name))

    def is_register(self, name: str) -> bool:
        return name in self.function.registers

    def read(self, instruction: Instruction, text: str, of: str | np.dtype) -> int:
        """An operand that is read with the given type."""
        kind = dtype(of) if isinstance(of, str) else of
        if text in self.function.registers:
            return self.register(instruction, text, kind)
        if text.startswith("%"):
            return self.slot("special", text, 0, kind)
        bits = constant_bits(text, kind)
        if bits is not None:
            return self.slot("constant", "", bits, kind)
        name, offset = symbol(instruction, text)
        if name not in self.variables:
            raise instruction.unknown(f"no variable {name}")
        return self.slot("address", name, offset, kind)

    def address(self, instruction: Instruction, text: str) -> Address:
        """`[register + offset]`, `[variable + offset]` or `[number]`."""
        inner = text.strip()[1:-1].strip()
        if re.fullmatch(r"-?\d+", inner):
            return Address(None, None, int(inner))
        name, offset = symbol(instruction, inner)
        if name in self.function.registers:
            base = self.raw(instruction, name)
            return Address(base, None, offset)
        if name not in self.variables:
            raise instruction.unknown(f"no variable {name}")
        slot = self.slot("address", name, offset, np.dtype("u8"))
        return Address(slot, self.variables[name], 0)


def symbol(instruction: Instruction, text: str) -> tuple[str, int]:
    match = SYMBOL.match(text)
    if not match:
        raise instruction.unknown(f"operand {text!r}")
    return match[1], int(match[2] or 0)


def constant_bits(text: str, kind: np.dtype) -> int | None:
    """The bits of a literal, or None."""
    if kind == PREDICATE:
        return int(int(text) != 0) if re.fullmatch(r"-?\d+", text) else None
    if kind.kind == "f" and re.fullmatch(r"0[fF][0-9a-fA-F]{8}", text):
        if kind.itemsize != 4:
            raise Unknown(f"{text} as {kind}")
        return int(text[2:], 16)
    if kind.kind == "f" and re.fullmatch(r"0[dD][0-9a-fA-F]{16}", text):
        value = int(text[2:], 16)
        if kind.itemsize == 8:
            return value
        (number,) = struct.unpack("<d", value.to_bytes(8, "little"))
        return int(np.float32(number).view(np.uint32))
    if re.fullmatch(r"0[fFdD][0-9a-fA-F]{8,16}", text):  # of an untyped move
        return int(text[2:], 16)
    if NUMBER.match(text):
        if kind.kind == "f":
            raise Unknown(f"the integer {text} as {kind}")
        return int(text.rstrip("U"), 0) % (1 << 8 * kind.itemsize)
    return None


def constant(bits: int, kind: np.dtype, lanes: int) -> np.ndarray:
    return np.broadcast_to(np.array([bits], bits_of(kind)).view(kind), lanes)
