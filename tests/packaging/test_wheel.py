"""The wheel is self-contained: its own MPFR and GMP, found beside the module and nowhere else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

WHEEL = os.environ.get("PRECIPICE_WHEEL")

pytestmark = pytest.mark.skipif(
    not WHEEL, reason="PRECIPICE_WHEEL names no wheel; .ci/run builds one"
)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(WHEEL) as archive:
        archive.extractall(folder)
    return folder


def dynamic_section(file: Path) -> dict[str, list[str]]:
    output = subprocess.run(
        ["readelf", "-d", str(file)], capture_output=True, text=True, check=True
    ).stdout
    entries: dict[str, list[str]] = {}
    for kind, value in re.findall(r"\((\w+)\).*\[(.*)\]", output):
        entries.setdefault(kind, []).append(value)
    return entries


def core(unpacked: Path) -> Path:
    (module,) = unpacked.glob("precipice/_core*.so")
    return module


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads an ELF file")
def test_module_finds_its_libraries_beside_itself(unpacked):
    section = dynamic_section(core(unpacked))
    assert section.get("RUNPATH", section.get("RPATH")) == ["$ORIGIN/lib"]
    shipped = {path.name for path in (unpacked / "precipice" / "lib").iterdir()}
    arithmetic = [name for name in section["NEEDED"] if re.match(r"lib(mpfr|gmp)", name)]
    assert len(arithmetic) == 2
    assert set(arithmetic) <= shipped
    # Hashed names: no system copy that a process has loaded already can stand in.
    assert not {"libmpfr.so.6", "libgmp.so.10"} & set(arithmetic)
    assert "libquadmath.so.0" not in section["NEEDED"]


def test_licences_travel_with_the_libraries(unpacked):
    shipped = {path.name for path in (unpacked / "precipice" / "lib").iterdir()}
    assert {"COPYING", "COPYING.LESSER", "NOTICE"} <= shipped


def test_core_imports_without_gmpy2(unpacked, tmp_path):
    venv.create(tmp_path / "empty", with_pip=False)
    python = tmp_path / "empty" / "bin" / "python"
    program = (
        "import importlib.util, sys\n"
        f"path = {str(core(unpacked))!r}\n"
        "spec = importlib.util.spec_from_file_location('precipice._core', path)\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "assert 'gmpy2' not in sys.modules and importlib.util.find_spec('gmpy2') is None\n"
        "print(module.build_info()['mpfr'])\n"
    )
    ran = subprocess.run([str(python), "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r"4\.\d+\.\d+", ran.stdout.strip())


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not installed")
def test_the_cuda_extension_is_in_the_wheel_where_there_is_nvcc(unpacked):
    assert len(list(unpacked.glob("precipice/_cuda*.so"))) == 1
