"""Figure 12 of Wang et al. 2022 in the small: which labels make a network sharpen how much.

A two-layer linear network learns Gaussian data with the mean and covariance of images. With labels
along the first eigenvector of XXᵀ it hardly sharpens, along a late one it sharpens most; random
labels, and images with their own, lie between. The paper descends with η = 2/20000, at which
training ends before the edge of stability; here gradient flow does the same in fewer steps, up to
one training loss for all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from precipice import initialisers
from precipice.digits import supported, supported_value
from precipice.models import TwoLayerLinear
from precipice.optimizers import GradientFlow
from precipice.plot_style import DPI, INK, plain, sequence
from precipice.problems import Problem, cifar10, gaussian
from precipice.problems.cifar10_files import read_images
from precipice.record import Record
from precipice.reproduce.figures import Report, ReproducedFigure, claim_lines, train_all
from precipice.results import Outcome, Run, Series
from precipice.simulation import prepare

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES, WIDTH, POSITION, IMAGES = 500, 400, 400, 5000
"""The paper's n, m, its late eigenvector, and how many images the moments are those of."""
TOLERANCE, STEPS = 0.3, 60_000
"""Ours: the loss at which training ends, and the steps it may take."""
_CADENCE = 20


@dataclass(frozen=True)
class LabelDirections(ReproducedFigure):
    """Runs that differ in their labels.

    Attributes
    ----------
    runs : mapping of str to Run
        By what the labels are: images, random, the first eigenvector, the late one, in this order.
    settings : dict
    """

    runs: Mapping[str, Run]
    settings: dict[str, Any]
    name = "wang2022-figure-12"

    def degrees(self) -> dict[str, float]:
        """Return the sharpness at the end over that at the start, the degree of sharpening.

        With the digits that the residuals of the two sharpnesses support.
        """
        return {name: supported_value(*_degree(run)) for name, run in self._runs()}

    def claims(self) -> dict[str, bool]:
        """Return whether each of the paper's claims holds of these runs, by its words."""
        images, chance, first, late = self.degrees().values()
        ended = all(run.outcome is Outcome.CONVERGED for _, run in self._runs())
        return {
            "every run reached the loss": ended,
            "labels along the first eigenvector sharpen least": first < min(images, chance, late),
            "labels along the late eigenvector sharpen most": late > max(images, chance, first),
        }

    def text(self) -> str:
        """Return a line a run, the claims and the settings."""
        lines = [f"{'':<18}{'outcome':>12}{'steps':>8}{'S(0)':>12}{'S at end':>12}{'ratio':>9}"]
        for name, run in self._runs():
            series = _sharpness(run)
            residuals = (None, None) if series.residual is None else series.residual[[0, -1]]
            start, end = (
                supported(float(value), bound, 4, zeros=True)
                for value, bound in zip(series.value[[0, -1]], residuals, strict=True)
            )
            lines.append(
                f"{name:<18}{run.outcome.value:>12}{run.steps:>8}{start:>12}{end:>12}"
                f"{supported(*_degree(run), 3, zeros=True):>9}"
            )
        lines += ["", *claim_lines(self.claims()), "", _caption(self.settings)]
        return "\n".join(lines) + "\n"

    def numbers(self) -> dict[str, Any]:
        """Return the degrees of sharpening and the claims."""
        return {
            "degrees": self.degrees(),
            "steps": {name: run.steps for name, run in self._runs()},
            "claims": self.claims(),
        }

    def figure(self) -> Figure:
        """Draw the sharpness, in units of the start's, against the loss as it falls."""
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

        figure = Figure(figsize=(9.2, 4.6), dpi=DPI, layout="constrained")
        axes = figure.subplots()
        plain(axes)
        axes.set_xscale("log")
        axes.set_yscale("log")
        colours = sequence(len(self.runs))
        for (name, run), colour in zip(self._runs(), colours, strict=True):
            assert run.loss is not None
            series = _sharpness(run)
            loss = np.interp(series.step, run.loss.step, run.loss.value)
            degree = series.value / series.value[0]
            label = re.sub(r"v_(\d+)", r"$v_{\1}$", name)
            axes.plot(loss, degree, color=colour, linewidth=1.5, label=label)
            axes.plot(loss[-1:], degree[-1:], "o", color=colour, markersize=5)
        axes.invert_xaxis()
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("loss, as training lowers it")
        axes.set_ylabel("sharpness S / S(0)")
        axes.legend(frameon=False, fontsize=8.5, labelcolor=INK)
        figure.suptitle(_caption(self.settings), fontsize=9, x=0.01, ha="left", color=INK)
        return figure

    def _runs(self) -> list[tuple[str, Run]]:
        return list(self.runs.items())


def label_directions(
    path: str | os.PathLike[str],
    *,
    samples: int = SAMPLES,
    width: int = WIDTH,
    position: int = POSITION,
    tolerance: float = TOLERANCE,
    steps: int = STEPS,
    seed: int = 0,
    workers: int | None = None,
    report: Report | None = None,
) -> LabelDirections:
    """Train a two-layer linear network on the same data with four kinds of labels.

    Parameters
    ----------
    path : path
        CIFAR-10's airplanes and automobiles. The mean and covariance of the Gaussian data are
        those of the first 5000 images in it, or of all if it holds fewer.
    samples, width : int
        n and m.
    position : int
        Which eigenvector of XXᵀ is the late one.
    tolerance : float
        The loss at which training ends.
    steps, seed : int
        The most Runge-Kutta steps; the seed is that of the data, the labels and the start.
    workers : int, optional
        Threads.
    report : callable, optional
        Called with the steps taken and those of all runs.

    Raises
    ------
    InvalidArgument
        If the data cannot be used or a setting breaks its rule.
    """
    images = min(IMAGES, len(read_images(path).labels))

    def drawn(labels: str) -> Problem:
        return gaussian(samples, seed=seed, labels=labels, like=path, like_n=images)

    problems = {
        "images": cifar10(
            path, ("airplane", "automobile"), n=samples, subset="first", standardise="1/255"
        ),
        "random labels": drawn("random"),
        "labels v_1": drawn("eigenvector:1"),
        f"labels v_{position}": drawn(f"eigenvector:{position}"),
    }
    prepared = [
        prepare(
            problem, TwoLayerLinear(width, scale="none"), GradientFlow(), precision="float64",
            steps=steps, init=initialisers.pytorch(seed), loss="mean", coordinates="spectral",
            tol=tolerance, record=Record(loss=_CADENCE, sharpness=_CADENCE),
        )
        for problem in problems.values()
    ]  # fmt: skip
    runs = dict(zip(problems, train_all(prepared, workers=workers, report=report), strict=True))
    return LabelDirections(runs, _settings(problems, runs, width, tolerance, images))


def _sharpness(run: Run) -> Series:
    assert run.sharpness is not None
    return run.sharpness


def _degree(run: Run) -> tuple[float, float | None]:
    """Return the sharpness at the end over that at the start, and a bound on its error."""
    series = _sharpness(run)
    start, end = series.value[[0, -1]]
    if series.residual is None:
        return float(end / start), None
    bounds = series.residual[[0, -1]]
    return float(end / start), float((bounds[1] + bounds[0] * end / start) / start)


def _settings(
    problems: Mapping[str, Problem],
    runs: Mapping[str, Run],
    width: int,
    tolerance: float,
    images: int,
) -> dict[str, Any]:
    """Return the definitions that travel with the numbers."""
    return {
        "paper": "Wang, Li and Li 2022, figure 12, in the small",
        "problems": {name: problem.to_dict() for name, problem in problems.items()},
        "samples": next(iter(problems.values())).samples,
        "width": width,
        "images": images,
        "tolerance": tolerance,
        "run": next(iter(runs.values())).settings,
    }


def _caption(settings: dict[str, Any]) -> str:
    return (
        f"Wang et al. 2022, figure 12 · Gaussian data with the moments of {settings['images']} "
        f"images, n = {settings['samples']}\ntwo-layer linear, m = {settings['width']}, "
        f"no 1/√m, pytorch start · loss mean · flow to loss {settings['tolerance']:g} · "
        "float64, spectral"
    )
