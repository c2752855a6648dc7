"""Runs in double_double equal the oracle bit for bit; numbers go in and come out as pairs."""

from __future__ import annotations

import os
from fractions import Fraction

import gmpy2
import numpy as np
import pytest

import precipice as pc
from interruptions import run_in_pieces
from oracles import double_double as dd
from oracles import minimalist, two_layer
from oracles.double_double import DOUBLE_DOUBLE
from precipice.arithmetic import Arithmetic
from precipice.cost import multiply_add_nanoseconds, number_bytes
from precipice.double_double import nearest_pair
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES
from precipice.reference_space import ReferenceSpace

CASES = int(os.environ.get("PRECIPICE_SOAK", "1")) * 40


def number(text):
    """Return an exact text as a Fraction, or as it is where it is none."""
    if text in ("inf", "-inf", "nan"):
        return text
    with gmpy2.context(precision=2200):
        numerator, denominator = gmpy2.mpfr(text, 0, 0).as_integer_ratio()
    return Fraction(int(numerator), int(denominator))


def expected(pair):
    return pair.exact() if pair.is_finite() else str(pair.hi)


def assert_same_numbers(texts, pairs):
    assert [number(text) for text in texts] == [expected(pair) for pair in pairs]


def assert_same_losses(run, states):
    losses = [float(state.loss) for state in states]
    np.testing.assert_array_equal(run.loss.value, losses)


@pytest.mark.parametrize("case", range(CASES))
def test_runs_of_the_minimalist_model_equal_the_oracle(case):
    draw = np.random.default_rng(case)
    N, d, factors = draw.integers(1, 7), draw.integers(1, 9), draw.integers(1, 4)
    X, y = draw.normal(size=(N, d)), draw.normal(size=N)
    u, v = draw.normal(size=d), draw.normal(size=factors)
    loss, steps = str(draw.choice([*LOSSES])), int(draw.integers(1, 40))
    # Some diverge, to infinity and NaN where nothing stops them.
    lr, blowup = float(draw.choice([0.01, 0.1, 3.0, 1e120])), [1e6, None][case % 2]
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.Minimalist(depth=int(factors) + 1),
        pc.GD(lr),
        precision="double_double",
        steps=steps,
        init=pc.init.explicit({"u": u, "v": v}),
        loss=loss,
        record=pc.Record(loss=1, parameters=1),
        blowup_factor=blowup,
    )
    states, outcome, last, _ = minimalist.run(
        DOUBLE_DOUBLE, X, y, u, v, lr, loss, steps, blowup_factor=blowup
    )
    assert (run.outcome.value, run.steps) == (outcome, last)
    states = states[: last + 1]
    assert_same_losses(run, states)
    for t, state in enumerate(states):
        assert_same_numbers(run.trajectory.texts["u"][t], state.u)
        assert_same_numbers(run.trajectory.texts["v"][t], state.v)


@pytest.mark.parametrize("collapsed", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
def test_runs_of_the_two_layer_network_equal_the_oracle(collapsed, scaled, loss):
    draw = np.random.default_rng(len(loss) + 10 * collapsed + 100 * scaled)
    N, d, m, steps = 5, 4, 3, 8
    X, y = draw.normal(size=(N, d)), draw.normal(size=N)
    W, a = draw.normal(size=(m, d)), draw.normal(size=m)
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.TwoLayerLinear(
            width=m,
            scale="1/sqrt(m)" if scaled else "none",
            contraction="collapsed" if collapsed else "layerwise",
        ),
        pc.GD("0.05"),
        precision="double_double",
        steps=steps,
        init=pc.init.explicit({"W": W, "a": a}),
        loss=loss,
        record=pc.Record(loss=1, parameters=1),
    )
    eta = float(Fraction("0.05"))  # the problem is float64's
    states = two_layer.trajectory(DOUBLE_DOUBLE, X, y, W, a, eta, loss, scaled, collapsed)
    states = [next(states) for _ in range(run.steps + 1)]  # fewer where it blows up
    assert_same_losses(run, states)
    for t, state in enumerate(states):
        assert_same_numbers(run.trajectory.texts["W"][t], [x for row in state.W for x in row])
        assert_same_numbers(run.trajectory.texts["a"][t], state.a)


def test_exact_problems_are_rounded_to_pairs():
    run = pc.simulate(
        pc.problems.from_arrays([["1/3", "1e-3"]], ["0.7"]),
        pc.Minimalist(),
        pc.GD("1/7"),
        precision="double_double",
        problem_dtype="exact",
        steps=3,
        init=pc.init.explicit({"u": ["1/3", "2/3"], "v": ["0.1"]}),
        record=pc.Record(loss=1, parameters=1),
    )
    states, *_ = minimalist.run(
        DOUBLE_DOUBLE, [["1/3", "1e-3"]], ["0.7"], ["1/3", "2/3"], ["0.1"], "1/7", "half_mean", 3
    )
    for t, state in enumerate(states):
        assert_same_numbers(run.trajectory.texts["u"][t], state.u)
    assert_same_numbers(run.trajectory.texts["u"][0], [dd.from_exact("1/3"), dd.from_exact("2/3")])


@pytest.mark.parametrize(
    "x",
    [
        *("1/3", "-0.1", "1e-310", "1e-324", "2.5e-324", "1e-330", "-1e400", "1e308", "0", "-0"),
        # hi + lo + something beyond both: ties of lo, and hi's own decided far below.
        *("0x1.00000000000008p+0", "0x1.00000000000007ffffffffffffffp+0"),
        "0x1.0000000000000800000000000000000000000000000000000000000000000001p+0",
        "0x1.00000000000000000000000000000000000000000000000001p+0",
        "0x1.000000000000000000000000000008p+0",
        "0x1.0000000000000000000000000000080000000000000000000000000001p+0",
        "0x1.fffffffffffff8p+1023",
        "0x1.fffffffffffff7ffffffffffffffp+1023",
    ],
)
def test_exact_numbers_become_their_nearest_pair(x):
    """In the core (as a start that is recorded), in Python, and in the oracle."""
    exact = x if "0x" not in x else number_of_hexadecimal(x)
    pair = dd.from_exact(exact)
    in_python = nearest_pair(gmpy2.mpq(exact))
    assert number(str_of(in_python)) == expected(pair)
    if not pair.is_finite():
        return
    start = {"u": [exact, "1"], "v": ["1"]}
    run = pc.simulate(
        pc.problems.from_arrays([["0", "1"]], ["1"]),
        pc.Minimalist(),
        pc.GD("1/7"),
        precision="double_double",
        problem_dtype="exact",
        steps=0,
        init=pc.init.explicit(start),
        record=pc.Record(loss=1),
    )
    assert_same_numbers(run.texts["u"][:1], [pair])
    assert not run.texts["u"][0].startswith("-0x0")


def number_of_hexadecimal(text):
    with gmpy2.context(precision=2200):
        return str(gmpy2.mpq(gmpy2.mpfr(text, 0, 0)))


def str_of(x):
    from precipice.exact import text

    return text(x)


def arguments(**changed):
    keywords = {
        "precision": "double_double",
        "steps": 3000,
        "init": pc.init.constant("0.01"),
        "record": pc.Record(loss=1, sharpness=1, parameters=100),
        **changed,
    }
    return (pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50")), keywords


def test_interrupted_runs_go_on_bit_for_bit(tmp_path):
    positional, keywords = arguments()
    whole = pc.simulate(*positional, **keywords)
    pieces = run_in_pieces(tmp_path / "run", positional, keywords, seconds=0.002)
    assert pieces.trajectory.texts == whole.trajectory.texts
    assert pieces.exact_texts() == whole.exact_texts()
    np.testing.assert_array_equal(pieces.loss.value, whole.loss.value)
    np.testing.assert_array_equal(pieces.sharpness.value, whole.sharpness.value)


@pytest.mark.parametrize("path", ["generic", "avx2", "avx512", "avx512ifma", "mpfr"])
def test_every_cpu_path_has_the_same_bits(path, monkeypatch):
    positional, keywords = arguments(steps=40)
    here = pc.simulate(*positional, **keywords)
    monkeypatch.setenv("PRECIPICE_CPU", path)
    try:
        there = pc.simulate(*positional, **keywords)
    except (InvalidArgument, ValueError) as error:
        pytest.skip(str(error))
    assert there.exact_texts() == here.exact_texts()


@pytest.mark.parametrize(
    "optimizer",
    [
        pc.HeavyBall("0.01", "0.9"),
        pc.Nesterov("0.01", "0.9"),
        pc.SGD("0.01", batch_size=2, seed=1),
        pc.GradientFlow(step="0.01"),
        pc.GD(pc.lr.at_event("0.01", "loss<=0.5", "0.005")),
    ],
)
def test_every_optimiser_runs_and_stays_near_a_wider_format(optimizer):
    draw = np.random.default_rng(5)
    problem = pc.problems.from_arrays(draw.normal(size=(6, 4)), draw.normal(size=6))
    runs = [
        pc.simulate(
            problem,
            pc.Minimalist(depth=3),
            optimizer,
            precision=precision,
            steps=200,
            init=pc.init.constant("0.5"),
        )
        for precision in ("double_double", "mpfr400")
    ]
    near, far = (run.parameters() for run in runs)
    for name in near:
        for a, b in zip(near[name], far[name], strict=True):
            with gmpy2.context(precision=500):
                assert abs(a - b) < abs(b) * gmpy2.mpfr("1e-27")


def test_what_is_said_of_the_format():
    format_ = pc.Precision.parse("double_double")
    assert (format_.bits, format_.width, format_.pairs) == (106, 2098, True)
    assert "not correctly rounded" in format_.describe()["rounding"]
    assert format_ == pc.Precision("double_double", 106, -1073, 1024, True)
    assert pc.Precision(bits=106, emin=-1073, emax=1024, subnormals=True) != format_
    assert format_.availability() == (True, "pairs of float64 (double-double algorithms)")
    assert format_.round_array(np.array([0.1])).tolist() == [0.1]
    arithmetic = Arithmetic.of("double_double")
    assert multiply_add_nanoseconds(arithmetic) > 0.2
    assert number_bytes(arithmetic) == 16


def test_its_parameters_are_told_exactly():
    """hi + lo may be longer than 106 bits."""
    run = pc.simulate(
        pc.problems.from_arrays([["1"]], ["1"]),
        pc.Minimalist(),
        pc.GD("1/7"),
        precision="double_double",
        problem_dtype="exact",
        steps=0,
        init=pc.init.explicit({"u": [number_of_hexadecimal(f"0x1.{'0' * 60}1p+0")], "v": ["1"]}),
        record=pc.Record(loss=1, parameters=1),
    )
    for u in (run.parameters()["u"][0], run.trajectory["u"][0, 0]):
        with gmpy2.context(precision=2200):
            assert u - 1 == gmpy2.exp2(-244)


@pytest.mark.parametrize(
    ("changed", "argument"),
    [
        ({"engine": "reference"}, "engine"),
        ({"precision": "double_double:rz"}, "precision"),
        ({"precision": "double_double:sat"}, "precision"),
        ({"measure_precision": "double_double"}, "measure_precision"),
        ({"measure_precision": "working"}, "measure_precision"),
        ({"problem_dtype": "double_double"}, "problem_dtype"),
    ],
)
def test_what_it_cannot_do(changed, argument):
    positional, keywords = arguments(**changed)
    with pytest.raises(InvalidArgument) as raised:
        pc.simulate(*positional, **keywords)
    assert raised.value.argument == argument
    assert "\n" not in str(raised.value)


def test_the_reference_text_refuses_pairs():
    with pytest.raises(InvalidArgument, match=r"arithmetic\.parameters = .*rounded once"):
        ReferenceSpace(Arithmetic.of("double_double"))
