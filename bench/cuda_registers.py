"""What the compiler makes of the kernels: registers, stack and spills of each, as it reports them.

    python bench/cuda_registers.py [ARCHITECTURE]... > bench/cuda_registers.json

The cost model of the GPU reads the registers from there: they limit how many runs a processor
holds at once. Needs nvcc, no GPU.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNITS = sorted((ROOT / "cpp" / "cuda").glob("*.cu"))
MODELS = ("minimalist", "two_layer")
NUMBERS = {
    "13NativeNumbersIf": "float32",
    "13NativeNumbersId": "float64",
    "14CarriedNumbersIf": "carried32",
    "14CarriedNumbersId": "carried64",
    "11SoftNumbers": "soft",
}
_KERNEL = re.compile(rf"train_by_(\w+?)ILNS_11DeviceModelE(\d)ENS_({'|'.join(NUMBERS)})")
_FUNCTION = re.compile(r"Function properties for (\S+)|Compiling entry function '(\S+)'")
_FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")


def flags():
    """The options that decide about bits, as the build has them."""
    text = (ROOT / "CMakeLists.txt").read_text()
    exact = re.search(r"set\(cuda_exact ([^)]*)\)", text)[1].split()
    return ["-std=c++20", *exact, "--expt-relaxed-constexpr", f"-I{ROOT / 'cpp'}"]


def nvcc(*arguments):
    """Run nvcc; return what it says."""
    done = subprocess.run([shutil.which("nvcc"), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stderr


def write_ptx(folder):
    """Compile each unit to PTX, as the build does for all architectures from 8.0 on."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda unit: _ptx_of(unit, Path(folder)), UNITS))


def _ptx_of(unit, folder):
    ptx = folder / f"{unit.stem}.ptx"
    nvcc("--ptx", "-arch=compute_80", *flags(), str(unit), "-o", str(ptx))
    return ptx


def report(ptx, architecture):
    """What ptxas says of a unit's functions: stack, spills and, of kernels, registers."""
    with tempfile.TemporaryDirectory() as folder:
        binary = str(Path(folder) / "kernels.cubin")
        text = nvcc("-cubin", f"-arch=sm_{architecture}", "-Xptxas", "-v", str(ptx), "-o", binary)
    functions, entry = {}, ""
    for line in text.splitlines():
        if found := _FUNCTION.search(line):
            name = found[1] or found[2]
            functions.setdefault(name, {})
            entry = found[2] or entry
        elif found := _FRAME.search(line):
            stack, stores, loads = map(int, found.groups())
            functions[name] |= {"stack": stack, "spill_stores": stores, "spill_loads": loads}
        elif found := _USED.search(line):
            functions[entry]["registers"] = int(found[1])
    return functions


def kernel_name(mangled):
    """Return what a kernel is for, such as "minimalist by block, float64"; None of no kernel."""
    found = _KERNEL.search(mangled)
    return found and f"{MODELS[int(found[2])]} by {found[1]}, {NUMBERS[found[3]]}"


def table(architectures):
    """Return registers and stack bytes of every kernel, by architecture."""
    with tempfile.TemporaryDirectory() as folder:
        units = write_ptx(folder)
        return {
            architecture: {
                kernel_name(name): {"registers": of["registers"], "stack": of["stack"]}
                for unit in units
                for name, of in report(unit, architecture).items()
                if kernel_name(name)
            }
            for architecture in architectures
        }


if __name__ == "__main__":
    print(json.dumps(table(sys.argv[1:] or ["80", "90"]), indent=2))
