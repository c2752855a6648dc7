"""`--device`, and what `precipice info` says of GPUs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from precipice import devices
from precipice.cli.main import main

SENTENCE = "built without CUDA (no nvcc at build time)"


@pytest.fixture(autouse=True)
def no_extension(monkeypatch):
    monkeypatch.setattr(devices, "_extension", lambda: None)


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("command", ["run", "compare"])
def test_cuda_without_a_gpu_is_bad_input(command):
    result = invoke(command, "--device", "cuda", "--steps", "3")
    assert result.exit_code == 2
    assert result.stderr == f"Error: device = cuda: {SENTENCE}\n"
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["run", "compare"])
def test_auto_falls_back_with_one_line(command):
    result = invoke(command, "--device", "auto", "--steps", "3")
    assert result.exit_code == 0
    assert result.stderr == f"device auto: {SENTENCE}; runs on the processor\n"
    quiet = invoke(command, "--device", "auto", "--steps", "3", "--quiet", "--json")
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    assert json.loads(quiet.stdout)["settings"]["device"] == "cpu"


def test_another_device_is_refused():
    result = invoke("run", "--device", "tpu")
    assert result.exit_code == 2
    assert result.stderr == "Error: device = tpu: must be auto, cpu or cuda\n"


def test_info_says_why_there_is_no_gpu():
    assert json.loads(invoke("info", "--json").stdout)["cuda"] == {"gpu": SENTENCE}
    assert SENTENCE in invoke("info").stdout
