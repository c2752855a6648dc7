"""Whole training runs in any format, rounding, order and mixture equal the rational oracle's."""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import precipice as pc
from oracles import formats, staged_space
from runs_in_formats import MODELS, assert_same_runs, case

ENGINES = ("core", "reference")
CASES = 60 * int(os.environ.get("PRECIPICE_SOAK", "1"))
CUSTOM = [
    "p5_emin-19_emax12", "p6_emin-22_emax10_nan", "p4_emin-12_emax9_sub_nan_reserved3",
    "p12_emin-70_emax60_sub", "p26_emin-200_emax200_sub", "p25_emin-160_emax130",
]  # fmt: skip
FORMATS = [
    "float8_e4m3fn", "float8_e5m2", "e4m3", "e3m4", "float16", "bfloat16", "tfloat32", "float32",
    "float64", "float128", "mpfr11", "mpfr100", "float8_e4m3fn:sat", "float8_e5m2:sat", "e8m16",
    *CUSTOM,
]  # fmt: skip
ANY = [*FORMATS[:7], "mpfr30", "e5m7", "e6m20", "float32", *CUSTOM]
OPTIMIZERS = ["gd", "heavy ball", "nesterov", "flow", "batches"]
LOSSES = ["half_mean", "mean", "half_sum", "sum"]
MIXTURES = [
    "bfloat16/accumulate=float32",
    "bfloat16/accumulate=float32/parameters=float32",
    "float8_e4m3fn/accumulate=float32/parameters=bfloat16:sr",
    "float8_e5m2:sr/accumulate=float16/update=bfloat16/measurement=float32",
    "float32/parameters=bfloat16:rz/forward=float8_e4m3fn/gradient=float8_e5m2",
    "float16/measurement=float64",
    "float16/gradient=float8_e5m2:sr",
    "float64/accumulate=bfloat16:ru/update=float16:rd",
    "mpfr100/parameters=float8_e4m3fn:sr:sat",
    "float32:ra/forward=mpfr200:sr/accumulate=mpfr300",
]


def with_rounding(name, rounding):
    """Return NAME:ROUNDING[:sat]."""
    base, *rest = name.split(":")
    return ":".join([base, *([] if rounding == "rn" else [rounding]), *rest])


def skip_if_absent(precision):
    available, sentence = pc.Precision.parse(precision).availability()
    if not available:
        pytest.skip(sentence)


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_and_rounding(name, rounding):
    """Each with one model, order and loss of those below; all pairs of them meet."""
    i, j = FORMATS.index(name), formats.ROUNDINGS.index(rounding)
    precision = with_rounding(name, rounding)
    skip_if_absent(precision)
    model, order = [*MODELS][(i + j) % 6], staged_space.ORDERS[(i + 2 * j) % 6]
    loss, optimizer = LOSSES[(i + j) % 4], OPTIMIZERS[(i + j) % 5]
    given = case(model, seed=i + 100 * j, loss=loss, optimizer=optimizer, lr="0.0625")
    assert_same_runs(given, precision, order, engines=ENGINES)


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16:sr", "float64", "mpfr90"])
@pytest.mark.parametrize("order", staged_space.ORDERS)
@pytest.mark.parametrize("model", MODELS)
def test_every_order_and_model(model, order, precision):
    given = case(model, seed=3, steps=4)
    assert_same_runs(given, precision, order, engines=ENGINES)


@pytest.mark.parametrize("shape", [(1, 1), (2, 33), (33, 2), (3, 71), (67, 3)])
@pytest.mark.parametrize("order", staged_space.ORDERS)
@pytest.mark.parametrize("precision", ["bfloat16", "float16:ru", "float32", "float64:sr"])
def test_sums_of_any_length(precision, order, shape):
    i = shape[0] + staged_space.ORDERS.index(order)
    model = [*MODELS][i % 6]
    given = case(model, *shape, seed=i, lr="0.0078125", steps=2)
    assert_same_runs(given, precision, order, engines=ENGINES)


@pytest.mark.parametrize("precision", MIXTURES)
@pytest.mark.parametrize("model", MODELS)
def test_a_format_for_each_stage(model, precision):
    i = MIXTURES.index(precision)
    order = staged_space.ORDERS[(i + len(model)) % 6]
    given = case(model, seed=i, loss=LOSSES[i % 4], optimizer=OPTIMIZERS[i % 5], lr="0.0625")
    assert_same_runs(given, precision, order, engines=ENGINES)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("precision", ["bfloat16:sr", "float16/parameters=bfloat16:sr", "e5m10:rz"])
def test_every_optimizer(precision, model, optimizer):
    given = case(model, seed=8, optimizer=optimizer, lr="0.0625", samples=7)
    assert_same_runs(given, precision, engines=ENGINES)


@pytest.mark.parametrize("order", staged_space.ORDERS)
@pytest.mark.parametrize("model", ["depth 2", "depth 4", "collapsed", "layerwise"])
@pytest.mark.parametrize("precision", ["bfloat16", "float64/accumulate=e5m7:sr", "float16:ru"])
def test_sums_of_one_term(precision, model, order):
    """Spectral coordinates: X is diagonal."""
    given = case(model, 6, 4, seed=9, steps=4, coordinates="spectral")
    assert_same_runs(given, precision, order, engines=ENGINES)


@pytest.mark.parametrize("rounding", formats.ROUNDINGS)
@pytest.mark.parametrize(
    "name", ["float8_e4m3fn", "float8_e4m3fn:sat", "float8_e5m2", "float8_e5m2:sat", "float16",
             "bfloat16/accumulate=float8_e5m2/measurement=float16"],
)  # fmt: skip
def test_overflow(name, rounding):
    """Runs that leave the range: to Inf, to NaN, or held at the largest number."""
    first, *others = name.split("/")
    precision = "/".join([with_rounding(first, rounding), *others])
    model = [*MODELS][formats.ROUNDINGS.index(rounding)]
    given = case(model, seed=1, size=2.0, lr="4", loss="sum", steps=9)
    states, *_ = assert_same_runs(given, precision, engines=ENGINES)
    edges = {formats.parse(part.rpartition("=")[2]).largest for part in precision.split("/")}
    numbers = [x for s in states for block in (*s.theta, s.z, [s.loss]) for x in block]
    assert any(formats.special(x) or abs(x) in edges for x in numbers)


@pytest.mark.parametrize("precision", ["float8_e4m3fn", "e3m4:rz", "float16/parameters=e4m3"])
@pytest.mark.parametrize("model", ["depth 2", "collapsed"])
def test_stalled_and_locked_runs_end_where_the_oracle_says(model, precision):
    given = case(model, seed=2, lr="0.03125", steps=200)
    *_, outcome, last = assert_same_runs(given, precision, engines=ENGINES)
    assert outcome in ("stalled", "locked")


@pytest.mark.parametrize("precision", ["float8_e4m3fn:sr", "float16/parameters=e4m3:sr"])
def test_stochastic_runs_do_not_end_where_they_stand_still(precision):
    given = case("depth 2", seed=2, lr="0.001953125", steps=40)
    states, outcome, _ = assert_same_runs(given, precision, engines=ENGINES)
    assert outcome == "max_steps"
    assert any(a.theta == b.theta for a, b in itertools.pairwise(states))


@st.composite
def arithmetics(draw):
    """FORMAT[/STAGE=FORMAT...] with any rounding each."""

    def one():
        name = draw(st.sampled_from(ANY))
        return with_rounding(name, draw(st.sampled_from(formats.ROUNDINGS)))

    parts = [one()]
    for stage in staged_space.STAGES:
        fmt = one()
        if fmt != parts[0] and draw(st.booleans()):
            parts.append(f"{stage}={fmt}")
    return "/".join(parts)


@settings(max_examples=CASES, deadline=None, derandomize=CASES == 60)
@given(
    precision=arithmetics(),
    order=st.sampled_from(staged_space.ORDERS),
    model=st.sampled_from([*MODELS]),
    loss=st.sampled_from(LOSSES),
    optimizer=st.sampled_from(OPTIMIZERS),
    lr=st.sampled_from(["0.015625", "0.125", "2"]),
    seed=st.integers(0, 2**64 - 1),
)
def test_any_run(precision, order, model, loss, optimizer, lr, seed):
    given = case(model, seed=seed % 1000, loss=loss, optimizer=optimizer, lr=lr, steps=4)
    assert_same_runs(given, precision, order, seed, engines=ENGINES)
