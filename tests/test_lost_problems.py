"""Formats that would lose the problem are refused before anything runs, the argument named."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from precipice.data_rounding import finite_in, strict
from precipice.errors import InvalidArgument
from precipice.precision import Precision

X = np.array([[1.0, 0.5], [-0.25, 1.0], [0.5, 0.5]])
Y = np.array([1.0, -1.0, 0.5])
START = pc.init.explicit({"u": ["0.125", "0.25"], "v": ["0.5"]})


def prepare(precision, X=X, y=Y, model=None, optimizer=None, init=START, **keywords):
    from precipice.simulation import prepare

    keywords = {"steps": 1, "engine": "reference", **keywords}
    return prepare(
        pc.problems.from_arrays(X, y),
        model or pc.Minimalist(),
        optimizer or pc.GD("1/8"),
        precision=precision,
        init=init,
        **keywords,
    )


def many(n):
    return {"X": np.ones((n, 2)), "y": np.ones(n)}


NETWORK = {"model": pc.TwoLayerLinear(4), "init": pc.init.pytorch(0)}


@pytest.mark.parametrize(
    ("precision", "keywords", "message"),
    [
        ("float8_e4m3fn", {"X": X * 1000}, "X = array with an entry out of range: must not "
         "overflow when rounded to float8_e4m3fn"),
        ("float32/forward=float16", {"y": Y * 1e6}, "y = array with an entry out of range: must "
         "not overflow when rounded to float16, the format of stage forward"),
        ("float32/forward=e4m3:sat", {"y": Y * 1e6}, "e4m3:sat, the format of stage forward"),
        ("float32/forward=float8_e5m2", {"X": X * 1e-9},
         "X = 6 numbers: must not round to zero in float8_e5m2, the format of stage forward"),
        ("float32/forward=float8_e5m2", {"y": Y * 1e-9}, "y = 3 numbers: must not round to zero"),
        ("float32/parameters=float16",
         {"init": pc.init.explicit({"u": ["1e6", "0"], "v": ["1"]})},
         "u = array with an entry out of range: must not overflow when rounded to float16, the "
         "format of stage parameters"),
        ("float32/update=float8_e5m2", {"optimizer": pc.GD("1e-9")},
         "lr = 1e-9: must not round to 0"),
        ("float32/update=float8_e5m2", {"optimizer": pc.GD("1e9")}, "lr = 1e9: must not round to"),
        ("float32/update=float8_e5m2:sat", {"optimizer": pc.GD("1e9")}, "lr = 1e9: must not round"),
        ("float32/update=float8_e5m2", {"optimizer": pc.HeavyBall("1/8", momentum="0.99")},
         "momentum = 0.99: must not round to 1 in float8_e5m2"),
        ("float32/gradient=float8_e4m3fn", many(500), "samples = 500: must not overflow when "
         "rounded to float8_e4m3fn, the format of stage gradient"),
        ("float32/gradient=float8_e4m3fn:sat", many(500), "samples = 500: must not overflow"),
        ("float32/gradient=p4_emin100_emax200", {}, "samples = 3: must not round to zero in "
         "p4_emin100_emax200, the format of stage gradient"),
        ("float32/measurement=p4_emin9_emax20", {}, "samples = 6: must not round to zero in "
         "p4_emin9_emax20, the format of stage measurement"),
        ("float32/measurement=float8_e4m3fn", many(300), "samples = 600: must not overflow when "
         "rounded to float8_e4m3fn, the format of stage measurement"),
        ("float8_e4m3fn", many(300), "samples = 600: must not overflow when rounded to "
         "float8_e4m3fn"),
        ("float32/gradient=e4m3", {**many(600), "optimizer": pc.SGD("1/8", 300)},
         "batch_size = 300: must not overflow when rounded to e4m3, the format of stage gradient"),
        ("float32/measurement=p3_emin-9_emax1", {"loss": "half_sum"},
         "loss = 2: must not overflow"),
        ("float32/gradient=p3_emin-9_emax1", {"loss": "sum"}, "loss = 2: must not overflow"),
        ("float32/forward=e4m3", {**NETWORK, "model": pc.TwoLayerLinear(300)},
         "width = 300: must not overflow when rounded to e4m3, the format of stage forward"),
        ("float32/gradient=float8_e5m2", {**NETWORK, **many(50_000)},
         "kappa = 0: must be a positive number in float8_e5m2, the format of stage gradient"),
        ("float32/gradient=p3_emin-1_emax17", {**NETWORK, **many(50_000)},
         "kappa = 0: must be a positive number in p3_emin-1_emax17, the format of stage gradient"),
        ("float32/forward=p3_emin1_emax17", {**NETWORK, "model": pc.TwoLayerLinear(9)},
         "c = 0: must be a positive number in p3_emin1_emax17, the format of stage forward"),
    ],
)  # fmt: skip
def test_a_format_that_loses_the_problem_is_refused(precision, keywords, message):
    with pytest.raises(InvalidArgument) as caught:
        prepare(precision, **keywords)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("precision", ["float8_e4m3fn", "float8_e5m2:sat", "e4m3/update=float32"])
def test_formats_that_hold_it_are_not_refused(precision):
    assert str(prepare(precision).precision) == precision


def test_numbers_of_stages_that_are_not_asked_for_may_be_what_they_like():
    """N is divided by in averaged losses only."""
    prepare("float32/gradient=e4m3/measurement=e4m3", **many(500), loss="sum")
    prepare("float32/gradient=e4m3", **many(600), optimizer=pc.SGD("1/8", 100))


@pytest.mark.parametrize("name", ["problem_dtype", "measure_precision"])
def test_a_rounding_has_no_place_where_data_is_rounded(name):
    with pytest.raises(InvalidArgument, match=f"^{name} = bfloat16:rz: must have no rounding"):
        prepare("float32", **{name: "bfloat16:rz"})


def test_saturation_shows_in_data_only():
    p = Precision.parse("float8_e4m3fn:sat")
    assert strict(p).overflow == "nan"
    assert strict(Precision.parse("float16")) == Precision.parse("float16")
    np.testing.assert_array_equal(finite_in(p, "X", np.array([460.0])), [448.0])
    assert p.round(500.0) == 448
    with pytest.raises(InvalidArgument, match="^X = "):
        finite_in(p, "X", np.array([1.0, 500.0]))
