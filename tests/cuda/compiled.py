"""CUDA sources of the tests, compiled by nvcc to PTX with the flags of the kernels."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

from cuda.ptx.parser import Function, Module, parse

HERE = Path(__file__).resolve().parent
CPP = HERE.parents[1] / "cpp"
NVCC = shutil.which("nvcc")
NO_NVCC = "nvcc is not installed: there is no PTX to carry out"
# Plain + - * / become add.rn, ...: nothing is fused, flushed or approximated.
FLAGS = (
    "-std=c++20", "-fmad=false", "-ftz=false", "-prec-div=true", "-prec-sqrt=true",
    "--expt-relaxed-constexpr", "-Xcompiler", "-ffp-contract=off", "-arch=compute_80",
)  # fmt: skip

# DeviceTeam, DeviceModel, DeviceNumbers of a launch, in the order of their enumerations.
TEAMS = ("thread", "block", "grid")
MODELS = ("minimalist", "two_layer")
NUMBERS = {
    "float32": "NativeNumbers<float>", "float64": "NativeNumbers<double>",
    "carried32": "CarriedNumbers<float>", "carried64": "CarriedNumbers<double>",
    "soft": "SoftNumbers",
}  # fmt: skip

_compilers = ThreadPoolExecutor(2)


@cache
def compiling(source: Path, *defines: str) -> Future[str]:
    """Start nvcc on a source file; the result is its PTX."""

    def compile_() -> str:
        assert NVCC is not None
        command = [NVCC, "--ptx", *FLAGS, *defines, f"-I{CPP}", str(source), "-o", "-"]
        compiled = subprocess.run(command, capture_output=True, text=True)
        if compiled.returncode:
            raise RuntimeError(compiled.stderr)
        return compiled.stdout

    return _compilers.submit(compile_)


def ptx_of(source: Path, *defines: str) -> str:
    """Return nvcc's PTX of a source file."""
    return compiling(source, *defines).result()


@cache
def module_of(source: Path, *defines: str) -> Module:
    return parse(ptx_of(source, *defines))


def defines(team: str, model: str, numbers: str) -> tuple[str, ...]:
    """What makes kernel.cu the given kernel."""
    return (f"-DTEAM=train_by_{team}", f"-DMODEL={model}", f"-DNUMBERS={NUMBERS[numbers]}")


def kernel(team: str, model: str, numbers: str) -> tuple[Module, Function]:
    """Return a kernel of the extension, compiled by itself."""
    module = module_of(HERE / "kernel.cu", *defines(team, model, numbers))
    return module, module.kernel(f"train_by_{team}")


def start_compiling(kernels: Iterable[tuple[str, str, str]]) -> None:
    for each in kernels:
        compiling(HERE / "kernel.cu", *defines(*each))


def kernel_of_launch(launch) -> tuple[Module, Function]:
    """Return the kernel that a `DeviceLaunch` names."""
    return kernel(TEAMS[launch.team], MODELS[launch.model], list(NUMBERS)[launch.numbers])
