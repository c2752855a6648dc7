"""Starts: exact constants, seeded draws in their stated order, explicit arrays."""

from __future__ import annotations

import json
from fractions import Fraction

import gmpy2
import mpmath
import numpy as np
import pytest

from precipice import initialisers as init
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.models import Minimalist
from precipice.problems import Problem, fig6, from_arrays


@pytest.fixture
def problem() -> Problem:
    rng = np.random.default_rng(5)
    return from_arrays(rng.normal(size=(3, 7)), [1.0, -1.0, 0.5])


@pytest.mark.parametrize("depth", [2, 4])
def test_a_constant_start_is_exact(depth: int, problem: Problem) -> None:
    for c, expected in (("0.01", "1/100"), (0.01, "0x1.47ae147ae147bp-7"), ("1/4", "0x1p-2")):
        start = init.constant(c).draw(Minimalist(depth), problem)
        assert start["u"].shape == (7,)
        assert start["v"].shape == (depth - 1,)
        assert {text(x) for array in start.values() for x in array} == {expected}
    assert init.constant("0.5").draw(Minimalist(), problem)["u"].dtype == np.float64


def test_the_pytorch_start_draws_u_then_v(problem: Problem) -> None:
    start = init.pytorch(seed=3).draw(Minimalist(3), problem)
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(start["u"], [rng.uniform(-1, 1) / np.sqrt(7) for _ in range(7)])
    np.testing.assert_array_equal(start["v"], [rng.uniform(-1, 1) for _ in range(2)])


def test_the_normal_start_draws_u_then_v(problem: Problem) -> None:
    start = init.normal("0.1", 2, seed=3).draw(Minimalist(3), problem)
    rng = np.random.default_rng(3)
    np.testing.assert_array_equal(start["u"], [0.1 * rng.standard_normal() for _ in range(7)])
    np.testing.assert_array_equal(start["v"], [2 * rng.standard_normal() for _ in range(2)])


@pytest.mark.parametrize("depth", [2, 5])
def test_a_balanced_start_has_equal_layers_in_the_row_space(depth: int, problem: Problem) -> None:
    start = init.balanced("0.3", seed=1).draw(Minimalist(depth), problem)
    u, X = start["u"], problem.X
    projection = X.T @ np.linalg.solve(X @ X.T, X @ u)
    np.testing.assert_allclose(projection, u, atol=1e-14)
    assert np.linalg.norm(u) == pytest.approx(0.3, rel=1e-14)
    np.testing.assert_array_equal(start["v"], np.full(depth - 1, 0.3))


def test_a_balanced_start_reads_exact_data() -> None:
    start = init.balanced(1).draw(Minimalist(), from_arrays([["0.1", "0.2"]], [1]))
    direction = np.array([1, 2]) / np.sqrt(5)
    assert abs(start["u"] @ direction) == pytest.approx(1, rel=1e-14)


def test_a_balanced_start_needs_data_to_span_something() -> None:
    with pytest.raises(InvalidArgument, match="needs an X that is not identically zero"):
        init.balanced(1).draw(Minimalist(), from_arrays([[0.0, 0.0]], [1.0]))


@pytest.mark.parametrize("form", ["pytorch", "normal:1,2", "balanced:0.5"])
def test_draws_depend_on_the_seed_alone(form: str, problem: Problem) -> None:
    first, again, other = (init.parse(form, seed).draw(Minimalist(), problem) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first["u"], again["u"])
    assert (first["u"] != other["u"]).any()


def test_explicit_arrays_are_kept_exactly(problem: Problem) -> None:
    u = ["0.1", "1/3", 0.1, gmpy2.mpq(1, 7), mpmath.mpf("0.1"), Fraction(1, 9), "-0.0"]
    start = init.explicit({"u": u, "v": ["0.25"]}).draw(Minimalist(), problem)
    assert [text(x) for x in start["u"]] == [
        "1/10",
        "1/3",
        "0x1.999999999999ap-4",
        "1/7",
        "0x1.999999999999ap-4",
        "1/9",
        "-0x0p+0",
    ]
    assert start["v"].tolist() == [0.25]


def test_an_explicit_start_is_not_the_callers_array(problem: Problem) -> None:
    u = np.zeros(7)
    start = init.explicit({"u": u, "v": [1.0]})
    u[0] = 9
    drawn = start.draw(Minimalist(), problem)
    drawn["u"][1] = 9
    assert start.draw(Minimalist(), problem)["u"].tolist() == [0.0] * 7


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"u": [1.0, 2.0]}, r"^init = u: must name exactly the model's parameters: u, v$"),
        ({"u": [1.0, 2.0], "v": [1.0], "w": [1.0]}, r"^init = u, v, w: must name exactly"),
        ({}, r"^init = nothing: must name exactly"),
        ({"u": [1.0], "v": [1.0]}, r'^init\["u"\] = array of shape \(1,\): must have shape \(2,\)'),
        ({"u": [1.0, 2.0], "v": 1.0}, r'^init\["v"\] = array of shape \(\): must have shape \(1,'),
    ],
)
def test_explicit_names_and_shapes_are_checked(values: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        init.explicit(values).draw(Minimalist(), fig6())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"u": [float("nan")]}, r'^init\["u"\]\[0\] = nan: must be finite$'),
        ({"v": ["x"]}, r'^init\["v"\]\[0\] = x: must be a finite real number'),
        ([1.0], r"^init = \[1\.0\]: must map parameter names to arrays$"),
    ],
)
def test_explicit_entries_are_checked(values: object, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        init.explicit(values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "form", ["constant:0.01", "constant:1/3", "pytorch", "normal:0.1,0.25", "balanced:0.5"]
)
def test_text_is_parsed_and_printed(form: str) -> None:
    assert str(init.parse(form, seed=4)) == form


def test_the_text_of_a_float_constant_is_the_float() -> None:
    assert str(init.constant(0.1)) == "constant:0x1.999999999999ap-4"


@pytest.mark.parametrize(
    ("form", "rule"),
    [
        ("", "must be constant:C, pytorch, normal:ALPHA,BETA, balanced:C, symmetric or symmetric"),
        ("xavier", "must be constant:C"),
        ("constant", "must be constant:C"),
        ("pytorch:3", "must be constant:C"),
        ("normal:1", "must be constant:C"),
        ("normal:1,2,3", "must be constant:C"),
        ("constant:x", "c must be a finite real number"),
        ("normal:-1,2", "alpha must be at least 0"),
        ("normal:1,nan", "beta must be a finite real number"),
        ("normal:1e400,1", "alpha must be within float64's range"),
        ("balanced:0", "c must be positive"),
        ("balanced:-2", "c must be positive"),
    ],
)
def test_broken_text_is_refused(form: str, rule: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        init.parse(form)
    assert str(caught.value).startswith(f"init = {form}: {rule}")


@pytest.mark.parametrize("seed", [-1, 0.5, None, "1"])
@pytest.mark.parametrize("form", ["pytorch", "normal:1,2", "balanced:0.5"])
def test_a_seed_is_a_whole_number(form: str, seed: object) -> None:
    with pytest.raises(InvalidArgument, match=r"^seed = .*: must be an integer of at least 0$"):
        init.parse(form, seed)  # type: ignore[arg-type]


def test_descriptions_are_json() -> None:
    starts = [init.parse(f, 4) for f in ("constant:0.1", "pytorch", "normal:0.1,2", "balanced:1")]
    starts.append(init.explicit({"u": ["0.1", 0.5], "v": [1]}))
    described = json.loads(json.dumps([start.describe() for start in starts]))
    assert described == [
        {"name": "constant", "c": "0.1", "c_exact": "1/10"},
        {"name": "pytorch", "seed": 4},
        {"name": "normal", "alpha": 0.1, "beta": 2.0, "seed": 4},
        {"name": "balanced", "c": 1.0, "seed": 4},
        {"name": "explicit", "values": {"u": ["1/10", "0x1p-1"], "v": ["0x1p+0"]}},
    ]


@pytest.mark.parametrize("form", ["constant:0.01", "pytorch", "normal:1,2", "balanced:1"])
def test_the_seed_of_a_form_is_checked_whether_or_not_it_draws(form: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^seed = -1: must be an integer of at least 0$"):
        init.parse(form, -1)


def test_no_form_at_all_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"^init = : must be constant:C, pytorch, "):
        init.parse("")
