"""The speeds that are promised, each measured beside what it is promised against.

``pytest bench/test_promises.py -s`` prints the measured numbers. Peers take turns, medians of the
rounds' quotients are compared, and the clock is thread CPU time: on a busy machine repeat a line
that fails before believing it.
"""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

import precipice as pc
from precipice import _core
from precipice.bench import run_benchmark
from precipice.bench.measure import single_threaded_blas
from precipice.bench.peers import PlainMpfr
from precipice.bench.workload import Shape, Workload
from precipice.checkpoint import Checkpoint
from precipice.engines.core import CoreEngine
from precipice.precision import Precision
from precipice.record import Record
from precipice.results import Outcome
from precipice.simulation import prepare

ROUNDS = 15
CHECKPOINT_SECONDS = 5.0


def ratio(shape, precision, peer, data="float64"):
    """precipice's time a step over the peer's."""
    rows = run_benchmark([shape], [precision], [peer], rounds=ROUNDS, data=data).rows
    (row,) = (row for row in rows if row.engine == peer)
    return row.ratio


def work(precision, shape="300x3072"):
    return Workload.draw(Shape.parse(shape), Precision.parse(precision))


def seconds_a_step(engine, seconds):
    before, start = engine.step, time.thread_time()
    engine.advance(seconds)
    return (time.thread_time() - start) / (engine.step - before)


def promised(what, measured, limit, unit=""):
    print(f"\n{what}: {measured:.3g}{unit}, promised at most {limit:g}{unit}", end=" ")
    assert measured <= limit


def promised_times(what, measured, least):
    print(f"\n{what}: {measured:.3g} times as fast, promised {least:g}", end=" ")
    assert measured >= least


def require_path(path):
    if _core.build_info()["cpu_path"] != path:
        pytest.skip(f"this run is on the path {_core.build_info()['cpu_path']}, not {path}")


@pytest.mark.parametrize("precision", ["mpfr64", "mpfr113", "mpfr128", "mpfr256", "mpfr1024"])
@pytest.mark.parametrize(("shape", "limit"), [("2x100", 1.10), ("300x3072", 1.05)])
def test_mpfr_itself_costs_what_a_plain_loop_costs(shape, limit, precision, monkeypatch):
    monkeypatch.setenv("PRECIPICE_CPU", "mpfr")
    measured = ratio(shape, precision, "plain-mpfr")
    promised(f"{shape} {precision} over the better plain C MPFR loop", measured, limit)


def over_the_unrestricted(bits):
    """p bits and float128's exponents, subnormals too, over p bits and MPFR's exponents."""
    restricted, unrestricted = work(f"e15m{bits - 1}").engine(), work(f"mpfr{bits}").engine()
    return np.median(
        [seconds_a_step(restricted, 0.1) / seconds_a_step(unrestricted, 0.1) for _ in range(ROUNDS)]
    )


@pytest.mark.parametrize("bits", [66, 128, 256])
def test_a_range_of_exponents_costs_little_in_mpfr(bits, monkeypatch):
    monkeypatch.setenv("PRECIPICE_CPU", "mpfr")
    promised(f"{bits} bits in a range, over any range, MPFR", over_the_unrestricted(bits), 1.6)


@pytest.mark.parametrize("bits", [66, 128, 256])
def test_a_range_of_exponents_costs_limbs_nothing(bits):
    require_path("avx512ifma")
    promised(f"{bits} bits in a range, over any range, limbs", over_the_unrestricted(bits), 1.1)


@pytest.mark.parametrize(
    ("bits", "data", "least"),
    [
        (64, "float64", 9),
        (65, "float64", 8),
        (113, "float64", 8),
        (127, "float64", 8),
        (128, "float64", 9),
        (256, "float64", 9),
        (512, "float64", 8),
        (1024, "float64", 4.5),
        (512, "full", 6.5),
        (1024, "full", 5.5),
    ],
)
def test_limbs_in_lanes(bits, data, least):
    require_path("avx512ifma")
    measured = 1 / ratio("300x3072", f"mpfr{bits}", "plain-mpfr", data)
    promised_times(f"300x3072 {bits} bits, {data} data, to plain C MPFR", measured, least)


@pytest.mark.parametrize(("bits", "limit"), [(256, 0.35), (512, 0.5)])
def test_limbs_in_lanes_on_two_samples(bits, limit):
    require_path("avx512ifma")
    measured = ratio("2x100", f"mpfr{bits}", "plain-mpfr")
    promised(f"2x100 {bits} bits over the better plain C MPFR loop", measured, limit)


@pytest.mark.parametrize("bits", [64, 113, 128, 256])
def test_limbs_in_words(bits, monkeypatch):
    monkeypatch.setenv("PRECIPICE_CPU", "generic")
    measured = 1 / ratio("300x3072", f"mpfr{bits}", "plain-mpfr")
    promised_times(f"300x3072 {bits} bits, generic code, to plain C MPFR", measured, 1.5)


@pytest.mark.parametrize(
    ("shape", "precision", "limit"),
    [
        ("300x3072", "float64", 1.05),
        ("300x3072", "float32", 1.2),
        ("1000x3072", "float64", 0.8),
    ],
)
def test_native_steps(shape, precision, limit):
    measured = ratio(shape, precision, "blas")
    promised(f"{shape} {precision} over NumPy's two products", measured, limit)


def test_sharpness_at_every_step():
    data = work("float64")
    bare, measuring = data.engine(), data.engine(record=Record(loss=1, sharpness=1))
    quotients = [seconds_a_step(measuring, 0.1) / seconds_a_step(bare, 0.1) for _ in range(ROUNDS)]
    promised("sharpness over a float64 step", 100 * (np.median(quotients) - 1), 25, " %")


def test_spectral_steps():
    engine = work("float64").engine(coordinates="spectral", problem_dtype="float64")
    microseconds = 1e6 * np.median([seconds_a_step(engine, 0.05) for _ in range(ROUNDS)])
    promised("a spectral float64 step at r = 300", microseconds, 2.0, " µs")


@pytest.mark.parametrize("precision", ["float64", "mpfr1024"])
def test_checkpoints(precision, tmp_path):
    """The wall time of two saves among 2 * 5 s of steps, loss and sharpness recorded."""
    engine = work(precision).engine(record=Record(loss=1, sharpness=1))
    checkpoint = Checkpoint(tmp_path, {"benchmark": precision})
    saving = []
    for _ in range(2):
        engine.advance(CHECKPOINT_SECONDS)
        start = time.perf_counter()
        engine.save(checkpoint)
        saving.append(time.perf_counter() - start)
    share = 100 * np.mean(saving) / CHECKPOINT_SECONDS
    promised(f"checkpoints every 5 s at {precision}", share, 1.0, " %")


def test_importing_costs_little():
    def seconds(program):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - start

    rounds = [(seconds("import precipice"), seconds("import numpy")) for _ in range(ROUNDS)]
    own, numpy = np.median(rounds, axis=0)
    promised("import precipice over import numpy", own / numpy, 1.0)


# So small that nothing settles, so many steps that no run ends.
STEP_SIZE, NEVER = 2.0**-22, 10**12


def normal_data(samples, features):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((samples, features))
    return X, np.where(np.arange(samples) % 2, 1.0, -1.0)


def two_layer(width, data, precision):
    return CoreEngine(
        prepare(
            pc.problems.from_arrays(*data),
            pc.TwoLayerLinear(width),
            pc.GD(STEP_SIZE),
            precision=precision,
            steps=NEVER,
            init=pc.init.pytorch(0),
            loss="mean",
            record=Record(),
        ).plan
    )


def seconds_of_four_products(X, W, a):
    start = time.thread_time()
    for _ in range(20):
        g = (X @ (a @ W)) @ X
        W @ g
    return (time.thread_time() - start) / 20


@pytest.mark.parametrize(("path", "limit"), [("avx512", 0.8), ("generic", 1.6)])
def test_two_layer_float64_steps(path, limit, monkeypatch):
    if path == "avx512" and "avx512f" not in _core.build_info()["cpu_features"].split():
        pytest.skip("this CPU has no AVX-512")
    monkeypatch.setenv("PRECIPICE_CPU", path)
    single_threaded_blas()
    data = normal_data(1000, 3072)
    run, W = two_layer(200, data, "float64"), np.ones((200, 3072))
    quotients = [
        seconds_a_step(run, 0.1) / seconds_of_four_products(data[0], W, W[:, 0])
        for _ in range(ROUNDS)
    ]
    promised(
        f"(200, 1000, 3072) float64 on the path {path} over NumPy's four products",
        np.median(quotients),
        limit,
    )


@pytest.mark.parametrize(("bits", "least"), [(64, 7), (128, 7), (256, 7)])
def test_two_layer_limbs_in_lanes(bits, least, monkeypatch):
    """Against MPFR itself in the same engine, which costs what a plain loop costs."""
    require_path("avx512ifma")
    data, runs = normal_data(100, 3072), {}
    for path in ("mpfr", "avx512ifma"):
        monkeypatch.setenv("PRECIPICE_CPU", path)
        runs[path] = two_layer(40, data, f"mpfr{bits}")
        runs[path].advance(1e-9)
    quotients = [
        seconds_a_step(runs["mpfr"], 0.1) / seconds_a_step(runs["avx512ifma"], 0.1)
        for _ in range(ROUNDS)
    ]
    promised_times(f"(40, 100, 3072) {bits} bits to MPFR", np.median(quotients), least)


def parameters_after(data, path, monkeypatch):
    """u and v after three steps in exact order, on a CPU path, as text."""
    with monkeypatch.context() as forced:
        forced.setenv("PRECIPICE_CPU", path)
        engine = data.engine(steps=3, order="exact")
        engine.advance(600)
    return engine.gather(Outcome.MAX_STEPS, 0.0).texts


def require_exact_answer(data, monkeypatch):
    """The same parameters as MPFR's own exact sums give."""
    here = _core.build_info()["cpu_path"]
    first = data.first_rows(20)
    answers = [parameters_after(first, path, monkeypatch) for path in (here, "mpfr")]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("bits", "data", "least"),
    [(128, "float64", 20), (256, "float64", 12), (512, "float64", 7), (512, "full", 6)],
)
def test_exact_sums_in_limbs(bits, data, least, monkeypatch):
    """A whole step in exact order against the sequential plain loop."""
    require_path("avx512ifma")
    shape, precision = Shape.parse("300x3072"), Precision.parse(f"mpfr{bits}")
    numbers = Workload.draw(shape, precision, data).under_way()
    require_exact_answer(numbers, monkeypatch)
    run, plain = numbers.engine(order="exact"), PlainMpfr(numbers)
    plain.advance(0, 1)  # finds its faster order
    quotients = []
    for _ in range(ROUNDS):
        own, start = seconds_a_step(run, 0.02), time.thread_time()
        plain.advance(0, 1)
        quotients.append((time.thread_time() - start) / own)
    promised_times(
        f"300x3072 {bits} bits, {data} data, exact order, to plain C MPFR",
        np.median(quotients),
        least,
    )


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("path", ["avx512", "avx2", "generic"])
def test_exact_sums_of_native_types(path, precision, monkeypatch):
    """A whole step in exact order against the sequential float64 step of the same path."""
    needed = {"avx512": "avx512f", "avx2": "avx2"}.get(path)
    if needed and needed not in _core.build_info()["cpu_features"].split():
        pytest.skip(f"this CPU has no {needed}")
    monkeypatch.setenv("PRECIPICE_CPU", path)
    require_exact_answer(work(precision), monkeypatch)
    sequential, exact = work("float64").engine(), work(precision).engine(order="exact")
    quotients = [
        seconds_a_step(exact, 0.03) / seconds_a_step(sequential, 0.03) for _ in range(ROUNDS)
    ]
    promised(
        f"300x3072 {precision} in exact order, {path}, over the sequential float64 step",
        np.median(quotients),
        6,
    )
