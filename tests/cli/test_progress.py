"""The live lines of a terminal, and the estimate before them."""

from __future__ import annotations

import io
import math
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from precipice.cli.progress import ProgressDisplay, wanted
from precipice.cli.session import _duration, worth_saying
from precipice.precision import Precision
from precipice.simulation import Progress


def shown(display, width=80):
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(display.render())
    return stream.getvalue().splitlines()


def report(name, step, **values):
    entries = {"loss": None, "log2_loss": None, "sharpness": None, **values}
    return Progress(Precision.parse(name), step, 3000, threshold=50.0, **entries)


def test_lines_say_step_loss_sharpness_and_rate(monkeypatch):
    clock = iter([10.0, 12.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    display = ProgressDisplay(["float64", "mpfr256"], 3000)
    display(report("mpfr256", 200))
    display(report("mpfr256", 1200, loss=0.0, log2_loss=-2000 * math.log2(10), sharpness=60.0))
    waiting, running = shown(display)
    assert waiting.startswith("float64 ")
    assert waiting.rstrip().endswith("waiting")
    for part in ("mpfr256 ", "1200/3000", "-2000.00", "S/(2/η)  1.20", "500 steps/s"):
        assert part in running


def test_values_that_are_absent_or_not_finite_are_no_obstacle():
    display = ProgressDisplay(["float32"], 3000)
    display(report("float32", 7))
    assert "7/3000" in shown(display)[0]
    display(report("float32", 9, loss=math.inf, log2_loss=math.inf, sharpness=math.nan))
    (line,) = shown(display)
    assert "L inf" in line
    assert "S/(2/η)" not in line


def test_lines_fit_eighty_columns():
    display = ProgressDisplay(["mpfr100000"], 3000)
    display(report("mpfr100000", 3000, loss=1e-5, log2_loss=-16.6, sharpness=1.0))
    (line,) = shown(display, width=80)
    assert line.startswith("mpfr100000 ")
    assert "3000/3000" in line


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize(
    ("stderr", "stdout", "quiet", "as_json", "expected"),
    [
        (True, True, False, False, True),
        (True, False, False, False, True),  # the table goes to a file, somebody waits
        (True, True, False, True, True),
        (True, False, False, True, False),
        (True, True, True, False, False),
        (False, True, False, False, False),
    ],
)
def test_progress_is_for_somebody_who_sees_it(
    monkeypatch, stderr, stdout, quiet, as_json, expected
):
    monkeypatch.setattr(sys, "stderr", Stream(stderr))
    monkeypatch.setattr(sys, "stdout", Stream(stdout))
    assert wanted(quiet=quiet, as_json=as_json) is expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59.6, "1 min 0 s"), (3700, "1 h 1 min"), (200_000, "2 d 7 h")],
)
def test_durations_have_their_two_largest_units(seconds, words):
    assert _duration(seconds) == words


def test_estimate_is_one_line():
    assert worth_saying(75.0, 3 * 2**20, 1) == "About 1 min 15 s on 1 thread, 3 MiB of memory."
    assert "on 4 threads, 2,048 MiB" in worth_saying(75.0, 2**31, 4)
    assert worth_saying(9.0, 2**31, 4) == ""


def test_lines_name_the_threshold_they_compare_with():
    display = ProgressDisplay(["float64", "float32"], 3000)
    for name, formula in (("float64", "(2+2β)/η"), ("float32", "")):
        progress = report(name, 10, sharpness=60.0)
        display(replace(progress, formula=formula))
    momentum, flow = shown(display)
    assert "S/threshold  1.20" in momentum
    assert "S 60 " in flow
