"""`precipice compare --json` gives the known steps of the known problems, exactly."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

import precipice as pc
from precipice.cli.main import main

MPFR = ("mpfr113", "mpfr128", "mpfr256", "mpfr512", "mpfr1024")
FORMATS = ("float32", "float64", "float80", *MPFR)


def compare(*arguments: str) -> dict[str, dict]:
    """Return the runs of a comparison by precision; float80 only where it exists."""
    here = [name for name in FORMATS if pc.Precision.parse(name).availability()[0]]
    command = ["compare", *arguments, "--precision", ",".join(here), "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    return {run["precision"]: run for run in json.loads(result.stdout)["runs"]}


def first_drops(runs):
    return {name: run["catapults"][0]["drop_step"] for name, run in runs.items()}


def blowups(runs):
    return {name: run["blowup"]["step"] for name, run in runs.items() if run["blowup"]}


def here(runs, expected):
    return {name: step for name, step in expected.items() if name in runs}


def test_fig6_mean():
    runs = compare("fig6")
    assert {run["crossing"] for run in runs.values()} == {548}
    assert blowups(runs) == dict(zip(MPFR, (678, 682, 751, 801, 801), strict=True))
    drops = {"float32": 607, "float64": 626, "float80": 637}
    survivors = {name: step for name, step in first_drops(runs).items() if step}
    assert survivors == here(runs, drops)
    peaks = {name: runs[name]["catapults"][0]["peak_sharpness_raw"] for name in survivors}
    expected = here(runs, {"float32": 79.6, "float64": 96.1, "float80": 106.7})
    assert peaks == pytest.approx(expected, abs=0.05)


def test_fig6_sum():
    runs = compare("fig6", "--loss", "sum")
    assert {run["crossing"] for run in runs.values()} == {236}
    expected = {"float64": 290, "float80": 295}
    expected |= dict(zip(MPFR, (316, 323, 338, 338, 338), strict=True))
    assert blowups(runs) == here(runs, expected)


def test_fig6_half_mean():
    runs = compare("fig6", "--loss", "half_mean")
    assert {run["crossing"] for run in runs.values()} == {1335}
    assert blowups(runs) == {}
    expected = {"float32": 1437, "float64": 1493, "float80": 1514}
    expected |= dict(zip(MPFR, (1587, 1605, 1764, 2041, 2425), strict=True))
    assert first_drops(runs) == here(runs, expected)
    peaks = {"float32": 57.9, "float64": 61.9, "float80": 63.2}
    peaks |= dict(zip(MPFR, (67.2, 68.0, 74.3, 77.0, 79.2), strict=True))
    measured = {name: run["catapults"][0]["peak_sharpness_raw"] for name, run in runs.items()}
    assert measured == pytest.approx(here(runs, peaks), abs=0.05)


def test_opposing_signals():
    runs = compare("opposing_signals")
    expected = {"float32": 807, "float64": 898, "float80": 929}
    expected |= dict(zip(MPFR[:4], (1062, 1103, 1433, 2099), strict=True))
    drops = first_drops(runs)
    assert {name: drops[name] for name in here(runs, expected)} == here(runs, expected)


@pytest.mark.parametrize(("bits", "step"), [(26, 461), (31, 521)])
def test_few_bits_survive_the_first_excursion_and_not_the_second(bits, step):
    command = ["run", "fig6", "--loss", "sum", "--precision", f"mpfr{bits}", "--json"]
    result = CliRunner().invoke(main, command)
    (run,) = json.loads(result.stdout)["runs"]
    assert (run["blowup"]["step"], run["blowup"]["excursion"]) == (step, 1)


@pytest.fixture
def fig6_mean():
    """Return what makes an ensemble of 256 perturbed starts of fig. 6."""
    return (pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50")), {
        "steps": 3000,
        "init": pc.init.constant("0.01"),
        "loss": "mean",
        "perturbations": 256,
    }


@pytest.mark.parametrize(("bits", "blowups"), [(108, 0), (110, 21), (112, 81), (114, 201),
                                               (116, 256)])  # fmt: skip
def test_near_the_critical_precision_some_of_the_members_blow_up(fig6_mean, bits, blowups):
    asked, keywords = fig6_mean
    record = pc.Record(window=3000)
    found = pc.ensemble(
        *asked, **keywords, precision=f"mpfr{bits}", perturbation_bits=53, record=record
    )
    assert (found.blowup_step >= 0).sum() == blowups
    assert found.distinct <= 27


@pytest.mark.parametrize(
    ("loss", "changed", "least", "median", "greatest"),
    [
        ("mean", {}, 626, 626, 627),
        ("mean", {"perturbation_bits": 40}, 626, 627, 631),
        ("half_mean", {}, 1493, 1493, 1496),
        ("half_mean", {"perturbation_bits": 40}, 1491, 1495, 1501),
        ("mean", {"precision": "bfloat16:sr", "rounding_seed": 0}, 542, 566, 683),
    ],
)
def test_drops_scatter_over_perturbations(fig6_mean, loss, changed, least, median, greatest):
    asked, keywords = fig6_mean
    found = pc.ensemble(*asked, **{**keywords, "loss": loss, **changed})
    assert (found.drop.min(), np.median(found.drop), found.drop.max()) == (least, median, greatest)
