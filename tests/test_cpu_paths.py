"""The paths a CPU offers: every one gives the same bits, and PRECIPICE_CPU forces one."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

import precipice as pc
from precipice import _core
from precipice.cli.main import main
from test_bits import random_run

PATHS = ("mpfr", "generic", "avx2", "avx512", "avx512ifma")
# What the native formats run on; equal names mean the same code.
NATIVE_KERNELS = {
    "mpfr": "baseline",
    "generic": "baseline",
    "avx2": "avx2",
    "avx512": "avx512",
    "avx512ifma": "avx512",
}


def available_paths(monkeypatch):
    paths = []
    for path in PATHS:
        monkeypatch.setenv("PRECIPICE_CPU", path)
        try:
            _core.build_info()
        except pc.InvalidArgument:
            continue
        paths.append(path)
    monkeypatch.delenv("PRECIPICE_CPU")
    return paths


def features():
    return _core.build_info()["cpu_features"].split()


def run(precision, samples, width, seed=0):
    X, y, u, v = random_run(3, seed=seed, samples=samples, features=width)
    return pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.Minimalist(depth=3),
        pc.GD(0.2 / width),
        precision=precision,
        steps=30,
        init=pc.init.explicit({"u": u, "v": v}),
        loss="half_mean",
        record=pc.Record(loss=1, parameters=1, sharpness=1),
    )


def run_two_layer(precision, contraction, samples, features, width):
    X, y, *_ = random_run(2, seed=3, samples=samples, features=features)
    return pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.TwoLayerLinear(width, contraction=contraction),
        pc.GD(0.2),
        precision=precision,
        steps=20,
        init=pc.init.pytorch(0),
        loss="mean",
        record=pc.Record(loss=1, parameters=1),
    )


def test_paths_are_those_of_the_cpu(monkeypatch):
    """The CPU's own account of itself agrees with what can be forced."""
    paths = available_paths(monkeypatch)
    assert paths[:2] == ["mpfr", "generic"]
    assert ("avx2" in paths) == ({"avx2", "fma"} <= set(features()))
    assert set(paths) & {"avx512", "avx512ifma"} <= {
        path for path, feature in (("avx512", "avx512f"), ("avx512ifma", "avx512ifma"))
        if feature in features()
    }  # fmt: skip


def test_the_best_path_is_taken_unless_one_is_forced(monkeypatch):
    paths = available_paths(monkeypatch)
    assert _core.build_info()["cpu_path"] == paths[-1]
    monkeypatch.setenv("PRECIPICE_CPU", "")
    assert _core.build_info()["cpu_path"] == paths[-1]
    for path in paths:
        monkeypatch.setenv("PRECIPICE_CPU", path)
        info = _core.build_info()
        assert (info["cpu_path"], info["native_kernels"]) == (path, NATIVE_KERNELS[path])


# Both sides of what is too small for lanes; blocks, the last one whole or not; ranges of columns.
@pytest.mark.parametrize("shape", [(2, 100), (7, 40), (16, 16), (33, 67), (64, 130), (75, 517)])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_whole_runs_are_equal_on_every_path(monkeypatch, precision, shape):
    reference = None
    for path in available_paths(monkeypatch):
        monkeypatch.setenv("PRECIPICE_CPU", path)
        result = run(precision, *shape)
        assert result.settings["cpu_path"] == path
        bits = (
            result.trajectory.texts,
            [x.hex() for x in result.loss.value],
            [x.hex() for x in result.sharpness.value],
        )
        reference = reference or bits
        assert bits == reference


# Weights of fewer rows than lanes, of groups whole and not, of columns that fill lanes and not.
@pytest.mark.parametrize("shape", [(5, 9, 3), (9, 16, 8), (7, 21, 13), (33, 67, 20), (40, 130, 41)])
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_two_layer_runs_are_equal_on_every_path(monkeypatch, precision, contraction, shape):
    reference = None
    for path in available_paths(monkeypatch):
        monkeypatch.setenv("PRECIPICE_CPU", path)
        result = run_two_layer(precision, contraction, *shape)
        assert result.steps == 20
        bits = (result.trajectory.texts, [x.hex() for x in result.loss.value])
        reference = reference or bits
        assert bits == reference


@pytest.mark.parametrize("name", ["sse9", "AVX2", "avx2 ", "generic: mpfr"])
def test_an_unknown_path_is_refused_in_one_line(monkeypatch, name):
    monkeypatch.setenv("PRECIPICE_CPU", name)
    with pytest.raises(
        pc.InvalidArgument, match=r"must be mpfr, generic.* on this machine"
    ) as error:
        run("float64", 2, 3)
    assert (error.value.argument, error.value.value) == ("PRECIPICE_CPU", name)
    for command in (["info"], ["compare", "--steps", "3"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 2
        assert re.fullmatch(r"Error: PRECIPICE_CPU = .*: must be .*\n", result.stderr)
        assert result.stdout == ""
