"""An ensemble being carried out: members shared out to threads, saved on the way."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.checkpoint import Block, Checkpoint
from precipice.engines.core import core_arguments, from_hexadecimal, in_hexadecimal
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.plan import Plan, positive
from precipice.planning import another_start
from precipice.study.ensemble_records import Recorder
from precipice.study.members import Members

_BLOCK_SECONDS = 0.1
_WAIT_SECONDS = 0.1
_LARGEST_CHUNK = 64  # members that a thread takes at a time
_CHUNKS_A_THREAD = 8  # at least, so that none waits long for the others


@dataclass(frozen=True)
class EnsembleProgress:
    """How far an ensemble has come.

    Attributes
    ----------
    members, ended : int
        How many there are, and how many have ended.
    outcomes : dict of str to int
        Of those that have.
    steps, most_steps : int
        Taken by all members, and the most there will be if none ends early.
    """

    members: int
    ended: int
    outcomes: dict[str, int]
    steps: int
    most_steps: int


class EnsembleRun:
    """The members of a plan, from their starts to their ends.

    Parameters
    ----------
    plan : Plan
        Of the first member.
    members : Members
    lrs : sequence of str
        Step sizes in the problem's format, exact.
    starts : sequence of dict
        One a seed, in the problem's format.
    """

    def __init__(
        self,
        plan: Plan,
        members: Members,
        lrs: Sequence[str],
        starts: Sequence[dict[str, npt.NDArray[Any]]],
    ) -> None:
        self._plan, self._members, self._lrs, self._starts = plan, members, lrs, starts
        self._arguments = core_arguments(plan)
        self._one_chunk = plan.device.table is not None  # a device takes all at once
        self.recorder = Recorder(plan.record, members.size, plan.steps)
        self.outcome = np.full(members.size, "running", dtype="<U9")
        self.steps = np.zeros(members.size, np.int64)
        self.digest = [""] * members.size  # SHA-256 of the final parameters' texts
        self.seconds = 0.0
        self._states: dict[int, dict[str, Any]] = {}  # of members that have begun, from before
        self._unsaved: list[Block] | None = None
        self._lock = threading.Lock()  # for everything here that threads change
        self._threads: list[_Thread] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def keep_blocks(self) -> None:
        """Keep what is recorded from now on until `save`."""
        self._unsaved = []

    def run(
        self,
        workers: int,
        halt: threading.Event,
        progress: Callable[[EnsembleProgress], None] | None = None,
        save: Callable[[EnsembleRun], None] | None = None,
    ) -> None:
        """Carry on until all members have ended or `halt` is set.

        Parameters
        ----------
        workers : int
            Threads; no result depends on it.
        halt : threading.Event
        progress : callable, optional
            Called about ten times a second.
        save : callable, optional
            Likewise, and decides whether it is time.
        """
        chunks = deque(self._chunks(workers))
        count = min(workers, len(chunks))
        began = time.perf_counter()
        with ThreadPoolExecutor(max(1, count), thread_name_prefix="precipice") as pool:
            self._threads = [_Thread(self, chunks, halt) for _ in range(count)]
            futures = [pool.submit(thread.work) for thread in self._threads]
            try:
                while wait(futures, timeout=_WAIT_SECONDS).not_done:
                    if halt.is_set() or any(_failed(future) for future in futures):
                        halt.set()
                        for thread in self._threads:
                            thread.stop()
                    if progress is not None:
                        progress(self.progress())
                    if save is not None:
                        save(self)
            except BaseException:
                halt.set()
                for thread in self._threads:
                    thread.stop()
                raise
        for future in futures:
            future.result()
        self.seconds += time.perf_counter() - began
        if progress is not None:
            progress(self.progress())

    def progress(self) -> EnsembleProgress:
        """Return how far it has come."""
        with self._lock:
            names, counts = np.unique(self.outcome, return_counts=True)
            outcomes = dict(zip(names.tolist(), counts.tolist(), strict=True))
            running = outcomes.pop("running", 0)
            size = self._members.size
            taken = int(self.steps.sum())
            return EnsembleProgress(size, size - running, outcomes, taken, size * self._plan.steps)

    def _chunks(self, workers: int) -> list[npt.NDArray[np.int64]]:
        """Return the members that have not ended in pieces for the threads."""
        waiting = np.flatnonzero(self.outcome == "running")
        if self._one_chunk:
            return [waiting] if waiting.size else []
        size = max(1, min(_LARGEST_CHUNK, waiting.size // (_CHUNKS_A_THREAD * workers)))
        return [waiting[i : i + size] for i in range(0, waiting.size, size)]

    def ensemble(self, chunk: npt.NDArray[np.int64]) -> Any:
        """Return the core's ensemble of some members, those that had begun where they were."""
        made = _core.Ensemble(
            **self._arguments,
            starts=self._rows(chunk),
            lrs=[self._lrs[i] for i in self._members.lr_index(chunk)],
            seeds=np.full(chunk.size, self._plan.arithmetic.seed or 0, np.uint64),
            runs=chunk.astype(np.uint64),
        )
        for place, member in enumerate(chunk.tolist()):
            if member in self._states:
                made.restore(place, _core.LoopState(from_hexadecimal(dict(self._states[member]))))
        return made

    def _rows(self, chunk: npt.NDArray[np.int64]) -> Any:
        """Return the starts of some members, a row each."""
        format_, rows = self._plan.arithmetic.parameters, []
        for member in chunk.tolist():
            start = self._starts[self._members.start_index(member)]
            begun = self._members.init_of(member).begun(start, format_)
            rows.append([values.ravel() for values in begun.values()])
        if all(values.dtype == np.float64 for row in rows for values in row):
            return np.array([np.concatenate(row) for row in rows])
        return [[text(x) for values in row for x in values] for row in rows]

    def take(self, core: Any, chunk: npt.NDArray[np.int64], records: Any) -> None:
        """Take in what an ensemble of some members recorded in a block, and who has ended."""
        for block in records.values():
            block["member"] = chunk[block["member"]]
        outcomes, steps = core.outcomes(), core.steps()
        ended = [i for i, outcome in enumerate(outcomes) if outcome != "running"]
        with self._lock:
            self.recorder.add(records)
            if self._unsaved is not None:
                self._unsaved.append(records)
            self.steps[chunk] = steps
            for place in ended:
                member = int(chunk[place])
                if self.outcome[member] == "running":
                    self.outcome[member] = outcomes[place]
                    self.digest[member] = _digest(core.parameters(place))
                    self._states.pop(member, None)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write the exact state of every member, and what was recorded since the last call."""
        held = list(self._threads)
        self.may_go_on.clear()  # else a thread would have its lock back at once
        for thread in held:
            thread.between_blocks.acquire()
        try:
            states = dict(self._states)
            for thread in held:
                states |= thread.states()
            ended = np.flatnonzero(self.outcome != "running")
            state = {
                "member": ended.tolist(),
                "outcome": self.outcome[ended].tolist(),
                "steps": self.steps[ended].tolist(),
                "digest": [self.digest[i] for i in ended],
                "seconds": self.seconds,
                "running": {str(member): states[member] for member in sorted(states)},
            }
            blocks, self._unsaved = self._unsaved or [], []
        finally:
            for thread in held:
                thread.between_blocks.release()
            self.may_go_on.set()
        checkpoint.save(state, blocks)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of the same ensemble.

        Raises
        ------
        InvalidArgument
            If it is of another one, or damaged.
        """
        state, blocks = checkpoint.load()
        try:
            ended = np.array(state["member"], np.int64)
            self.outcome[ended] = state["outcome"]
            self.steps[ended] = state["steps"]
            for member, digest in zip(state["member"], state["digest"], strict=True):
                self.digest[member] = digest
            self.seconds = float(state["seconds"])
            self._states = {int(member): values for member, values in state["running"].items()}
            for member, values in self._states.items():
                self.steps[member] = values["step"]
            for block in blocks:
                self.recorder.add(block)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            rule = f"must be whole and readable ({error})"
            raise InvalidArgument("checkpoint", str(checkpoint.directory), rule) from None


class _Thread:
    """One of the threads, which takes a chunk of the members after the other."""

    def __init__(
        self, run: EnsembleRun, chunks: deque[npt.NDArray[np.int64]], halt: threading.Event
    ) -> None:
        self._run, self._chunks, self._halt = run, chunks, halt
        self._core: Any = None
        self._chunk = np.empty(0, np.int64)
        self.between_blocks = threading.Lock()

    def work(self) -> None:
        try:
            while self._chunks and not self._halt.is_set():
                try:
                    chunk = self._chunks.popleft()
                except IndexError:  # another thread was faster
                    break
                core = self._run.ensemble(chunk)
                with self.between_blocks:
                    self._core, self._chunk = core, chunk
                self._carry_out()
        finally:
            _core.free_thread_caches()

    def _carry_out(self) -> None:
        """Advance the chunk to its end or to a stop."""
        while self._core.running and not self._halt.is_set():
            self._run.may_go_on.wait()
            with self.between_blocks:
                records = self._core.advance(_BLOCK_SECONDS)
                self._run.take(self._core, self._chunk, records)

    def stop(self) -> None:
        if self._core is not None:
            self._core.stop()

    def states(self) -> dict[int, dict[str, Any]]:
        """Return the states of the members that have begun and not ended; between two blocks."""
        if self._core is None or not self._core.running:
            return {}
        outcomes, steps = self._core.outcomes(), self._core.steps()
        return {
            member: in_hexadecimal(self._core.state(place).values())
            for place, member in enumerate(self._chunk.tolist())
            if outcomes[place] == "running" and steps[place] > 0
        }


@dataclass
class Saver:
    """Saves an ensemble every few seconds, and takes it up again.

    Attributes
    ----------
    checkpoint : Checkpoint
    seconds : float
    """

    checkpoint: Checkpoint
    seconds: float
    last: float = 0.0

    @classmethod
    def of(cls, directory: str | Path, spec: dict[str, Any], seconds: float, resume: bool) -> Saver:
        """Check that the ensemble can be saved, or taken up, there.

        Raises
        ------
        InvalidArgument
            If a checkpoint is in the way, or is of another ensemble.
        """
        positive("checkpoint_seconds", seconds)
        checkpoint = Checkpoint(directory, spec)
        if checkpoint.exists and not resume:
            rule = "must hold no checkpoint yet: resume it, or remove it"
            raise InvalidArgument("checkpoint", str(directory), rule)
        if checkpoint.exists:
            checkpoint.load()
        return cls(checkpoint, seconds)

    def begin(self, run: EnsembleRun) -> None:
        """Take the ensemble up where the checkpoint has it, if there is one."""
        if self.checkpoint.exists:
            run.restore(self.checkpoint)
        run.keep_blocks()
        self.last = time.monotonic()

    def __call__(self, run: EnsembleRun) -> None:
        """Save if the last time is long enough ago."""
        if time.monotonic() - self.last >= self.seconds:
            run.save(self.checkpoint)
            self.last = time.monotonic()


def starts_of(plan: Plan, members: Members) -> list[dict[str, npt.NDArray[Any]]]:
    """Return the start of each seed in the problem's format, not perturbed."""
    if members.seeds is None:
        return [plan.start]
    return [another_start(plan, members.seeded(i)) for i in range(len(members.seeds))]


def _digest(parameters: dict[str, list[str]]) -> str:
    """Return the hash of exact parameters."""
    lines = (f"{name} {x}\n" for name, texts in parameters.items() for x in texts)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _failed(future: Future[None]) -> bool:
    return future.done() and future.exception() is not None
