"""What the lanes of a warp do together: shuffles, votes, reductions. All must have arrived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .errors import PtxError
from .integers import Operation
from .operands import Operands
from .parser import Instruction
from .types import dtype

WARP = 32


@dataclass(frozen=True)
class Exchange:
    members: int  # the slot of the mask of lanes that must take part
    carry_out: Operation
    what: str


def same_warp(group) -> np.ndarray:
    """Lanes of the group by warps, in rows; a warp may be short of lanes."""
    return group.thread // WARP


def shuffle(i: Instruction, o: Operands) -> Operation:
    mode = i.modifiers[1]
    if i.modifiers not in [("sync", m, "b32") for m in ("up", "down", "bfly", "idx")]:
        raise i.unknown()
    target, given, *controls = i.operands
    outs = [t.strip() for t in target.split("|")]
    out = o.read(i, outs[0], "u32")
    valid = o.read(i, outs[1], "pred") if len(outs) > 1 and outs[1] != "_" else None
    source = o.read(i, given, "u32")
    by, clamp = (o.read(i, text, "u32") for text in controls[:2])
    step: Callable = {
        "up": lambda lane, b: lane - b, "down": lambda lane, b: lane + b,
        "bfly": lambda lane, b: lane ^ b, "idx": lambda lane, b: b,
    }[mode]  # fmt: skip

    def carry_out(R, m):
        group = R.group
        lane = group.thread % WARP
        b = R[by].astype(np.int64) & 31
        cval, part = R[clamp].astype(np.int64) & 31, R[clamp].astype(np.int64) >> 8 & 31
        last = lane & part | cval & ~part
        from_lane = (lane & part | b & ~part) if mode == "idx" else step(lane, b)
        inside = from_lane >= last if mode == "up" else from_lane <= last
        from_lane = np.where(inside, from_lane, lane)
        place = np.arange(group.size) + from_lane - lane
        active = np.ones(group.size, bool) if m is True else m
        exists = (place >= 0) & (place < group.size)
        reached = np.where(exists, place, 0)
        good = exists & active[reached] & (group.thread[reached] // WARP == group.thread // WARP)
        if (active & ~good).any():
            raise PtxError(f"line {i.line}: a lane takes from one that takes no part: {i.text}")
        np.copyto(R[out], R[source][reached], where=m)
        if valid is not None:
            np.copyto(R[valid], inside, where=m)

    return carry_out


def by_warps(function: Callable, out: int, source: int) -> Operation:
    """`out` of every taking part = function of the values and lane numbers of its warp's."""

    def carry_out(R, m):
        group = R.group
        active = np.ones(group.size, bool) if m is True else m
        values = R[source].copy()
        for warp in np.unique(group.thread[active] // WARP):
            here = active & (group.thread // WARP == warp)
            R[out][here] = function(values[here], group.thread[here] % WARP)

    return carry_out


def ballot(values: np.ndarray, lanes: np.ndarray) -> int:
    return int(sum(1 << int(lane) for lane in lanes[values]))


def vote(i: Instruction, o: Operands) -> Operation:
    mode = i.modifiers[1]
    functions = {"any": lambda v, lanes: v.any(), "all": lambda v, lanes: v.all(),
                 "uni": lambda v, lanes: v.all() or not v.any(), "ballot": ballot}  # fmt: skip
    if mode not in functions:
        raise i.unknown()
    out = o.read(i, i.operands[0], "u32" if mode == "ballot" else "pred")
    if i.operands[1].startswith("!"):
        raise i.unknown()
    return by_warps(functions[mode], out, o.read(i, i.operands[1], "pred"))


def reduce(i: Instruction, o: Operands) -> Operation:
    functions = {"add": np.add, "min": np.minimum, "max": np.maximum, "and": np.bitwise_and,
                 "or": np.bitwise_or, "xor": np.bitwise_xor}  # fmt: skip
    _, name, kind = i.modifiers
    if name not in functions:
        raise i.unknown()
    out, source = (o.read(i, text, dtype(kind)) for text in i.operands[:2])
    return by_warps(lambda v, lanes: functions[name].reduce(v, dtype=v.dtype), out, source)


def match_any(i: Instruction, o: Operands) -> Operation:
    if i.modifiers[:2] != ("any", "sync"):
        raise i.unknown()
    out, source = o.read(i, i.operands[0], "u32"), o.read(i, i.operands[1], i.modifiers[2])

    def lanes_alike(v: np.ndarray, lanes: np.ndarray) -> np.ndarray:
        return np.array([ballot(v == each, lanes) for each in v], np.uint32)

    return by_warps(lanes_alike, out, source)


def synchronise(i: Instruction, o: Operands) -> Operation:
    return lambda R, m: None


FUNCTIONS = {"shfl": shuffle, "vote": vote, "redux": reduce, "match": match_any,
             "bar": synchronise}  # fmt: skip


def exchange(i: Instruction, o: Operands) -> Exchange | None:
    """Return what the lanes of a warp do together, if the instruction is of that kind."""
    warp_barrier = i.opcode == "bar" and i.has("warp")
    if i.opcode not in FUNCTIONS or (i.opcode == "bar" and not warp_barrier):
        return None
    if i.guard is not None or not i.has("sync"):
        raise i.unknown()
    members = o.read(i, i.operands[-1], "u32")
    return Exchange(members, FUNCTIONS[i.opcode](i, o), f"line {i.line}: {i.text}")
