"""The hashes that a GPU's records are compared with are the processor's, and the lanes'."""

from __future__ import annotations

import subprocess

import pytest

from cuda import on_device
from cuda.device_cases import CASES, LARGE, SMALL, carry_out, goldens
from precipice import devices


def test_every_case_has_its_golden():
    assert list(goldens()) == [case.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_goldens_are_the_processors(case):
    assert carry_out(case, "cpu") == goldens()[case.name]


@pytest.mark.parametrize("case", [*SMALL, LARGE[-1]], ids=lambda case: case.name)
def test_goldens_are_the_host_devices(case):
    assert carry_out(case, devices.host()) == goldens()[case.name]


def test_goldens_hold_runs_of_every_end():
    ends = {golden["outcome"] for golden in goldens().values()}
    assert ends == {"max_steps", "blowup", "stalled", "locked"}


def test_a_sanitizer_that_does_not_end_is_reported(monkeypatch):
    def never_ends(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(on_device.shutil, "which", lambda tool: tool)
    monkeypatch.setattr(on_device.subprocess, "run", never_ends)
    rows = on_device.sanitize()
    assert [(row["tool"], row["status"]) for row in rows] == [("memcheck", -1), ("racecheck", -1)]
