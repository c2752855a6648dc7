"""Wang's quantities along runs of every optimiser and in every guise of the network."""

from __future__ import annotations

import numpy as np
import pytest

import precipice as pc
from oracles.two_layer_quantities import quantities as oracle
from precipice.curvature import QUANTITIES
from precipice.decomposition import decompose
from test_quantities import assert_equal_columns, data

WIDTH, LR, STEPS = 6, 0.1, 25


def simulate(optimizer, model=None, **keywords):
    defaults = {
        "precision": "float64",
        "steps": STEPS,
        "init": pc.init.pytorch(1),
        "loss": "mean",
        "record": pc.Record(loss=1, sharpness=1, quantities=1, parameters=1),
    }
    problem = pc.problems.from_arrays(*data())
    model = model or pc.TwoLayerLinear(WIDTH)
    return pc.simulate(problem, model, optimizer, **defaults | keywords)


def expected_of(run, lrs=LR, X_y=None):
    X, y = X_y or data()
    at = {name: run.trajectory[name].astype(np.float64) for name in run.trajectory.texts}
    T = len(at["a"])
    biases = (at["b1"], at["b2"][:, 0]) if "b1" in at else ()
    W = at["W"].reshape(T, WIDTH, -1)
    return oracle(X, y, W, at["a"], 1 / np.sqrt(WIDTH), 2 / y.size, lrs, *biases)


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize(
    "optimizer",
    [
        pc.HeavyBall(LR, "0.5"),
        pc.Nesterov(LR, "0.5"),
        pc.SGD(LR, 4, "reshuffle", 3),
        pc.SGD(LR, 4, "iid", 3),
    ],
    ids=str,
)
def test_changes_are_those_that_were_made(optimizer, engine):
    """First-order terms are of plain descent on the full batch; what happened is what happened."""
    run = simulate(optimizer, engine=engine)
    assert_equal_columns(run.quantities, expected_of(run))


@pytest.mark.parametrize("engine", ["core", "reference"])
def test_a_schedule_s_step_sizes_are_those_of_their_steps(engine):
    run = simulate(pc.GD(pc.lr.piecewise((0.1, 10), 0.05)), engine=engine)
    lrs = np.where(np.arange(STEPS + 1) < 10, 0.1, 0.05)
    assert_equal_columns(run.quantities, expected_of(run, lrs))


@pytest.mark.parametrize("engine", ["core", "reference"])
def test_an_event_changes_its_own_step(engine):
    """The update of the event's step is the first with the new η, and so are its terms."""
    bound = 0.9 * simulate(pc.GD(LR)).loss.value[0]
    run = simulate(pc.GD(pc.lr.at_event(LR, f"loss<={bound}", 0.03)), engine=engine)
    first = int(np.argmax(run.loss.value <= bound))
    assert 0 < first < STEPS
    lrs = np.where(np.arange(STEPS + 1) < first, LR, 0.03)
    assert_equal_columns(run.quantities, expected_of(run, lrs))


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize("optimizer", [pc.GradientFlow("1/16"), pc.GradientFlow()], ids=str)
def test_a_flow_takes_no_step_of_descent(optimizer, engine):
    if engine == "reference" and optimizer.step is None:
        pytest.skip("the reference engine has no adaptive flow")
    run = simulate(optimizer, engine=engine)
    q, expected = run.quantities, expected_of(run)
    unknown = [name for name in QUANTITIES if name.endswith(("_change", "_order"))]
    for name in unknown:
        assert np.isnan(q[name]).all(), name
    assert np.isnan(q["R_prime_norm2"][1:]).all()
    assert_equal_columns(q, expected, skipped={*unknown, "R_prime_norm2"})


@pytest.mark.parametrize("engine", ["core", "reference"])
def test_biases_are_parameters_too(engine):
    run = simulate(pc.GD(LR), pc.TwoLayerLinear(WIDTH, bias=True), engine=engine)
    assert_equal_columns(run.quantities, expected_of(run))


def test_gradient_descent_with_biases_follows_equation_12():
    """D(t+1) = (I - η M*) D(t), with D·(F - b2) in M*: to rounding."""
    run = simulate(pc.GD(LR), pc.TwoLayerLinear(WIDTH, bias=True))
    q = run.quantities
    expected = expected_of(run)
    X, y = data()
    wide = np.column_stack([X, np.ones(len(X))])
    for t in range(STEPS):
        W, a, b1, b2 = (
            run.trajectory[name][t].astype(np.float64) for name in ("W", "a", "b1", "b2")
        )
        inner = np.column_stack([W.reshape(WIDTH, -1), b1])
        F = wide @ (inner.T @ a) / np.sqrt(WIDTH)
        D = F + b2 - y
        second = (LR * 2 / y.size) ** 2 / WIDTH * (D @ F) * (wide @ (wide.T @ D))
        assert q["residual_higher_order"][t] == pytest.approx(np.linalg.norm(second), rel=1e-6)
    assert np.nanmax(expected["residual_higher_order"]) > 1e-4


@pytest.mark.parametrize("engine", ["core", "reference"])
def test_spectral_coordinates_measure_the_same_network(engine):
    """X = diag(σ): Gram matrices lose only the directions that X does not reach; d stays d."""
    X, y = data(5, 9)
    problem = pc.problems.from_arrays(X, y)
    arguments = (problem, pc.TwoLayerLinear(WIDTH), pc.GD(LR))
    keywords = {
        "steps": 10, "init": pc.init.pytorch(1), "loss": "mean", "engine": engine,
        "record": pc.Record(quantities=1, parameters=1, eigenvalues=1, top=2),
    }  # fmt: skip
    primal, spectral = (
        pc.simulate(*arguments, coordinates=coordinates, **keywords)
        for coordinates in ("primal", "spectral")
    )
    decomposition = decompose(X, y)
    turn = spectral.quantities["residual_dot_v1"][0] / primal.quantities["residual_dot_v1"][0]
    assert abs(turn) == pytest.approx(1, abs=1e-9)
    for name in QUANTITIES:
        one, other = primal.quantities[name], spectral.quantities[name]
        if name == "residual_dot_v1":
            other = other * np.sign(turn)
        if name == "norm_W2":  # the rows' parts outside row(X) never move
            one, other = one - one[0], other - other[0]
        np.testing.assert_allclose(
            one, other, atol=1e-9 * (1 + np.nanmax(np.abs(one))), err_msg=name
        )
    assert decomposition.rank == 5
    largest = (run.eigenvalues.largest for run in (primal, spectral))
    np.testing.assert_allclose(*largest, atol=1e-7)


def test_an_adaptive_cadence_goes_back_without_recording_twice():
    X, y = data(60, 20)
    record = pc.Record(loss=1, sharpness=pc.Adaptive(), quantities=1)
    run = pc.simulate(
        pc.problems.from_arrays(X, y), pc.TwoLayerLinear(14), pc.GD("0.4"), steps=60,
        init=pc.init.pytorch(1), loss="mean", record=record,
    )  # fmt: skip
    plain = pc.simulate(
        pc.problems.from_arrays(X, y), pc.TwoLayerLinear(14), pc.GD("0.4"), steps=60,
        init=pc.init.pytorch(1), loss="mean", record=pc.Record(quantities=1),
    )  # fmt: skip
    np.testing.assert_array_equal(run.quantities.step, np.arange(61))
    for name in QUANTITIES:
        np.testing.assert_array_equal(run.quantities[name], plain.quantities[name], err_msg=name)
