"""Counts of a launch: instructions issued by class, and bytes that accesses touch."""

from __future__ import annotations

from collections import Counter

import numpy as np

from .blocks import Block
from .exchange import WARP

SECTOR = 32  # bytes that memory moves at least


class Profile:
    """Instructions that each warp was issued, and sectors of memory that all asked for."""

    def __init__(self) -> None:
        self.visits: dict[tuple[int, int], Counter[int]] = {}  # by block and warp: basic blocks
        self.blocks: dict[int, Block] = {}
        self.sectors: Counter[str] = Counter()

    def count(self, number: int, warps: np.ndarray, block: Block) -> None:
        self.blocks[id(block)] = block
        for warp in warps.tolist():
            self.visits.setdefault((number, warp), Counter())[id(block)] += 1

    def access(self, what: str, space: str, at: np.ndarray, threads: np.ndarray, size: int) -> None:
        if len(at) == 0:
            return
        sector = (threads // WARP).astype(np.int64) << 48 | at // SECTOR
        last = (threads // WARP).astype(np.int64) << 48 | (at + size - 1) // SECTOR
        self.sectors[f"{what}.{space}"] += len(np.union1d(sector, last))

    def by_warp(self) -> dict[tuple[int, int], Counter[str]]:
        """Instructions issued to each warp, by class."""
        classes = {key: block.classes() for key, block in self.blocks.items()}
        found = {}
        for warp, visits in self.visits.items():
            total: Counter[str] = Counter()
            for key, times in visits.items():
                for name, number in classes[key].items():
                    total[name] += number * times
            found[warp] = total
        return found

    @property
    def issued(self) -> Counter[str]:
        """Instructions issued to all warps, by class."""
        return sum(self.by_warp().values(), Counter())
