"""The model text compiles for a GPU, and to the operations that it names, none of them fused."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
NVCC = shutil.which("nvcc")

pytestmark = pytest.mark.skipif(NVCC is None, reason="nvcc is not installed")


@pytest.fixture(scope="module")
def ptx(tmp_path_factory):
    out = tmp_path_factory.mktemp("ptx") / "model_text.ptx"
    command = [
        NVCC, "--ptx", "-std=c++20", "-fmad=false", "-arch=compute_80", "--Werror=all-warnings",
        f"-I{HERE.parents[1] / 'cpp'}", str(HERE / "model_text.cu"), "-o", str(out),
    ]  # fmt: skip
    compiled = subprocess.run(command, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    return out.read_text()


def test_both_models_and_types_become_kernels(ptx):
    assert ptx.count(".entry") == 4


def test_every_floating_point_operation_rounds_once_to_nearest(ptx):
    operations = re.findall(r"^\s*((?:add|sub|mul|div|fma|mad)\.\S*f(?:32|64))", ptx, re.MULTILINE)
    assert operations
    assert {operation.split(".")[1] for operation in operations} == {"rn"}
    assert not [operation for operation in operations if operation.startswith(("fma", "mad"))]
    assert ".ftz" not in ptx
    assert ".approx" not in ptx
