"""Runs side by side: their order, their number of threads, and how they stop."""

from __future__ import annotations

import _thread
import threading

import pytest

from precipice.errors import InvalidArgument
from precipice.executor import (
    available_cores,
    checked_workers,
    execute,
    machine_memory,
    makespan,
)


class FakeRun:
    """Stands for a PreparedRun: notes that it began and does what it is told."""

    def __init__(self, name, seconds=1.0, begun=None, act=None):
        self.name, self.seconds = name, seconds
        self.begun = [] if begun is None else begun
        self.act = act

    def estimate(self):
        return self.seconds, 0

    def run(self, stop, progress):
        self.begun.append(self.name)
        if progress is not None:
            progress(self.name)
        result = self.act(stop) if self.act else "done"
        return self.name, result


def test_longest_estimate_begins_first_and_results_keep_the_order_asked():
    begun = []
    runs = [FakeRun("short", 1, begun), FakeRun("long", 9, begun), FakeRun("middle", 5, begun)]
    gathered = execute(runs, workers=1)
    assert begun == ["long", "middle", "short"]
    assert [name for name, _ in gathered.runs] == ["short", "long", "middle"]
    assert not gathered.interrupted


@pytest.mark.parametrize("workers", [1, 2, 5, None])
def test_results_do_not_depend_on_the_number_of_workers(workers):
    runs = [FakeRun(str(i), i % 3) for i in range(7)]
    assert [name for name, _ in execute(runs, workers=workers).runs] == list("0123456")


def test_runs_are_side_by_side():
    # Each of the two can only finish if the other has begun.
    barrier = threading.Barrier(2, timeout=20)
    runs = [FakeRun(name, act=lambda stop: barrier.wait() >= 0) for name in "ab"]
    assert execute(runs, workers=2).runs == (("a", True), ("b", True))


def test_progress_is_passed_on():
    seen = []
    execute([FakeRun("a"), FakeRun("b")], workers=1, progress=seen.append)
    assert sorted(seen) == ["a", "b"]


def press_ctrl_c(times):
    """Raise KeyboardInterrupt in the main thread, then run until stopped."""

    def act(stop):
        _thread.interrupt_main()
        if not stop.wait(20):
            return "was never stopped"
        for _ in range(times - 1):
            _thread.interrupt_main()
        return "cancelled"

    return act


@pytest.mark.parametrize("times", [1, 2, 3])
def test_ctrl_c_stops_all_runs_and_keeps_what_each_has(times):
    def until_stopped(stop):
        return "cancelled" if stop.wait(20) else "was never stopped"

    runs = [
        FakeRun("interrupts", 3, act=press_ctrl_c(times)),
        FakeRun("beside", 2, act=until_stopped),
        FakeRun("not begun", 1, act=lambda stop: "cancelled" if stop.is_set() else "ran"),
    ]
    gathered = execute(runs, workers=2)
    assert gathered.interrupted
    assert [result for _, result in gathered.runs] == ["cancelled"] * 3


def test_an_event_from_outside_stops_the_runs():
    stop = threading.Event()
    stop.set()
    runs = [FakeRun("a", act=lambda stop: stop.is_set())]
    gathered = execute(runs, workers=1, stop=stop)
    assert gathered.runs == (("a", True),)
    assert not gathered.interrupted


def test_an_error_in_a_run_stops_the_others_and_is_raised():
    stopped = []

    def fail(stop):
        raise InvalidArgument("lr", 0, "must be positive")

    def wait_for_stop(stop):
        stopped.append(stop.wait(20))

    runs = [FakeRun("waits", act=wait_for_stop), FakeRun("fails", act=fail)]
    with pytest.raises(InvalidArgument, match="lr = 0"):
        execute(runs, workers=2)
    assert stopped == [True]


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_workers_must_be_a_positive_integer(workers):
    with pytest.raises(InvalidArgument, match="workers"):
        checked_workers(workers)


def test_makespan_hands_out_longest_first():
    assert makespan([1.0, 1.0, 2.0], 1) == 4.0
    assert makespan([1.0, 1.0, 2.0], 2) == 2.0
    assert makespan([3.0, 3.0, 2.0, 2.0, 2.0], 2) == 7.0
    assert makespan([], 2) == 0.0


def test_this_machine_has_cores_and_memory():
    assert available_cores() >= 1
    assert checked_workers(None) == available_cores()
    assert machine_memory() > 2**20
