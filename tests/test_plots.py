"""Figures: nothing lost, nothing unreadable, no global state."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from constructed import make_comparison, make_run, three_runs
from precipice.errors import InvalidArgument
from precipice.plots import comparison_figure, log10_loss, run_colours, thinned, write_figure
from precipice.results import Outcome, Series

ROOT = Path(__file__).resolve().parents[1]


def panels(comparison):
    figure = comparison_figure(comparison)
    loss, sharpness = figure.axes
    return figure, loss, sharpness


def markers(axes, shape):
    return [line for line in axes.lines if line.get_marker() == shape]


def curves(axes):
    return [line for line in axes.lines if len(line.get_xdata()) > 2]


def test_thinning_keeps_every_spike_and_the_ends():
    step = np.arange(1_000_000)
    value = np.sin(step / 5e4)
    value[123_457], value[777_777] = 50.0, -50.0
    x, y = thinned(step, value, 1000)
    assert x.size <= 4000
    assert (x[0], x[-1]) == (0, 999_999)
    assert np.all(np.diff(x) > 0)
    np.testing.assert_array_equal(y, value[x])
    assert {123_457, 777_777} <= set(x)


def test_thinning_leaves_short_curves_alone():
    step = np.arange(50)
    x, y = thinned(step, step * 2.0, 100)
    assert x is step
    np.testing.assert_array_equal(y, step * 2.0)


def test_thinning_copes_with_gaps_and_nan():
    step = np.concatenate([np.arange(5_000), np.arange(90_000, 95_000)])
    value = np.where(step < 100, np.nan, step.astype(float))
    _, y = thinned(step, value, 100)
    assert np.isnan(y[0])
    assert np.nanmax(y) == 94_999
    assert np.nanmin(y) == 100


def test_losses_below_and_above_float64_have_their_power_of_ten():
    exponents = np.array([-5000.0, -320.0, 0.0, 400.0])
    log2 = exponents * np.log2(10)
    with np.errstate(over="ignore", under="ignore"):
        series = Series("loss", np.arange(4), 2.0**log2, log2)
    np.testing.assert_allclose(log10_loss(series), exponents)


def test_zero_and_non_finite_losses_have_no_place():
    value = np.array([1.0, 0.0, np.inf, np.nan])
    with np.errstate(divide="ignore"):
        series = Series("loss", np.arange(4), value, np.log2(value))
    np.testing.assert_array_equal(np.isnan(log10_loss(series)), [False, True, True, True])
    without = Series("loss", np.arange(4), value)
    np.testing.assert_array_equal(log10_loss(without), log10_loss(series))


def test_tiny_losses_are_drawn():
    run = make_run(log2_shift=-3000.0)
    assert np.all(run.loss.value == 0)
    _, loss, _ = panels(make_comparison(run))
    (curve,) = curves(loss)
    assert np.all(curve.get_ydata() < -890)
    bottom, top = loss.get_ylim()
    assert bottom < curve.get_ydata().min()
    assert top > curve.get_ydata().max()


def test_panels_share_the_steps_and_show_one_curve_a_run():
    figure, loss, sharpness = panels(make_comparison(*three_runs()))
    assert loss.get_shared_x_axes().joined(loss, sharpness)
    assert len(curves(loss)) == 3
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [
        "float32\ndrops at 110", "float64\ndrops at 130", "mpfr256\nblows up at 150",
        "first crosses 2/η", "blows up",
    ]  # fmt: skip
    title = figure.get_suptitle()
    for part in ("fig6", "minimalist D = 2", "half_mean", "η = 2/50"):
        assert part in title


def test_blow_up_leaves_the_sharpness_readable_and_is_marked_at_the_edge():
    _, loss, sharpness = panels(make_comparison(*three_runs()))
    bottom, top = sharpness.get_ylim()
    assert bottom == 0
    assert 75 < top < 150  # the recorded maximum is 1e7
    (cross,) = markers(sharpness, "X")
    assert cross.get_xdata()[0] == 150
    assert cross.get_ydata()[0] == top
    assert len(markers(loss, "X")) == 1
    assert loss.get_ylim()[1] < 10  # and not 10^90


def test_lines_and_crossings_are_labelled_and_marked():
    _, _, sharpness = panels(make_comparison(*three_runs()))
    labels = {text.get_text() for text in sharpness.texts}
    assert labels == {"2/η\n= 50", "predicted\n= 73.66"}
    heights = {line.get_ydata()[0] for line in sharpness.lines if len(set(line.get_ydata())) == 1}
    assert 50.0 in heights
    rings = markers(sharpness, "o")
    assert [ring.get_xdata()[0] for ring in rings] == [100, 100, 100]
    assert [ring.get_ydata()[0] for ring in rings] == [50, 50, 50]


def test_a_survivor_far_above_the_threshold_does_not_flatten_the_rest():
    run = make_run()
    run.sharpness.value[60] = 1e6
    _, _, sharpness = panels(make_comparison(run))
    assert sharpness.get_ylim()[1] < 400


def test_runs_without_series_or_without_finite_values_are_drawn_empty():
    empty = make_run()
    empty.__dict__["loss"] = empty.__dict__["sharpness"] = None
    _, loss, sharpness = panels(make_comparison(empty))
    assert "no loss was recorded" in loss.texts[0].get_text()
    assert "no sharpness was recorded" in sharpness.texts[0].get_text()
    nan = make_run()
    nan.loss.log2[:] = nan.loss.value[:] = nan.sharpness.value[:] = np.nan
    panels(make_comparison(nan))


def test_a_cancelled_run_says_so():
    run = make_run(drop=300)
    run.__dict__["outcome"] = Outcome.CANCELLED
    figure, _, _ = panels(make_comparison(run))
    assert figure.legends[0].get_texts()[0].get_text() == "float64\ncancelled at 200"


def test_many_runs_fit_in_the_figure(tmp_path):
    runs = [make_run(f"mpfr{bits}", drop=105 + bits) for bits in range(2, 32)]
    figure = comparison_figure(make_comparison(*runs))
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.y0 >= 0
    assert box.y1 <= figure.bbox.y1


def test_colours_go_from_dark_to_light_with_the_bits():
    runs = tuple(make_run(name) for name in ("mpfr1024", "float32", "mpfr113", "float64"))
    lightness = [np.dot(colour[:3], (0.2126, 0.7152, 0.0722)) for colour in run_colours(runs)]
    assert np.argsort(lightness).tolist() == [1, 3, 2, 0]
    assert max(lightness) < 0.75  # visible on white


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_figures_are_written_in_the_format_of_their_suffix(tmp_path, suffix):
    target = tmp_path / f"figure.{suffix}"
    figure = make_comparison(*three_runs()).plot(target)
    assert target.stat().st_size > 1000
    assert len(figure.axes) == 2


@pytest.mark.parametrize("name", ["figure.docx", "figure", "absent/figure.png"])
def test_a_figure_that_cannot_be_written_is_refused(tmp_path, name):
    figure = comparison_figure(make_comparison(make_run()))
    with pytest.raises(InvalidArgument, match="out"):
        write_figure(figure, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_pyplot_is_never_imported():
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from constructed import *\n"
        "make_comparison(*three_runs()).plot()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def fate(run):
    figure, _, sharpness = panels(make_comparison(run))
    return figure.legends[0].get_texts()[0].get_text().partition("\n")[2], sharpness


def test_nothing_is_said_of_a_sharpness_that_was_not_recorded():
    run = make_run()
    run.__dict__["sharpness"] = None
    assert fate(run)[0] == "sharpness not recorded"
    assert fate(make_run(drop=90))[0] == "stays below 2/η"


def test_a_run_that_ends_above_does_not_stay_below():
    assert fate(make_run(drop=300))[0] == "ends above 2/η"


def test_the_ring_is_at_the_first_excursions_crossing():
    run = make_run(drop=110)
    run.sharpness.value[0] = 60.0
    text, sharpness = fate(run)
    assert [ring.get_xdata()[0] for ring in markers(sharpness, "o")] == [100]
    run = make_run(drop=90)
    run.sharpness.value[0] = 60.0
    text, sharpness = fate(run)
    assert (text, markers(sharpness, "o")) == ("starts above 2/η", [])
