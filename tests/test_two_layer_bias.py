"""The two-layer network with biases: whole runs, starts, curvature, documents."""

from __future__ import annotations

import json
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
from precipice.sharpness import two_layer_hessian
from precipice.simulation import prepare
from precipice.study.document import fault, read_document

FORMATS = {
    "float32": minimalist.FLOAT32,
    "float64": minimalist.FLOAT64,
    **{f"mpfr{bits}": minimalist.wide(bits) for bits in (2, 24, 53, 64, 113, 256, 1200)},
}
NAMES = ("W", "a", "b1", "b2")
M = 10


def data(samples=7, features=5):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((samples, features))
    return X, np.where(np.arange(samples) % 2, 1.0, -1.0)


def problem():
    return pc.problems.from_arrays(*data())


def network(width=M, scale="1/sqrt(m)", contraction="collapsed"):
    return pc.TwoLayerLinear(width, scale, contraction, bias=True)


def simulate(model, lr="0.05", **keywords):
    defaults = {"precision": "float64", "steps": 30, "init": pc.init.pytorch(1)}
    return pc.simulate(problem(), model, pc.GD(lr), **defaults | keywords)


def same(actual, expected):
    if gmpy2.is_nan(expected):
        return gmpy2.is_nan(actual)
    return actual == expected and gmpy2.is_signed(actual) == gmpy2.is_signed(expected)


def assert_same_run(model, precision, loss, lr, **keywords):
    """Every parameter and loss of every step; the oracle's b1 is a column of W."""
    record = pc.Record(loss=1, parameters=1)
    run = simulate(model, lr, precision=precision, loss=loss, record=record, **keywords)
    X, y = data()
    start = pc.init.pytorch(1).draw(model, problem())
    given = (
        np.column_stack([X, np.ones(len(X))]),
        y,
        np.column_stack([start["W"], start["b1"]]),
        start["a"],
        lr,
    )
    states = two_layer.trajectory(
        FORMATS[precision],
        *(minimalist.rounded(minimalist.FLOAT64, x) for x in given),
        loss,
        model.scale != "none",
        model.contraction == "collapsed",
        b2=start["b2"][0],
    )
    actual = {name: run.trajectory[name] for name in NAMES}
    for t, state in enumerate(islice(states, run.steps + 1)):
        expected = {
            "W": [x for row in state.W for x in row[:-1]],
            "a": state.a,
            "b1": [row[-1] for row in state.W],
            "b2": [state.b2],
        }
        for name in NAMES:
            pairs = zip(actual[name][t], expected[name], strict=True)
            assert all(same(*pair) for pair in pairs), (t, name)
        assert same(gmpy2.mpfr(run.loss.value[t]), gmpy2.mpfr(float(state.loss)))
    return run


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("scale", ["1/sqrt(m)", "none"])
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_runs_equal_the_oracle(contraction, scale, precision):
    for loss in LOSSES:
        lr = "0.1" if LOSSES[loss].averaged else "0.02"
        model = network(5, scale, contraction)
        run = assert_same_run(model, precision, loss, lr, blowup_factor=None)
        if precision in ("float32", "mpfr113"):
            reference = simulate(
                model, lr, precision=precision, loss=loss, engine="reference", blowup_factor=None
            )
            assert reference.texts == run.texts


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr113"])
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_blow_ups_equal_the_oracle(contraction, precision):
    model = network(9, contraction=contraction)
    run = assert_same_run(model, precision, "sum", "50", blowup_factor=None)
    if precision != "mpfr113":
        assert not np.isfinite(run.loss.value[-1])
    assert simulate(model, "50", precision=precision, loss="sum").outcome == pc.Outcome.BLOWUP


@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_wide_data_take_the_same_path(contraction):
    """Rows and columns enough for every block of the kernels."""
    rng = np.random.default_rng(5)
    wide = pc.problems.from_arrays(rng.standard_normal((70, 150)), rng.choice([-1.0, 1.0], 70))
    for precision in ("float32", "float64", "mpfr128"):
        core, reference = (
            pc.simulate(
                wide, network(19, contraction=contraction), pc.GD("0.05"), precision=precision,
                steps=3, init=pc.init.pytorch(1), engine=engine, record=pc.Record(loss=1),
            )
            for engine in ("core", "reference")
        )  # fmt: skip
        assert core.texts == reference.texts


def loss_at(point, loss):
    """The loss at W by rows, a, b1, b2, in the current gmpy2 context."""
    X, y = data()
    m, d = M, X.shape[1]
    W, (a, b1) = point[: m * d], (point[m * d :][i * m : (i + 1) * m] for i in range(2))
    c = 1 / gmpy2.sqrt(gmpy2.mpfr(m))
    squares = gmpy2.mpfr(0)
    for row, label in zip(X.tolist(), y.tolist(), strict=True):
        x = [gmpy2.mpfr(entry) for entry in row]
        hidden = [
            sum(w * x_k for w, x_k in zip(W[q * d : (q + 1) * d], x, strict=True)) + b1[q]
            for q in range(m)
        ]
        f = c * sum(a_q * h for a_q, h in zip(a, hidden, strict=True)) + point[-1]
        squares += (f - gmpy2.mpfr(label)) ** 2
    return squares * gmpy2.mpfr(curvature_factor(loss, len(y))) / 2


@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
@pytest.mark.parametrize("loss", ["half_sum", "sum"])
def test_a_step_goes_along_the_gradient(contraction, loss):
    """(θ_0 - θ_1) / η against central differences: error h² |f'''|, 2^-400 / h."""
    run = simulate(
        network(contraction=contraction), "1/16", precision="mpfr400",
        steps=1, loss=loss, record=pc.Record(parameters=1),
    )  # fmt: skip
    with gmpy2.context(precision=400):
        theta = [[x for name in NAMES for x in run.trajectory[name][t]] for t in range(2)]
        h = gmpy2.exp2(-130)
        for i in range(len(theta[0])):
            shifted = [list(theta[0]), list(theta[0])]
            shifted[0][i] += h
            shifted[1][i] -= h
            slope = (loss_at(shifted[0], loss) - loss_at(shifted[1], loss)) / (2 * h)
            assert abs((theta[0][i] - theta[1][i]) * 16 - slope) < gmpy2.mpfr("1e-70"), i


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize("loss", LOSSES)
def test_sharpness_is_that_of_the_dense_hessian(loss, engine):
    lr = "0.1" if LOSSES[loss].averaged else "0.02"
    record = pc.Record(loss=1, sharpness=1, parameters=1)
    run = simulate(network(6), lr, loss=loss, record=record, engine=engine)
    X, y = data()
    for t, value in zip(run.sharpness.step, run.sharpness.value, strict=True):
        W, a, b1, b2 = (run.trajectory[name][t].astype(np.float64) for name in NAMES)
        factor = curvature_factor(loss, y.size)
        dense = two_layer_hessian(X, y, W.reshape(6, -1), a, 1 / np.sqrt(6), factor, b1, b2)
        assert value == pytest.approx(np.linalg.eigvalsh(dense)[-1], rel=1e-9)


def test_the_dense_hessian_is_the_loss_s():
    X, y = data()
    rng = np.random.default_rng(2)
    theta = rng.standard_normal(network().parameter_count(X.shape[1]))
    W, a, b1, b2 = np.split(theta, np.cumsum([W_size := M * X.shape[1], M, M]))
    assert W.size == W_size
    hessian = two_layer_hessian(
        X, y, W.reshape(M, -1), a, 1 / np.sqrt(M), curvature_factor("mean", len(y)), b1, b2
    )
    np.testing.assert_array_equal(hessian, hessian.T)
    with gmpy2.context(precision=200):
        h = gmpy2.exp2(-50)
        at = [gmpy2.mpfr(x) for x in theta.tolist()]
        last = theta.size - 1
        chosen = [(last, last), (last, 3), (last, W_size), (last - 1, W_size + M - 1)]
        chosen += [(last - 1, W_size), (last - 1, W_size - 1), (last - 2, last - 1)]
        for i, j in [*chosen, *rng.integers(0, theta.size, (12, 2)).tolist()]:

            def shifted(first, second, i=i, j=j):
                point = list(at)
                point[i] += first * h
                point[j] += second * h
                return loss_at(point, "mean")

            mixed = shifted(1, 1) - shifted(1, -1) - shifted(-1, 1) + shifted(-1, -1)
            assert float(mixed / (4 * h * h)) == pytest.approx(hessian[i, j], rel=1e-12, abs=1e-12)


def test_a_checkpoint_keeps_every_bit(tmp_path):
    record = pc.Record(loss=1, sharpness=1)
    keywords = {"precision": "mpfr113", "steps": 60, "init": pc.init.pytorch(1), "record": record}

    def engine():
        return CoreEngine(prepare(problem(), network(), pc.GD("0.05"), **keywords).plan)

    first = engine()
    first.advance(1e-9)
    assert 0 < first.step < 60
    first.save(Checkpoint(tmp_path, {"run": 1}))
    second = engine()
    second.restore(Checkpoint(tmp_path, {"run": 1}))
    second.advance(60.0)
    resumed = second.gather(pc.Outcome.MAX_STEPS, 0.0)
    whole = simulate(network(), **keywords)
    assert resumed.texts == whole.texts
    assert set(whole.texts) == set(NAMES)
    np.testing.assert_array_equal(resumed.sharpness.value, whole.sharpness.value)


def test_draws_of_the_weights_do_not_change():
    for init in (pc.init.pytorch(3), pc.init.normal(0.5, 0.25, 3), pc.init.symmetric(3)):
        plain = init.draw(pc.TwoLayerLinear(M), problem())
        biased = init.draw(network(), problem())
        assert list(biased) == list(NAMES)
        for name in ("W", "a"):
            np.testing.assert_array_equal(biased[name], plain[name])
        shapes = {name: array.shape for name, array in biased.items()}
        assert shapes == {"W": (M, 5), "a": (M,), "b1": (M,), "b2": (1,)}
        assert str(init) == "pytorch" or not np.any([*biased["b1"], *biased["b2"]])


def test_biases_are_drawn_as_pytorch_draws_them():
    """U(±1/√fan_in), the fan_in of the layer: b1 within 1/√d, b2 within 1/√m."""
    draws = [pc.init.pytorch(seed).draw(network(1000), problem()) for seed in range(50)]
    first, second = (np.concatenate([draw[name] for draw in draws]) for name in ("b1", "b2"))
    for values, bound in ((first, 5**-0.5), (second, 1000**-0.5)):
        assert 0.9 * bound < np.abs(values).max() <= bound
        assert abs(values.mean()) < bound / 3


def test_constant_and_explicit_starts():
    start = pc.init.constant("0.25").draw(network(), problem())
    assert all(set(start[name].ravel()) == {0.25} for name in NAMES)
    values = {name: np.ones_like(array) for name, array in start.items()}
    explicit = pc.init.explicit(values).draw(network(), problem())
    assert explicit["b2"].tolist() == [1.0]
    del values["b2"]
    with pytest.raises(InvalidArgument, match="W, a, b1, b2"):
        pc.init.explicit(values).draw(network(), problem())


def test_the_floor_of_the_loss_counts_the_constant():
    """Labels that only the output's bias can reach: a run converges when it has reached them."""
    X, _ = data(samples=6, features=2)
    constant = pc.problems.from_arrays(X, np.ones(6))
    run = pc.simulate(
        constant, network(4), pc.GD("0.2"), precision="float64", steps=3000, tol=1e-8,
        init=pc.init.pytorch(0),
    )  # fmt: skip
    assert (run.outcome, run.loss.value[-1] < 1e-8) == (pc.Outcome.CONVERGED, True)
    assert run.loss.value[-2] >= 1e-8


def test_a_comparison_is_saved_and_read(tmp_path):
    comparison = pc.compare(
        problem(), network(), pc.GD("0.05"), precisions=["float32", "mpfr64"], steps=20,
        init=pc.init.pytorch(1),
    )  # fmt: skip
    comparison.save(tmp_path / "out")
    read = pc.load(tmp_path / "out")
    assert read.to_dict() == comparison.to_dict()
    assert read.model["bias"] is True
    assert pc.TwoLayerLinear.from_description(read.model) == network()
    assert "two-layer m = 10, biases" in comparison.table()
    assert set(read.runs[1].parameters()) == set(NAMES)
    document = read_document(next((tmp_path / "out").glob("*.json")))
    assert fault(document) is None
    document["model"]["bias"] = 1
    assert fault(document) == "model.bias has another type"
    del document["model"]["bias"]  # as before there were any
    assert fault(json.loads(json.dumps(document))) is None


@pytest.mark.parametrize("bias", [1, "yes", None])
def test_a_wrong_bias_is_refused(bias):
    with pytest.raises(InvalidArgument, match=r"^bias = .*: must be True or False$"):
        pc.TwoLayerLinear(4, bias=bias)


def test_spectral_coordinates_are_refused():
    with pytest.raises(InvalidArgument, match="^coordinates = spectral: must be primal with bias"):
        simulate(network(), coordinates="spectral")


OPTIMISERS = {
    "heavy ball": pc.HeavyBall("0.05", "0.9"),
    "nesterov": pc.Nesterov("0.05", "0.9"),
    "batches of two sizes": pc.SGD("0.05", batch_size=3, seed=1),
    "flow": pc.GradientFlow(step="0.05"),
}


@pytest.mark.parametrize("optimizer", OPTIMISERS.values(), ids=OPTIMISERS)
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
@pytest.mark.parametrize("precision", ["float64", "mpfr113"])
def test_every_optimiser_moves_the_biases(precision, contraction, optimizer):
    core, reference = (
        pc.simulate(
            problem(), network(contraction=contraction), optimizer, precision=precision, steps=20,
            init=pc.init.pytorch(1), engine=engine, record=pc.Record(loss=1),
        )
        for engine in ("core", "reference")
    )  # fmt: skip
    assert core.texts == reference.texts
    np.testing.assert_array_equal(core.loss.value, reference.loss.value)
    start = pc.init.pytorch(1).draw(network(), problem())
    for name in ("b1", "b2"):
        assert np.all(core.parameters()[name].astype(np.float64) != start[name])


@pytest.mark.parametrize("engine", ["core", "reference"])
def test_a_bias_that_overflows_alone_is_a_blow_up(engine):
    problem = pc.Problem("one row", [[1.0, 0.0], [0.0, 0.0]], [1.0, -1.0])
    start = {"W": np.zeros((1, 2)), "a": [0.0], "b1": [0.0], "b2": [2.0]}
    run = pc.simulate(
        problem,
        pc.TwoLayerLinear(1, scale="none", bias=True),
        pc.GD(3e38),
        precision="float32",
        steps=5,
        init=pc.init.explicit(start),
        loss="sum",
        blowup_factor=np.inf,
        engine=engine,
    )
    assert (run.outcome, run.steps) == (pc.Outcome.BLOWUP, 1)
