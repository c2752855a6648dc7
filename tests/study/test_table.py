"""The table of a comparison: its entries, its definitions, its width."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from constructed import make_comparison, make_run, three_runs
from precipice.cli.session import event_lines
from precipice.results import Series
from precipice.study.table import WIDTH, as_csv, as_text, caption, loss_text, row


def test_a_row_reports_the_first_excursion_and_the_blow_up():
    survives, _, blows_up = three_runs()
    entries = row(survives)
    assert (entries["crossing"], entries["drop"], entries["delay"]) == (100, 110, 10)
    assert entries["outcome"] == "max_steps"
    assert entries["blowup"] is None
    # S̄ is largest over the pair of steps 108 and 109.
    assert entries["peak_sharpness"] == 54.25
    assert entries["overshoot"] == pytest.approx(54.25 / 50)
    entries = row(blows_up)
    assert (entries["outcome"], entries["blowup"], entries["drop"]) == ("blowup", 150, None)


@pytest.mark.parametrize(
    ("residual", "peak", "overshoot", "shown"),
    [(1e-9, 54.25, 1.085, "54.25"), (0.3, 54.0, 1.1, "54"), (40.0, math.nan, math.nan, "0±1e+02")],
)
def test_no_digit_goes_beyond_the_residual(residual, peak, overshoot, shown):
    """In the table, in its rows, in the document, on the command line."""
    run = make_run(drop=110)
    measured = run.sharpness
    bounds = np.full(measured.value.size, residual)
    run = replace(run, sharpness=replace(measured, residual=bounds))
    entries = row(run)
    assert entries["peak_sharpness"] == pytest.approx(peak, nan_ok=True, rel=1e-12)
    assert entries["overshoot"] == pytest.approx(overshoot, nan_ok=True, rel=1e-12)
    cells = as_text(make_comparison(run)).splitlines()[2].split()
    assert shown in cells
    line = " ".join(event_lines(run))
    assert f"peaks at S̄ = {shown} at step" in line
    catapult = run.to_dict()["catapults"][0]
    assert catapult["peak_sharpness"] == (None if math.isnan(peak) else pytest.approx(peak))
    final = run.to_dict()["final"]["sharpness"]
    if residual == 1e-9:
        assert final == pytest.approx(measured.value[-1], abs=2e-9)
    else:
        assert final is None or final == round(measured.value[-1])


def test_a_run_that_stays_below_has_no_events():
    run = make_run(drop=90)
    assert [row(run)[key] for key in ("crossing", "drop", "delay", "excursions")] == [
        None,
        None,
        None,
        0,
    ]


def test_text_fits_a_hundred_columns_with_long_names_and_numbers():
    runs = [make_run("mpfr100000", drop=110), make_run("float128", drop=300, blowup=150)]
    runs[0].__dict__["loss"] = Series("loss", *(runs[0].loss.step, runs[0].loss.value))
    problem_name = "a_rather_long_name_of_a_problem_from_a_file_in_a_deep_directory"
    comparison = make_comparison(*runs)
    comparison.problem["name"] = problem_name
    text = as_text(comparison)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert comparison.table() == text
    assert "\x1b" not in text
    assert problem_name in text


def test_caption_states_what_the_numbers_mean():
    text = " ".join(caption(make_comparison(*three_runs(), loss="mean")))
    for part in (
        "loss mean = ‖z‖²/N", "η = 2/50", "2/η = 50", "order sequential", "coordinates primal",
        "problem_dtype float64", "λ_max of the loss's Hessian", "predicted sharpness 147.3",
        "init constant (c = 0.01)", "about the loss: the preset is mean",
    ):  # fmt: skip
        assert part in text
    assert "about the loss" not in " ".join(caption(make_comparison(make_run())))


@pytest.mark.parametrize(
    ("value", "log2", "shown"),
    [
        (0.5, -1.0, "0.5"),
        (0.0, -math.inf, "0"),
        (math.inf, math.inf, "inf"),
        (math.nan, math.nan, "nan"),
        (0.25, None, "0.25"),
        (0.0, -4000 * math.log2(10), "1.000e-4000"),
        (math.inf, 5000.5 * math.log2(10), "3.162e+5000"),
        (1e-320, math.log2(1e-300) - 20 * math.log2(10), "1.000e-320"),
        # Just below a power of ten: the significand must not be shown as 10.000.
        (0.0, math.log2(10) * (-400 - 1e-6), "1.000e-400"),
    ],
)
def test_losses_are_shown_beyond_float64(value, log2, shown):
    assert loss_text(value, log2) == shown


def test_narrow_captions_lose_no_word():
    comparison = make_comparison(*three_runs(), loss="mean")
    narrow = caption(comparison, width=60)
    assert max(map(len, narrow)) <= 60

    def words(lines):
        return [word for word in " ".join(lines).split() if word != "·"]

    assert words(narrow) == words(caption(comparison))


def test_csv_holds_the_numbers_in_full():
    comparison = make_comparison(*three_runs())
    rows = list(csv.DictReader(io.StringIO(as_csv(comparison))))
    assert [entry["precision"] for entry in rows] == ["float32", "float64", "mpfr256"]
    assert rows[0]["peak_sharpness"] == "54.25"
    assert rows[2]["drop"] == ""
    assert rows[2]["blowup"] == "150"


def test_a_row_is_of_one_excursion_also_when_the_run_starts_above():
    """S_0 alone is above 2/η: a crossing at 0 that the first excursion knows nothing of."""
    run = make_run(drop=110)
    run.sharpness.value[0] = 60.0
    assert (run.events().started_above, run.events().crossing) == (True, 0)
    entries = row(run)
    assert (entries["crossing"], entries["drop"], entries["delay"]) == (100, 110, 10)
    assert entries["started_above"] is True
    calm = make_run(drop=90)
    calm.sharpness.value[0] = 60.0
    entries = row(calm)
    assert (entries["crossing"], entries["drop"], entries["started_above"]) == (None, None, True)
    assert row(make_run())["started_above"] is False


def test_a_run_without_sharpness_has_dashes_and_an_empty_flag():
    run = make_run()
    run.__dict__["sharpness"] = None
    entries = row(run)
    assert [entries[key] for key in ("crossing", "drop", "started_above", "excursions")] == [
        None, None, None, None,
    ]  # fmt: skip
    assert as_text(make_comparison(run)).splitlines()[2].split()[2:7] == ["–"] * 5
