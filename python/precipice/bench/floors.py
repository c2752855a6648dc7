"""The least time that a multiply-add can take: multiplications, and bytes of the data.

Both are models, and leave out everything else. What else a multiply-add takes, aligning, carrying
and rounding twice, ``bench/instruction_floor.py`` counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from precipice import _core
from precipice.bench.workload import Workload

MODEL = {
    "floor": "the greater of two models of the least time; share: floor over measured",
    "floor_multiplications": "one a cycle; AVX-512 IFMA, for 8 multiply-adds: 2K with data of 53 "
    "bits or fewer, else 2K², K²+4K-4 from K = 5 on; 64-bit words, for one: K or K²",
    "floor_bytes": "X once a product (native formats: once a step) at the bandwidth of a buffer "
    "of its size, read over and over; K limbs take 8(K+1) bytes, data of 53 bits 8",
    "floor_clock": "additions that wait for each other, one a cycle, timed in the same run",
}

_SHORT = 53  # bits of data that takes one word
_FEWEST_TRUNCATED = 5  # limbs; from there on the lowest columns of a product are left out
_NATIVE_BYTES = {"float32": 4, "float64": 8}
_ADDITIONS = 5_000_000
_BYTES_A_TIMING = 1e8
_TIMINGS = 5


@dataclass(frozen=True)
class Floor:
    """The least nanoseconds of a multiply-add, and what sets them."""

    nanoseconds: float
    set_by: str


class Yardstick:
    """How fast this core is now."""

    def __init__(self) -> None:
        self._bandwidths: dict[int, float] = {}

    @cached_property
    def hertz(self) -> float:
        """The clock."""
        return _ADDITIONS / _least_seconds(lambda: _core.dependent_additions(_ADDITIONS))

    def bytes_a_second(self, size: int) -> float:
        """Return the bandwidth of reading so many bytes again and again."""
        if size not in self._bandwidths:
            buffer, times = _core.ReadBuffer(size), max(1, round(_BYTES_A_TIMING / size))
            self._bandwidths[size] = size * times / _least_seconds(lambda: buffer.read(times))
        return self._bandwidths[size]

    def floor(self, work: Workload, stage: str) -> Floor | None:
        """Return the floor of precipice's time for a stage or a whole step of some work.

        None where nothing is modelled: MPFR itself, float80 and float128.
        """
        times = self._native(work) if work.precision.name in _NATIVE_BYTES else None
        if work.precision.name.startswith("mpfr"):
            times = self._limbs(work, stage)
        if times is None:
            return None
        set_by = max(times, key=times.__getitem__)
        return Floor(times[set_by] * 1e9, set_by)

    def _native(self, work: Workload) -> dict[str, float]:
        """Return the seconds of a multiply-add's bytes: X is read once a step."""
        size = work.X.size * _NATIVE_BYTES[work.precision.name]
        return {"bytes": size / self.bytes_a_second(size) / work.multiply_adds}

    def _limbs(self, work: Workload, stage: str) -> dict[str, float] | None:
        """Return the seconds of a multiply-add's multiplications, and of its bytes."""
        layout = _core.limb_layout(work.precision.bits)
        if layout is None:
            return None
        short = min(work.precision.bits, work.bits_of_data) <= _SHORT and stage != "update"
        cycles = multiplications(layout.limbs, layout.lanes, short) / layout.lanes
        times = {"multiplications": cycles / self.hertz}
        if stage != "update":
            bytes_each = 8 if short else 8 * (1 + layout.limbs)
            size = work.X.size * bytes_each * (2 if stage == "step" else 1)
            times["bytes"] = bytes_each / self.bytes_a_second(size)
        return times


def multiplications(limbs: int, lanes: int, short: bool) -> int:
    """Return the multiplications of so many products as there are lanes.

    Parameters
    ----------
    limbs, lanes : int
        K, and how many numbers stand side by side: 1 in 64-bit words, whose multiplication gives
        both halves of a product.
    short : bool
        Whether one factor has a single limb (in lanes: and perhaps one bit more).
    """
    if lanes == 1:
        return limbs if short else limbs**2
    if short:
        return 2 * limbs
    return 2 * limbs**2 if limbs < _FEWEST_TRUNCATED else limbs**2 + 4 * limbs - 4


def _least_seconds(run: Callable[[], Any]) -> float:
    """Return the shortest of a few timings."""
    times = []
    for _ in range(_TIMINGS):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return min(times)
