"""Figures, drawn from results only.

Figures are `matplotlib.figure.Figure` objects with their own canvas: no global state of pyplot is
read or changed, so drawing works without a display, in threads and beside the caller's figures.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.plot_limits import loss_limits, sharpness_limits
from precipice.plot_style import DPI, INK, Colour, plain, sequence
from precipice.study import table
from precipice.whole_files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from precipice.analysis import Events
    from precipice.results import Run, Series
    from precipice.study.comparison import Comparison

_Floats = npt.NDArray[np.float64]
_Steps = npt.NDArray[np.int64]

_LOG10_OF_2 = math.log10(2.0)
# Columns of the panels' width at the resolution figures are written in: finer detail is invisible.
_COLUMNS = 1400


def comparison_figure(comparison: Comparison) -> Figure:
    """Draw loss and sharpness of every run over the steps.

    Parameters
    ----------
    comparison : Comparison
        With loss and sharpness recorded; a panel whose series was not recorded says so.

    Returns
    -------
    matplotlib.figure.Figure
        Loss above (its power of ten, from log2, so values below 1e-308 are drawn), sharpness
        below with the stability threshold and the predicted sharpness as lines. Rings mark
        crossings, crosses blow-ups. Curves are thinned to their extremes within each pixel column,
        so no spike is lost; a run that blows up is followed to the panel's edge.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.2, 5.6), dpi=DPI, layout="constrained")
    loss_axes, sharpness_axes = figure.subplots(2, 1, sharex=True)
    colours = run_colours(comparison.runs)
    last = max((run.steps for run in comparison.runs), default=0)
    for axes in (loss_axes, sharpness_axes):
        plain(axes)
        axes.set_xlim(0, max(1, last))
    _draw_loss(loss_axes, comparison, colours)
    _draw_sharpness(sharpness_axes, comparison, colours)
    figure.suptitle(_title(comparison), fontsize=11, x=0.01, ha="left", color=INK)
    _draw_legend(figure, comparison, colours)
    return figure


def write_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure in the format its suffix names.

    Raises
    ------
    InvalidArgument
        If matplotlib writes no such format, or the file's directory does not exist.
    """
    target = Path(path)
    known = figure.canvas.get_supported_filetypes()
    if target.suffix.lstrip(".").lower() not in known:
        raise InvalidArgument("out", str(path), f"must end in one of .{', .'.join(sorted(known))}")
    if not target.parent.is_dir():
        raise InvalidArgument("out", str(path), "must lie in a directory that exists")
    with whole_file(target) as file:
        figure.savefig(file, format=target.suffix.lstrip(".").lower(), facecolor="white")
    return target


def run_colours(runs: tuple[Run, ...]) -> list[Colour]:
    """Return one colour a run, from dark to light by significand bits, in the order given."""
    by_bits = sorted(range(len(runs)), key=lambda i: (runs[i].precision.bits, i))
    ranks = {index: rank for rank, index in enumerate(by_bits)}
    colours = sequence(len(runs))
    return [colours[ranks[index]] for index in range(len(runs))]


def thinned(step: _Steps, value: _Floats, columns: int) -> tuple[_Steps, _Floats]:
    """Return a curve reduced to first, least, greatest and last point of each pixel column.

    Parameters
    ----------
    step : ndarray of int64, shape (T,)
        Ascending steps.
    value : ndarray of float64, shape (T,)
        NaN is kept only where a whole column is NaN.
    columns : int
        Number of columns the steps are spread over.

    Returns
    -------
    tuple of ndarray
        At most ``4 * columns`` points, in ascending order; the curve itself if it is that short.
    """
    if step.size <= 4 * columns:
        return step, value
    column = (step - step[0]) * columns // (step[-1] - step[0] + 1)
    first = np.flatnonzero(np.diff(column, prepend=-1))
    stop = np.append(first[1:], step.size)
    keep = [first, stop - 1]
    low = np.where(np.isnan(value), np.inf, value)
    high = np.where(np.isnan(value), -np.inf, value)
    for extreme, reduced in (
        (low, np.minimum.reduceat(low, first)),
        (high, np.maximum.reduceat(high, first)),
    ):
        # The first point that attains its column's extreme.
        attained = np.flatnonzero(extreme == np.repeat(reduced, stop - first))
        _, position = np.unique(column[attained], return_index=True)
        keep.append(attained[position])
    index = np.unique(np.concatenate(keep))
    return step[index], value[index]


def log10_loss(series: Series) -> _Floats:
    """Return log10 of a recorded loss, from its log2 so that it does not underflow.

    A loss of zero, and one that is not finite, is NaN: it has no place on the axis.
    """
    if series.log2 is not None:
        exponent = series.log2 * _LOG10_OF_2
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            exponent = np.log10(series.value)
    return np.where(np.isfinite(exponent), exponent, np.nan)


def _draw_loss(axes: Axes, comparison: Comparison, colours: list[Any]) -> None:
    """Draw log10 of the losses, blow-ups at the step where they were recognised."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_ylabel("loss")
    curves = [
        (run, run.loss.step, log10_loss(run.loss), colour)
        for run, colour in zip(comparison.runs, colours, strict=True)
        if run.loss is not None
    ]
    limits = loss_limits([(run, exponent) for run, _, exponent, _ in curves])
    if limits is None:
        _say_nothing_recorded(axes, "loss")
        return
    axes.set_ylim(*limits)
    for run, step, exponent, colour in curves:
        _curve(axes, step, exponent, colour)
        _mark_blowup(axes, run, step, exponent, colour)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"$10^{{{y:.0f}}}$"))


def _draw_sharpness(axes: Axes, comparison: Comparison, colours: list[Any]) -> None:
    """Draw the sharpness, its two lines, the crossings and the blow-ups."""
    axes.set_xlabel("step")
    axes.set_ylabel("sharpness")
    curves = [
        (run, run.sharpness, colour)
        for run, colour in zip(comparison.runs, colours, strict=True)
        if run.sharpness is not None and run.sharpness.step.size
    ]
    if not curves:
        _say_nothing_recorded(axes, "sharpness")
        return
    varies = "schedule" in comparison.optimizer
    threshold = _threshold(comparison, [run for run, _, _ in curves])
    predicted = comparison.theory["predicted_sharpness"]
    # JSON has no infinity: where it was one, it is read back as None.
    predicted = math.inf if predicted is None else predicted
    lowest = min(float(run.threshold_at(series.step).min()) for run, series, _ in curves)
    scale = lowest if varies else threshold
    axes.set_ylim(*sharpness_limits([run for run, _, _ in curves], scale, predicted))
    for run, series, colour in curves:
        _curve(axes, series.step, series.value, colour)
        _mark_blowup(axes, run, series.step, series.value, colour)
    for run, series, colour in curves:
        _mark_crossing(axes, run, series, colour)
    if varies:
        _draw_thresholds(axes, [run for run, _, _ in curves])
    lines = [
        (threshold, table.threshold_formula(comparison), "" if varies else "-"),
        (predicted, "predicted", (0, (5, 3))),
    ]
    _label_lines(axes, lines)


def _threshold(comparison: Comparison, runs: list[Run]) -> float:
    """Return the threshold to label: a schedule's as the runs end; infinite where there is none."""
    last = max(float(run.threshold_at(run.steps)) for run in runs)
    given = comparison.theory["threshold"]
    return last if "schedule" in comparison.optimizer or given is None else float(given)


def _draw_thresholds(axes: Axes, runs: list[Run]) -> None:
    """Draw each run's threshold over its steps: an event comes at its own step in each."""
    for run in runs:
        step = np.unique(np.linspace(0, run.steps, 4 * _COLUMNS).astype(np.int64))
        axes.plot(
            step, run.threshold_at(step), color=INK, linewidth=0.9, drawstyle="steps-post",
            zorder=1.5,
        )  # fmt: skip


def _curve(axes: Axes, step: _Steps, value: _Floats, colour: Any) -> None:
    """Draw one thinned curve."""
    finite = np.where(np.isfinite(value), value, np.nan)
    x, y = thinned(step, finite, _COLUMNS)
    axes.plot(x, y, color=colour, linewidth=1.0, solid_joinstyle="round", zorder=2)


def _mark_crossing(axes: Axes, run: Run, series: Series, colour: Any) -> None:
    """Put a ring at the first excursion's crossing; later crossings would hide the curves."""
    crossing = _first_crossing(run)
    if crossing is None:
        return
    height = np.interp(crossing, series.step, series.value)
    axes.plot(
        crossing, height, "o", markersize=5.5, markeredgecolor=colour, markerfacecolor="white",
        markeredgewidth=1.3, clip_on=False, zorder=4,
    )  # fmt: skip


def _first_crossing(run: Run) -> int | None:
    """Return the first excursion's crossing, the one that the table has."""
    excursions = run.events().catapults
    return excursions[0].crossing if excursions else None


def _mark_blowup(axes: Axes, run: Run, step: _Steps, value: _Floats, colour: Any) -> None:
    """Put a cross where a run blew up: at its last value, or at the edge it left through."""
    if run.blowup_step is None:
        return
    finite = np.isfinite(value) & (step <= run.blowup_step)
    bottom, top = axes.get_ylim()
    leaves_upwards = not finite.any() or step[finite][-1] < run.blowup_step
    height = top if leaves_upwards else min(top, max(bottom, float(value[finite][-1])))
    axes.plot(
        run.blowup_step, height, "X", markersize=8, markerfacecolor=colour,
        markeredgecolor="white", markeredgewidth=0.8, clip_on=False, zorder=5,
    )  # fmt: skip


def _label_lines(axes: Axes, lines: list[tuple[float, str, Any]]) -> None:
    """Draw horizontal lines, those with a style, and write their names and heights beside them."""
    bottom, top = axes.get_ylim()
    lines = [line for line in lines if bottom <= line[0] <= top]
    # Two lines of text need a sixth of the panel's height; labels closer than that are spread.
    middle = sum(height for height, _, _ in lines) / max(1, len(lines))
    spread = len(lines) == 2 and abs(lines[0][0] - lines[1][0]) < (top - bottom) / 6
    for height, name, style in lines:
        if style:
            axes.axhline(height, color=INK, linewidth=0.9, linestyle=style, zorder=1.5)
        anchor = "center" if not spread else "bottom" if height >= middle else "top"
        axes.annotate(
            f"{name}\n= {height:.4g}", (1.0, height), xycoords=("axes fraction", "data"),
            xytext=(6, 0), textcoords="offset points", fontsize=8.5, color=INK, va=anchor,
            annotation_clip=False,
        )  # fmt: skip


def _draw_legend(figure: Figure, comparison: Comparison, colours: list[Any]) -> None:
    """List the runs with what became of them, beside the panels."""
    from matplotlib.lines import Line2D

    many = len(comparison.runs) > 8
    formula = table.threshold_formula(comparison)
    handles = [
        Line2D([], [], color=colour, linewidth=2.4, label=f"{table.stage_lines(str(run.precision))}"
               f"{' · ' if many else chr(10)}{_fate(run)}")
        for run, colour in zip(comparison.runs, colours, strict=True)
    ]  # fmt: skip
    mark = {"linestyle": "", "markersize": 6.0, "color": INK}
    if any(_first_crossing(run) is not None for run in comparison.runs):
        label = f"first crosses {formula}"
        handles.append(
            Line2D([], [], marker="o", markerfacecolor="white", label=label, **mark)  # type: ignore[arg-type]
        )
    if any(run.blowup_step is not None for run in comparison.runs):
        handles.append(Line2D([], [], marker="X", label="blows up", **mark))  # type: ignore[arg-type]
    figure.legend(
        handles=handles, loc="outside right upper", frameon=False, fontsize=8.5,
        labelspacing=0.7, handlelength=1.6, labelcolor=INK, ncols=1 + len(handles) // 24,
    )  # fmt: skip


def _fate(run: Run) -> str:
    """Return in a few words what became of a run."""
    if run.blowup_step is not None:
        return f"blows up at {run.blowup_step}"
    events = run.events()
    drops = [event.drop_step for event in events.catapults if event.drop_step is not None]
    drop = f"drops at {drops[0]}" if drops else ""
    if len(drops) > 1:
        drop += f", {len(drops) - 1} more"
    if run.outcome.value == "max_steps":
        return drop or _where(run, events)
    ended = f"{run.outcome.value} at {run.steps}"
    return f"{drop}, {ended}" if drop else ended


def _where(run: Run, events: Events) -> str:
    """Return where a run was that never dropped."""
    if not run.threshold_formula:
        return f"ends at step {run.steps}"
    line = "2/η" if run.threshold_formula == "2/η" else "threshold"
    if not events.measured:
        return "sharpness not recorded"
    if events.catapults:
        return f"ends above {line}"
    return f"starts above {line}" if events.started_above else f"stays below {line}"


def _title(comparison: Comparison) -> str:
    """Return problem, model, loss and learning rate in one line."""
    return (
        f"{comparison.problem['name']} · {table.model_text(comparison)} · "
        f"loss {comparison.settings['loss']} · {table.optimizer_text(comparison)}"
    )


def _say_nothing_recorded(axes: Axes, name: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.text(0.5, 0.5, f"no {name} was recorded", ha="center", transform=axes.transAxes)
    axes.set_yticks([])
