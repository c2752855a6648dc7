"""Wang's quantities along a run, against NumPy on the recorded parameters."""

from __future__ import annotations

import gmpy2
import numpy as np
import pytest

import precipice as pc
from oracles.two_layer_quantities import quantities as oracle
from precipice import _core
from precipice.checkpoint import Checkpoint
from precipice.curvature import QUANTITIES, QUANTITY_EIGENVALUES
from precipice.engines.core import CoreEngine
from precipice.errors import InvalidArgument
from precipice.losses import LOSSES, curvature_factor
from precipice.simulation import prepare

WIDTH = 6


def data(samples=9, features=5, seed=0, shift=0.8):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, features)) + shift
    return X, np.where(np.arange(samples) % 2, 1.0, -1.0)


def simulate(lr="0.1", *, X_y=None, width=WIDTH, scale="1/sqrt(m)", **keywords):
    defaults = {
        "precision": "float64",
        "steps": 40,
        "init": pc.init.pytorch(1),
        "loss": "mean",
        "record": pc.Record(loss=1, quantities=1, parameters=1),
    }
    problem = pc.problems.from_arrays(*(X_y or data()))
    return pc.simulate(problem, pc.TwoLayerLinear(width, scale), pc.GD(lr), **defaults | keywords)


def parameters(run, width=WIDTH):
    W, a = (run.trajectory[name].astype(np.float64) for name in ("W", "a"))
    return W.reshape(len(a), width, -1), a


def expected_of(run, lr, X_y=None, loss="mean", scale="1/sqrt(m)", width=WIDTH):
    X, y = X_y or data()
    c = 1.0 if scale == "none" else 1 / np.sqrt(width)
    return oracle(X, y, *parameters(run, width), c, curvature_factor(loss, y.size), lr)


def assert_equal_columns(found, expected, rtol=1e-9, skipped=()):
    for name in QUANTITIES:
        if name in skipped:
            continue
        scale = np.nanmax(np.abs(expected[name]), initial=0)
        if name.endswith("higher_order"):  # a difference of the two before it
            scale = np.nanmax(np.abs(expected[name.replace("higher", "first")]))
        np.testing.assert_allclose(
            found[name], expected[name], atol=rtol * scale + 1e-14, rtol=0, err_msg=name
        )


def test_the_core_s_columns_are_those_that_are_described():
    assert _core.two_layer_quantities() == list(QUANTITIES)


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("scale", ["1/sqrt(m)", "none"])
def test_quantities_are_those_of_the_recorded_parameters(scale, loss, engine):
    lr = 0.1 if LOSSES[loss].averaged else 0.01
    run = simulate(str(lr), loss=loss, scale=scale, engine=engine)
    expected = expected_of(run, lr, loss=loss, scale=scale)
    assert_equal_columns(run.quantities, expected)
    np.testing.assert_array_equal(run.quantities.step, np.arange(41))
    assert np.isnan(run.quantities["residual_change"][-1])
    assert np.isfinite(run.quantities["residual_change"][:-1]).all()


@pytest.mark.parametrize("engine", ["core", "reference"])
@pytest.mark.parametrize("precision", ["float32", "mpfr113"])
def test_working_formats_are_measured_in_float64(precision, engine):
    run = simulate(precision=precision, engine=engine)
    X, y = data()
    if precision == "float32":
        X = X.astype(np.float32).astype(np.float64)
    expected = expected_of(run, run.lr, (X, y))
    assert_equal_columns(run.quantities, expected)


def test_larger_networks_are_measured_by_lanczos():
    """More samples than a basis holds; through the edge of stability."""
    X_y = data(60, 20)
    run = simulate("0.4", X_y=X_y, width=14, steps=60)
    quantities, expected = run.quantities, expected_of(run, 0.4, X_y, width=14)
    assert quantities["gram_sharpness"].max() > 2 / 0.4  # it gets there
    # v₁ is known to residual / gap, about 1e-8; R' multiplies that up with every step.
    assert_equal_columns(quantities, expected, rtol=1e-6, skipped={"R_prime_norm2"})
    np.testing.assert_allclose(quantities["R_prime_norm2"], expected["R_prime_norm2"], rtol=1e-4)
    for name in QUANTITY_EIGENVALUES:
        rounding = 1e-13 * expected["gram_sharpness"]
        error = np.abs(quantities[name] - expected[name])
        assert np.all(error <= quantities.residuals[name] + rounding), name
        scale = np.maximum(np.abs(expected["gram_sharpness"]), quantities["gamma_norm"])
        assert np.all(quantities.residuals[name] <= 1e-7 * scale), name


def test_bounds_hold_what_they_promise():
    X_y = data(60, 20)
    run = simulate("0.3", X_y=X_y, width=14, steps=30)
    expected = expected_of(run, 0.3, X_y, width=14)
    for row in range(31):
        for name, bound in run.quantities.bounds(row).items():
            error = abs(run.quantities[name][row] - expected[name][row])
            if bound is not None and np.isfinite(error):
                assert error <= bound + 1e-12 * max(1, abs(expected[name][row])), (row, name)


def test_identities():
    X_y = data(60, 20)
    run = simulate("0.3", X_y=X_y, width=14, record=pc.Record(quantities=1, sharpness=1))
    q = run.quantities
    Λ, M_A, M_W = q["gram_sharpness"], q["M_A_norm"], q["M_W_norm"]
    slack = 1e-7 * Λ
    # Weyl on M = M_A + M_W, both positive semidefinite.
    assert np.all(np.maximum(M_A, M_W) <= Λ + slack)
    assert np.all(M_A + M_W + slack >= Λ)
    # Pythagoras on D = R + v₁ (v₁·D).
    total = q["R_norm2"] + q["residual_dot_v1"] ** 2
    np.testing.assert_allclose(total, q["residual_norm2"], rtol=1e-12)
    # The Hessian less c_L JᵀJ is the residuals' part, of norm c_L c ‖XᵀD‖ <= c_L c ‖X‖ ‖D‖.
    X, y = X_y
    gap = 2 / y.size / np.sqrt(14) * np.linalg.norm(X, 2) * np.sqrt(q["residual_norm2"])
    assert np.all(np.abs(run.sharpness.value - Λ) <= gap + slack)
    # Changes are what two rows say.
    np.testing.assert_allclose(q["norm_A2_change"][:-1], np.diff(q["norm_A2"]), atol=1e-13)


@pytest.mark.parametrize("contraction", ["collapsed", "layerwise"])
def test_residuals_follow_equation_12(contraction):
    """D(t+1) = (I - η M*(t)) D(t) is exact for gradient descent: at 256 bits, to 2^-240."""
    lr, bits = 2.0**-3, 300
    X, y = data(6, 4)
    run = pc.simulate(
        pc.problems.from_arrays(X, y),
        pc.TwoLayerLinear(4, contraction=contraction),
        pc.GD(lr),
        precision="mpfr256",
        steps=25,
        init=pc.init.pytorch(1),
        loss="mean",
        record=pc.Record(parameters=1),
    )
    with gmpy2.context(precision=bits):
        to_exact = np.vectorize(gmpy2.mpfr, otypes=[object])
        X, y = to_exact(X), to_exact(y)
        c, c_L = 1 / gmpy2.sqrt(gmpy2.mpfr(4)), gmpy2.mpfr(2) / 6
        worst, moved = gmpy2.mpfr(0), []
        for t in range(25):
            W, a = run.trajectory["W"][t].reshape(4, 4), run.trajectory["a"][t]
            next_W, next_a = run.trajectory["W"][t + 1].reshape(4, 4), run.trajectory["a"][t + 1]
            F = c * (X @ (W.T @ a))
            D, after = F - y, c * (X @ (next_W.T @ next_a)) - y
            K, hidden = X @ X.T, X @ W.T
            M = c_L * c**2 * ((a @ a) * K + hidden @ hidden.T)
            M_star = M - lr * c_L**2 * c**2 * (D @ F) * K
            worst = max(worst, *np.abs(after - (D - lr * (M_star @ D))))
            moved.append(float(max(np.abs(after - (D - lr * (M @ D))))))
        assert worst <= gmpy2.exp2(-240)
    assert max(moved) > 1e-4  # the second-order term is not nothing


def test_R_prime_needs_every_step():
    run = simulate(record=pc.Record(quantities=3), steps=10)
    q, every = run.quantities, simulate(steps=10).quantities
    np.testing.assert_array_equal(q.step, [0, 3, 6, 9, 10])
    assert np.isfinite(q["R_prime_norm2"][0])
    assert np.isnan(q["R_prime_norm2"][1:]).all()
    for name in QUANTITIES:
        if name not in ("R_prime_norm2", "v1_step_alignment"):
            np.testing.assert_allclose(q[name], every[name][q.step], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("engine", ["core", "reference"])
def test_a_blow_up_is_recorded_as_far_as_it_goes(engine):
    run = simulate("60", loss="sum", steps=200, engine=engine, blowup_factor=None)
    q = run.quantities
    assert q.step[-1] == run.steps
    assert not np.isfinite(q["residual_norm2"][-1])
    assert np.isnan(q["gram_sharpness"][-1])
    assert np.isfinite(q["gram_sharpness"][0])


@pytest.mark.parametrize("samples", [1, 2])
def test_the_fewest_samples(samples):
    X_y = data(samples, 3)
    X_y[1][0] = 2.0
    run = simulate("0.05", X_y=X_y, steps=5)
    q = run.quantities
    assert np.isnan(q["lambda_2"]).all() == (samples == 1)
    assert np.isfinite(q["gram_sharpness"]).all()
    assert np.isfinite(q["gamma_norm"]).all()


def test_a_resumed_run_is_the_same_to_the_last_bit(tmp_path):
    X, y = data(60, 20)
    record = pc.Record(loss=1, sharpness=1, eigenvalues=2, quantities=1, top=3)

    def engine():
        return CoreEngine(
            prepare(
                pc.problems.from_arrays(X, y), pc.TwoLayerLinear(8), pc.GD("0.3"), steps=40,
                init=pc.init.pytorch(1), loss="mean", record=record, precision="mpfr100",
            ).plan
        )  # fmt: skip

    whole = engine()
    whole.advance(600.0)
    first = engine()
    while first.step < 11:
        first.advance(1e-9)
    assert first.step < 40
    first.save(Checkpoint(tmp_path, {"run": 1}))
    second = engine()
    second.restore(Checkpoint(tmp_path, {"run": 1}))
    second.advance(600.0)
    one, other = (e.gather(pc.Outcome.MAX_STEPS, 0.0) for e in (whole, second))
    for name in QUANTITIES:
        np.testing.assert_array_equal(one.quantities[name], other.quantities[name], err_msg=name)
    for name in QUANTITY_EIGENVALUES:
        np.testing.assert_array_equal(
            one.quantities.residuals[name], other.quantities.residuals[name]
        )
    np.testing.assert_array_equal(one.quantities.products, other.quantities.products)
    np.testing.assert_array_equal(one.eigenvalues.largest, other.eigenvalues.largest)
    np.testing.assert_array_equal(one.eigenvalues.smallest, other.eigenvalues.smallest)
    np.testing.assert_array_equal(one.eigenvalues.products, other.eigenvalues.products)
    np.testing.assert_array_equal(one.sharpness.value, other.sharpness.value)


def test_recording_changes_nothing_else():
    """Neither the run nor its sharpness knows what else is measured."""
    record = pc.Record(loss=1, sharpness=1)
    more = pc.Record(loss=1, sharpness=1, eigenvalues=3, quantities=2, top=2)
    X_y = data(60, 20)
    one, other = (simulate("0.3", X_y=X_y, record=each) for each in (record, more))
    assert one.texts == other.texts
    np.testing.assert_array_equal(one.loss.value, other.loss.value)
    np.testing.assert_array_equal(one.sharpness.value, other.sharpness.value)
    np.testing.assert_array_equal(one.sharpness.products, other.sharpness.products)


def test_a_comparison_keeps_them(tmp_path):
    comparison = pc.compare(
        pc.problems.from_arrays(*data()), pc.TwoLayerLinear(6), pc.GD("0.05"),
        precisions=["float32", "mpfr64"], steps=12, init=pc.init.pytorch(1),
        record=pc.Record(loss=1, sharpness=1, eigenvalues=4, quantities=1, top=2),
    )  # fmt: skip
    comparison.save(tmp_path / "out")
    read = pc.load(tmp_path / "out")
    assert read == comparison
    for one, other in zip(read.runs, comparison.runs, strict=True):
        for name in QUANTITIES:
            np.testing.assert_array_equal(one.quantities[name], other.quantities[name])
        np.testing.assert_array_equal(one.eigenvalues.residual, other.eigenvalues.residual)
    final = comparison.to_dict()["runs"][0]["final"]
    assert len(final["eigenvalues"]["largest"]) == 2
    assert final["quantities"]["norm_A2"] == comparison.runs[0].quantities["norm_A2"][-1]
    assert "residual_change" not in final["quantities"]  # the last step has none


@pytest.mark.parametrize(
    ("model", "record", "message"),
    [
        (pc.Minimalist(2), {"quantities": 1}, "record = quantities: needs the two-layer network"),
        (pc.Minimalist(3), {"eigenvalues": 1, "top": 8}, "record.top = 8: must be at most 7, the"),
        (
            pc.TwoLayerLinear(2),
            {"eigenvalues": 1, "top": 13},
            "record.top = 13: must be at most 12",
        ),
    ],
)
@pytest.mark.parametrize("engine", ["core", "reference"])
def test_what_there_is_not_is_refused_in_one_line(model, record, message, engine):
    problem = pc.problems.from_arrays(*data())
    with pytest.raises(InvalidArgument, match=f"^{message}") as error:
        pc.simulate(
            problem, model, pc.GD("0.1"), steps=1, init=pc.init.pytorch(1), engine=engine,
            record=pc.Record(**record),
        )  # fmt: skip
    assert "\n" not in str(error.value)
