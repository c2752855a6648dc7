"""Starts that differ in their last bits, against the definition."""

from __future__ import annotations

import random
from fractions import Fraction

import gmpy2
import numpy as np
import pytest

import precipice as pc
from oracles import perturbation as oracle
from precipice.errors import InvalidArgument
from precipice.perturbation import perturbed

FORMATS = ["float32", "float64", "bfloat16", "float16", "e3m2", "mpfr24", "mpfr53", "mpfr114",
           "mpfr2", pc.Precision(bits=5, emin=-3, emax=4, subnormals=False),
           pc.Precision(bits=60, emin=-100, emax=100, subnormals=True)]  # fmt: skip


def fraction(x):
    return Fraction(*map(int, gmpy2.mpfr(x, 200).as_integer_ratio()))


def numbers(format_, count, generator):
    """Return members of a format, where its limits are too."""
    span = min(40, -format_.emin, format_.emax)
    found = [0.0]
    for _ in range(count):
        significand = generator.getrandbits(format_.bits) or 1
        if generator.random() < 0.3:
            significand = generator.choice([2 ** (format_.bits - 1), 2**format_.bits - 1])
        exponent = generator.randint(-span, span) - format_.bits
        if generator.random() < 0.2:
            exponent = generator.choice([format_.emin - 1, format_.emax - format_.bits])
            exponent = max(-2000, min(2000, exponent))
        with gmpy2.context(precision=200):
            x = gmpy2.mul_2exp(gmpy2.mpfr(significand), 0) * gmpy2.exp2(exponent)
        x = format_.round(x if generator.random() < 0.5 else -x)
        if gmpy2.is_finite(x):
            found.append(x)
    return found


@pytest.mark.parametrize("name", FORMATS, ids=str)
def test_perturbations_are_the_defined_ones(name):
    format_, generator = pc.Precision.parse(name), random.Random(3)
    bits = [None, *{2, max(2, format_.bits - 1), format_.bits}]
    for number in (1, 2, 77):
        given = numbers(format_, 150, generator)
        for counted_at in bits:
            u = np.array(given[:40], dtype=object)
            v = np.array(given[40:], dtype=object)
            found = perturbed({"u": u, "v": v}, format_, number, 9, counted_at)
            drawn = oracle.moves(9, number, len(given))
            flat = [*found["u"], *found["v"]]
            for x, move, got in zip(given, drawn, flat, strict=True):
                expected = oracle.moved(
                    fraction(x), move, format_.bits, format_.emin, format_.emax,
                    format_.subnormals, counted_at,
                )  # fmt: skip
                assert fraction(got) == expected, (str(x), move)


def test_floats_and_exact_numbers_are_moved_alike():
    values = np.random.default_rng(0).standard_normal((5, 7))
    for name in ("float32", "float64", "float16"):
        format_ = pc.Precision.parse(name)
        floats = perturbed({"W": values}, format_, 4, 1)["W"]
        exact = perturbed({"W": values.astype(object)}, format_, 4, 1)["W"]
        assert floats.dtype == np.float64
        np.testing.assert_array_equal(floats, exact.astype(np.float64))
        assert not np.array_equal(floats, format_.round_array(values))


def test_each_move_is_as_likely_as_the_others():
    ones = np.ones(30000)
    found = perturbed({"u": ones}, pc.Precision.parse("float64"), 1, 0)["u"]
    _, counts = np.unique(found, return_counts=True)
    assert counts.size == 3
    assert np.all(np.abs(counts - 10000) < 5 * np.sqrt(30000 * 2 / 9))


def test_perturbation_zero_is_the_start_itself():
    start = {"u": np.array([0.1, 0.2])}
    assert perturbed(start, pc.Precision.parse("float16"), 0, 5)["u"] is start["u"]


def test_seeds_and_numbers_make_other_perturbations():
    start, format_ = {"u": np.ones(40)}, pc.Precision.parse("float32")
    found = {perturbed(start, format_, k, s)["u"].tobytes() for k in (1, 2, 3) for s in (0, 1)}
    assert len(found) == 6


@pytest.mark.parametrize(
    ("name", "bits", "argument"),
    [("float32", 25, "perturbation_bits"), ("double_double", None, "precision")],
)
def test_what_has_no_such_last_place_is_refused(name, bits, argument):
    with pytest.raises(InvalidArgument, match=f"^{argument} = "):
        perturbed({"u": np.ones(2)}, pc.Precision.parse(name), 1, 0, bits)


def run(init, **changed):
    keywords = {"precision": "mpfr100", "steps": 30, "record": pc.Record(parameters=1), **changed}
    return pc.simulate(pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"), init=init, **keywords)


def test_a_run_starts_where_the_perturbation_says():
    """After problem_dtype: at 100 bits float64 would round it away."""
    start = pc.init.perturbed(pc.init.constant("0.01"), 3, seed=2)
    found = run(start)
    drawn = oracle.moves(2, 3, 3)
    x = fraction(0.01)
    expected = [x + move * Fraction(2) ** (-6 - 100) for move in drawn]  # 0.01 is in [2^-7, 2^-6)
    begun = [fraction(found.trajectory[name][0][i]) for name, i in (("u", 0), ("u", 1), ("v", 0))]
    assert begun == expected
    assert set(drawn) != {0}
    assert found.settings["init"]["number"] == 3


def test_a_run_that_changes_its_format_starts_in_the_first():
    start = pc.init.perturbed(pc.init.constant("0.01"), 3, seed=2)
    assert run(start, precision="mpfr100->float32@20").trajectory.texts["u"][0] == \
        run(start).trajectory.texts["u"][0]  # fmt: skip


def test_the_reference_engine_starts_there_too():
    start = pc.init.perturbed(pc.init.pytorch(4), 7, bits=20)
    assert run(start).exact_texts() == run(start, engine="reference").exact_texts()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("0.01", 1), "init"),
        ((pc.init.constant(1), -1), "perturbation"),
        ((pc.init.constant(1), 1, -1), "perturbation_seed"),
        ((pc.init.constant(1), 1, 0, 0), "perturbation_bits"),
    ],
)
def test_bad_arguments_are_refused(arguments, named):
    with pytest.raises(InvalidArgument, match=f"^{named} = "):
        pc.init.perturbed(*arguments)


@pytest.mark.parametrize(
    "init",
    [
        pc.init.constant("0.01"),
        pc.init.constant(0.1),
        pc.init.pytorch(5),
        pc.init.normal(0.5, "0.25", 3),
        pc.init.balanced("0.5", 2),
        pc.init.explicit({"u": ["1/3", 0.25], "v": ["0x1p-70"]}),
        pc.init.perturbed(pc.init.pytorch(5), 2, 7, 10),
    ],
    ids=str,
)
def test_a_described_start_is_the_same_start(init):
    again = pc.init.described(init.describe())
    one, other = (run(each, steps=1).trajectory.texts for each in (init, again))
    assert one == other


def test_seeds_need_a_start_that_is_drawn():
    assert pc.init.pytorch(1).seeded(4) == pc.init.pytorch(4)
    moved = pc.init.perturbed(pc.init.pytorch(1), 2, 3).seeded(4)
    assert moved == pc.init.perturbed(pc.init.pytorch(4), 2, 3)
    with pytest.raises(InvalidArgument, match="^seeds = 4: need a start that is drawn"):
        pc.init.constant(1).seeded(4)
