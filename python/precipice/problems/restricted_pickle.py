"""Reading a pickle that may hold plain data and byte arrays, and nothing else.

CIFAR-10's official python files are pickles, and a pickle is a program: Python's own unpickler
imports and calls what the file names. Here nothing is imported and nothing is called. The
instructions come from `pickletools.genops`, which only parses; those that CIFAR-10's files use are
carried out on plain Python data, and the three numpy names in those files are symbols with one
meaning each. A list of permitted callables would be weaker: the callables would still see
arguments and states of the file's choosing.
"""

from __future__ import annotations

import enum
import io
import math
import pickletools
from typing import Any

import numpy as np

_LONGEST_NAME = 60


class RefusedPickle(ValueError):
    """A pickle is cut short or holds something that plain data does not; says what."""


class _Symbol(enum.Enum):
    """What stands on the stack for numpy's names and for objects not yet filled."""

    RECONSTRUCT = enum.auto()
    NDARRAY = enum.auto()
    DTYPE = enum.auto()
    UNFILLED_DTYPE = enum.auto()
    UNFILLED_ARRAY = enum.auto()
    UINT8 = enum.auto()


_NAMES = {
    "numpy.core.multiarray _reconstruct": _Symbol.RECONSTRUCT,
    "numpy._core.multiarray _reconstruct": _Symbol.RECONSTRUCT,
    "numpy ndarray": _Symbol.NDARRAY,
    "numpy dtype": _Symbol.DTYPE,
}
_NUMBERS = {"BININT", "BININT1", "BININT2", "LONG1"}
_STRINGS = {"BINSTRING", "SHORT_BINSTRING"}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_PUTS, _GETS = {"BINPUT", "LONG_BINPUT"}, {"BINGET", "LONG_BINGET"}


def read_plain_pickle(content: bytes) -> Any:
    """Return the data of a protocol-2 pickle as Python 2 and NumPy wrote it.

    Parameters
    ----------
    content : bytes
        The whole pickle.

    Returns
    -------
    object
        None, bool, int, bytes (Python 2's strings), list, tuple, dict with bytes for keys, and
        read-only two-dimensional uint8 arrays.

    Raises
    ------
    RefusedPickle
        If the pickle is cut short, has bytes after its end, or holds anything else; whatever
        object it names is not looked up.

    Notes
    -----
    About 3 µs an instruction; memory a small multiple of `content`, whatever sizes it claims.
    """
    stream = io.BytesIO(content)
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.step(opcode.name, argument)
    except RefusedPickle:
        raise
    except (IndexError, KeyError):
        raise RefusedPickle("instructions without their operands") from None
    except ValueError:
        raise RefusedPickle("no whole pickle") from None
    if stream.tell() != len(content):
        raise RefusedPickle("bytes after the end of the pickle")
    if machine.outer or len(machine.stack) != 1:
        raise RefusedPickle("instructions without their operands")
    _refuse_symbols(machine.stack[0])
    return machine.stack[0]


class _Machine:
    """The pickle machine's state: the stack above the last mark, those below, and the memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        """Carry out one instruction."""
        if name in _NUMBERS:
            self.stack.append(argument)
        elif name in _STRINGS:
            # pickletools shows Python 2's strings of bytes as Latin-1, one character a byte.
            self.stack.append(argument.encode("latin-1"))
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _PUTS:
            self.memo[argument] = self.stack[-1]
        elif name in _GETS:
            self.stack.append(self.memo[argument])
        elif name == "GLOBAL":
            self.stack.append(_symbol(argument))
        elif name == "MARK":
            self.outer.append(self.stack)
            self.stack = []
        elif name not in ("PROTO", "STOP"):
            self._combine(name)

    def _combine(self, name: str) -> None:
        """Carry out an instruction that takes its operands from the stack."""
        if name in _SHORT_TUPLES:
            self.stack.append(tuple(self._take(_SHORT_TUPLES[name])))
        elif name == "TUPLE":
            entries = self._take_to_mark()
            self.stack.append(tuple(entries))
        elif name in ("APPEND", "APPENDS"):
            self._extend(self._take(1) if name == "APPEND" else self._take_to_mark())
        elif name in ("SETITEM", "SETITEMS"):
            self._update(self._take(2) if name == "SETITEM" else self._take_to_mark())
        elif name == "REDUCE":
            self.stack.append(_call(*self._take(2)))
        elif name == "BUILD":
            self.stack.append(_fill(*self._take(2)))
        else:
            raise RefusedPickle(f"the pickle instruction {name}")

    def _take(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def _take_to_mark(self) -> list[Any]:
        taken, self.stack = self.stack, self.outer.pop()
        return taken

    def _extend(self, entries: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise RefusedPickle("entries appended to something other than a list")
        self.stack[-1].extend(entries)

    def _update(self, entries: list[Any]) -> None:
        keys = entries[::2]
        if type(self.stack[-1]) is not dict or len(entries) % 2:
            raise RefusedPickle("items set in something other than a dictionary")
        if not all(type(key) is bytes for key in keys):
            raise RefusedPickle("a key that is no string")
        self.stack[-1].update(zip(keys, entries[1::2], strict=True))


def _symbol(name: str) -> _Symbol:
    """Return what a global's name stands for; the name is compared, never imported."""
    if name not in _NAMES:
        shown = name.replace(" ", ".")[:_LONGEST_NAME]
        raise RefusedPickle(f"the object {shown!r}")
    return _NAMES[name]


def _call(function: Any, arguments: Any) -> _Symbol:
    """Return what the two calls in a pickled array of bytes stand for."""
    if function is _Symbol.RECONSTRUCT and arguments == (_Symbol.NDARRAY, (0,), b"b"):
        return _Symbol.UNFILLED_ARRAY
    if function is _Symbol.DTYPE and arguments == (b"u1", 0, 1):
        return _Symbol.UNFILLED_DTYPE
    raise RefusedPickle("an object that is no array of bytes")


def _fill(target: Any, state: Any) -> Any:
    """Return the dtype or the array that a state fills."""
    if type(state) is tuple:
        # (version, byte order, subarray, names, fields, element size, alignment, flags)
        if target is _Symbol.UNFILLED_DTYPE and state[1:5] == (b"|", None, None, None):
            return _Symbol.UINT8
        if target is _Symbol.UNFILLED_ARRAY and len(state) == 5 and state[2] is _Symbol.UINT8:
            return _array(state[1], state[3], state[4])
    raise RefusedPickle("an object that is no array of bytes")


def _array(shape: Any, columns_first: Any, content: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the array of bytes; its size is checked before NumPy sees it."""
    if (
        type(shape) is not tuple
        or len(shape) != 2
        or not all(type(length) is int and length > 0 for length in shape)
        or type(columns_first) is not bool
        or type(content) is not bytes
        or math.prod(shape) != len(content)
    ):
        raise RefusedPickle("an array whose size is not that of its bytes")
    flat = np.frombuffer(content, dtype=np.uint8)
    return flat.reshape(shape, order="F" if columns_first else "C")


def _refuse_symbols(value: Any) -> None:
    """Refuse data in which a name or an unfilled object is left over."""
    waiting, seen = [value], set()
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, _Symbol):
            raise RefusedPickle("an object that is no array of bytes")
        # One list may stand in many places, so each is visited once.
        if isinstance(entry, (list, tuple, dict)) and id(entry) not in seen:
            seen.add(id(entry))
            waiting.extend(entry.values() if isinstance(entry, dict) else entry)
