"""The arithmetic of a run: stages, orders and seeds, and which of them contradict each other."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import precipice as pc
from precipice.arithmetic import ORDERS, STAGES, Arithmetic
from precipice.cli import numerics
from precipice.errors import InvalidArgument
from precipice.mixed import MixedPrecision, format_of, mixed, working_precision
from precipice.precision import Precision

BF16, F32 = Precision.parse("bfloat16"), Precision.parse("float32")


def test_names_are_the_agreed_ones():
    assert STAGES == (
        "parameters", "forward", "accumulate", "gradient", "update", "measurement"
    )  # fmt: skip
    assert tuple(ORDERS) == ("sequential", "fused", "blocked", "pairwise", "kahan", "exact")
    assert tuple(ORDERS) == numerics.ORDERS


def test_one_format_is_that_of_every_stage():
    arithmetic = Arithmetic.of("float32")
    assert arithmetic.stages == (F32,) * 6
    assert arithmetic.uniform
    assert arithmetic.plain
    assert (arithmetic.order, arithmetic.seed, arithmetic.run) == ("sequential", None, 0)
    assert [arithmetic[stage] for stage in STAGES] == [F32] * 6


@pytest.mark.parametrize(
    ("precision", "keywords", "uniform"),
    [
        ("float32", {"order": "kahan"}, True),
        ("float32:rz", {}, True),
        ("bfloat16:sr", {"rounding_seed": 0}, True),
        ("bfloat16/accumulate=float32", {}, False),
        ("bfloat16/accumulate=bfloat16:rz", {}, False),
    ],
)
def test_what_is_not_plain(precision, keywords, uniform):
    arithmetic = Arithmetic.of(precision, **keywords)
    assert not arithmetic.plain
    assert arithmetic.uniform is uniform


def test_mixtures_by_string_and_by_name():
    text = "bfloat16/parameters=bfloat16:sr/accumulate=float32"
    parsed = working_precision("bfloat16/accumulate=float32/parameters=bfloat16:sr")
    assert isinstance(parsed, MixedPrecision)
    assert (parsed.name, str(parsed)) == (text, text)
    made = pc.Precision.mixed(ml_dtypes.bfloat16, accumulate=np.float32, parameters="bfloat16:sr")
    assert made == parsed == MixedPrecision.parse(text) == working_precision(parsed)
    assert hash(made) == hash(parsed)
    assert (parsed["parameters"].name, parsed["accumulate"], parsed["forward"]) == (
        "bfloat16:sr", F32, BF16
    )  # fmt: skip
    assert parsed.stochastic
    assert not mixed("bfloat16", {"accumulate": "float32"}).stochastic
    assert Arithmetic.of(parsed, "fused", 3).stages == parsed.formats


def test_bits_of_a_mixture_are_those_of_its_parameters():
    assert working_precision("bfloat16/parameters=float32").bits == 24
    assert working_precision("bfloat16/accumulate=float32").bits == 8


def test_a_precision_may_name_its_order():
    named = working_precision("float32/order=kahan")
    assert named == pc.Precision.mixed("float32", order="kahan")
    assert (str(named), named.bits, named.order) == ("float32/order=kahan", 24, "kahan")
    assert Arithmetic.of(named, "pairwise") == Arithmetic.of("float32", "kahan")
    staged = working_precision("bfloat16/accumulate=float32/order=exact")
    assert str(staged) == "bfloat16/accumulate=float32/order=exact"
    assert (Arithmetic.of(staged).order, Arithmetic.of(staged).accumulate) == ("exact", F32)


def test_a_stage_named_like_the_first_changes_nothing():
    assert mixed("float32", {"accumulate": "float32"}) == F32
    assert mixed("float32", {}) == F32
    parsed = working_precision("bfloat16/forward=bfloat16/accumulate=float32")
    assert str(parsed) == "bfloat16/accumulate=float32"
    assert format_of(F32, "update") == F32
    assert format_of(parsed, "accumulate") == F32


def test_descriptions():
    described = working_precision("bfloat16/accumulate=float32").describe()
    assert described["name"] == "bfloat16/accumulate=float32"
    assert list(described["stages"]) == list(STAGES)
    assert described["stages"]["accumulate"] == F32.describe()
    assert Arithmetic.of("float32", "exact").describe() == {
        "order": "exact", "order_definition": ORDERS["exact"]
    }  # fmt: skip
    assert Arithmetic.of("float32:sr", rounding_seed=5).describe()["rounding_seed"] == 5


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("bfloat16/accumulate", "must be FORMAT/STAGE=FORMAT"),
        ("bfloat16/", "must be FORMAT/STAGE=FORMAT"),
        ("bfloat16/sums=float32", "STAGE one of parameters, forward, accumulate"),
        ("bfloat16/accumulate=", "must be one of"),
        ("/accumulate=float32", "must be one of"),
        ("bfloat16/accumulate=float3", "must be one of"),
        ("bfloat16/accumulate=float32/accumulate=float64", "must name a stage once"),
        ("float32/accumulate=float32", "or be float32 alone"),
    ],
)
def test_broken_mixtures_are_refused_in_one_line(text, rule):
    with pytest.raises(InvalidArgument, match="^precision = ") as caught:
        working_precision(text)
    assert rule in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_stage_is_refused():
    with pytest.raises(InvalidArgument, match="STAGE one of parameters"):
        pc.Precision.mixed("bfloat16", sums="float32")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("float32", "sideways"),
         "order = sideways: must be sequential, fused, blocked, pairwise, kahan or exact"),
        (("float32", None), "order = None: must be sequential"),
        (("float32/order=kahan", "sideways"), "order = sideways: must be sequential"),
        (("float32/order=sideways",), "ORDER one of sequential, fused"),
        (("float32/order=kahan/update=float64",), "must be FORMAT/STAGE=FORMAT"),
        (("bfloat16:sr",), "rounding_seed = None: must be given: bfloat16:sr rounds"),
        (("float32/update=bfloat16:sr",), "rounding_seed = None: must be given: bfloat16:sr"),
        (("float32", "exact", 3), "rounding_seed = 3: needs a format that rounds stochastically"),
        (("float32:sr", "exact", -1), "rounding_seed = -1: must be an integer of at least 0"),
        (("float32:sr", "exact", 2**64), "must be an integer from 0 to 18446744073709551615"),
        (("float32:sr", "exact", 1.0), "rounding_seed = 1.0: must be an integer"),
        (("float32:sr", "exact", True), "rounding_seed = True: must be an integer"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_in_one_line(arguments, message):
    with pytest.raises(InvalidArgument) as caught:
        Arithmetic.of(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_greatest_seed_is_one():
    assert Arithmetic.of("float32:sr", rounding_seed=np.uint64(2**64 - 1)).seed == 2**64 - 1


@pytest.mark.parametrize("precision", ["float32", "mpfr200"])
def test_availability_is_the_cores(precision):
    here, sentence = Arithmetic.of(precision).availability()
    assert here is True
    assert len(sentence) > 3
    assert Precision.parse(precision).availability() == (here, sentence)
    assert isinstance(Precision.parse(f"{precision}:sr").availability()[0], bool)
