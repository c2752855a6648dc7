"""The house's rules: imports run one way, files stay of one subject."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CPP_ROOMS = [
    "machine",
    "numbers",
    "limbs",
    "linalg",
    "models spectrum bench",
    "training",
    "device",
    "engine cuda",
    "bindings",
]
# Who may import whom in the package: a room only from those before it.
PYTHON_ROOMS = [
    "errors losses fixed_point exact exact_arrays archive whole_files devices loss_windows",
    "eigen_refinement double_double",
    "formats narrowing dyadic",
    "precision data_rounding mixed arithmetic rounding",
    "models record decomposition batches digits gram",
    "draws perturbation",
    "reference_sums reference_space reference_programs",
    "schedules curvature",
    "optimizers",
    "stepping",
    "switching",
    "spectral measuring measuring_two_layer",
    "problems theory sharpness spectrum operators reference_quantities",
    "analysis",
    "reference_model reference_minimalist reference_two_layer reference_optimizers",
    "reference",
    "starts",
    "initialisers cost",
    "surface",
    "results sharpness_digits plan checkpoint lost_problems planning switched_plan placement",
    "engines",
    "saving",
    "simulation executor",
    "plot_style",
    "study plots plot_limits reproduce bench",
    "cli",
]
LONGEST_FILE = 400
CPP = {".hpp", ".cpp", ".cuh", ".cu"}


def cpp_room(path):
    return path.relative_to(ROOT / "cpp").parts[0]


def cpp_sources():
    return sorted(path for path in (ROOT / "cpp").rglob("*.*") if path.suffix in CPP)


def python_sources():
    return sorted((ROOT / "python").rglob("*.py"))


def level(rooms, name):
    return next(i for i, room in enumerate(rooms) if name in room.split())


@pytest.mark.parametrize("path", cpp_sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_cpp_includes_run_one_way(path):
    own = level(CPP_ROOMS, cpp_room(path))
    for included in re.findall(r'#include "(\w+)/', path.read_text()):
        assert level(CPP_ROOMS, included) <= own, f"{cpp_room(path)} includes {included}"


# Compiled for an instruction set of its own, a standard header's code would be too, and the linker
# might take it for everybody's.
KERNEL_INTERFACE = ["stored.hpp", "range.hpp", "data_matrix.hpp", "fixed_point.hpp", "kernels.hpp"]
KERNELS = [
    *(ROOT / "cpp" / "limbs" / name for name in KERNEL_INTERFACE),
    *sorted((ROOT / "cpp" / "limbs" / "avx512ifma").glob("*")),
]


@pytest.mark.parametrize("path", KERNELS, ids=lambda p: str(p.relative_to(ROOT)))
def test_limb_kernels_stand_alone(path):
    allowed = {f'"limbs/{name}"' for name in KERNEL_INTERFACE}
    allowed |= {"<cstddef>", "<cstdint>", "<immintrin.h>"}
    for included in re.findall(r"#include (\S+)", path.read_text()):
        assert included in allowed or included.startswith('"limbs/avx512ifma/'), included


@pytest.mark.parametrize("path", cpp_sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_python_is_named_in_the_bindings_only(path):
    if cpp_room(path) != "bindings":
        assert not re.search(r"pybind11|\bpy::", path.read_text())


@pytest.mark.parametrize("path", python_sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_python_imports_run_one_way(path):
    relative = path.relative_to(ROOT / "python" / "precipice")
    room = relative.parts[0].removesuffix(".py")
    if room in ("__init__", "__main__"):
        return
    own = level(PYTHON_ROOMS, room)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("precipice."):
            imported = node.module.split(".")[1]
            if imported != "_core":
                assert level(PYTHON_ROOMS, imported) <= own, f"{room} imports {imported}"


@pytest.mark.parametrize("path", [*cpp_sources(), *python_sources()], ids=lambda p: p.name)
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
