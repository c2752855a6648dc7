"""Carry out prepared runs side by side in threads, and stop them together."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from precipice.exact import whole_number

if TYPE_CHECKING:
    from precipice.results import Run
    from precipice.simulation import PreparedRun, Progress

_WAIT_SECONDS = 0.1


@dataclass(frozen=True)
class Gathered:
    """What came back from a set of runs.

    Attributes
    ----------
    runs : tuple of Run
        In the order in which the runs were given, whatever the number of workers.
    interrupted : bool
        True if Ctrl-C stopped them; the runs then hold what was computed until then.
    """

    runs: tuple[Run, ...]
    interrupted: bool


def available_cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_memory() -> int:
    """Return the bytes of memory this process may use: the machine's, or its cgroup's limit."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return physical
    return min(physical, int(limit)) if limit.isdigit() else physical


def checked_workers(workers: int | None) -> int:
    """Return the number of threads to use: one a core unless the caller says otherwise.

    Raises
    ------
    InvalidArgument
        If `workers` is not a positive integer.
    """
    return available_cores() if workers is None else whole_number(workers, "workers", 1)


def makespan(seconds: Sequence[float], workers: int) -> float:
    """Return the wall time of jobs handed out longest first to `workers` threads.

    Parameters
    ----------
    seconds : sequence of float
        Time of each job in seconds.
    workers : int
        Number of threads.
    """
    loads = [0.0] * max(1, workers)
    for job in sorted(seconds, reverse=True):
        loads[loads.index(min(loads))] += job
    return max(loads)


def execute(
    prepared: Sequence[PreparedRun],
    *,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Gathered:
    """Run everything that was prepared, the longest estimate first.

    Each run is a thread's work and shares nothing with the others, so the results do not
    depend on `workers`. Ctrl-C in the main thread stops all runs within their polling
    interval; runs that had not begun come back cancelled at step 0.

    Parameters
    ----------
    prepared : sequence of PreparedRun
        The runs.
    workers : int, optional
        Number of threads; default one for each core this process may use.
    progress : callable, optional
        Called from the worker threads with a `Progress`.
    stop : threading.Event, optional
        Setting it cancels the runs from outside.

    Returns
    -------
    Gathered
        The runs in the order given, and whether Ctrl-C ended them.

    Raises
    ------
    InvalidArgument
        If `workers` is not a positive integer.
    Exception
        Whatever a run raised; the others are stopped first.
    """
    threads = checked_workers(workers)
    halt = threading.Event() if stop is None else stop
    longest_first = sorted(range(len(prepared)), key=lambda i: -prepared[i].estimate()[0])
    futures: dict[int, Future[Run]] = {}
    with (
        interrupt_sets(halt) as interrupted,
        ThreadPoolExecutor(threads, thread_name_prefix="precipice") as pool,
    ):
        for index in longest_first:
            futures[index] = pool.submit(prepared[index].run, halt, progress)
        # In short waits: a Ctrl-C that falls just before a wait begins is only heard after it.
        while wait(futures.values(), timeout=_WAIT_SECONDS).not_done:
            if any(_failed(future) for future in futures.values()):
                halt.set()
    runs = tuple(futures[index].result() for index in range(len(prepared)))
    return Gathered(runs, interrupted.is_set())


@contextmanager
def interrupt_sets(halt: threading.Event) -> Iterator[threading.Event]:
    """Let Ctrl-C set `halt` and the event given, instead of raising KeyboardInterrupt.

    An exception could fall between any two instructions, a second one into the handling of the
    first, and take with it what the runs have computed. Only the main thread hears Ctrl-C.
    """
    heard = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield heard
        return

    def hear(number: int, frame: FrameType | None) -> None:
        heard.set()
        halt.set()

    signal.signal(signal.SIGINT, hear)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)


def _failed(future: Future[Run]) -> bool:
    """Return whether a run has already raised."""
    return future.done() and future.exception() is not None
