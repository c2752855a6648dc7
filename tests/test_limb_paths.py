"""Whole runs at arbitrary precision are the same under MPFR and under every CPU path's limbs."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice import _core
from precipice.losses import LOSSES

PATHS = ("generic", "avx512ifma")
BITS = (2, 24, 51, 52, 53, 64, 104, 113, 128, 256, 512, 1024)
TOO_MANY_BITS = 1200  # for any limbs: MPFR on every path
ALL = pc.Record(loss=1, sharpness=2, layer_imbalance=3, parameters=1)


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    """A path that this CPU has, by name."""
    monkeypatch.setenv("PRECIPICE_CPU", request.param)
    try:
        _core.build_info()
    except pc.InvalidArgument as error:
        pytest.skip(str(error))
    return request.param


def everything(run):
    """All that a run records, to the bit."""
    bits = [run.outcome, run.steps, run.trajectory.step.tolist(), run.trajectory.texts, run.texts]
    for series in (run.loss, run.sharpness, run.layer_imbalance):
        bits += [series.step.tolist(), np.asarray(series.value).tobytes()]
    return [*bits, run.loss.log2.tobytes()]


def assert_same_under(path, monkeypatch, *arguments, **keywords):
    monkeypatch.setenv("PRECIPICE_CPU", "mpfr")
    expected = pc.simulate(*arguments, record=ALL, **keywords)
    monkeypatch.setenv("PRECIPICE_CPU", path)
    actual = pc.simulate(*arguments, record=ALL, **keywords)
    assert actual.settings["cpu_path"] == path
    assert everything(actual) == everything(expected)
    return actual


def random_problem(seed, samples, features, depth, scale=1.0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = (scale * rng.standard_normal((samples, features))).astype(dtype)
    X[rng.random(X.shape) < 0.1] = 0  # as data has them
    start = {"u": rng.uniform(-0.4, 0.4, features), "v": rng.uniform(-1, 1, depth - 1)}
    return (
        pc.problems.from_arrays(X.astype(np.float64), rng.standard_normal(samples)),
        pc.init.explicit({name: values.tolist() for name, values in start.items()}),
    )


@pytest.mark.parametrize("bits", [*BITS, TOO_MANY_BITS])
def test_fig6_is_the_same(path, monkeypatch, bits):
    run = assert_same_under(
        path,
        monkeypatch,
        pc.problems.fig6(),
        pc.Minimalist(depth=2),
        pc.GD("2/50"),
        precision=f"mpfr{bits}",
        init=pc.init.constant("0.01"),
        loss="mean",
        steps=1500 if bits < 256 else 500,
    )
    assert run.steps > 100 or bits == 2  # which stalls


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_every_depth_and_loss_is_the_same(path, monkeypatch, depth, loss, bits):
    samples, features = [(5, 7), (2, 100), (33, 9), (8, 64)][(depth + bits) % 4]
    problem, start = random_problem(depth, samples, features, depth)
    lr = {5: 0.1, 2: 0.01, 33: 0.05, 8: 0.02}[samples] / (1 if LOSSES[loss].averaged else samples)
    keywords = {"precision": f"mpfr{bits}", "init": start, "loss": loss, "steps": 25}
    model, optimizer = pc.Minimalist(depth=depth), pc.GD(lr)
    assert_same_under(path, monkeypatch, problem, model, optimizer, **keywords)


@pytest.mark.parametrize("bits", BITS)
def test_spectral_coordinates_are_the_same(path, monkeypatch, bits):
    problem, start = random_problem(1, 12, 19, 3)
    keywords = {"precision": f"mpfr{bits}", "init": start, "loss": "half_mean", "steps": 40}
    keywords["coordinates"] = "spectral"
    model, optimizer = pc.Minimalist(depth=3), pc.GD(0.1)
    assert_same_under(path, monkeypatch, problem, model, optimizer, **keywords)


# float32 and eight-bit data, data as wide as the precision, and data of every size at once.
@pytest.mark.parametrize("bits", [24, 53, 113, 256, 512])
@pytest.mark.parametrize("data", ["float32", "pixels", "decimals", "scattered"])
def test_data_of_every_width_is_the_same(path, monkeypatch, data, bits):
    problem, start = random_problem(2, 11, 21, 2, dtype=np.float32)
    X = problem.X.astype(np.float64)
    if data == "pixels":
        X = np.round(X * 100) % 256
    if data == "decimals":
        X = [[f"{x:.20f}" for x in row] for row in X]
    if data == "scattered":
        X = np.ldexp(X, np.random.default_rng(3).integers(-400, 2, X.shape))
    problem = pc.problems.from_arrays(X, problem.y)
    lr = 2e-6 if data == "pixels" else 0.05
    keywords = {"precision": f"mpfr{bits}", "init": start, "loss": "half_mean", "steps": 30}
    keywords["problem_dtype"] = "exact"
    assert_same_under(path, monkeypatch, problem, pc.Minimalist(depth=2), pc.GD(lr), **keywords)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("factor", [None, 1e6])
def test_blow_ups_are_the_same(path, monkeypatch, factor, depth, bits):
    problem, start = random_problem(4, 9, 13, depth)
    keywords = {"precision": f"mpfr{bits}", "init": start, "loss": "sum", "steps": 45}
    keywords["blowup_factor"] = factor
    model, optimizer = pc.Minimalist(depth=depth), pc.GD(50)
    run = assert_same_under(path, monkeypatch, problem, model, optimizer, **keywords)
    if factor is None:  # past the range of exponents, to infinities and NaN
        assert run.texts["u"][0] in ("nan", "inf", "-inf")
        assert any(abs(int(text.partition("p")[2] or 0)) > 2**25
                   for step in run.trajectory.texts["u"] for text in step)  # fmt: skip


def test_a_format_says_how_it_is_carried_out(path):
    limbs = {"generic": "limbs in 64-bit words", "avx512ifma": "limbs in AVX-512 IFMA lanes"}
    mpfr = f"MPFR {_core.build_info()['mpfr']}"
    sentence = f"{limbs[path]}, bit for bit as {mpfr}"
    for bits in BITS:
        assert pc.Precision.parse(f"mpfr{bits}").availability() == (True, sentence)
    assert pc.Precision.parse(f"mpfr{TOO_MANY_BITS}").availability() == (True, mpfr)
