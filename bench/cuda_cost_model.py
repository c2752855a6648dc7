"""What a step costs on an H100, as a model: never measured on a GPU.

    PYTHONPATH=tests python bench/cuda_cost_model.py [--write]

A kernel's PTX is carried out by the interpreter of tests/cuda/ptx, and the instructions that each
warp is issued are counted by class; the difference of two runs of different length is what a step
takes. `--write` keeps the counts in bench/cuda_counts.json; without nvcc those are used. A step of
all runs then takes at least

    issue       what the busiest scheduler issues: one instruction a cycle, and what its units take
    latency     what the longest warp waits, if an instruction waits for the one before (two are
                under way at once); as often as blocks must wait for the registers of others
    memory      X, read twice, from the level-2 cache or from memory, where it is not on the chip
    barriers    of a grid: each the time of an atomic and of seeing it

and the model's time is the greatest of the first three, plus the barriers. Each ratio is a range:
its low end lets every instruction wait for the one before and two loads of X be under way at
once, its high end two instructions and the eight loads that the text of a sum asks for. How much
overlaps is a guess, and it decides what is reached. A `!` stands where the low end misses what is
asked, `!!` where the high end does too. PTX instructions stand for those of the machine, which
are more: of the block kernel in float64 ptxas makes 1.5 times as many in text (5,664 of 3,831,
division in line), and no range says that. What is compared is one core of this machine, the same
engine, in thread CPU time.

Figures of an H100 SXM5 80 GB, as published: 132 multiprocessors, 1.98 GHz at most (1.755
assumed), 64 float64 and 128 float32 additions or multiplications a cycle and multiprocessor, 3.35
TB/s of memory (NVIDIA, H100 data sheet). Quoted from memory and not looked up again: 64
operations of 32-bit integers (CUDA C++ programming guide); latencies of 29 cycles for shared
memory, 41 for the level-1 cache and 263 for level 2 (Luo et al. 2024, arXiv:2402.13499), 4 for
integers and float32 and 8 for float64 (Jia et al. 2018, arXiv:1804.06826, of a V100). Level 2 at
5.5 TB/s and 1.6 us a barrier of a grid are estimates.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

COUNTS = Path(__file__).resolve().with_name("cuda_counts.json")


@dataclass(frozen=True)
class Gpu:
    name: str
    multiprocessors: int
    hertz: float
    float64: int  # operations a cycle and multiprocessor
    float32: int
    memory: float  # bytes a second
    cache: float  # bytes a second, level 2
    cache_bytes: int
    blocks: int = 32  # of a multiprocessor, at most
    integers: int = 64
    registers: int = 65536
    grid_barrier: float = 1.6e-6

    @property
    def schedulers(self) -> int:
        return 4 * self.multiprocessors

    def flops(self, precision: str) -> float:
        """Additions and multiplications a second: no fused ones are used."""
        units = self.float64 if precision == "float64" else self.float32
        return units * self.multiprocessors * self.hertz


H100 = Gpu("H100 SXM5", 132, 1.755e9, 64, 128, 3.35e12, 5.5e12, 50 << 20)
GPUS = {
    "H100 PCIe": Gpu("H100 PCIe", 114, 1.755e9, 64, 128, 2.0e12, 4.5e12, 50 << 20),
    "H100": H100,
    "H200": Gpu("H200", 132, 1.755e9, 64, 128, 4.8e12, 5.5e12, 50 << 20),
    "A100": Gpu("A100", 108, 1.41e9, 32, 64, 1.9e12, 3.5e12, 40 << 20),
}
OVERLAP = 2.0  # instructions of a warp under way at once, where addresses come ahead of sums
AHEAD = 8  # terms that a sum by one lane reads before it adds (linalg/lane_sums.hpp)


def gpu_named(name: str) -> Gpu | None:
    """Return the figures of a device by what it calls itself."""
    found = [gpu for key, gpu in GPUS.items() if all(part in name for part in key.split())]
    return found[0] if found else None


# Class of instructions (tests/cuda/ptx/blocks.py): cycles of a scheduler's unit, and of waiting.
# Divisions are loops of about ten others.
def cycles(name: str, gpu: Gpu, far: bool) -> tuple[float, float]:
    """`far`: what is read of the device's memory is too much for the level-1 cache."""

    def unit(operations: int) -> float:
        return 32 / (operations / 4)

    family, _, kind = name.partition(".")
    if family in ("div", "sqrt", "rcp"):
        each = unit(gpu.float64 if kind == "f64" else gpu.float32)
        return 10 * each, 10 * (8 if kind == "f64" else 4)
    if family in ("ld", "atom", "red"):
        wait = {
            "shared": 29,
            "param": 8,
            "const": 8,
            "local": 41,
            "global": 263 if far else 41,
        }
        return 2, wait.get(kind, 29 if family == "ld" else 263)
    fixed = {"f64": (unit(gpu.float64), 8), "f32": (unit(gpu.float32), 4), "st": (2, 4),
             "barrier": (2, 30), "exchange": (4, 24), "branch": (1, 6), "mov": (1, 4),
             "integer": (unit(gpu.integers), 4), "integer64": (1.5 * unit(gpu.integers), 5),
             "cvt": (unit(gpu.integers), 6), "grid_barrier": (0, 0)}  # fmt: skip
    return fixed[name if name in fixed else family]


@dataclass(frozen=True)
class Case:
    """An ensemble of `runs`, or a single run; `team` is the one that is modelled."""

    rows: int
    features: int
    precision: str
    order: str
    team: str
    lanes: int
    runs: int
    asked: float
    blocks: int = 1  # of a grid

    @property
    def name(self) -> str:
        return f"{self.rows}x{self.features} {self.precision} {self.order} {self.team}"

    @property
    def number_bytes(self) -> int:
        return 8 if self.precision == "float64" else 4


CASES = tuple(
    Case(rows, features, precision, order, team, 32, 4096, 200)
    for rows, features in ((2, 2), (2, 100))
    for precision in ("float64", "float32")
    for order in ("sequential", "blocked")
    for team in ("thread", "block")
) + tuple(
    Case(300, 3072, precision, order, "grid", 256, 1, 20, blocks=57)
    for precision in ("float64", "float32")
    for order in ("sequential", "blocked")
)


@dataclass(frozen=True)
class Count:
    """A step's instructions by class: of the warp with most of them, and of all warps together."""

    longest: Mapping[str, float]
    total: Mapping[str, float]
    grid_barriers: float
    registers: int  # of a lane, as ptxas says for an H100


@dataclass(frozen=True)
class Prediction:
    issue: float  # seconds a step of all runs
    latency: float
    memory: float
    barriers: float

    @property
    def seconds(self) -> float:
        return max(self.issue, self.latency, self.memory) + self.barriers

    @property
    def limit(self) -> str:
        parts = {"issue": self.issue, "latency": self.latency, "memory": self.memory}
        name = max(parts, key=parts.__getitem__)
        return "grid barriers" if self.barriers > parts[name] else name


def weigh(
    counts: Mapping[str, float], gpu: Gpu, far: bool, overlap: float = 1, ahead: float = 1
) -> tuple[float, float]:
    """Cycles of a scheduler, and of waiting, for some instructions.

    A scheduler issues one instruction a cycle, to several kinds of units: the busiest counts.
    """
    busy: Counter[str] = Counter()
    waits = 0.0
    for name, number in counts.items():
        unit, wait = cycles(name, gpu, far)
        integers = name.startswith(("integer", "cvt"))
        busy["integers" if integers else name.split(".")[0]] += unit * number
        distant = far and name == "ld.global"
        waits += wait * number / (ahead if distant else overlap)
    issued = sum(counts.values()) + 0.5 * counts.get("integer64", 0)
    return max(issued, *busy.values()), waits


def predict(
    case: Case, count: Count, gpu: Gpu = H100, overlap: float = OVERLAP, ahead: float = AHEAD
) -> Prediction:
    """Return what a step of all runs takes."""
    far = case.team == "grid"
    _, waits = weigh(count.longest, gpu, far, overlap, ahead)
    issued, _ = weigh(count.total, gpu, far)
    waves = 1
    if case.team == "grid":
        issue = issued / min(gpu.schedulers, 4 * case.blocks)
    else:
        warps = case.runs if case.team == "block" else math.ceil(case.runs / 32)
        issue = issued * math.ceil(warps / gpu.schedulers)
        resident = min(gpu.blocks, gpu.registers // (32 * count.registers)) * gpu.multiprocessors
        waves = math.ceil(warps / resident)
    numbers = 2 * case.rows * case.features if case.team == "grid" else 0
    data = numbers * case.number_bytes
    bandwidth = gpu.cache if data < gpu.cache_bytes else gpu.memory
    return Prediction(
        issue / gpu.hertz, waves * waits / gpu.hertz, data / bandwidth,
        count.grid_barriers * gpu.grid_barrier,
    )  # fmt: skip


def measure(case: Case, steps: tuple[int, int] = (3, 5)) -> Count:
    """Count what a step takes of each warp, by carrying out the PTX; needs nvcc."""
    import precipice as pc
    from cuda.ptx_device import PtxDevice
    from precipice import _core
    from runs_on_lanes import arguments, finished, problem

    counted = []
    for number in steps:
        given = arguments(
            pc.Minimalist(2), data=problem(case.rows, case.features), order=case.order,
            precision=case.precision, steps=number, lr="1/1000000", record=pc.Record(loss=1000),
        )  # fmt: skip
        device = PtxDevice(
            multiprocessors=case.blocks, shared_bytes=227 << 10, profile=True, budget=10**9,
            memory=1 << 29,
        )  # fmt: skip
        tuning = {"team": case.team, "lanes": case.lanes, "steps": 10**6}
        finished(_core.Simulation(**given, device=device.capsule, tuning=tuning))
        assert device.profile is not None
        counted.append(device.profile.by_warp())
    early, late = counted
    between = steps[1] - steps[0]
    warps = [
        {name: (late[w][name] - early[w][name]) / between for name in late[w]} for w in late
    ]  # fmt: skip
    total: Counter[str] = Counter()
    for warp in warps:
        total.update(warp)
    barriers = max(warp.get("grid_barrier", 0.0) for warp in warps)
    longest = max(warps, key=lambda warp: weigh(warp, H100, case.team == "grid")[1])
    clean = lambda counts: {k: round(v, 1) for k, v in sorted(counts.items()) if v}  # noqa: E731
    return Count(clean(longest), clean(total), barriers, registers_of(case))


def registers_of(case: Case) -> int:
    """Ask ptxas for the registers of a lane."""
    from cuda.compiled import CPP, FLAGS, HERE, defines

    kernel = defines(case.team, "minimalist", case.precision)
    flags = [flag for flag in FLAGS if not flag.startswith("-arch")]
    command = ["nvcc", "-cubin", "-arch=sm_90", "-Xptxas", "-v", *flags, *kernel, f"-I{CPP}",
               str(HERE / "kernel.cu"), "-o", "/dev/null"]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return max(int(number) for number in re.findall(r"Used (\d+) registers", said))


def processor(case: Case, seconds: float = 0.2, rounds: int = 5) -> float:
    """Return the seconds of a step of one run on one core, the median of some rounds."""
    import numpy as np

    import precipice as pc
    from precipice.engines import engine_for
    from precipice.simulation import prepare

    rng = np.random.default_rng(0)
    data = rng.normal(size=(case.rows, case.features)), rng.choice([-1.0, 1.0], case.rows)
    plan = prepare(
        pc.problems.from_arrays(*data), pc.Minimalist(2), pc.GD("1/1000000"),
        precision=case.precision, order=case.order, steps=10**9, init=pc.init.pytorch(0),
        record=pc.Record(loss=1000),
    ).plan  # fmt: skip
    found = []
    for _ in range(rounds):
        engine = engine_for(plan)
        began = time.thread_time()
        engine.advance(seconds)
        found.append((time.thread_time() - began) / max(engine.step, 1))
    return float(np.median(found))


def kept() -> dict[str, Count]:
    return {name: Count(**count) for name, count in json.loads(COUNTS.read_text()).items()}


def counts(cases: tuple[Case, ...]) -> dict[str, Count]:
    if shutil.which("nvcc") is None:
        print(f"nvcc is not installed: the counts are those of {COUNTS.name}")
        return kept()
    return {case.name: measure(case) for case in cases}


HEADLINE = ("case", "instructions", "registers", "issue", "latency", "memory", "barriers", "limit",
            "step", "core", "ratio", "asked")  # fmt: skip


def row(case: Case, count: Count, core: float) -> tuple[str, ...]:
    """A line of the table; times in microseconds, of a step of all runs."""
    p = predict(case, count)
    parts = (p.issue, p.latency, p.memory, p.barriers)
    low = case.runs * core / predict(case, count, overlap=1, ahead=2).seconds
    ratio = case.runs * core / p.seconds
    mark = "" if low >= case.asked else " !" if ratio >= case.asked else " !!"
    return (
        f"{case.runs} x {case.name}", f"{sum(count.longest.values()):.0f}",
        str(count.registers),
        *(f"{1e6 * part:.1f}" for part in parts), p.limit, f"{1e6 * p.seconds:.1f}",
        f"{1e6 * core:.3f}", f"{low:.0f}-{ratio:.0f}",
        f"{case.asked:.0f}{mark}",
    )  # fmt: skip


def print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(r[k]) for r in [HEADLINE, *rows]) for k in range(len(HEADLINE))]
    for r in [HEADLINE, *rows]:
        print("  ".join(cell.ljust(w) if k == 0 else cell.rjust(w)
                        for k, (cell, w) in enumerate(zip(r, widths, strict=True))))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"keep the counts in {COUNTS.name}")
    parser.add_argument("--kept", action="store_true", help="use the counts kept there")
    options = parser.parse_args()
    found = kept() if options.kept else counts(CASES)
    if options.write:
        text = {name: asdict(count) for name, count in found.items()}
        COUNTS.write_text(json.dumps(text, indent=1) + "\n")
    print(f"A model of a step on an {H100.name}, never measured on a GPU; microseconds.")
    rows, cores = [], {}
    for case in CASES:
        core = case.rows, case.features, case.precision, case.order
        cores[core] = cores.get(core) or processor(case)
        rows.append(row(case, found[case.name], cores[core]))
    print_table(rows)
    print("instructions: of the longest warp; ! asked within the range, !! above it")


if __name__ == "__main__":
    main()
