"""Memory as flat bytes that know what was allocated; the windows of generic addresses."""

from __future__ import annotations

import numpy as np

from .errors import PtxError
from .operands import POISON

WINDOW = 40  # bits of an address within its space
GLOBAL, SHARED, LOCAL, PARAM = range(4)
SPACES = {"global": GLOBAL, "const": GLOBAL, "shared": SHARED, "local": LOCAL, "param": PARAM}
GUARD = 256  # bytes that nobody has, between two allocations


def allow(rights: np.ndarray, begin: int, size: int) -> None:
    """Bytes of the last axis that aligned accesses may touch."""
    for width in (1, 2, 4, 8, 16):
        first = -(-begin // width) * width
        rights[..., first : begin + size - width + 1 : width] |= width


class Memory:
    """Bytes 0 ... size - 1; an access must be aligned and within what was allocated."""

    def __init__(self, size: int, fill: int = POISON) -> None:
        size = -(-size // 16) * 16 + 16
        self.bytes = np.full(size, fill, np.uint8) if fill else np.zeros(size, np.uint8)
        self.rights = np.zeros(size, np.uint8)  # which sizes of accesses may begin here
        self.views: dict[np.dtype, np.ndarray] = {}
        self.top = GUARD
        self.sizes: dict[int, int] = {}  # by address

    def view(self, kind: np.dtype) -> np.ndarray:
        if kind not in self.views:
            self.views[kind] = self.bytes.view(kind)
        return self.views[kind]

    def allow(self, begin: int, size: int) -> None:
        allow(self.rights, begin, size)

    def allocate(self, size: int) -> int:
        """Return the address of `size` bytes that nobody has written."""
        begin = -(-self.top // 256) * 256
        self.top = begin + size + GUARD
        if self.top > len(self.bytes):
            raise MemoryError(f"{self.top} bytes of {len(self.bytes)}")
        self.allow(begin, size)
        self.sizes[begin] = size
        return begin

    def release(self, begin: int) -> None:
        """Nobody may access it any more; it is not given out again."""
        self.rights[begin : begin + self.sizes.pop(begin)] = 0

    def check(self, at: np.ndarray, size: int, what: str) -> None:
        """An access of 1, 2, 4, 8 or 16 bytes."""
        try:
            good = self.rights[at] & size
        except IndexError:
            good = np.zeros(len(at), np.uint8)
        if np.count_nonzero(good) < len(at):
            (bad, *_) = at[good == 0]
            why = "is not aligned" if bad % size else "was not allocated"
            raise PtxError(f"{what}: address {bad:#x} {why}")

    def load(self, kind: np.dtype, at: np.ndarray, what: str) -> np.ndarray:
        self.check(at, kind.itemsize, what)
        return self.view(kind)[at // kind.itemsize]

    def store(self, kind: np.dtype, at: np.ndarray, values: np.ndarray, what: str) -> None:
        self.check(at, kind.itemsize, what)
        self.view(kind)[at // kind.itemsize] = values
