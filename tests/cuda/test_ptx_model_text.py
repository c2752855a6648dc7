"""The model text as nvcc compiles it, carried out: runs of one thread, with the engine's bits."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import precipice as pc
from cuda.compiled import HERE, NO_NVCC, NVCC, module_of
from cuda.ptx import Machine

pytestmark = pytest.mark.skipif(NVCC is None, reason=NO_NVCC)


def struct_of(**fields):
    """As C lays it out. The sizes of a kernel's parameters are compared with it at its launch."""
    return np.dtype(list(fields.items()), align=True)


class OneThread:
    """The structs of model_text.cu for one type of numbers, in a machine's memory."""

    pointer = size = np.uint64
    array = struct_of(data=pointer, size=size)
    scalar = struct_of(data=pointer)
    parameters = struct_of(u=array, v=array)
    work = struct_of(
        **dict.fromkeys(["f", "z", "g", "h"], array), **dict.fromkeys(["P", "s", "L", "q"], scalar)
    )

    def __init__(self, machine, kind):
        self.machine, self.kind = machine, np.dtype(kind)
        matrix = struct_of(data=self.pointer, rows=self.size, columns=self.size)
        integers = dict.fromkeys(["two", "n", "two_n"], self.kind)
        self.data = struct_of(X=matrix, y=self.array, loss=np.uint32, **integers)

    def numbers(self, values):
        values = np.asarray(values, self.kind)
        return self.machine.upload(values), values.size

    def place(self, value):
        return (self.machine.upload(np.asarray([value], self.kind)),)


def train(kind, X, y, u, v, eta, steps):
    """Return u and v after so many steps of one thread, loss half_mean."""
    module = module_of(HERE / "model_text.cu")
    machine = Machine(module, 1 << 17)
    one = OneThread(machine, kind)
    rows, columns = X.shape
    data = np.zeros(1, one.data)
    data["X"] = (machine.upload(np.asarray(X, kind)), rows, columns)
    data["y"] = one.numbers(y)
    data["two"], data["n"], data["two_n"] = 2, rows, 2 * rows
    theta, following = np.zeros((2, 1), one.parameters)
    theta["u"], theta["v"] = one.numbers(u), one.numbers(v)
    following["u"], following["v"] = one.numbers(0 * u), one.numbers(0 * v)
    work = np.zeros(1, one.work)
    for name, size in {"f": rows, "z": rows, "g": columns, "h": len(v)}.items():
        work[name] = one.numbers(np.zeros(size))
    for name in "PsLq":
        work[name] = one.place(0)
    arguments = [a.tobytes() for a in (data, theta, following, work)]
    arguments += [struct.pack("<Q", *one.place(eta)), struct.pack("<q", steps)]
    machine.launch(module.kernel(f"5trainI{np.dtype(kind).char}E"), 1, 1, arguments)
    last = theta if steps % 2 == 0 else following
    return [
        machine.download(int(last[name]["data"][0]), kind, last[name]["size"][0]) for name in "uv"
    ]


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rows", "columns", "depth", "eta", "steps"),
    [(2, 3, 2, 0.125, 9), (3, 37, 3, 0.05, 8), (5, 33, 2, 2.0, 14), (4, 7, 3, 1e60, 6)],
)  # fmt: skip
def test_a_run_of_one_thread_is_the_engines(kind, rows, columns, depth, eta, steps):
    """The last two overflow: infinities, then NaNs."""
    rng = np.random.default_rng(rows)
    X, y = rng.normal(size=(rows, columns)), rng.choice([-1.0, 1.0], rows)
    u, v = 0.1 * rng.normal(size=columns), 1 + 0.1 * rng.normal(size=depth - 1)
    eta = min(eta, 1e30) if kind == "float32" else eta
    run = pc.simulate(
        pc.problems.from_arrays(X.astype(kind).astype(float), y), pc.Minimalist(depth=depth),
        pc.GD(float(np.dtype(kind).type(eta))), precision=kind, steps=steps, loss="half_mean",
        init=pc.init.explicit({"u": u.astype(kind), "v": v.astype(kind)}),
        blowup_factor=None,
    )  # fmt: skip
    expected = run.parameters()
    for got, name in zip(train(kind, X, y, u, v, eta, steps), "uv", strict=True):
        np.testing.assert_array_equal(got, np.asarray(expected[name], float).astype(kind))
    assert np.isfinite(got).all() == (eta < 1)
