"""Runs as data: exact parameters, JSON, pandas, xarray."""

from __future__ import annotations

import json

import gmpy2
import numpy as np
import pytest

import precipice as pc
from precipice.results import Outcome


@pytest.fixture(scope="module")
def run():
    return pc.simulate(
        pc.problems.fig6(),
        pc.Minimalist(depth=3),
        pc.GD("0.01"),
        precision="mpfr200",
        steps=40,
        init=pc.init.constant("1/3"),
        record=pc.Record(loss=1, sharpness=5, layer_imbalance=20, parameters=40),
    )


def test_parameters_are_exact(run):
    parameters = run.parameters()
    assert {name: values.shape for name, values in parameters.items()} == {"u": (2,), "v": (2,)}
    assert all(x.precision == 200 for values in parameters.values() for x in values)
    recorded = run.trajectory["u"][-1]
    assert all(a == b for a, b in zip(recorded, parameters["u"], strict=True))
    # The start is the float64 nearest to 1/3, held exactly.
    assert run.trajectory["u"][0][0] == gmpy2.mpfr(1 / 3)


def test_every_outcome_has_a_sentence():
    assert all(len(outcome.sentence) > 10 for outcome in Outcome)


def test_json_is_plain_and_complete(run):
    document = json.loads(run.to_json())
    assert document["precision"] == "mpfr200"
    assert document["outcome"] == "max_steps"
    assert document["steps"] == 40
    assert document["blowup"] is None
    assert document["final"]["loss"] == run.loss.value[-1]
    assert document["settings"]["init"]["name"] == "constant"


def test_json_has_no_infinities():
    run = pc.simulate(
        pc.problems.fig6(),
        pc.Minimalist(),
        pc.GD("50"),
        precision="float32",
        steps=60,
        init=pc.init.constant(1),
        blowup_factor=None,
    )
    assert not np.isfinite(run.loss.value[-1])
    assert json.loads(run.to_json())["final"]["loss"] is None


def test_to_pandas(run):
    pytest.importorskip("pandas")
    frame = run.to_pandas()
    assert list(frame.columns) == ["loss", "log2_loss", "sharpness"]
    assert frame.index.name == "step"
    assert frame["loss"].to_numpy().tolist() == run.loss.value.tolist()
    assert frame["sharpness"].notna().sum() == run.sharpness.step.size


def test_curvature_has_columns_of_its_own():
    pytest.importorskip("xarray")
    rng = np.random.default_rng(0)
    run = pc.simulate(
        pc.problems.from_arrays(rng.standard_normal((6, 4)), np.ones(6)),
        pc.TwoLayerLinear(3),
        pc.GD("0.1"),
        steps=4,
        init=pc.init.pytorch(0),
        record=pc.Record(loss=1, eigenvalues=2, quantities=4, top=2),
    )
    frame, data = run.to_pandas(), run.to_xarray()
    assert list(frame.columns[:5]) == ["loss", "log2_loss", "hessian_1", "hessian_2", "hessian_min"]
    np.testing.assert_array_equal(frame["hessian_2"].dropna(), run.eigenvalues.largest[:, 1])
    np.testing.assert_array_equal(frame["norm_A2"].dropna(), run.quantities["norm_A2"])
    np.testing.assert_array_equal(data["hessian_min"], run.eigenvalues.smallest)
    np.testing.assert_array_equal(data["hessian_min_residual"], run.eigenvalues.residual[:, 2])
    residuals = run.quantities.residuals["gamma_norm"]
    np.testing.assert_array_equal(data["gamma_norm_residual"], residuals)
    assert data["gamma_norm"].dims == ("quantities_step",)


def test_to_xarray(run):
    pytest.importorskip("xarray")
    data = run.to_xarray()
    assert data["layer_imbalance"].dims == ("layer_imbalance_step", "layer")
    assert data["layer_imbalance"].shape == (3, 2)
    np.testing.assert_array_equal(data["log2_loss"], run.loss.log2)
    assert data.attrs["precision"] == "mpfr200"
    assert json.loads(data.attrs["settings"])["order"] == "sequential"
