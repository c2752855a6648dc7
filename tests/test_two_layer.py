"""The two-layer linear network: whole runs against the oracle, sharpness against dense matrices."""

from __future__ import annotations

from itertools import islice

import gmpy2
import numpy as np
import pytest

import precipice as pc
from oracles import minimalist, two_layer
from precipice.checkpoint import Checkpoint
from precipice.engines.core import CoreEngine
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES, curvature_factor
from precipice.sharpness import two_layer_hessian, two_layer_sharpness
from precipice.simulation import prepare

FORMATS = {
    "float32": minimalist.FLOAT32,
    "float64": minimalist.FLOAT64,
    **{f"mpfr{bits}": minimalist.wide(bits) for bits in (2, 24, 53, 64, 113, 256, 1200)},
}
STEPS = 30


def data(seed=0, samples=7, features=5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, features))
    return X, np.where(np.arange(samples) % 2, 1.0, -1.0)


def problem(**keywords):
    return pc.problems.from_arrays(*data(**keywords))


def simulate(model, lr="0.05", **keywords):
    defaults = {"precision": "float64", "steps": STEPS, "init": pc.init.pytorch(1)}
    return pc.simulate(problem(), model, pc.GD(lr), **defaults | keywords)


def exact(text, bits):
    with gmpy2.context(precision=max(2, bits), emin=-(2**30) + 1, emax=2**30 - 1):
        return gmpy2.mpfr(text, 0, 0)


def same(actual, expected):
    if gmpy2.is_nan(expected):
        return gmpy2.is_nan(actual)
    return actual == expected and gmpy2.is_signed(actual) == gmpy2.is_signed(expected)


def assert_same_run(model, precision, loss, lr, **keywords):
    """Every parameter and loss of every step."""
    start = pc.init.pytorch(1).draw(model, problem())
    run = simulate(
        model,
        lr,
        precision=precision,
        loss=loss,
        record=pc.Record(loss=1, parameters=1),
        **keywords,
    )
    fmt = FORMATS[precision]
    exact_problem = [
        minimalist.rounded(minimalist.FLOAT64, x) for x in (*data(), start["W"], start["a"], lr)
    ]
    states = two_layer.trajectory(
        fmt, *exact_problem, loss, model.scale != "none", model.contraction == "collapsed"
    )
    for t, state in enumerate(islice(states, run.steps + 1)):
        expected = {"W": [x for row in state.W for x in row], "a": state.a}
        for name, numbers in expected.items():
            for text, number in zip(run.trajectory.texts[name][t], numbers, strict=True):
                assert same(exact(text, fmt[0]), number), (t, name)
        loss_t = float(state.loss)
        assert run.loss.value[t] == loss_t or (np.isnan(run.loss.value[t]) and np.isnan(loss_t))
    return run


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("scale", ["1/sqrt(m)", "none"])
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_runs_equal_the_oracle(contraction, scale, precision):
    for loss in LOSSES:
        lr = "0.1" if LOSSES[loss].averaged else "0.02"
        assert_same_run(pc.TwoLayerLinear(10, scale, contraction), precision, loss, lr)


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr113"])
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_blow_ups_equal_the_oracle(contraction, precision):
    model = pc.TwoLayerLinear(9, contraction=contraction)
    run = assert_same_run(model, precision, "sum", "50", blowup_factor=None)
    if precision != "mpfr113":
        assert not np.isfinite(run.loss.value[-1])
    assert simulate(model, "50", precision=precision, loss="sum").outcome == pc.Outcome.BLOWUP


@pytest.mark.parametrize(
    ("lr", "outcome"), [("0.3", pc.Outcome.STALLED), ("0.62", pc.Outcome.LOCKED)]
)
@pytest.mark.parametrize("precision", ["float32", "mpfr24"])
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_settled_runs_end_where_the_reference_says(contraction, precision, lr, outcome):
    ends = [
        pc.simulate(
            pc.problems.from_arrays(np.full((1, 9), 0.5), [1.0]),
            pc.TwoLayerLinear(9, "none", contraction),
            pc.GD(lr),
            precision=precision,
            steps=500,
            init=pc.init.pytorch(1),
            loss="half_sum",
            engine=engine,
        )
        for engine in ("core", "reference")
    ]
    assert [run.outcome for run in ends] == [outcome, outcome]
    assert ends[0].steps == ends[1].steps > 0


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize("loss", LOSSES)
def test_sharpness_is_that_of_the_dense_hessian(loss, engine):
    model = pc.TwoLayerLinear(6)
    lr = "0.1" if LOSSES[loss].averaged else "0.02"
    record = pc.Record(loss=1, sharpness=1, parameters=1)
    run = simulate(model, lr, loss=loss, record=record, engine=engine)
    X, y = data()
    for t, value in zip(run.sharpness.step, run.sharpness.value, strict=True):
        W, a = (run.trajectory[name][t].astype(np.float64) for name in ("W", "a"))
        expected = two_layer_sharpness(
            X, y, W.reshape(6, -1), a, 1 / np.sqrt(6), curvature_factor(loss, y.size)
        )
        assert value == pytest.approx(expected, rel=1e-9)


def test_measurements_tell_their_residual_and_cost():
    X, y = data(samples=40, features=12)
    images = pc.problems.from_arrays(X + 1.5, y)  # a mean, as pixels have: one eigenvalue leads
    keywords = {"precision": "float64", "steps": 300, "init": pc.init.pytorch(1)}
    record = pc.Record(sharpness=1)
    series = pc.simulate(
        images, pc.TwoLayerLinear(20), pc.GD("0.005"), record=record, **keywords
    ).sharpness
    assert series.residual.shape == series.products.shape == series.value.shape
    assert np.all(series.residual <= 1e-10 * series.value)
    # Warm: each starts from the last eigenvector.
    assert np.median(series.products[20:]) <= 12


def test_the_dense_hessian_is_the_loss_s():
    """Against central differences of 200-bit numbers: error h² |f''''| and 2^-200 / h²."""
    X, y = data()
    rng = np.random.default_rng(2)
    m, d = 3, X.shape[1]
    theta = rng.standard_normal(m * d + m)
    c, factor = 1 / np.sqrt(m), 2 / y.size
    hessian = two_layer_hessian(X, y, theta[: m * d].reshape(m, d), theta[m * d :], c, factor)

    def loss(point):
        W = [point[q * d : (q + 1) * d] for q in range(m)]
        total = gmpy2.mpfr(0)
        for row, label in zip(X.tolist(), y.tolist(), strict=True):
            hidden = [sum(w * gmpy2.mpfr(x) for w, x in zip(w_q, row, strict=True)) for w_q in W]
            F = sum(a_q * h for a_q, h in zip(point[m * d :], hidden, strict=True))
            total += (gmpy2.mpfr(c) * F - gmpy2.mpfr(label)) ** 2
        return total * gmpy2.mpfr(factor) / 2

    with gmpy2.context(precision=200):
        h = gmpy2.exp2(-50)
        at = [gmpy2.mpfr(x) for x in theta.tolist()]
        for i, j in rng.integers(0, theta.size, (12, 2)):

            def shifted(first, second, i=i, j=j):
                point = list(at)
                point[i] += first * h
                point[j] += second * h
                return loss(point)

            mixed = shifted(1, 1) - shifted(1, -1) - shifted(-1, 1) + shifted(-1, -1)
            assert float(mixed / (4 * h * h)) == pytest.approx(hessian[i, j], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("coordinates", ["primal", "spectral"])
def test_a_checkpoint_keeps_every_bit(tmp_path, coordinates):
    """Sharpness too: Lanczos goes on from the saved vector."""
    keywords = {"precision": "mpfr113", "steps": 60, "init": pc.init.pytorch(1)}
    keywords["coordinates"] = coordinates
    record = pc.Record(loss=1, sharpness=1)

    def engine():
        return CoreEngine(
            prepare(problem(), pc.TwoLayerLinear(6), pc.GD("0.05"), record=record, **keywords).plan
        )

    first = engine()
    first.advance(1e-9)
    assert 0 < first.step < 60
    first.save(Checkpoint(tmp_path, {"run": 1}))
    second = engine()
    second.restore(Checkpoint(tmp_path, {"run": 1}))
    second.advance(60.0)
    resumed = second.gather(pc.Outcome.MAX_STEPS, 0.0)
    whole = simulate(pc.TwoLayerLinear(6), record=record, **keywords)
    assert resumed.texts == whole.texts
    np.testing.assert_array_equal(resumed.loss.value, whole.loss.value)
    np.testing.assert_array_equal(resumed.sharpness.value, whole.sharpness.value)


def test_parameters_come_back_in_their_shapes():
    parameters = simulate(pc.TwoLayerLinear(6), steps=2).parameters()
    assert parameters["W"].shape == (6, 5)
    assert parameters["a"].shape == (6,)


def test_symmetric_starts_predict_zero():
    for init, width in ((pc.init.symmetric(3), 10), (pc.init.symmetric_gaussian(3), 4)):
        start = init.draw(pc.TwoLayerLinear(width), problem())
        half = width // 2
        np.testing.assert_array_equal(start["W"][:half], start["W"][half:])
        np.testing.assert_array_equal(start["a"][:half], -start["a"][half:])
        assert set(np.abs(start["a"])) == {1.0}
    rows = pc.init.symmetric(3).draw(pc.TwoLayerLinear(24), problem())["W"][:12]
    np.testing.assert_allclose(rows.T @ rows, 12 / 5 * np.eye(5), atol=1e-14)


@pytest.mark.parametrize(
    ("model", "keywords", "message"),
    [
        (pc.TwoLayerLinear(7), {"init": pc.init.symmetric()}, "width = 7: must be even"),
        (pc.TwoLayerLinear(8), {"init": pc.init.symmetric()}, "width = 8: must be at least 10"),
        (pc.TwoLayerLinear(8), {"init": pc.init.balanced(1)}, "init = .*minimalist"),
        (pc.TwoLayerLinear(8), {"record": pc.Record(layer_imbalance=1)}, "record = layer_imb"),
        (pc.Minimalist(2), {"init": pc.init.symmetric()}, "init = symmetric: needs the two-layer"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(model, keywords, message):
    with pytest.raises(InvalidArgument, match=f"^{message}") as error:
        simulate(model, **keywords)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "arguments", [{"width": 0}, {"width": "2"}, {"width": 2, "scale": "m"},
                  {"width": 2, "contraction": "both"}]
)  # fmt: skip
def test_a_wrong_model_is_refused(arguments):
    with pytest.raises(InvalidArgument, match="must be"):
        pc.TwoLayerLinear(**arguments)


def test_a_description_is_read_back():
    model = pc.TwoLayerLinear(4, "none", "layerwise")
    assert pc.TwoLayerLinear.from_description(model.describe()) == model


def test_a_comparison_is_saved_and_read(tmp_path):
    comparison = pc.compare(
        problem(), pc.TwoLayerLinear(10), pc.GD("0.05"), precisions=["float32", "mpfr64"], steps=20,
        init=pc.init.pytorch(1),
    )  # fmt: skip
    comparison.save(tmp_path / "out")
    assert pc.load(tmp_path / "out").to_dict() == comparison.to_dict()
    assert "two-layer m = 10" in comparison.table()
    read = pc.load(tmp_path / "out").runs[0].sharpness
    np.testing.assert_array_equal(read.residual, comparison.runs[0].sharpness.residual)
    np.testing.assert_array_equal(read.products, comparison.runs[0].sharpness.products)
