"""Timing: every answer checked, rounds interleaved, medians of thread CPU time."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.bench.floors import MODEL, Yardstick
from precipice.bench.peer import Peer, Unavailable
from precipice.bench.peers import OWN_PATHS, PEERS, PlainMpfr, Precipice, cpu_path, versions
from precipice.bench.rows import Benchmark, Row
from precipice.bench.stages import time_stages
from precipice.bench.workload import DATA, Shape, Workload
from precipice.errors import InvalidArgument
from precipice.exact import text, whole_number
from precipice.precision import Precision

DEFAULT_SHAPES = ("2x100", "300x3072", "1000x3072")
DEFAULT_PRECISIONS = (
    "float32", "float64", "float80", "float128",
    "mpfr53", "mpfr64", "mpfr113", "mpfr128", "mpfr256", "mpfr512", "mpfr1024",
)  # fmt: skip
# What each peer is given a round (one step at least), how many rounds there are unless somebody
# asks for another number, and after how long fewer will do.
_SECONDS_A_ROUND = 0.04
_ROUNDS = 5
_SECONDS_A_CELL = 2.0
_FEWEST_ROUNDS = 3
_FEWEST_BITS = 24
_EXACT_STEPS = 3
_LONG_STEP = 0.25
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS",
                "VECLIB_MAXIMUM_THREADS")  # fmt: skip


class WrongAnswer(AssertionError):
    """A peer's answer is not precipice's: its time means nothing, and one of the two is wrong."""


def run_benchmark(
    shapes: Sequence[str | Shape] = DEFAULT_SHAPES,
    precisions: Sequence[str | Precision] | None = None,
    peers: Sequence[str] = tuple(PEERS),
    rounds: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    *,
    stages: bool = False,
    data: str = "float64",
) -> Benchmark:
    """Time gradient-descent steps of precipice and its peers, side by side.

    Parameters
    ----------
    shapes : sequence of str or Shape
        Such as "300x3072".
    precisions : sequence of str or Precision, optional
        Of 24 bits or more; default `DEFAULT_PRECISIONS`, those that `data` allows.
    peers : sequence of str
        Names from `PEERS`; one that cannot do a format has a row that says why.
    rounds : int, optional
        Rounds at each shape and precision; default 5, or 3 where those take long.
    progress : callable, optional
        Called with what comes next, how many cells are done, and of how many.
    stages : bool
        Whether X u, Xᵀz and the update are timed on their own too, at formats mpfr<bits>.
    data : str
        What X holds: ``"float64"`` numbers, or with ``"full"`` numbers of all the bits of each
        format; then formats are mpfr<bits>.

    Raises
    ------
    InvalidArgument
        Before anything is timed.
    WrongAnswer
        If a peer's answer is not precipice's.
    """
    if precisions is None:
        precisions = [p for p in DEFAULT_PRECISIONS if data != "full" or p.startswith("mpfr")]
    cells = _cells(shapes, precisions, peers, data)
    if rounds is not None:
        rounds = whole_number(rounds, "rounds", 1)
    threads = single_threaded_blas()
    yardstick = Yardstick()
    rows: list[Row] = []
    for done, (shape, precision) in enumerate(cells):
        if progress is not None:
            progress(f"{shape} {precision}", done, len(cells))
        if not precision.availability()[0]:
            rows.append(_row(shape, precision, data, "precipice", precision.availability()[1]))
            continue
        work = Workload.draw(shape, precision, data)
        rows += _steps(work, peers, rounds, yardstick)
        if stages and precision.name.startswith("mpfr"):
            rows += _stages(work, peers, rounds, yardstick)
    return Benchmark(tuple(rows), _machine(), versions(), _method(threads, data, yardstick))


def _cells(
    shapes: Sequence[str | Shape],
    precisions: Sequence[str | Precision],
    peers: Sequence[str],
    data: str,
) -> list[tuple[Shape, Precision]]:
    """Return what is timed, every argument checked."""
    cells = [
        (Shape.parse(shape), _timed(precision)) for shape in shapes for precision in precisions
    ]
    for name in peers:
        if name not in PEERS:
            raise InvalidArgument("peers", name, f"must be among {', '.join(PEERS)}")
    if data not in DATA:
        raise InvalidArgument("data", data, f"must be {' or '.join(DATA)}")
    for _, precision in cells:
        if data == "full" and not precision.name.startswith("mpfr"):
            raise InvalidArgument("precision", precision.name, "must be mpfr<bits> for full data")
    return cells


def _timed(precision: str | Precision) -> Precision:
    """Return a precision that runs here and is wide enough to be timed."""
    parsed = Precision.parse(precision)
    if parsed.bits < _FEWEST_BITS:
        rule = f"must have {_FEWEST_BITS} bits or more: a narrower run settles while it is timed"
        raise InvalidArgument("precision", parsed.name, rule)
    return parsed


def _row(
    shape: Shape | str, precision: Precision, data: str, engine: str, scope: str, **rest: Any
) -> Row:
    return Row(str(shape), precision.name, precision.bits, engine, scope, data=data, **rest)


def _steps(
    work: Workload, names: Sequence[str], rounds: int | None, yardstick: Yardstick
) -> list[Row]:
    """Time whole steps at one shape and precision."""
    row = partial(_row, work.shape, work.precision, work.data)
    contestants: dict[str, Peer] = {"precipice": Precipice(work)}
    agreements: dict[str, str] = {"precipice": "is what the others are compared with"}
    absent: list[Row] = []
    for name in names:
        try:
            if name != "plain-mpfr":  # checked at the end, after all its steps
                agreements[name] = check(name, work)
            contestants[name] = PEERS[name](work)
        except Unavailable as error:
            absent.append(row(name, str(error)))
    times = _rounds(contestants, rounds)
    plain, own = contestants.get("plain-mpfr"), contestants["precipice"]
    if isinstance(plain, PlainMpfr) and isinstance(own, Precipice):
        agreements["plain-mpfr"] = _check_plain(plain, own)
    timed = []
    for name, peer in contestants.items():
        each = np.array(times[name])  # seconds a step
        per_operation = each / peer.work.multiply_adds
        own_operation = np.array(times["precipice"]) / work.multiply_adds
        whole = peer.whole_steps and peer.work is work
        timed.append(
            row(
                name,
                peer.describe(),
                nanoseconds=float(np.median(per_operation)) * 1e9,
                microseconds=float(np.median(each)) * 1e6 if whole else None,
                ratio=float(np.median(own_operation / per_operation)),
                spread=_spread(each),
                rounds=each.size,
                agreement=agreements[name],
                **_floor(yardstick, work, name, "step"),
            )
        )
    return timed + absent


def _stages(
    work: Workload, names: Sequence[str], rounds: int | None, yardstick: Yardstick
) -> list[Row]:
    """Time the stages of a step at one shape and precision."""
    times = time_stages(work, names, rounds)
    own = {each.stage: each.seconds for each in times if each.engine == "precipice"}
    return [
        _row(
            work.shape,
            work.precision,
            work.data,
            each.engine,
            each.scope,
            nanoseconds=float(np.median(each.seconds)) * 1e9,
            ratio=float(np.median(own[each.stage] / each.seconds)),
            spread=_spread(each.seconds),
            rounds=each.seconds.size,
            agreement=each.agreement,
            stage=each.stage,
            **_floor(yardstick, work, each.engine, each.stage),
        )
        for each in times
    ]


def _spread(times: npt.NDArray[np.float64]) -> float:
    """Return how far apart the rounds' times are, over their median."""
    return float(np.ptp(times) / np.median(times))


def _floor(yardstick: Yardstick, work: Workload, engine: str, stage: str) -> dict[str, Any]:
    """Return the floor of precipice's own rows, as fields of a row."""
    if engine not in OWN_PATHS:
        return {}
    with cpu_path(OWN_PATHS[engine]):
        floor = yardstick.floor(work, stage)
    return {} if floor is None else {"floor": floor.nanoseconds, "floor_set_by": floor.set_by}


def _rounds(contestants: dict[str, Peer], rounds: int | None) -> dict[str, list[float]]:
    """Return the seconds a step of each contestant in each round."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    steps = contestants["precipice"].advance(1e-9, 1)  # memory is touched, caches are warm
    for name, peer in contestants.items():
        if name != "precipice":
            peer.advance(0.0, steps)
    start = time.thread_time()
    for number in range(_ROUNDS if rounds is None else rounds):
        late = time.thread_time() - start > _SECONDS_A_CELL
        if rounds is None and number >= _FEWEST_ROUNDS and late:
            break
        for name, peer in contestants.items():
            before = time.thread_time()
            taken = peer.advance(_SECONDS_A_ROUND, steps)
            times[name].append((time.thread_time() - before) / taken)
            if name == "precipice":
                steps = taken
    return times


def check(name: str, work: Workload) -> str:
    """Compare a peer's first steps with precipice's; return how they agree.

    The steps are long ones: those that are timed would hide errors of the gradient.

    Raises
    ------
    Unavailable
        If the peer cannot do this work here.
    WrongAnswer
        If an exact peer differs in a bit, or another by more than rounding can explain.
    """
    peer = PEERS[name](replace(work, lr=_LONG_STEP))
    steps = _EXACT_STEPS if peer.exact else 1
    own, other = peer.work.after(steps), peer.after(steps)
    where = f"{name} at {work.precision}"
    if peer.exact:
        if [text(x) for x in own] != [text(x) for x in other]:
            raise WrongAnswer(f"{where}: differs from precipice after {steps} steps")
        return f"equal after {steps} steps"
    with gmpy2.context(precision=work.precision.bits + 64):
        apart = [
            float(gmpy2.mul_2exp(abs(a - b), work.precision.bits))
            for a, b in zip(own, other, strict=True)
        ]
    share = float(np.max(np.array(apart) / peer.work.difference_bound()))
    if not share <= 1:
        raise WrongAnswer(f"{where}: {share:.3g} times the bound on rounding apart from precipice")
    return f"{share:.1g} of the bound apart"


def _check_plain(plain: PlainMpfr, own: Precipice) -> str:
    """Compare the plain loop with precipice after all the steps both took."""
    same = [text(x) for x in plain.parameters()] == [text(x) for x in own.parameters()]
    if not (same and plain.loss == own.loss):
        raise WrongAnswer(f"plain-mpfr at {own.work.precision}: differs after {own.steps} steps")
    return f"equal after {own.steps} steps"


def single_threaded_blas() -> str:
    """Hold NumPy's BLAS to one thread where that can be done, and say how it stands."""
    try:
        import_module("threadpoolctl").threadpool_limits(1)
        return "1 (threadpoolctl)"
    except ImportError:
        pass
    if all(os.environ.get(name) == "1" for name in BLAS_THREADS):
        return "1 (environment)"
    return "not limited: NumPy's times may leave out other threads"


def _machine() -> dict[str, Any]:
    """Return what the times were taken on."""
    info = _core.build_info()
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cpu_features": info["cpu_features"],
        "cpu_path": info["cpu_path"],
        "python": sys.version.split()[0],
    }


def _processor() -> str:
    """Return the processor's name, where the system tells it."""
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _method(threads: str, data: str, yardstick: Yardstick) -> dict[str, str]:
    """Return how the times were taken."""
    return {
        "clock": "thread CPU time, one core; peers take turns, medians of the rounds",
        "work": "gradient-descent steps of f(x) = (x·u) v, half_mean, normal data: "
        + ("float64 numbers" if data == "float64" else "numbers of all the format's bits"),
        "nanoseconds": "per multiply-add of X u and Xᵀz, 2 N d a step; of the update per element",
        "answers": "equal bit for bit, or so much of the bound on one step's rounding apart",
        "blas_threads": threads,
        **MODEL,
        "gigahertz": f"{yardstick.hertz * 1e-9:.3g}",
    }
