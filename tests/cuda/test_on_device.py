"""The command for a machine with a GPU, as far as it goes without one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from cuda import device_timings
from cuda.device_cases import SMALL
from cuda.device_timings import TIMINGS, Timing, seconds_a_step, share
from cuda.on_device import compare, spread
from precipice import devices
from precipice.errors import InvalidArgument

HERE = Path(__file__).parent


def has_gpu():
    try:
        devices.find("cuda")
    except InvalidArgument:
        return False
    return True


@pytest.mark.skipif(has_gpu(), reason="there is a GPU: run tests/cuda/on_device.py itself")
def test_without_a_gpu_it_says_so_and_ends_with_two():
    done = subprocess.run(
        [sys.executable, str(HERE / "on_device.py")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout.startswith("device = cuda: ")
    assert not done.stderr


def test_records_are_compared_on_any_device(capsys):
    rows = compare(spread(SMALL, 3), devices.host())
    assert all(row["same"] for row in rows)
    assert capsys.readouterr().out.count("same") == len(rows) >= 3


@pytest.mark.parametrize("runs", [1, 3])
def test_steps_are_timed(runs, monkeypatch):
    monkeypatch.setattr(device_timings, "SECONDS", 0.2)
    timing = Timing(2, 3, "float64", "blocked", runs)
    step = seconds_a_step(timing, runs, devices.host(), time.process_time)
    assert 0 < step < 1


def test_a_share_of_the_roofline():
    timing = next(t for t in TIMINGS if t.width and t.precision == "float64")
    assert timing.flops() == 4 * 1000 * 3072 + 8 * 200 * 3072
    limit, reached = share(timing, 1e-4, device_timings.gpu_named("NVIDIA H100"))
    assert limit in ("level 2", "memory")
    assert 0 < reached < 1
    assert share(timing, 1e-4, None)[0] == "unknown GPU"
