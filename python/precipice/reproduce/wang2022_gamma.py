"""Figure 20 of Wang et al. 2022: m ‖Γ(t)‖ stays below a constant at the edge of stability.

Assumption 4.3 is ‖Γ(t)‖ ≤ c_2/m; the paper finds c_2 ≈ 24 for m = 40, 80, 160 and 200. The
constant depends on the start, of which the paper says only that it is PyTorch's in general and
symmetric in the theory. Here it is the symmetric one, in expectation (``symmetric_gaussian``): for
these widths, m/2 < d, no symmetric start exists. ‖Γ(0)‖ is then not zero, but what Σ w_q w_qᵀ is
away from its expectation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from precipice import initialisers
from precipice.analysis.assumptions import Extreme, gamma_constant
from precipice.digits import supported_value
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.models import TwoLayerLinear
from precipice.optimizers import GD
from precipice.plot_style import DPI, INK, plain, sequence
from precipice.problems import Problem, cifar10
from precipice.record import Record
from precipice.reproduce.figures import Report, ReproducedFigure, train_all
from precipice.results import Run
from precipice.simulation import prepare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTHS = (40, 80, 160, 200)
"""The paper's."""
PAPERS_CONSTANT = 24
SAMPLES = 1000
LEARNING_RATE, STEPS, EVERY = "2/1740", 12000, 4
"""Ours: 2/η lies a little above the sharpness at the start, 1732, from which it hardly rises."""


@dataclass(frozen=True)
class GammaConstant(ReproducedFigure):
    """m ‖Γ(t)‖ of some widths.

    Attributes
    ----------
    widths : tuple of int
    runs : tuple of Run
        One a width.
    settings : dict
    """

    widths: tuple[int, ...]
    runs: tuple[Run, ...]
    settings: dict[str, Any]
    name = "wang2022-figure-20"

    def constants(self) -> list[Extreme]:
        """Return the largest m ‖Γ(t)‖ of each width, and where it is.

        With the digits that its residual supports.
        """
        found = []
        for width, rows in self._rows():
            largest = gamma_constant(rows.step, rows["gamma_norm"], width=width)
            bound = width * float(rows.residuals["gamma_norm"][rows.step == largest.step][0])
            found.append(Extreme(supported_value(largest.value, bound), largest.step))
        return found

    def starts(self) -> list[float]:
        """Return m ‖Γ(0)‖ of each width, likewise."""
        return [
            supported_value(
                float(width * rows["gamma_norm"][0]), width * float(rows.residuals["gamma_norm"][0])
            )
            for width, rows in self._rows()
        ]

    def text(self) -> str:
        """Return a line a width, the paper's constant and the settings."""
        lines = [f"{'m':>6}{'catapults':>11}{'m‖Γ(0)‖':>12}{'largest m‖Γ‖':>14}{'at step':>9}"]
        for width, start, one, run in zip(
            self.widths, self.starts(), self.constants(), self.runs, strict=True
        ):
            lines.append(
                f"{width:>6}{_catapults(run):>11}{start:>12.4g}{one.value:>14.4g}{one.step:>9}"
            )
        largest = max(one.value for one in self.constants())
        lines += ["", f"c₂ = {largest:.1f} here; the paper's figure has {PAPERS_CONSTANT}."]
        return "\n".join([*lines, "", _caption(self.settings)]) + "\n"

    def numbers(self) -> dict[str, Any]:
        """Return the constants."""
        return {
            "widths": [
                {
                    "width": width,
                    "catapults": _catapults(run),
                    "start": start,
                    "largest": one.value,
                    "step": one.step,
                }
                for width, start, one, run in zip(
                    self.widths, self.starts(), self.constants(), self.runs, strict=True
                )
            ],
            "papers_constant": PAPERS_CONSTANT,
        }

    def figure(self) -> Figure:
        """Draw the sharpness and m ‖Γ(t)‖ of every width."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.2, 5.8), dpi=DPI, layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        for axes in (upper, lower):
            plain(axes)
        for (width, rows), colour in zip(self._rows(), sequence(len(self.widths)), strict=True):
            upper.plot(rows.step, rows["gram_sharpness"], color=colour, linewidth=1.1)
            lower.plot(
                rows.step, width * rows["gamma_norm"], color=colour, linewidth=1.1,
                label=f"m = {width}",
            )  # fmt: skip
        for axes, height, text in (
            (upper, 2 / self.runs[0].lr, "2/η"),
            (lower, PAPERS_CONSTANT, "paper's\nc₂ = 24"),
        ):
            axes.axhline(height, color=INK, linewidth=0.9)
            axes.annotate(
                text, (1, height), xycoords=("axes fraction", "data"), xytext=(6, 0),
                textcoords="offset points", va="center", fontsize=8.5, color=INK,
            )  # fmt: skip
        upper.set_ylabel("sharpness Λ")
        lower.set_ylabel("m ‖Γ(t)‖")
        lower.set_ylim(bottom=0)
        lower.set_xlim(0, max(run.steps for run in self.runs))
        lower.set_xlabel("step")
        lower.legend(frameon=False, fontsize=8.5, labelcolor=INK, ncols=len(self.widths))
        figure.suptitle(_caption(self.settings), fontsize=9, x=0.01, ha="left", color=INK)
        return figure

    def _rows(self) -> list[tuple[int, Any]]:
        return [(width, run.quantities) for width, run in zip(self.widths, self.runs, strict=True)]


def gamma_constants(
    path: str | os.PathLike[str],
    *,
    widths: Sequence[int] = WIDTHS,
    samples: int = SAMPLES,
    lr: str = LEARNING_RATE,
    steps: int = STEPS,
    every: int = EVERY,
    seed: int = 0,
    workers: int | None = None,
    report: Report | None = None,
) -> GammaConstant:
    """Train networks of several widths at the edge of stability and follow Γ.

    Parameters
    ----------
    path : path
        CIFAR-10's airplanes and automobiles; the first of each class are taken, as pixel/255.
    widths : sequence of int
        m, each even.
    samples : int
        n.
    lr : str
        η.
    steps, every, seed : int
        Γ is measured every so many steps; the seed is the start's.
    workers : int, optional
        Threads.
    report : callable, optional
        Called with the steps taken and those of all runs.

    Raises
    ------
    InvalidArgument
        If the data cannot be used, a width is odd, or a setting breaks its rule.
    """
    sizes = tuple(whole_number(width, "widths", 2) for width in widths)
    if not sizes:
        raise InvalidArgument("widths", list(widths), "must hold at least one width")
    problem = cifar10(
        path, ("airplane", "automobile"), n=samples, subset="first", standardise="1/255"
    )
    prepared = [
        prepare(
            problem, TwoLayerLinear(width), GD(lr), precision="float64", steps=steps, loss="mean",
            init=initialisers.symmetric_gaussian(seed), coordinates="spectral",
            record=Record(loss=1, sharpness=every, quantities=every),
        )
        for width in sizes
    ]  # fmt: skip
    runs = train_all(prepared, workers=workers, report=report)
    return GammaConstant(sizes, runs, _settings(runs[0], problem, lr))


def _catapults(run: Run) -> int:
    """Return how often the sharpness went above 2/η and the loss spiked."""
    return sum(one.kind == "catapult" for one in run.events().catapults)


def _settings(run: Run, problem: Problem, lr: str) -> dict[str, Any]:
    """Return the definitions that travel with the numbers."""
    return {
        "paper": "Wang, Li and Li 2022, figure 20",
        "problem": problem.to_dict(),
        "samples": problem.samples,
        "lr": lr,
        "steps": run.steps,
        "run": run.settings,
        "gamma": "Γ = c_L c² (X Wᵀ W Xᵀ - (m/d) X Xᵀ), c_L = 2/n, c² = 1/m (eq. 10)",
    }


def _caption(settings: dict[str, Any]) -> str:
    return (
        f"Wang et al. 2022, figure 20 · CIFAR-10 airplane/automobile, first {settings['samples']}, "
        "pixel/255\ntwo-layer linear, 1/√m, start symmetric_gaussian · loss mean · "
        f"GD η = {settings['lr']} · float64, spectral"
    )
