"""The figure of a sweep: shares of blow-ups and medians of drops over step size and precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from precipice.plot_style import DPI, INK
from precipice.study.sweep_table import group_of
from precipice.study.table import model_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from precipice.study.sweep import Sweep

_CELL = (0.72, 0.34)  # inches
_LIGHT_ABOVE = 0.55  # of a map's range: where ink is white


def sweep_figure(sweep: Sweep) -> Figure:
    """Draw a sweep as two maps, a row a precision and a column a step size.

    Returns
    -------
    matplotlib.figure.Figure
        Left the share of members that blew up, right the median step of the first drop of those
        that dropped, with a dash where none did.
    """
    from matplotlib.figure import Figure

    width = 2 * (1.6 + _CELL[0] * max(3, len(sweep.lrs)))
    height = 1.5 + _CELL[1] * max(2, len(sweep.precisions))
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2)
    shares = np.array([[_blowups(each) for each in row] for row in sweep.cells])
    medians = np.array([[_median_drop(each) for each in row] for row in sweep.cells])
    _draw_map(left, sweep, shares, "share that blew up", "{:.2f}", "Reds", (0.0, 1.0))
    known = medians[np.isfinite(medians)]
    limits = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    _draw_map(right, sweep, medians, "median step of the first drop", "{:.0f}", "Blues", limits)
    right.set_yticklabels([])
    first = sweep.cells[0][0]
    figure.suptitle(
        f"{first.problem['name']} · {model_text(first)} · loss {first.settings['loss']} · "
        f"{first.size} members a cell",
        fontsize=11, x=0.01, ha="left", color=INK,
    )  # fmt: skip
    return figure


def _blowups(ensemble: Any) -> float:
    return float(np.mean(ensemble.outcomes == "blowup"))


def _median_drop(ensemble: Any) -> float:
    median = group_of(ensemble).spreads["drop"].median
    return np.nan if median is None else float(median)


def _draw_map(
    axes: Axes,
    sweep: Sweep,
    values: npt.NDArray[np.float64],
    title: str,
    form: str,
    colours: str,
    limits: tuple[float, float],
) -> None:
    """Draw one map with its numbers in it."""
    low, high = limits
    span = high - low or 1.0
    axes.imshow(values, cmap=colours, vmin=low - 0.1 * span, vmax=high + 0.25 * span, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        known = bool(np.isfinite(value))
        dark = known and (value - low) / span > _LIGHT_ABOVE
        axes.text(
            column, row, form.format(value) if known else "–", ha="center", va="center",
            fontsize=8.5, color="white" if dark else INK,
        )  # fmt: skip
    axes.set_xticks(range(len(sweep.lrs)), sweep.lrs, fontsize=8.5)
    axes.set_yticks(range(len(sweep.precisions)), sweep.precisions, fontsize=8.5)
    axes.tick_params(length=0, colors=INK)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("step size η", color=INK, fontsize=9)
    axes.set_title(title, fontsize=9.5, color=INK)
