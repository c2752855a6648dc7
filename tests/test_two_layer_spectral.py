"""The two-layer network in spectral coordinates: W̃, runs, curvature."""

from __future__ import annotations

from itertools import islice

import gmpy2
import numpy as np
import pytest

import precipice as pc
from oracles import minimalist, two_layer_spectral
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES, curvature_factor
from precipice.precision import Precision
from precipice.sharpness import two_layer_hessian
from precipice.spectral import spectral_problem

FLOAT64 = Precision.parse("float64")
FORMATS = {
    "float32": minimalist.FLOAT32,
    "float64": minimalist.FLOAT64,
    **{f"mpfr{bits}": minimalist.wide(bits) for bits in (2, 53, 113, 256)},
}
M = 6


def data(samples=7, features=11, rank=None, seed=0):
    """X and y; small integers where the rank is to be exact."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, features))
    if rank is not None:
        left, right = rng.integers(-9, 9, (samples, rank)), rng.integers(-9, 9, (rank, features))
        X = (left @ right).astype(np.float64)
    return X, rng.choice([-1.0, 1.0], samples)


def simulate(X, y, model, lr="0.05", **keywords):
    defaults = {"precision": "float64", "steps": 30, "init": pc.init.pytorch(1)}
    defaults["coordinates"] = "spectral"
    return pc.simulate(pc.problems.from_arrays(X, y), model, pc.GD(lr), **defaults | keywords)


def start(X, model):
    return pc.init.pytorch(1).draw(model, pc.problems.from_arrays(X, np.ones(len(X))))


@pytest.mark.parametrize("shape", [(1, 1), (4, 6), (6, 4), (5, 5), (8, 20)])
def test_each_row_of_a_start_is_rounded_as_if_it_were_alone(shape):
    """One vector is checked against mpmath in test_spectral."""
    X, y = data(*shape)
    W = np.random.default_rng(3).standard_normal((M, shape[1])) * 10.0 ** np.arange(M)[:, None]
    whole = spectral_problem(X, y, W, FLOAT64)
    assert whole.o.shape == (M, min(shape))
    for row, parts in zip(W, whole.o, strict=True):
        alone = spectral_problem(X, y, row, FLOAT64)
        assert alone.o.tolist() == parts.tolist()
        assert alone.sigma.tolist() == whole.sigma.tolist()
        assert alone.d.tolist() == whole.d.tolist()


@pytest.mark.parametrize(("shape", "rank"), [((4, 9), None), ((9, 4), None), ((6, 8), 3)])
def test_what_lies_outside_the_row_space_is_told_and_left_out(shape, rank):
    X, y = data(*shape, rank=rank)
    W = np.random.default_rng(3).standard_normal((M, shape[1]))
    problem = spectral_problem(X, y, W, FLOAT64)
    outside = W - W @ np.linalg.pinv(X) @ X
    rows = X.shape[1] if rank is None else rank
    assert problem.o.shape == (M, min(rows, *shape))
    assert problem.start_perp_norm2 == pytest.approx(np.sum(outside**2), rel=1e-12, abs=1e-12)
    assert (problem.start_perp_norm2 == 0.0) == (shape == (9, 4))
    init = pc.init.explicit({"W": W, "a": np.ones(M)})
    stated = simulate(X, y, pc.TwoLayerLinear(M), steps=1, init=init).settings["spectral"]
    assert stated["start_perp_norm2"] == problem.start_perp_norm2
    assert [float.fromhex(x) for x in stated["o"]] == problem.o.ravel().tolist()


def test_zero_rows_are_zero():
    X, y = data()
    W = np.zeros((2, X.shape[1]))
    W[1] = X[0]
    problem = spectral_problem(X, y, W, FLOAT64)
    assert problem.o[0].tolist() == [0.0] * 7
    assert problem.start_perp_norm2 == 0.0


def assert_same_run(model, precision, loss, lr, **keywords):
    """Every parameter and loss of every step."""
    X, y = data()
    run = simulate(
        X, y, model, lr, precision=precision, loss=loss,
        record=pc.Record(loss=1, parameters=1), **keywords,
    )  # fmt: skip
    first = start(X, model)
    problem = spectral_problem(X, y, first["W"], FLOAT64)
    states = two_layer_spectral.trajectory(
        FORMATS[precision], problem.sigma, problem.d, problem.o, first["a"],
        minimalist.round_to(minimalist.FLOAT64, lr), loss, len(y),
        model.scale != "none", model.contraction == "collapsed",
    )  # fmt: skip
    W, a = run.trajectory["W"], run.trajectory["a"]

    def same(actual, expected):
        if gmpy2.is_nan(expected):
            return gmpy2.is_nan(actual)
        return actual == expected and gmpy2.is_signed(actual) == gmpy2.is_signed(expected)

    for t, state in enumerate(islice(states, run.steps + 1)):
        assert all(map(same, W[t], [x for row in state.W for x in row])), (t, "W")
        assert all(map(same, a[t], state.a)), (t, "a")
        assert same(gmpy2.mpfr(run.loss.value[t]), gmpy2.mpfr(float(state.loss)))
    return run


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
@pytest.mark.parametrize("engine", ["core", "reference"])
def test_runs_equal_the_oracle(engine, contraction, precision):
    for loss in LOSSES:
        lr = "0.1" if LOSSES[loss].averaged else "0.02"
        for scale in ("1/sqrt(m)", "none"):
            model = pc.TwoLayerLinear(M, scale, contraction)
            assert_same_run(model, precision, loss, lr, engine=engine, blowup_factor=None)


@pytest.mark.parametrize("precision", ["float32", "float64", "mpfr113"])
@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_blow_ups_equal_the_oracle(contraction, precision):
    model = pc.TwoLayerLinear(M, contraction=contraction)
    run = assert_same_run(model, precision, "sum", "50", blowup_factor=None)
    if precision != "mpfr113":
        assert not np.isfinite(run.loss.value[-1])
    assert simulate(*data(), model, "50", precision=precision, loss="sum").outcome == "blowup"


@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_a_primal_run_is_the_same_to_rounding(contraction):
    """With everything at 256 bits: loss, a and W̃ = W w; the rest of W stays where it was."""
    X, y = data(samples=4, features=6)
    model = pc.TwoLayerLinear(M, contraction=contraction)
    keywords = {"precision": "mpfr256", "problem_dtype": "mpfr256", "steps": 40}
    keywords["record"] = pc.Record(loss=1, parameters=40)
    primal = simulate(X, y, model, coordinates="primal", **keywords)
    spectral = simulate(X, y, model, **keywords)
    np.testing.assert_allclose(primal.loss.value, spectral.loss.value, rtol=1e-15)
    for name in ("W", "a"):
        assert spectral.parameters()[name].shape == {"W": (M, 4), "a": (M,)}[name]
    with gmpy2.context(precision=256):
        apart = max(abs(primal.parameters()["a"] - spectral.parameters()["a"]))
        assert 0 < apart < gmpy2.mpfr("1e-73")
        # The part of W that meets the data: X Wᵀ has the Gram matrix of diag(σ) W̃ᵀ.
        exact = np.array([[gmpy2.mpfr(x) for x in row] for row in X.tolist()], dtype=object)
        sigma = spectral.settings["spectral"]["sigma"]
        images = primal.parameters()["W"] @ exact.T
        stretched = spectral.parameters()["W"] * np.array([gmpy2.mpfr(s, 0, 0) for s in sigma])
        assert np.abs(images @ images.T - stretched @ stretched.T).max() < gmpy2.mpfr("1e-72")
        moved = primal.parameters()["W"] - start(X, model)["W"]
    outside = np.eye(6) - np.linalg.pinv(X) @ X
    assert np.abs(moved.astype(np.float64) @ outside).max() < 1e-14
    assert np.abs(moved.astype(np.float64)).max() > 1e-2


def test_float64_runs_agree_early():
    X, y = data()
    runs = [
        simulate(X, y, pc.TwoLayerLinear(M), coordinates=coordinates)
        for coordinates in ("primal", "spectral")
    ]
    np.testing.assert_allclose(runs[0].loss.value, runs[1].loss.value, rtol=1e-12)
    np.testing.assert_allclose(runs[0].sharpness.value, runs[1].sharpness.value, rtol=1e-9)
    assert runs[0].loss.value.tolist() != runs[1].loss.value.tolist()


def test_labels_outside_the_column_space_are_left_out_of_the_loss():
    X, y = data(samples=9, features=4)
    primal, spectral = (
        simulate(X, y, pc.TwoLayerLinear(M), coordinates=c, loss="half_sum")
        for c in ("primal", "spectral")
    )
    floor = spectral.settings["spectral"]["y_perp_norm2"] / 2
    assert floor > 0.1
    np.testing.assert_allclose(primal.loss.value, spectral.loss.value + floor, rtol=1e-12)


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize(("shape", "rank"), [((7, 11), None), ((9, 4), None), ((6, 8), 3)])
def test_the_spectrum_is_that_of_the_primal_hessian(shape, rank, engine):
    """Eigenvalues of the reduced Hessian, and 0 for the m (d - r) directions outside row(X).

    A vector (u nᵀ, 0) with X n = 0 moves no F, and the mixed part of the Hessian meets it in
    g·n = 0, as g = Xᵀz lies in the row space.
    """
    X, y = data(*shape, rank=rank)
    X = X / np.linalg.norm(X)
    record = pc.Record(sharpness=10, parameters=10)
    runs = [
        simulate(X, y, pc.TwoLayerLinear(M), "0.1", record=record, coordinates=c, engine=engine)
        for c in ("primal", "spectral")
    ]
    stated = runs[1].settings["spectral"]
    sigma, d = ([float.fromhex(x) for x in stated[name]] for name in ("sigma", "d"))
    r = len(sigma)
    for t, step in enumerate(runs[0].trajectory.step):
        spectra = []
        for run, surface in zip(runs, ((X, y), (np.diag(sigma), np.array(d))), strict=True):
            W, a = (run.trajectory[name][t].astype(np.float64) for name in ("W", "a"))
            hessian = two_layer_hessian(
                *surface, W.reshape(M, -1), a, 1 / np.sqrt(M), curvature_factor("half_mean", len(y))
            )
            spectra.append(np.linalg.eigvalsh(hessian))
            measured = dict(zip(run.sharpness.step, run.sharpness.value, strict=True))[step]
            assert measured == pytest.approx(spectra[-1][-1], rel=1e-9)
        assert spectra[0].size == M * shape[1] + M
        reduced = np.sort(np.concatenate([spectra[1], np.zeros(M * (shape[1] - r))]))
        np.testing.assert_allclose(spectra[0], reduced, atol=1e-13)


def test_exact_problems_are_refused():
    with pytest.raises(InvalidArgument, match="problem_dtype = exact: must be a format"):
        simulate(*data(), pc.TwoLayerLinear(M), problem_dtype="exact")
