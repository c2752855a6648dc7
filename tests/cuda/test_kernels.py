"""What nvcc makes of the kernels: every operation rounds once, nothing is fused, nothing spills."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    shutil.which("nvcc") is None, reason="nvcc is not installed: kernels are not compiled"
)

spec = importlib.util.spec_from_file_location(
    "cuda_registers", ROOT / "bench" / "cuda_registers.py"
)
cuda_registers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cuda_registers)

MODELS = ("minimalist", "two_layer")
NUMBERS = ("float32", "float64", "carried32", "carried64", "soft")
KERNELS = {
    *(f"minimalist by thread, {numbers}" for numbers in NUMBERS),
    *(f"{model} by block, {numbers}" for model in MODELS for numbers in NUMBERS),
    *(f"{model} by grid, {numbers}" for model in MODELS for numbers in NUMBERS[:2]),
}  # fmt: skip
# Kernels that may fuse a multiplication and an addition: none.
MAY_FUSE: set[str] = set()

FLOATING = re.compile(r"^\s*(?:@!?%\w+\s+)?([a-z]\w*(?:\.\w+)*\.f(?:16|32|64))\s", re.MULTILINE)
# They round nothing: they move, compare or change a sign, or choose between numbers.
EXACT = {"ld", "st", "mov", "setp", "set", "selp", "neg", "abs", "min", "max", "shfl"}
ROUNDED = {"add", "sub", "mul", "div", "sqrt"}


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    return {path.stem: path for path in cuda_registers.write_ptx(tmp_path_factory.mktemp("ptx"))}


def test_every_kernel_is_there(units):
    entries = [
        cuda_registers.kernel_name(name)
        for path in units.values()
        for name in re.findall(r"\.visible \.entry (\w+)\(", path.read_text())
    ]
    assert sorted(entries) == sorted(KERNELS)


@pytest.mark.parametrize("unit", [path.stem for path in cuda_registers.UNITS])
def test_every_operation_rounds_once_to_nearest(units, unit):
    ptx = units[unit].read_text()
    for operation in set(FLOATING.findall(ptx)):
        name, *modifiers = operation.split(".")
        if name == "cvt":  # to float32 it rounds, from float32 it is exact
            assert modifiers in (["rn", "f32", "f64"], ["f64", "f32"]) or "rn" in modifiers
        elif name in ROUNDED:
            assert modifiers[0] == "rn", operation
        else:
            assert name in EXACT, operation
    assert FLOATING.search(ptx)
    assert unit in MAY_FUSE or not re.search(r"\b(fma|mad)\.[a-z.]*f(32|64)", ptx)
    assert ".ftz" not in ptx
    assert ".approx" not in ptx


@pytest.mark.parametrize("architecture", ["80", "90"])
def test_no_kernel_spills_registers(units, architecture):
    for unit, path in units.items():
        functions = cuda_registers.report(path, architecture)
        assert any("registers" in found for found in functions.values())
        for name, found in functions.items():
            spilled = (found.get("spill_stores", 0), found.get("spill_loads", 0))
            assert spilled == (0, 0), f"{unit}: {cuda_registers.kernel_name(name) or name}"


def test_a_fused_operation_would_be_seen(tmp_path):
    source = tmp_path / "fused.cu"
    source.write_text(
        "__global__ void fused(double* x) { x[0] = x[1] * x[2] + x[3]; }\n"
        "__global__ void bare(float* x) { x[0] = x[1] / x[2]; }\n"
    )
    out = tmp_path / "fused.ptx"
    cuda_registers.nvcc("--ptx", "-arch=compute_80", "-ftz=true", str(source), "-o", str(out))
    assert "fma.rn.f64" in FLOATING.findall(out.read_text())
    assert ".ftz" in out.read_text()
