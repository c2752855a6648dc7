"""The figure of an ensemble: what the members' curves did, and when they dropped or blew up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from precipice.plot_style import DPI, INK, plain
from precipice.study.table import model_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from precipice.study.ensemble_results import Ensemble

COLOURS = {
    "max_steps": "#3b6ea8",
    "converged": "#2a9d6f",
    "stalled": "#8a8a8a",
    "locked": "#b08d2f",
    "blowup": "#c8402f",
    "cancelled": "#bbbbbb",
}
"""Of outcomes, in every figure that shows them."""
_MOST_LINES = 64  # members drawn one by one; more are drawn as bands
_MOST_BINS = 60
_DECADES_OF_BLOWUP = 3.0  # shown above the highest loss of the members that did not blow up
_TALLEST = 2.2  # of a blow-up's sharpness, in thresholds

_Floats = npt.NDArray[np.float64]


def ensemble_figure(ensemble: Ensemble) -> Figure:
    """Draw an ensemble.

    Parameters
    ----------
    ensemble : Ensemble

    Returns
    -------
    matplotlib.figure.Figure
        Above the greatest loss of each window of steps (or the recorded loss) and the sharpness,
        as far as they were recorded: a line a member, or of many members for each outcome their
        median and a band from the least to the greatest. Below how many members dropped, or blew
        up, at which step.
    """
    from matplotlib.figure import Figure

    curves = [draw for name, draw in _CURVES if _has(ensemble, name)]
    figure = Figure(figsize=(9.2, 2.6 + 2.0 * len(curves)), dpi=DPI, layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(curves) + 1, 1))
    last = max(1, int(ensemble.steps.max()))
    for axes, draw in zip(panels, curves, strict=False):
        plain(axes)
        axes.set_xlim(0, last)
        draw(axes, ensemble)
    if curves:
        panels[len(curves) - 1].set_xlabel("step")
    plain(panels[-1])
    _draw_steps(panels[-1], ensemble)
    figure.suptitle(_title(ensemble), fontsize=11, x=0.01, ha="left", color=INK)
    _draw_legend(figure, ensemble)
    return figure


def _has(ensemble: Ensemble, name: str) -> bool:
    if name == "loss":
        return ensemble.windows is not None or ensemble.loss is not None
    return ensemble.sharpness is not None


def _draw_loss(axes: Axes, ensemble: Ensemble) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if ensemble.windows is not None:
        step, loss = ensemble.windows.begin, ensemble.windows.greatest
        axes.set_ylabel(f"greatest loss\nof {ensemble.settings['record']['window']} steps")
    else:
        assert ensemble.loss is not None
        step, loss = ensemble.loss.step, ensemble.loss.value
        axes.set_ylabel("loss")
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.log10(loss)
    exponent[~np.isfinite(exponent)] = np.nan
    calm = exponent[ensemble.outcomes != "blowup"]
    shown = exponent[np.isfinite(exponent)]
    if not shown.size:
        return
    top = float(shown.max())
    if np.isfinite(calm).any():
        top = min(top, float(np.nanmax(calm)) + _DECADES_OF_BLOWUP)
    margin = 0.05 * max(top - float(shown.min()), 1.0)
    axes.set_ylim(float(shown.min()) - margin, top + margin)
    _draw_curves(axes, ensemble, step, exponent, ensemble.windows is not None)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"$10^{{{y:.0f}}}$"))


def _draw_sharpness(axes: Axes, ensemble: Ensemble) -> None:
    assert ensemble.sharpness is not None
    value = ensemble.sharpness.value
    axes.set_ylabel("sharpness")
    thresholds = [float(each.threshold_at(0)) for each in ensemble.steppings]
    calm = value[ensemble.outcomes != "blowup"]
    finite = calm[np.isfinite(calm)]
    heights = [1.25 * max(thresholds), _TALLEST * max(thresholds)]
    top = max(heights[0], 1.06 * float(finite.max())) if finite.size else heights[1]
    axes.set_ylim(0, top)
    _draw_curves(axes, ensemble, ensemble.sharpness.step, value)
    for threshold in thresholds:
        axes.axhline(threshold, color=INK, linewidth=0.9, zorder=1.5)
    if len(thresholds) == 1:
        axes.annotate(
            f"{ensemble.threshold_formula}\n= {thresholds[0]:.4g}", (1.0, thresholds[0]),
            xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            fontsize=8.5, color=INK, va="center", annotation_clip=False,
        )  # fmt: skip


_CURVES = (("loss", _draw_loss), ("sharpness", _draw_sharpness))


def _draw_curves(
    axes: Axes, ensemble: Ensemble, step: npt.NDArray[Any], value: _Floats, windows: bool = False
) -> None:
    """Draw a line a member, or a band an outcome; a window's value over all its steps."""
    style: dict[str, Any] = {"zorder": 2, "drawstyle": "steps-post" if windows else "default"}
    if ensemble.size <= _MOST_LINES:
        for outcome, row in zip(ensemble.outcomes, value, strict=True):
            axes.plot(step, row, color=COLOURS[outcome], linewidth=0.7, alpha=0.55, **style)
        return
    for outcome in ensemble.fractions():
        rows = value[ensemble.outcomes == outcome]
        some = np.isfinite(rows).any(axis=0)
        if not some.any():
            continue
        rows = np.where(np.isfinite(rows), rows, np.nan)[:, some]
        low, middle, high = np.nanmin(rows, 0), np.nanmedian(rows, 0), np.nanmax(rows, 0)
        axes.fill_between(
            step[some], low, high, color=COLOURS[outcome], alpha=0.25, linewidth=0, zorder=1.8,
            step="post" if windows else None,
        )  # fmt: skip
        axes.plot(step[some], middle, color=COLOURS[outcome], linewidth=1.1, **style)


def _draw_steps(axes: Axes, ensemble: Ensemble) -> None:
    """Draw how many members dropped, and how many blew up, at which step."""
    from matplotlib.ticker import MaxNLocator

    drops = ensemble.drop[(ensemble.drop >= 0) & (ensemble.outcomes != "blowup")]
    blowups = ensemble.blowup_step[ensemble.blowup_step >= 0]
    groups = [drops, blowups]
    steps = np.concatenate(groups)
    axes.set_ylabel("members")
    if not steps.size:
        axes.set_xlabel("no member dropped below the threshold or blew up")
        axes.set_yticks([])
        return
    width = max(1, -(-(int(steps.max()) - int(steps.min()) + 1) // _MOST_BINS))
    edges = np.arange(steps.min() - 0.5, steps.max() + width, width)
    axes.hist(
        groups, bins=edges.tolist(), stacked=True, zorder=2, rwidth=0.9,
        color=[COLOURS["max_steps"], COLOURS["blowup"]],
    )  # fmt: skip
    axes.set_xlim(edges[0] - 2 * width, edges[-1] + 2 * width)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("step of the first drop (blue) or the blow-up (red)")


def _draw_legend(figure: Figure, ensemble: Ensemble) -> None:
    """List the outcomes with their shares, beside the panels."""
    from matplotlib.lines import Line2D

    handles = []
    for outcome, share in ensemble.fractions().items():
        low, high = share.interval
        label = f"{outcome}\n{share.count} of {share.of}\n{low:.2f}–{high:.2f} (95 %)"
        handles.append(Line2D([], [], color=COLOURS[outcome], linewidth=2.4, label=label))
    figure.legend(
        handles=handles, loc="outside right upper", frameon=False, fontsize=8.5,
        labelspacing=0.9, handlelength=1.6, labelcolor=INK,
    )  # fmt: skip


def _title(ensemble: Ensemble) -> str:
    """Return what was trained in one line."""
    lrs = ensemble.members.lrs
    rates = f"η = {lrs[0]}" if len(lrs) == 1 else f"{len(lrs)} step sizes {lrs[0]} … {lrs[-1]}"
    return (
        f"{ensemble.problem['name']} · {model_text(ensemble)} · {ensemble.precision} · "
        f"loss {ensemble.settings['loss']} · {rates} · {ensemble.size} members"
    )
