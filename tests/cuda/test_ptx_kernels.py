"""The kernels as nvcc compiles them, carried out: whole runs through the engine, bit for bit.

The engine builds what a launch is given and reads what it leaves, as for a GPU; an interpreter of
PTX is the device. Shapes are small and ragged, since a lane's instruction takes microseconds.
"""

from __future__ import annotations

import os

import pytest

import precipice as pc
from cuda.compiled import HERE, NO_NVCC, NVCC, defines, ptx_of, start_compiling
from cuda.ptx import parse
from cuda.ptx_device import FIELDS, PtxDevice, members
from precipice import _core
from runs_on_lanes import arguments, finished, on_processor, problem

pytestmark = pytest.mark.skipif(NVCC is None, reason=NO_NVCC)
SOAK = bool(os.environ.get("PRECIPICE_SOAK"))

MINIMALIST, TWO_LAYER = "minimalist", "two_layer"
# team, model, numbers: those that a CI run can afford to compile.
KERNELS = [
    ("block", MINIMALIST, "float64"), ("thread", MINIMALIST, "float32"),
    ("block", MINIMALIST, "carried32"), ("grid", MINIMALIST, "float64"),
    ("block", TWO_LAYER, "float32"), ("block", MINIMALIST, "soft"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _compilers():
    start_compiling(KERNELS)


def on_ptx(given, *, device=None, **tuning):
    """Return everything that a run says, carried out by the interpreter."""
    device = device or PtxDevice()
    simulation = _core.Simulation(**given, device=device.capsule, tuning=tuning)
    result = finished(simulation)
    assert device.launches
    return result


def assert_alike(given, *, device=None, **tuning):
    expected = finished(on_processor(given))
    found = on_ptx(given, device=device, **tuning)
    for name, value in expected.items():
        assert found[name] == value, name
    return expected


def test_structures_are_the_headers():
    for structure, fields in FIELDS.items():
        assert members(structure) == fields


@pytest.mark.parametrize("order", ["sequential", "blocked"])
@pytest.mark.parametrize(
    ("samples", "features", "depth", "lanes"),
    [(2, 3, 2, 32), (3, 35, 3, 64), (5, 100, 2, 96), (40, 7, 2, 32)],
)  # fmt: skip
def test_a_block_in_float64(samples, features, depth, lanes, order):
    given = arguments(
        pc.Minimalist(depth), data=problem(samples, features), order=order, precision="float64",
        steps=9, lr="0.02",
    )  # fmt: skip
    assert_alike(given, team="block", lanes=lanes)


@pytest.mark.parametrize("order", ["sequential", "blocked"])
def test_a_thread_in_float32(order):
    given = arguments(
        pc.Minimalist(3), data=problem(3, 35), order=order, precision="float32", steps=7, lr="0.05"
    )
    assert_alike(given, team="thread", lanes=32)


@pytest.mark.parametrize("order", ["sequential", "blocked"])
def test_a_grid_in_float64(order):
    """Three blocks at once, which wait for each other at barriers of the grid."""
    given = arguments(
        pc.Minimalist(2), data=problem(4, 131), order=order, precision="float64", steps=4, lr="0.02"
    )
    device = PtxDevice(multiprocessors=3)
    assert_alike(given, device=device, team="grid", lanes=32)
    assert {launch["blocks"] for launch in device.launches} == {3}


@pytest.mark.parametrize("order", ["sequential", "blocked"])
def test_two_layers_in_float32(order):
    given = arguments(
        pc.TwoLayerLinear(3), data=problem(4, 35), order=order, precision="float32", steps=7,
        lr="0.05",
    )  # fmt: skip
    assert_alike(given, team="block", lanes=64)


@pytest.mark.parametrize("precision", ["bfloat16", "float8_e4m3fn"])
def test_formats_carried_in_float32(precision):
    given = arguments(pc.Minimalist(2), data=problem(3, 35), precision=precision, steps=9)
    assert_alike(given, team="block", lanes=32)


def test_stochastic_rounding():
    given = arguments(
        pc.Minimalist(2), data=problem(2, 33), precision="bfloat16:sr", steps=3, rounding_seed=7
    )
    assert_alike(given, team="block", lanes=32)


@pytest.mark.parametrize("team", ["block", "thread"])
@pytest.mark.parametrize("factor", [None, 1e3])
def test_overflow(team, factor):
    """To infinity and NaN, or to the blow-up before it."""
    precision = {"block": "float64", "thread": "float32"}[team]
    given = arguments(
        pc.Minimalist(3), data=problem(3, 33), lr="2.5", precision=precision, steps=14,
        blowup_factor=factor,
    )  # fmt: skip
    said = assert_alike(given, team=team, lanes=32)
    assert said["outcome"] == ("blowup" if factor else "max_steps")
    assert factor is not None or "nan" in str(said["parameters"])


def test_a_run_in_several_launches():
    given = arguments(
        pc.Minimalist(2), data=problem(3, 35), precision="float64", steps=9, lr="0.05"
    )
    device = PtxDevice()
    assert_alike(given, device=device, team="block", lanes=32, steps=4)
    assert len(device.launches) >= 3


@pytest.mark.parametrize("schedule", ["warp", "reverse", "lane"])
def test_no_result_depends_on_whose_turn_it_is(schedule):
    """A warp ahead of the others up to a barrier, or a lane of a warp."""
    shape, lanes = ((2, 5), 32) if schedule == "lane" else ((3, 70), 96)
    given = arguments(
        pc.Minimalist(2), data=problem(*shape), order="blocked", precision="float64", steps=3,
        lr="0.05",
    )  # fmt: skip
    assert_alike(given, device=PtxDevice(schedule=schedule), team="block", lanes=lanes)


def mutated(line, replacement):
    """A device whose kernel has one line of its PTX replaced."""
    lines = ptx_of(HERE / "kernel.cu", *defines("block", MINIMALIST, "float64")).splitlines()
    lines[line - 1] = replacement(lines[line - 1])
    module = parse("\n".join(lines))
    chosen = module, module.kernel("train_by_block")
    return lambda schedule: PtxDevice(
        schedule=schedule, kernel_of=lambda launch: chosen, budget=10**6
    )


def noticed(given, make_device, schedules):
    expected = finished(on_processor(given))
    for schedule in schedules:
        try:
            found = on_ptx(given, device=make_device(schedule), team="block", lanes=96)
        except RuntimeError:
            return True
        if any(found[name] != value for name, value in expected.items()):
            return True
    return False


@pytest.fixture(scope="module")
def watched():
    """A run of two warps, and the instructions that it came to."""
    given = arguments(
        pc.Minimalist(3), data=problem(3, 70), order="blocked", precision="float64", steps=2,
        lr="0.05", record=pc.Record(loss=1),
    )  # fmt: skip
    device = PtxDevice(profile=True)
    on_ptx(given, device=device, team="block", lanes=96)
    executed = [i for block in device.profile.blocks.values() for i in block.instructions]
    return given, sorted(executed, key=lambda i: i.line)


def test_a_wrong_operation_is_noticed(watched):
    given, executed = watched
    assert not noticed(given, mutated(1, str), ["block"])
    sums = [i for i in executed if i.text.startswith("add.rn.f64")]
    assert len(sums) >= 6
    chosen = sums if SOAK else sums[:: len(sums) // 5]
    unnoticed = [
        i.text for i in chosen
        if not noticed(given, mutated(i.line, lambda t: t.replace("add.rn", "sub.rn")), ["block"])
    ]  # fmt: skip
    assert len(unnoticed) <= 1  # of the loss measured for the blow-up, which nobody sees here


def test_another_rounding_is_refused(watched):
    given, executed = watched
    line = next(i.line for i in executed if i.text.startswith("add.rn.f64"))
    device = mutated(line, lambda t: t.replace(".rn", ".rz"))("block")
    with pytest.raises(RuntimeError, match="rounded to nearest"):
        on_ptx(given, device=device, team="block", lanes=96)


def test_barriers_left_out_are_noticed(watched):
    """Not every one: what two warps do by turns may come out right."""
    given, executed = watched
    missed = 0
    for i in [i for i in executed if i.text.startswith("bar.sync")]:
        missed += noticed(given, mutated(i.line, lambda t: "//" + t), ["warp", "reverse"])
        if missed == 2 and not SOAK:
            return
    assert missed >= 3
