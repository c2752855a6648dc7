"""The CUDA extension on a machine without a GPU: it loads, and says why nothing runs.

It is the installed one or, since compiling it takes minutes, the one in the wheel that .ci/run
names in PRECIPICE_WHEEL.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

import precipice as pc
from precipice import devices
from precipice.cli.main import main
from precipice.devices import Device

NAME = "precipice._cuda"
WHEEL = os.environ.get("PRECIPICE_WHEEL")


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def in_wheel(folder):
    """Return the extension of the wheel, unpacked into a folder; None if it has none."""
    if not WHEEL:
        return None
    with zipfile.ZipFile(WHEEL) as archive:
        names = [name for name in archive.namelist() if re.match(r"precipice/_cuda\..*so$", name)]
        return Path(archive.extract(names[0], folder)) if names else None


@pytest.fixture(scope="module")
def cuda(tmp_path_factory):
    if importlib.util.find_spec(NAME) is not None:
        return importlib.import_module(NAME)
    found = in_wheel(tmp_path_factory.mktemp("wheel"))
    if found is None:
        pytest.skip("the CUDA extension is not built: no nvcc, or PRECIPICE_CUDA=OFF")
    spec = importlib.util.spec_from_file_location(NAME, found)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def without_driver():
    if has_driver():
        pytest.skip("this machine has an NVIDIA driver")


def test_it_loads_and_names_what_it_is_for(cuda):
    assert re.fullmatch(r"(\d+ )+and PTX of 80", cuda.architectures)
    assert "precipice.device" in repr(cuda.device())
    assert cuda.describe(35).startswith("cudaErrorInsufficientDriver")


@pytest.mark.usefixtures("without_driver")
def test_without_a_driver_the_runtime_says_so(cuda):
    error, driver, runtime, count = cuda.probe()
    assert (error, driver, count) == (35, 0, 0)
    assert runtime >= 12000
    with pytest.raises(RuntimeError, match="cudaErrorInsufficientDriver"):
        cuda.facts()


@pytest.mark.usefixtures("without_driver")
def test_the_command_line_says_it_in_words(cuda, monkeypatch):
    monkeypatch.setattr(devices, "_extension", lambda: cuda)
    result = CliRunner().invoke(main, ["run", "--device", "cuda"])
    assert result.exit_code == 2
    assert result.stderr == "Error: device = cuda: no NVIDIA driver on this machine\n"
    assert devices.describe()["extension"].endswith("and PTX of 80")


@pytest.mark.usefixtures("without_driver")
def test_an_engine_on_it_fails_with_the_runtimes_words(cuda):
    device = Device("cuda", "cuda: none", cuda.device())
    init = pc.init.constant("0.01")
    with pytest.raises(Exception, match="cudaErrorInsufficientDriver"):
        pc.simulate(
            pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"), steps=3, init=init, device=device
        )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads an ELF file")
def test_it_needs_no_cuda_library_and_shows_nothing_but_its_entry(cuda):
    dynamic = subprocess.run(["readelf", "-d", cuda.__file__], capture_output=True, text=True)
    assert not re.search(r"NEEDED.*(cuda|nvidia)", dynamic.stdout)
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", cuda.__file__], capture_output=True, text=True
    )
    functions = re.findall(r" T (\w+)$", symbols.stdout, re.MULTILINE)
    assert functions == ["PyInit__cuda"]
