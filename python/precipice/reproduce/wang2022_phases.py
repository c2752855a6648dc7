"""Figures 1 to 3 of Wang et al. 2022 in the small: the four phases of a two-layer linear network.

Figure 1 shows sharpness and loss and divides them into phases, figure 2 the output layer's norm
and the anomaly points, figure 3 λ_2 against 1/η, ‖M_A‖, and the loss beside ‖R‖²/n.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from precipice import initialisers
from precipice.analysis import (
    Anomalies,
    Assumptions,
    Phases,
    check_assumptions,
    find_anomalies,
    find_phases,
)
from precipice.models import TwoLayerLinear
from precipice.optimizers import GD
from precipice.plot_style import DPI, INK, plain
from precipice.problems import Problem, cifar10
from precipice.record import Record
from precipice.reproduce.figures import Report, ReproducedFigure, train_all
from precipice.results import Run
from precipice.simulation import prepare

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAMPLES, WIDTH = 1000, 200
"""The paper's."""
LEARNING_RATE, STEPS = "2/800", 1500
"""Ours: the paper prints neither. 2/η lies above the sharpness at the start, 577."""

_BLUE, _RED, _GREEN, _AMBER = "#2f5d8a", "#c4572b", "#4f9a6b", "#e08a1e"
_LEGEND: dict[str, Any] = {
    "loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 3, "frameon": False, "fontsize": 8.5,
    "labelcolor": INK, "borderaxespad": 0.2,
}  # fmt: skip
_SHADES = {"I": "#ffffff", "II": "#f6e3c5", "III": "#efc2b3", "IV": "#d7e3f1"}


@dataclass(frozen=True)
class FourPhases(ReproducedFigure):
    """A run at the edge of stability, divided into its phases.

    Attributes
    ----------
    run : Run
    phases : Phases
    anomalies : Anomalies
    assumptions : Assumptions or None
        3.2, 3.5 and 3.7 over the whole run (4.3 is figure 20's).
    sharpening : Assumptions or None
        The same over phase I alone; None for a run that begins above 2/η.
    settings : dict
    """

    run: Run
    phases: Phases
    anomalies: Anomalies
    assumptions: Assumptions | None
    sharpening: Assumptions | None
    settings: dict[str, Any]
    name = "wang2022-figures-1-3"

    def text(self) -> str:
        """Return the phases, the share of anomaly points and the assumptions' numbers."""
        names = " ".join(f"{one.phase}:{one.start}-{one.end}" for one in self.phases.intervals)
        lines = [
            *textwrap.wrap(f"phases (first and last step): {names}", 100),
            f"anomaly points: {100 * self.anomalies.fraction:.2f} % of "
            f"{self.anomalies.step.size} steps",
            "",
            f"{'':<52}{'phase I':>14}{'whole run':>14}",
        ]
        for label, values in self._numbers().items():
            lines.append(f"{label:<52}" + "".join(f"{value:>14.5g}" for value in values.values()))
        return "\n".join([*lines, "", _caption(self.settings)]) + "\n"

    def numbers(self) -> dict[str, Any]:
        """Return phases, anomaly points and the assumptions' numbers."""
        return {
            **self.phases.to_dict(),
            "anomalous_steps": self.anomalies.step[self.anomalies.anomalous].tolist(),
            "anomalous_fraction": self.anomalies.fraction,
            "assumptions": self._numbers(),
        }

    def _numbers(self) -> dict[str, dict[str, float]]:
        """Return the assumptions' numbers in five digits: the residuals support about six."""
        return {
            label: {
                "phase I": _five_digits(pick, self.sharpening),
                "whole run": _five_digits(pick, self.assumptions),
            }
            for label, pick in _NUMBERS.items()
        }

    def figure(self) -> Figure:
        """Draw the three figures one under another, and beside them the first catapult."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 8.2), dpi=DPI, layout="constrained")
        panels = figure.subplots(3, 2, sharex="col", width_ratios=(3, 1), height_ratios=(1.2, 1, 1))
        for column, (first, last) in enumerate(((0, self.run.steps), self._first_catapult())):
            for axes, draw in zip(
                panels[:, column],
                (self._draw_sharpness, self._draw_losses, self._draw_spectrum),
                strict=True,
            ):
                plain(axes)
                _shade(axes, self.phases)
                axes.set_xlim(first, last)
                draw(axes, whole=column == 0)
            _name_phases(panels[0, column], self.phases, first, last)
            panels[2, column].set_xlabel("step")
        figure.suptitle(_caption(self.settings), fontsize=9, x=0.01, ha="left", color=INK)
        return figure

    def _first_catapult(self) -> tuple[int, int]:
        """Return steps around the first phase III, where phases follow each other fast."""
        found = self.phases.intervals
        third = next((i for i, one in enumerate(found) if one.phase == "III"), None)
        if third is None:
            return 0, self.run.steps
        end = found[min(third + 1, len(found) - 1)].end
        width = end - found[third].start + 1
        return max(0, found[third].start - 2 * width), min(self.run.steps, end + 2 * width)

    def _draw_sharpness(self, axes: Axes, *, whole: bool) -> None:
        """Draw Λ, ‖A‖² and the anomaly points (figures 1b and 2)."""
        rows = _quantities(self.run)
        points = self.anomalies.step[self.anomalies.anomalous]
        heights = np.interp(points, rows.step, rows["gram_sharpness"])
        norm = axes.twinx()
        norm.spines[["top"]].set_visible(False)
        norm.tick_params(labelsize=9, colors=INK)
        lines = [
            *axes.plot(rows.step, rows["gram_sharpness"], color=_BLUE, linewidth=1.4, label="Λ"),
            *norm.plot(rows.step, rows["norm_A2"], "--", color=_RED, linewidth=1.0, label="‖A‖²"),
            *axes.plot(points, heights, ".", color=_AMBER, markersize=6, label="anomaly points"),
        ]
        _mark(axes, 2 / self.run.lr, "2/η", "-")
        for panel in (axes, norm):
            low, high = panel.get_ylim()
            panel.set_ylim(low, high + 0.1 * (high - low))  # room for the phases' names
        if whole:
            axes.set_ylabel("sharpness Λ")
            axes.legend(handles=lines, **_LEGEND)
        else:
            norm.set_ylabel("‖A‖²")

    def _draw_losses(self, axes: Axes, *, whole: bool) -> None:
        """Draw the loss and what of it lies off v_1 (figures 1a and 3b)."""
        from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

        rows, samples = _quantities(self.run), self.settings["samples"]
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        for name, label, colour, style in (
            ("residual_norm2", "loss ‖D‖²/n", _BLUE, "-"),
            ("R_norm2", "‖R‖²/n", _RED, "-"),
            ("R_prime_norm2", "‖R′‖²/n", _GREEN, ":"),
        ):
            values = rows[name] / samples
            axes.plot(rows.step, values, style, color=colour, linewidth=1.2, label=label)
        if whole:
            axes.set_ylabel("loss")
            axes.legend(**_LEGEND)

    def _draw_spectrum(self, axes: Axes, *, whole: bool) -> None:
        """Draw λ_1 and λ_2 of M, and ‖M_A‖, against 1/η (figure 3a)."""
        rows = _quantities(self.run)
        for name, label, colour in (
            ("gram_sharpness", "Λ = λ₁(M)", _BLUE),
            ("lambda_2", "λ₂(M)", _RED),
            ("M_A_norm", "‖M$_A$‖", _GREEN),
        ):
            axes.plot(rows.step, rows[name], color=colour, linewidth=1.2, label=label)
        _mark(axes, 1 / self.run.lr, "1/η", (0, (5, 3)))
        axes.set_ylim(bottom=0)
        if whole:
            axes.set_ylabel("eigenvalues")
            axes.legend(**_LEGEND)


def four_phases(
    path: str | os.PathLike[str],
    *,
    samples: int = SAMPLES,
    width: int = WIDTH,
    lr: str = LEARNING_RATE,
    steps: int = STEPS,
    seed: int = 0,
    coordinates: str = "primal",
    workers: int | None = None,
    report: Report | None = None,
) -> FourPhases:
    """Train a two-layer linear network past its first catapults and divide the run into phases.

    Parameters
    ----------
    path : path
        CIFAR-10's airplanes and automobiles, in any form that `precipice.problems.cifar10` reads;
        the first of each class are taken, as pixel/255.
    samples, width : int
        n and m.
    lr : str
        η.
    steps, seed : int
        The seed is that of the start, PyTorch's.
    coordinates : str
        As `precipice.simulate` has them.
    workers : int, optional
        Threads.
    report : callable, optional
        Called with the steps taken and to be taken.

    Raises
    ------
    InvalidArgument
        If the data cannot be used or a setting breaks its rule.
    """
    problem = cifar10(
        path, ("airplane", "automobile"), n=samples, subset="first", standardise="1/255"
    )
    prepared = prepare(
        problem, TwoLayerLinear(width, scale="none"), GD(lr), precision="float64", steps=steps,
        init=initialisers.pytorch(seed), loss="mean", coordinates=coordinates,
        record=Record(loss=1, quantities=1),
    )  # fmt: skip
    (run,) = train_all([prepared], workers=workers, report=report)
    return divided(run, problem, width)


def divided(run: Run, problem: Problem, width: int) -> FourPhases:
    """Return a run with recorded quantities as the figure it makes."""
    rows = _quantities(run)
    read = np.ones(rows.step.size, dtype=bool)
    if run.blowup_step is not None:
        read = rows.step < run.blowup_step
    step, columns = rows.step[read], {name: rows[name][read] for name in rows.columns}
    sharpness, loss = columns["gram_sharpness"], columns["residual_norm2"] / problem.samples
    phases = find_phases(step, sharpness, loss, threshold=2 / run.lr)
    with np.errstate(invalid="ignore"):
        error = rows.residuals["gram_sharpness"][read] / sharpness
    resolution = float(np.max(error, where=np.isfinite(error), initial=0.0))
    anomalies = find_anomalies(step, sharpness, columns["norm_A2"], resolution=resolution)
    everywhere, sharpening = (
        check_assumptions(
            step[kept], {name: values[kept] for name, values in columns.items()},
            lr=run.lr, width=width,
        ) if np.count_nonzero(kept) > 1 else None
        for kept in (step >= 0, np.isin(step, phases.step[phases.phase == 1]))
    )  # fmt: skip
    return FourPhases(
        run, phases, anomalies, everywhere, sharpening, _settings(run, problem, width)
    )


_NUMBERS: dict[str, Callable[[Assumptions], float]] = {
    "3.2 of D: higher over first order, median": lambda a: a.residual.median,
    "3.2 of D: higher over first order, largest": lambda a: a.residual.largest.value,
    "3.2 of D: share of steps where it is below 1": lambda a: a.residual.smaller,
    "3.2 of ‖A‖²: higher over first order, median": lambda a: a.norm.median,
    "3.2 of ‖A‖²: higher over first order, largest": lambda a: a.norm.largest.value,
    "3.2 of ‖A‖²: share of steps where it is below 1": lambda a: a.norm.smaller,
    "3.5: smallest ⟨v₁(t), v₁(0)⟩": lambda a: a.alignment.smallest.value,
    "3.5: largest 1 - ⟨v₁(t), v₁(t+1)⟩": lambda a: a.alignment.epsilon_2.value,
    "3.7: largest η λ₂, to be below 1": lambda a: a.second_eigenvalue.value,
}


def _five_digits(pick: Callable[[Assumptions], float], found: Assumptions | None) -> float:
    """Return one number rounded to five digits, NaN where there is none."""
    return float("nan") if found is None else float(f"{pick(found):.5g}")


def _settings(run: Run, problem: Problem, width: int) -> dict[str, Any]:
    """Return the definitions that travel with the numbers."""
    return {
        "paper": "Wang, Li and Li 2022, figures 1 to 3, in the small",
        "problem": problem.to_dict(),
        "samples": problem.samples,
        "model": TwoLayerLinear(width, scale="none").describe(),
        "lr": f"2/{2 / run.lr:g}",
        "steps": run.steps,
        "run": run.settings,
        "sharpness": "Λ = λ_1 of M = c_L ∂F/∂θ ∂F/∂θᵀ, c_L = 2/n (eq. 8)",
    }


def _caption(settings: dict[str, Any]) -> str:
    run = settings["run"]
    return (
        f"Wang et al. 2022, figures 1-3 · CIFAR-10 airplane/automobile, first {settings['samples']}"
        f", pixel/255\ntwo-layer linear, m = {settings['model']['width']}, no 1/√m · loss mean · "
        f"GD η = {settings['lr']} · {run['init']['name']} start · float64, {run['coordinates']}"
    )


def _quantities(run: Run) -> Any:
    assert run.quantities is not None
    return run.quantities


def _shade(axes: Axes, phases: Phases) -> None:
    """Colour the background by phase."""
    for one in phases.intervals:
        axes.axvspan(one.start, one.end + 1, color=_SHADES[one.phase], linewidth=0, zorder=0)


def _name_phases(axes: Axes, phases: Phases, first: int, last: int) -> None:
    """Write the names of the phases that are wide enough into the panel."""
    for one in phases.intervals:
        start, stop = max(one.start, first), min(one.end + 1, last)
        if stop - start > (last - first) / 20:
            axes.annotate(
                one.phase, ((start + stop) / 2, 1), xycoords=("data", "axes fraction"),
                xytext=(0, -11), textcoords="offset points", ha="center", fontsize=8.5, color=INK,
            )  # fmt: skip


def _mark(axes: Axes, height: float, text: str, style: Any) -> None:
    """Draw a line across the panel and name it at its left end."""
    axes.axhline(height, color=INK, linewidth=0.9, linestyle=style)
    axes.annotate(
        text, (0, height), xycoords=("axes fraction", "data"), xytext=(4, 2),
        textcoords="offset points", fontsize=8.5, color=INK,
    )  # fmt: skip
